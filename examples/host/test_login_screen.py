"""Every outcome of the login screen, offline, with pytest."""

from __future__ import annotations

import pytest
from login_screen import sign_in

from loginmachine import LoginMethod, LoginOptions, MemoryStore, Provider
from loginmachine.testing import playing, possible_outcomes, steps

PROVIDER = Provider.openid("https://id.example", client_id="my-client")
OPTIONS = LoginOptions(provider=PROVIDER, allowed_workspaces=("workspace-1",), required_scopes=("email",))
CASES = [(name, method) for method in LoginMethod for name in possible_outcomes(OPTIONS, method)]


class FakeScreen:
    """A screen that keeps what is shown, and on which the person presses the button, or not."""

    def __init__(self, *, cancels: bool = False) -> None:
        self.lines: list[str] = []
        self.cancels = cancels

    def show(self, line: str) -> None:
        self.lines.append(line)

    def has_pressed_cancel(self) -> bool:
        return self.cancels


@pytest.mark.parametrize(("name", "method"), CASES)
def test_every_outcome(name: str, method: LoginMethod) -> None:
    screen, store = FakeScreen(cancels=name.startswith("waiting")), MemoryStore()
    with playing(name):
        credentials = sign_in(OPTIONS, store, screen, method)
    assert (screen.lines[-1] == "Welcome!") == (credentials is not None)
    assert credentials is store.credentials
    assert "played-" not in screen.lines[-1], "no secret is shown"


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("provider_callback_error", "The provider did not sign you in. Read the provider's reason below"),
        ("waiting", "You have not been signed in."),
        ("persist_failed", "The credentials could not be stored. Check that the folder exists"),
    ],
)
def test_what_the_person_reads(name: str, line: str) -> None:
    screen = FakeScreen(cancels=True)
    with playing(name):
        sign_in(OPTIONS, MemoryStore(), screen)
    assert screen.lines[-1].startswith(line)


def test_a_stale_tab_is_mentioned_and_the_login_goes_on() -> None:
    screen = FakeScreen()
    with playing([steps.callback(state="of-an-old-tab"), steps.time_passes(30), steps.callback()]):
        sign_in(OPTIONS, MemoryStore(), screen)
    assert screen.lines[1:] == [
        "(A page from another sign-in was opened. Use the newest sign-in tab, and close older ones.)",
        "Welcome!",
    ]


def test_a_second_attempt() -> None:
    screen, store = FakeScreen(), MemoryStore()
    with playing("token_endpoint_rejected", "succeeded") as stage:
        assert sign_in(OPTIONS, store, screen) is None
        assert sign_in(OPTIONS, store, screen) is store.credentials
    assert [len(login.requests) for login in stage.logins] == [3, 3]
