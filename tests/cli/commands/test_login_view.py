"""What `loginmachine login` tells the person, in each combination of what it knows: no line contradicts another."""

from __future__ import annotations

import itertools
import os
from typing import TYPE_CHECKING

import pytest

from loginmachine.cli import environment
from loginmachine.cli.arguments import parse_arguments
from loginmachine.cli.commands import login_view
from loginmachine.cli.commands.login_view import LoginView
from loginmachine.cli.terminal.log_file import LogFile
from loginmachine.drivers.system import wsl
from loginmachine.sansio.login.failures import LoginFailureCategory, LoginFailureStep
from loginmachine.sansio.login.progress import (
    DeviceCodeShown,
    Failed,
    HttpsRefused,
    Listening,
    UsingBrowserInstead,
)

if TYPE_CHECKING:
    from pathlib import Path

    from loginmachine.sansio.login.progress import LoginPhase

URL = "https://id.example/authorize"
NO_BROWSER = Failed(
    step=LoginFailureStep.OPEN_BROWSER,
    category=LoginFailureCategory.BROWSER_LAUNCH_FAILED,
    message="no launcher",
    fatal=False,
)
VARIABLES = ("SSH_CONNECTION", "SSH_TTY", "container", "DISPLAY", "WAYLAND_DISPLAY", "BROWSER", "WSL_DISTRO_NAME")
PLACES: dict[str, dict[str, str]] = {
    "desktop": {"DISPLAY": ":0"},
    "a session over SSH": {"SSH_TTY": "/dev/pts/1"},
    "a container": {"container": "podman", "DISPLAY": ":0"},
    "a machine without a display": {},
}
HERE = "paste that page's address here"
ELSEWHERE = "into 'loginmachine complete', in another shell on this machine"


