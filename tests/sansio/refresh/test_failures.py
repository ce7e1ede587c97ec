"""Refreshes that fail: for good, or for the moment; and the tokens that are delivered nevertheless."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

import pytest

from loginmachine import Credentials, RefreshFailure, RefreshFailureCategory, RefreshMachine, RefreshSuccess
from loginmachine.sansio.base.http import TransportProblem
from loginmachine.sansio.login.actions import SendTokenRequest
from loginmachine.sansio.login.events import SaveFailed, TokenRequestFailed, TokenResponseReceived
from loginmachine.sansio.model.provenance import Provenance
from loginmachine.sansio.refresh.actions import Deliver, RememberRefusal, Warn
from loginmachine.sansio.refresh.events import LoadFailed, LockFailed, LockTaken

from ..playbook import AnyAction, Playbook
from ..samples import NOW, answer
from .samples import (
    API_KEY_ONLY,
    DAY,
    FORCED,
    LOAD,
    NEW,
    NEW_CREDENTIALS,
    OLD,
    OVER,
    RELEASE,
    TAKE,
    THEIR_CREDENTIALS,
    WANTED,
    answered,
    delivered,
    failure_of,
    loaded,
    machine,
    rejected,
    stored,
    tell,
    unanswered,
)

if TYPE_CHECKING:
    from loginmachine.sansio.refresh.events import RefreshEvent

GONE = answered(400, error="invalid_grant")

TEXT = ((b"Content-Type", b"text/plain"),)
ENDPOINT = "https://auth.openai.com/oauth/token: "


def exchanging(access_token: str = OLD, wanted: Any = WANTED, **changes: Any) -> RefreshMachine:
    """Return a refresh that waits for the token endpoint."""
    refresh = machine()
    before = stored(access_token, **changes)
    tell(refresh, wanted, loaded(before), LockTaken(), loaded(before))
    return refresh


# For good


@pytest.mark.parametrize(
    ("status", "members", "words"),
    [
        (401, {"error": "invalid_grant"}, "status 401: invalid_grant"),
        (400, {"error": "invalid_grant", "error_description": "gone"}, "status 400: invalid_grant: gone"),
        (400, {"error": {"code": "refresh_token_expired", "message": "m"}}, "status 400: refresh_token_expired: m"),
        (400, {"error": {"code": "refresh_token_reused"}}, "status 400: refresh_token_reused"),
        (403, {"code": "refresh_token_invalidated"}, "status 403: refresh_token_invalidated"),
        (401, {"error": {"code": "invalid_refresh_token"}}, "status 401: invalid_refresh_token"),
        (400, {"error": "token_expired"}, "status 400: token_expired"),
        (401, {"code": "token_expired"}, "status 401: token_expired"),
        (200, {"error": "invalid_grant"}, "status 200: invalid_grant"),
    ],
)
def test_a_refresh_token_that_is_refused_for_good(status: int, members: dict[str, Any], words: str) -> None:
    refresh = exchanging(OVER)
    assert (
        Playbook(refresh)
        >> answered(status, **members)
        << LOAD
        >> loaded(stored(OVER))
        << AnyAction(RememberRefusal)
        << RELEASE
        << AnyAction(Deliver)
    )
    assert failure_of(refresh) == ("refresh_token_rejected", ENDPOINT + words, True)


@pytest.mark.parametrize("code", ["invalid_client", "unauthorized_client"])
@pytest.mark.parametrize("status", [400, 401])
def test_a_refused_client_is_no_refused_person(status: int, code: str) -> None:
    """The configuration of the program is wrong (RFC 6749 section 5.2). The tokens are not."""
    refresh = exchanging(OVER)
    assert Playbook(refresh) >> answered(status, error=code) << RELEASE << AnyAction(Deliver)
    assert failure_of(refresh) == ("client_refused", f"{ENDPOINT}status {status}: {code}", True)
    assert isinstance(refresh.outcome, RefreshFailure)
    assert "client" in refresh.outcome.title
    assert refresh.memory.refused is None
    # A better configuration may help, so the token is sent again.
    assert Playbook(machine(refresh.memory)) >> WANTED << LOAD >> loaded(stored(OVER)) << TAKE


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"nothing": 1}', b'{"error": "whatever"}', b'{"error": 5}'])
def test_a_401_without_a_code_that_we_know_may_pass(body: bytes) -> None:
    """A gateway or a proxy answers so too."""
    refresh = exchanging(OVER)
    tell(refresh, answer(1, 401, body))
    assert (failure_of(refresh)[0], failure_of(refresh)[2]) == ("refresh_unavailable", False)
    assert refresh.memory.refused is None


def test_a_refused_refresh_token_is_not_sent_twice() -> None:
    first = exchanging(OVER)
    tell(first, GONE, loaded(stored(OVER)))
    again = machine(first.memory)
    assert Playbook(again) >> WANTED << LOAD >> loaded(stored(OVER)) << AnyAction(Deliver)
    assert again.outcome == first.outcome
    signed_in = machine(first.memory)
    assert Playbook(signed_in) >> WANTED << LOAD >> loaded(stored(OVER, "canary-other-refresh")) << TAKE


def test_a_program_without_locks_may_refresh_at_the_same_time() -> None:
    """It used the refresh token, which is now refused, and stored the new tokens."""
    refresh = exchanging()
    assert (
        Playbook(refresh)
        >> answered(400, error={"code": "refresh_token_reused"})
        << LOAD
        >> loaded(THEIR_CREDENTIALS)
        << RELEASE
        << delivered(THEIR_CREDENTIALS, "adopted")
    )
    assert refresh.memory.refused is None


@pytest.mark.parametrize("event", [answered(), GONE])
def test_expired_tokens_are_not_adopted(event: Any) -> None:
    refresh = exchanging()
    tell(refresh, event)
    assert Playbook(refresh) >> loaded(stored(OVER, "canary-their-refresh")) << RELEASE << AnyAction(Deliver)
    words = "other tokens were stored meanwhile, and they are over"
    assert failure_of(refresh) == ("refresh_unavailable", words, False)


@pytest.mark.parametrize("event", [answered(), GONE])
@pytest.mark.parametrize("wanted", [FORCED, rejected(OLD)])
def test_tokens_that_are_not_wanted_are_not_adopted(wanted: Any, event: Any) -> None:
    """Another program has replaced the refresh token only."""
    refresh = exchanging(OLD, wanted)
    tell(refresh, event)
    assert Playbook(refresh) >> loaded(stored(OLD, "canary-their-refresh")) << RELEASE << AnyAction(Deliver)
    words = "other tokens were stored meanwhile, and their access token is not wanted"
    assert failure_of(refresh) == ("refresh_unavailable", words, False)


def test_an_api_key_that_was_stored_meanwhile() -> None:
    refresh = exchanging()
    tell(refresh, GONE)
    assert Playbook(refresh) >> loaded(API_KEY_ONLY) << RELEASE << delivered(API_KEY_ONLY, "adopted", "sk-canary-key")


def test_no_stored_credentials() -> None:
    refresh = machine(environment_key="  ")
    assert Playbook(refresh) >> WANTED << LOAD >> loaded(None) << AnyAction(Deliver)
    assert failure_of(refresh) == ("not_signed_in", "nothing is stored", True)


def test_a_malformed_file_is_an_error_even_with_a_key_in_the_environment() -> None:
    refresh = machine(environment_key="sk-1")
    tell(refresh, WANTED, LoadFailed(failed_at=NOW, message="auth.json: tokens is not an object\x1b"))
    words = "auth.json: tokens is not an object\N{REPLACEMENT CHARACTER}"
    assert failure_of(refresh) == ("credentials_unreadable", words, True)


@pytest.mark.parametrize(
    ("credentials", "mode"),
    [
        (stored(auth_mode="agentIdentity"), "agentIdentity"),
        (stored(auth_mode="apikey"), "apikey"),
        (Credentials(auth_mode="chatgpt"), "chatgpt"),
        (Credentials(auth_mode=None), "chatgpt"),
    ],
)
def test_credentials_that_give_no_token(credentials: Credentials, mode: str) -> None:
    refresh = machine()
    tell(refresh, WANTED, loaded(credentials))
    words = f"the stored mode is {mode}, and there is no token for it"
    assert failure_of(refresh) == ("credentials_unsupported", words, True)


@pytest.mark.parametrize(
    ("mode", "shown"), [("new\x1b", "new\N{REPLACEMENT CHARACTER}"), ("", ""), ("Chatgpt", "Chatgpt")]
)
def test_a_mode_that_is_not_known(mode: str, shown: str) -> None:
    refresh = machine()
    tell(refresh, WANTED, loaded(stored(auth_mode=mode)))
    words = f"auth_mode is '{shown}', which is not known here"
    assert failure_of(refresh) == ("credentials_unsupported", words, True)


def test_without_a_refresh_token_the_access_token_is_used_to_its_end() -> None:
    lasting, over = stored(OLD, ""), stored(OVER, "")
    assert Playbook(machine()) >> WANTED << LOAD >> loaded(lasting) << delivered(lasting)
    for wanted, credentials in ((WANTED, over), (rejected(OLD), lasting)):
        refresh = machine()
        tell(refresh, wanted, loaded(credentials))
        assert failure_of(refresh) == ("refresh_token_missing", "no refresh token is stored", True)


# For the moment

GATEWAY = answer(1, 502, b"<html>")
TROUBLE = "status 503, the provider has a problem"
TRANSIENT = [
    (GATEWAY, "refresh_unavailable", "status 502, the provider has a problem"),
    (unanswered(), "refresh_unavailable", "no connection"),
    (answered(500, error="oops"), "refresh_unavailable", "status 500, the provider has a problem: oops"),
    (answered(503, error="invalid_grant"), "refresh_unavailable", f"{TROUBLE}: invalid_grant"),
    (answered(503, error="invalid_client"), "refresh_unavailable", f"{TROUBLE}: invalid_client"),
    (answered(429, error="invalid_grant"), "refresh_unavailable", "status 429: invalid_grant"),
    (answered(401, error="whatever"), "refresh_unavailable", "status 401: whatever"),
    (answered(400, error=["invalid_grant"]), "refresh_unavailable", "status 400"),
    (answered(302, a=1), "refresh_response_malformed", None),
    (answered(201), "refresh_response_malformed", "the endpoint answered with status 201, and tokens come with 200"),
    (answered(206), "refresh_response_malformed", "the endpoint answered with status 206, and tokens come with 200"),
    (answered(access_token=""), "refresh_response_malformed", "no usable access_token in the answer"),
    (answered(access_token=5), "refresh_response_malformed", "no usable access_token in the answer"),
    (answered(id_token="a\nb"), "refresh_response_malformed", "no usable id_token in the answer"),
    (answered(token_type="mac"), "refresh_response_malformed", "the answer's token_type is not bearer"),
    (
        answered(500, error="canary-old-refresh"),
        "refresh_unavailable",
        "status 500, the provider has a problem: [redacted]",
    ),
]


@pytest.mark.parametrize(("event", "category", "words"), TRANSIENT)
def test_after_a_temporary_problem_a_valid_token_is_kept(event: Any, category: str, words: str | None) -> None:
    refresh = exchanging(OLD)
    tell(refresh, event)
    assert isinstance(refresh.outcome, RefreshSuccess)
    assert refresh.outcome.token.reveal() == OLD
    assert refresh.outcome.delivery == "kept"
    assert words is None or refresh.outcome.message == ENDPOINT + words
    assert category


@pytest.mark.parametrize(("token", "wanted"), [(OVER, WANTED), (OLD, rejected(OLD))])
@pytest.mark.parametrize(("event", "category", "words"), TRANSIENT)
def test_a_temporary_problem_without_a_valid_token_is_an_error(
    event: Any, category: str, words: str | None, token: str, wanted: Any
) -> None:
    refresh = exchanging(token, wanted)
    assert Playbook(refresh) >> event << RELEASE << AnyAction(Deliver)
    found = failure_of(refresh)
    assert (found[0], found[2]) == (category, False)
    assert words is None or found[1] == ENDPOINT + words


def test_a_response_without_an_access_token_is_an_error_after_the_expiry() -> None:
    refresh = exchanging(OVER)
    tell(refresh, answered(refresh_token="canary-new-refresh"))
    words = ENDPOINT + "no access_token in the answer"
    assert failure_of(refresh) == ("refresh_response_malformed", words, False)


def test_a_token_that_expires_during_the_request_is_not_delivered() -> None:
    refresh = exchanging(OLD)
    tell(refresh, unanswered(TransportProblem.TIMEOUT))
    assert failure_of(refresh)[0] == "refresh_unavailable"
    refresh = exchanging(OLD)
    tell(refresh, answered(503, at=NOW + 61, error="busy"))
    assert failure_of(refresh)[0] == "refresh_unavailable"


def test_the_next_attempt_is_after_30_s_while_the_old_token_is_valid() -> None:
    first = exchanging(OLD)
    tell(first, unanswered())
    why = "the last try was a moment ago"
    for at in (NOW, NOW + 29):
        soon = machine(first.memory)
        assert Playbook(soon) >> WANTED << LOAD >> loaded(stored(), at) << delivered(stored(), "kept", message=why)
        # However often it is asked for.
        assert soon.memory == first.memory
    for wanted, at in ((WANTED, NOW + 30), (WANTED, NOW - 1), (rejected(OLD), NOW + 1)):
        assert Playbook(machine(first.memory)) >> wanted << LOAD >> loaded(stored(), at) << TAKE
    assert Playbook(machine(first.memory)) >> WANTED << LOAD >> loaded(stored(OVER)) << TAKE


# The store


def test_without_the_lock_nothing_is_refreshed() -> None:
    lasting = machine()
    tell(lasting, WANTED, loaded(stored()))
    trouble = LockFailed(message="read-only file system")
    assert Playbook(lasting) >> trouble << delivered(stored(), "kept", message="read-only file system")
    over = machine()
    tell(over, WANTED, loaded(stored(OVER)), trouble)
    assert failure_of(over) == ("store_unavailable", "read-only file system", False)


def test_a_store_that_fails_before_the_new_tokens_are_stored() -> None:
    refresh = exchanging()
    tell(refresh, answered())
    broken = LoadFailed(failed_at=NOW, message="input/output error")
    not_stored = delivered(NEW_CREDENTIALS, "refreshed", is_stored=False)
    assert Playbook(refresh) >> broken << AnyAction(Warn) << RELEASE << not_stored
    assert refresh.memory.unsaved == NEW_CREDENTIALS
    again = machine(refresh.memory)
    assert Playbook(again) >> WANTED << LOAD >> broken << delivered(NEW_CREDENTIALS)
    assert again.memory.unsaved == NEW_CREDENTIALS


BROKEN = LoadFailed(failed_at=NOW, message="input/output error")


@pytest.mark.parametrize(("wanted", "at"), [(rejected(NEW), NOW + 90), (FORCED, NOW + 90), (WANTED, NOW + 10 * DAY)])
def test_tokens_in_memory_have_to_be_valid_and_wanted(wanted: Any, at: float) -> None:
    """The store cannot be read, and these are the only tokens that are known."""
    refresh = exchanging()
    tell(refresh, answered(), loaded(stored()), SaveFailed(message="disk full"))
    again = machine(refresh.memory)
    assert Playbook(again) >> wanted << LOAD >> BROKEN.__replace__(failed_at=at) << AnyAction(Deliver)
    assert failure_of(again) == ("credentials_unreadable", "input/output error", True)
    assert again.memory.unsaved == NEW_CREDENTIALS


def test_tokens_in_memory_that_are_not_wanted_under_the_lock() -> None:
    refresh = exchanging()
    tell(refresh, answered(), loaded(stored()), SaveFailed(message="disk full"))
    again = machine(refresh.memory)
    tell(again, FORCED, loaded(stored()), LockTaken())
    assert Playbook(again) >> BROKEN << RELEASE << AnyAction(Deliver)
    assert failure_of(again)[0] == "credentials_unreadable"


@pytest.mark.parametrize("wanted", [FORCED, rejected(OLD)])
def test_a_response_without_an_access_token_gives_no_wanted_token(wanted: Any) -> None:
    refresh = exchanging(OLD, wanted)
    tell(refresh, answered(refresh_token="canary-new-refresh"))
    words = ENDPOINT + "no access_token in the answer"
    assert failure_of(refresh) == ("refresh_response_malformed", words, False)


@pytest.mark.parametrize("state", ["reading_while_waiting", "reading_again"])
def test_a_store_that_cannot_be_read_a_second_time(state: str) -> None:
    from .samples import machine_in

    refresh = machine_in(state)
    tell(refresh, LoadFailed(failed_at=NOW, message="input/output error"))
    assert failure_of(refresh)[0] == "credentials_unreadable"


def test_a_newer_version_stores_another_sign_in_meanwhile() -> None:
    refresh = exchanging()
    tell(refresh, answered())
    newer = THEIR_CREDENTIALS.__replace__(auth_mode="agentIdentity")
    assert Playbook(refresh) >> loaded(newer) << RELEASE << AnyAction(Deliver)
    assert failure_of(refresh)[0] == "credentials_unsupported"


# Text


@pytest.mark.parametrize("category", RefreshFailureCategory)
def test_a_failure_explains_itself(category: RefreshFailureCategory) -> None:
    failure = RefreshFailure(category=category, message="what happened")
    title, hint, details = failure.describe().split("\n")
    assert (title, hint) == (f"{failure.title}.", failure.hint)
    assert details == f"Details: {category} - what happened"
    assert hint.endswith(".")
    assert not failure.title.endswith(".")


def test_a_problem_of_the_provider_is_not_one_of_the_network() -> None:
    refresh = exchanging(OVER)
    tell(refresh, GATEWAY)
    assert isinstance(refresh.outcome, RefreshFailure)
    assert refresh.outcome.hint == "The provider has a problem. Try again in a while; you are still signed in."


@pytest.mark.parametrize("form", ["halves", "base64", "percent"])
@pytest.mark.parametrize("source", ["answer", "text", "transport", "store", "lock", "loading"])
def test_an_echo_in_parts_or_encoded_is_masked(source: str, form: str) -> None:
    secret = "canary-old-refresh-4711"
    echo = {
        "halves": f"{secret[:11]} and {secret[11:]}",
        "base64": b64encode(secret.encode()).decode().rstrip("="),
        "percent": "".join(f"%{byte:02X}" for byte in secret.encode()),
    }[form]
    words = f"no {echo} here"
    events: dict[str, RefreshEvent] = {
        "answer": answered(400, error="e", error_description=words),
        "text": TokenResponseReceived(exchange_id=1, status=400, headers=TEXT, body=words.encode(), received_at=NOW),
        "transport": TokenRequestFailed(exchange_id=1, kind=TransportProblem.REQUEST, message=words),
        "store": SaveFailed(message=words),
        "lock": LockFailed(message=words),
        "loading": LoadFailed(failed_at=NOW, message=words),
    }
    refresh, before = machine(), stored(OVER, secret)
    tell(refresh, FORCED, loaded(before))
    if source != "lock":
        tell(refresh, LockTaken())
    if source not in ("lock", "loading"):
        tell(refresh, loaded(before))
    if source == "store":
        tell(refresh, answered(), loaded(before))
    told = f"{tell(refresh, events[source])!r} {refresh.outcome!r}"
    assert "no [redacted]" in told
    for part in echo.split(" and "):
        assert [part[first : first + 8] for first in range(len(part) - 8) if part[first : first + 8] in told] == []


OTHER = Provenance(issuer="https://id.example", client_id="client-1")


def test_tokens_of_another_provider_are_neither_sent_nor_delivered() -> None:
    before = stored()
    assert before.tokens is not None
    theirs = before.__replace__(tokens=before.tokens.__replace__(provenance=OTHER))
    refresh = machine()
    tell(refresh, WANTED, loaded(theirs))
    assert failure_of(refresh) == (
        "provider_mismatch",
        (
            "no token is sent or given: they were issued by https://id.example (client client-1), "
            "not by https://auth.openai.com (client app_EMoamEEZ73f0CkXaXp7hrann)"
        ),
        True,
    )


def test_without_a_named_provider_the_recorded_one_is_asked() -> None:
    before = stored()
    assert before.tokens is not None
    theirs = before.__replace__(tokens=before.tokens.__replace__(provenance=OTHER))
    refresh = RefreshMachine(None)
    request = tell(refresh, FORCED, loaded(theirs), LockTaken(), loaded(theirs))[-1]
    assert isinstance(request, SendTokenRequest)
    assert request.url == "https://id.example/oauth/token"
    assert ("client_id", "client-1") in request.form
