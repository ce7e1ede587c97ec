"""The phases that a login reports: name, text, and whether the text is shown to people."""

from __future__ import annotations

from typing import get_args

import pytest

from loginmachine.sansio import LoginFailureCategory, LoginFailureStep
from loginmachine.sansio.callback.pasted import PasteProblem
from loginmachine.sansio.login import progress
from loginmachine.sansio.login.progress import LoginPhase
from loginmachine.sansio.login.server import progress as server_progress

MISMATCH = progress.Failed(
    step=LoginFailureStep.VALIDATE_CALLBACK,
    category=LoginFailureCategory.CALLBACK_STATE_MISMATCH,
    message="words",
    fatal=False,
)
CANCELLED = progress.Cancelled(step=LoginFailureStep.WAIT_FOR_CALLBACK, message="cancelled by the caller")
ANONYMOUS = progress.Succeeded(account_id=None, email=None, plan=None)
ADA = progress.Succeeded(account_id="acc-1", email="ada@example.org", plan="pro")

OPEN = "Open https://u/device in a browser on any machine and enter the code"
WARNING = "Never enter a code that another person gave you."

PHASES: list[tuple[LoginPhase, str, bool, str]] = [
    (
        server_progress.DiscoveringResource(url="https://u/.well-known/oauth-protected-resource"),
        "discovering_resource",
        False,
        "Reading the resource's metadata at https://u/.well-known/oauth-protected-resource.",
    ),
    (
        server_progress.Discovering(url="https://u/.well-known/openid-configuration"),
        "discovering",
        False,
        "Reading the provider's metadata at https://u/.well-known/openid-configuration.",
    ),
    (server_progress.RegisteringClient(), "registering_client", True, "Registering this program at the provider."),
    (server_progress.PushingRequest(), "pushing_request", False, "Sending the authorization request to the provider."),
    (server_progress.FetchingKeys(), "fetching_keys", False, "Fetching the provider's keys."),
    (
        server_progress.KeysDelayed(message="https://u/keys: status 503"),
        "keys_delayed",
        False,
        "The provider's keys are not there yet: https://u/keys: status 503.",
    ),
    (progress.Binding(port=1455, attempt=1), "binding", False, "Opening callback port 1455."),
    (progress.Binding(port=1455, attempt=2), "binding", True, "Opening callback port 1455, attempt 2."),
    (progress.Binding(port=0, attempt=3), "binding", True, "Opening a callback port, attempt 3."),
    (progress.Binding(port=0, attempt=1), "binding", False, "Opening a callback port."),
    (
        progress.CancellingPrevious(port=1455),
        "cancelling_previous",
        True,
        "Port 1455 is in use: asking an earlier sign-in to stop.",
    ),
    (progress.UsingFallbackPort(port=1457), "using_fallback_port", True, "Going on with port 1457."),
    (progress.Listening(url="canary", port=1455), "listening", True, "Waiting for the browser on port 1455."),
    (progress.AddressReady(url="canary"), "address_ready", False, "Waiting for the browser."),
    (progress.OpeningBrowser(), "opening_browser", True, "Opening your browser."),
    (progress.BrowserLaunched(), "browser_launched", True, "Your browser was opened; finish signing in there."),
    (
        progress.HttpsRefused(),
        "https_refused",
        True,
        "A browser tried https. Change https to http in its address bar, or paste that address.",
    ),
    (progress.CallbackReceived(), "callback_received", True, "The browser came back."),
    (
        progress.PasteRefused(problem=PasteProblem.NOT_AN_ADDRESS, redirect_uri="http://u"),
        "paste_refused",
        True,
        "That is not an address. Copy all of your browser's address bar.",
    ),
    (
        progress.PasteRefused(problem=PasteProblem.OTHER_ADDRESS, redirect_uri="http://u"),
        "paste_refused",
        True,
        "That is the address of another page. The right one begins with http://u",
    ),
    (progress.PasteAccepted(), "paste_accepted", True, "That is the right address."),
    (progress.RequestingDeviceCode(), "requesting_device_code", False, "Asking for a device code."),
    (
        progress.UsingBrowserInstead(message="status 404"),
        "using_browser_instead",
        True,
        "Device codes are not enabled for this provider: going on in the browser.",
    ),
    (
        progress.DeviceCodeShown(url="https://u/device", user_code="canary", complete_url=None, expires_in=900.0),
        "device_code_shown",
        True,
        f"{OPEN} within 15 minutes. {WARNING}",
    ),
    (
        progress.DeviceCodeShown(url="https://u/device", user_code="canary", complete_url=None, expires_in=90.0),
        "device_code_shown",
        True,
        f"{OPEN} within 90 seconds. {WARNING}",
    ),
    (
        progress.PollingDelayed(message="status 500"),
        "polling_delayed",
        True,
        "The provider does not answer at the moment; trying again.",
    ),
    (progress.DeviceCodeAuthorized(), "device_code_authorized", True, "The code was entered."),
    (progress.ExchangingCode(), "exchanging_code", False, "Exchanging the authorization code for tokens."),
    (progress.ExchangingApiKey(), "exchanging_api_key", False, "Asking for an API key."),
    (
        progress.ApiKeyUnavailable(message="status 403"),
        "api_key_unavailable",
        False,
        "No API key for this account (status 403); going on without.",
    ),
    (progress.SavingCredentials(), "saving_credentials", True, "Saving your credentials."),
    (ADA, "succeeded", True, "Signed in as ada@example.org."),
    (ANONYMOUS, "succeeded", True, "Signed in."),
    (
        ADA.__replace__(missing_scopes=("repo", "read:\u202eorg")),
        "succeeded",
        True,
        "Signed in as ada@example.org. Not granted: repo, read:\ufffdorg.",
    ),
    (
        MISMATCH,
        "failed",
        True,
        "A page from another sign-in was opened. Use the newest sign-in tab, and close older ones.",
    ),
    (CANCELLED, "cancelled", True, "The sign-in was cancelled: cancelled by the caller."),
]


@pytest.mark.parametrize(("phase", "name", "visible", "text"), PHASES)
def test_every_phase(phase: LoginPhase, name: str, text: str, *, visible: bool) -> None:
    assert (phase.name, phase.is_user_visible, phase.text) == (name, visible, text)


def test_every_phase_is_in_the_table() -> None:
    assert {type(phase) for phase, *_ in PHASES} == set(get_args(LoginPhase))
    names = [kind.name for kind in get_args(LoginPhase)]
    assert len(set(names)) == len(names)


def test_the_address_is_for_the_person_and_not_for_logs() -> None:
    listening = progress.Listening(url="canary", port=1455)
    shown = progress.DeviceCodeShown(url="https://u", user_code="canary", complete_url="canary", expires_in=900.0)
    assert repr(shown) == "DeviceCodeShown(url='https://u', expires_in=900.0)"
    assert listening.url == "canary"
    assert repr(listening) == "Listening(port=1455)"