class Shown:
    """Shows the beginning of a login, with these things known, and returns the lines."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._home = home
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        monkeypatch.setattr(environment, "_CONTAINER_FILES", ())
        monkeypatch.setattr(environment.why_no_browser, "__defaults__", (os.environ, "linux"))
        monkeypatch.setattr(wsl, "OS_RELEASE", "/no/such/file")
        for name in VARIABLES:
            monkeypatch.delenv(name, raising=False)
        self.more: tuple[str, ...] = ()
        """Other options."""
        self.phases: tuple[LoginPhase, ...] = (Listening(url=URL, port=1455),)

    def __call__(self, place: str = "desktop", *facts: str, **variables: str) -> str:
        """Show it.

        Args:
            place: One of `PLACES`.
            facts: Of ``cannot paste``, ``no browser``, ``fails``, ``fell back``, ``https`` and ``QR code``.
            variables: Environment variables.
        """
        for name, value in {**PLACES[place], **variables}.items():
            self._monkeypatch.setenv(name, value)
        self._monkeypatch.setattr(login_view, "can_hide_input", lambda: "cannot paste" not in facts)
        options = {"no browser": "--no-browser", "fell back": "--device-code", "QR code": "--qr"}
        given = [option for fact, option in options.items() if fact in facts]
        arguments = parse_arguments(["login", "--home", str(self._home), *given, *self.more])
        with LogFile(str(self._home)) as log:
            view = LoginView(arguments, log)
            if "fell back" in facts:
                view.on_progress(UsingBrowserInstead(message="status 404"))
            for phase in self.phases:
                view.on_progress(phase)
            if "fails" in facts:
                view.on_progress(NO_BROWSER)
            if "https" in facts:
                view.on_progress(HttpsRefused())
            view.finish(None)
            view.close()
        return self._capsys.readouterr().err


@pytest.fixture
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shown:
    return Shown(tmp_path, monkeypatch, capsys)


FACTS = ("cannot paste", "no browser", "fails", "fell back")
ALL = [facts for count in range(5) for facts in itertools.combinations(FACTS, count)]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("facts", [facts for facts in ALL if not {"no browser", "fails"} <= set(facts)])
def test_no_line_contradicts_another(shown: Shown, place: str, facts: tuple[str, ...]) -> None:
    text = shown(place, *facts)
    words = " ".join(text.split())
    # A browser on another machine works, so nothing may say that it has to be on this one, or that there is none here.
    assert "browser on this machine" not in words
    assert "no browser on this machine" not in words.lower()
    explains = place != "desktop" or "fails" in facts
    assert ("browser on another machine works, too" in words) == explains
    assert words.count("browser on another machine") == int(explains)
    # A device code was refused a moment ago, or is another way.
    assert ("--device-code" in words) == (explains and "fell back" not in facts)
    assert (f"This looks like {place}." in words) == (place != "desktop")
    # What to do with the address of a page that cannot be reached.
    assert (HERE in words, ELSEWHERE in words) == ("cannot paste" not in facts, "cannot paste" in facts)
    assert ("Opening your browser" in words) == ("no browser" not in facts)


def test_the_first_lines(shown: Shown) -> None:
    below = "If your browser ends on a page that it cannot reach, paste that page's address here."
    opening = "Opening your browser to sign in. If it does not appear, open this address yourself:"
    assert shown().splitlines() == [opening, "", URL, "", below]
    assert shown("desktop", "no browser").splitlines()[0] == "To sign in, open this address in a browser:"


@pytest.mark.parametrize("choice", ["none", "None", ":none"])
@pytest.mark.parametrize("facts", [(), ("no browser",)])
def test_no_browser_is_wanted(shown: Shown, choice: str, facts: tuple[str, ...]) -> None:
    first = "No browser is opened, because BROWSER is none. To sign in, open this address yourself:"
    assert shown("desktop", *facts, BROWSER=choice).splitlines()[:3] == [first, "", URL]


def test_none_is_no_display(shown: Shown) -> None:
    assert "This looks like a machine without a display." in shown("a machine without a display", BROWSER="none")


def test_where_to_paste_after_https(shown: Shown) -> None:
    words = "Change https to http in its address bar, or paste that address."
    assert shown("desktop", "https").splitlines()[-1].endswith(words)
    assert shown("desktop", "https", "cannot paste").splitlines()[-1].endswith(f"{words} Paste it {ELSEWHERE}.")


# Other addresses to listen at


@pytest.mark.parametrize("address", ["0.0.0.0", "10.0.0.2", "::"])
def test_a_warning_before_other_machines_can_reach_the_port(shown: Shown, address: str) -> None:
    shown.more = ("--listen-address", address)
    text = shown("a container")
    warning = f"Warning: the sign-in listens at {address}, where other machines may reach it until it is over."
    assert (
        f"{warning} If you publish the port of a container, publish it for this machine only: -p 127.0.0.1:1455:1455."
        in text
    )
    assert "docker run" not in text


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_no_warning_for_loopback(shown: Shown, address: str) -> None:
    shown.more = ("--listen-address", address)
    assert "Warning" not in shown()


# Device codes


CODE = DeviceCodeShown(
    url="https://id.example/device", user_code="WXYZ-1234", complete_url="https://id.example/device?c=W", expires_in=900
)


def test_a_device_code_in_a_browser_of_this_machine(shown: Shown, tmp_path: Path) -> None:
    opened = tmp_path / "opened"
    script = tmp_path / "browser"
    script.write_text(f'#!/bin/sh\nprintf %s "$1" > {opened}\n')
    script.chmod(0o700)
    shown.phases = (CODE,)
    lines = shown("desktop", BROWSER=str(script)).splitlines()
    assert lines == [
        "To sign in, open this address in a browser on any machine:",
        "",
        "https://id.example/device",
        "",
        "and enter this code within 15 minutes:",
        "",
        "WXYZ-1234",
        "",
        "This code is only for you. Never enter a code that someone else gave you.",
        "Opening your browser with the code filled in. Compare it with the code above.",
    ]
    assert opened.read_text() == "https://id.example/device?c=W"


@pytest.mark.parametrize(
    ("place", "facts"), [("a session over SSH", ()), ("desktop", ("no browser",)), ("a machine without a display", ())]
)
def test_a_device_code_without_a_browser_here(shown: Shown, place: str, facts: tuple[str, ...]) -> None:
    shown.phases = (CODE,)
    assert shown(place, *facts).splitlines()[9:] == [
        "This address has the code filled in. Compare it with the code above:",
        "",
        "https://id.example/device?c=W",
        "",
    ]


def test_a_device_code_without_such_an_address(shown: Shown) -> None:
    shown.phases = (CODE.__replace__(complete_url=None),)
    assert len(shown().splitlines()) == 9
