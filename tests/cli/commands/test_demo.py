"""`loginmachine demo`: a complete login."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from loginmachine.demo.browser import sign_in

from ..conftest import called, run

BY_BROWSER = [
    *("binding", "listening", "callback_received", "exchanging_code"),
    *("exchanging_api_key", "saving_credentials", "succeeded"),
]
BY_DEVICE_CODE = [
    *("requesting_device_code", "device_code_shown", "device_code_authorized"),
    *("exchanging_code", "saving_credentials", "succeeded"),
]
TOKENS = ("id_token", "access_token", "refresh_token")
PHASES = (BY_BROWSER, BY_DEVICE_CODE)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("arguments", [[], ["--device-code"]], ids=["browser", "device code"])
def test_demo(arguments: list[str]) -> None:
    with run("demo", *arguments) as command:
        out, err = command.process.communicate(timeout=50)
    assert command.process.returncode == 0, err
    assert err == ""
    phases = re.findall(r"^  ([a-z_]+) +[A-Z]", out, re.MULTILINE)
    assert phases == PHASES[len(arguments)]
    assert "(the browser shows: You are signed in)" in out
    match = re.search(r"It is stored in (\S+)", out)
    assert match is not None
    path = Path(match[1])
    stored = json.loads(path.read_text())
    assert stored["auth_mode"] == "chatgpt"
    tokens = stored["tokens"]
    for secret in (*filter(None, [stored["OPENAI_API_KEY"]]), *(tokens[name] for name in TOKENS)):
        assert secret not in out
    for left in (path, path.parent / "auth.lock", path.parent / "auth.json.lock"):
        left.unlink()
    path.parent.rmdir()


@pytest.mark.timeout(60)
@pytest.mark.parametrize("works", [True, False])
def test_demo_in_the_persons_browser_shows_the_address(tmp_path: Path, *, works: bool) -> None:
    """The address is there before a browser is opened, also through a pipe, and can be opened anywhere."""
    launcher, seen = tmp_path / "launcher", tmp_path / "seen"
    launcher.write_text(f'#!/bin/sh\nprintf %s "$1" > {seen}\nexit {0 if works else 1}\n')
    launcher.chmod(0o755)
    choice = f"{launcher}:none"
    with run("demo", "--browser", BROWSER=choice) as command:
        assert command.process.stdout is not None
        lines: list[str] = []
        for line in command.process.stdout:
            lines.append(line.rstrip("\n"))
            if "browser_launched" in line or "open_browser" in line or line.startswith("  failed"):
                break
        text = "\n".join(lines)
        match = re.search(
            r"^Open this address yourself if your browser does not:\n\n(http://\S+)\n$", text, re.MULTILINE
        )
        assert match is not None, text
        url = match[1]
        assert text.index(url) < text.index("opening_browser")
        assert seen.read_text() == url
        if not works:
            assert "Open the address shown above in a browser yourself." in lines[-1]
        assert sign_in(url, email="ada@example.com", password="any") == "You are signed in"
        out, err = command.process.communicate(timeout=50)
    assert (command.process.returncode, err) == (0, "")
    stored = re.search(r"It is stored in (\S+)", out)
    assert stored is not None
    shutil.rmtree(Path(stored[1]).parent)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("arguments", [(), ("--device-code",)], ids=["browser", "device code"])
def test_demo_of_a_standard_provider(arguments: tuple[str, ...]) -> None:
    with run("demo", "--provider", "openid", *arguments) as command:
        out, err = command.process.communicate(timeout=50)
    assert (command.process.returncode, err) == (0, "")
    phases = re.findall(r"^  ([a-z_]+) +[A-Z]", out, re.MULTILINE)
    assert phases[0] == "discovering"
    assert phases[-2:] == ["saving_credentials", "succeeded"]
    assert re.search(r"Signed in at 127\.0\.0\.1:[0-9]+ as ada@example\.com\.", out)
    match = re.search(r"It is stored in (\S+)", out)
    assert match is not None
    (entry,) = Path(match[1]).glob("127.0.0.1-*.json")
    tokens = json.loads(entry.read_text())["tokens"]
    assert not any(tokens[name] in out for name in TOKENS)
    shutil.rmtree(match[1])


@pytest.mark.timeout(60)
def test_demo_of_sign_in_with_chatgpt() -> None:
    with run("demo", "--provider", "chatgpt") as command:
        out, err = command.process.communicate(timeout=50)
    assert (command.process.returncode, err) == (0, "")
    assert re.findall(r"^  ([a-z_]+) +[A-Z]", out, re.MULTILINE) == [
        *("discovering", "binding", "listening", "callback_received", "exchanging_code"),
        *("fetching_keys", "saving_credentials", "succeeded"),
    ]
    assert "(the browser shows: You are signed in)" in out
    assert "Using ChatGPT plan." in out
    match = re.search(r"It is stored in (\S+)", out)
    assert match is not None
    stored = "".join(path.read_text() for path in Path(match[1]).glob("*.json"))
    assert "oaiapp_" in stored
    secrets = [value for name in TOKENS for value in re.findall(rf'"{name}": "([^"]+)"', stored)]
    assert len(secrets) == 3
    assert [secret[:6] for secret in secrets if secret in out] == []
    shutil.rmtree(match[1])


def test_demo_of_sign_in_with_chatgpt_has_no_device_codes() -> None:
    code, out, err = called("demo", "--provider", "chatgpt", "--device-code")
    assert (code, out) == (2, "")
    assert "no device codes" in err
