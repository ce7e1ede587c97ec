"""Pasted addresses, device codes, odd tokens and replaced credentials, as a trace has them: expectations by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest

from loginmachine.sansio import LoginOptions, Provider
from loginmachine.sansio.base.secret import Secret
from loginmachine.sansio.login.actions import RevokeToken
from loginmachine.sansio.login.events import Bound, CallbackPasted, CredentialsSaved, Started
from loginmachine.sansio.model.credentials import Credentials, Tokens
from loginmachine.sansio.model.options import LoginMethod
from loginmachine.sansio.trace import Recorder
from loginmachine.sansio.trace.redaction import Redactor
from loginmachine.sansio.trace.story import action_words, event_words

from ..callback.test_pasted import WITH_ITS_STATE
from ..samples import CODE, OPTIONS, SECRETS, STATE, answer

OURS = "http://127.0.0.1:1455/auth/callback"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"{OURS}?code={CODE}&state={STATE}", "?code=redacted-code-1&state=redacted-state"),
        (f" <{OURS}?code={CODE}\n&state={STATE}> ", "?code=redacted-code-1&state=redacted-state"),
        (f"code={CODE}&state={STATE[:9]}", "?code=redacted-code-1&state=cut"),
        (f"code={CODE}&state={'o' * 43}", "?code=redacted-code-1&state=redacted-foreign-state-1"),
        (f"code={CODE}&state=", "?code=redacted-code-1"),
        (f"code={CODE}", "?code=redacted-code-1"),
        ("state=secret&state=secret", "?state=a&state=a"),
        (f"{OURS}?state={STATE}&iss=https://auth.op", "?state=redacted-state&iss=https%3A%2F%2Fauth.op"),
        ("http://127.0.0.1:1455/au", "127.0.0.1:1455/"),
        ("https://auth.openai.com/oauth/authorize?state=secret", "https://auth.openai.com/oauth/authorize"),
        ("http://127.0.0.1:9999/auth/callback?code=secret", "https://other.invalid/"),
        ("my secret", "other"),
        ("", "other"),
    ],
)
def test_a_pasted_address(text: str, shown: str) -> None:
    redactor = Redactor(OPTIONS, SECRETS)
    redactor.event(Bound(port=1455))
    assert redactor.event(CallbackPasted(text=text)) == CallbackPasted(text=shown)


@pytest.mark.parametrize("text", WITH_ITS_STATE, ids=range(len(WITH_ITS_STATE)))
def test_a_pasted_address_with_something_around_it(text: str) -> None:
    redactor = Redactor(OPTIONS, SECRETS)
    redactor.event(Bound(port=1455))
    redacted = redactor.event(CallbackPasted(text=text))
    assert isinstance(redacted, CallbackPasted)
    assert sorted(redacted.text.removeprefix("?").split("&")) == ["code=redacted-code-1", "state=redacted-state"]


def told(body: dict[str, Any], options: LoginOptions = OPTIONS) -> Any:
    event = Redactor(options, SECRETS).event(answer(body=json.dumps(body).encode()))
    return json.loads(event.body)  # type: ignore[union-attr]


def test_a_device_code() -> None:
    assert told(
        {
            "device_auth_id": "secret-1",
            "device_code": "secret-2",
            "user_code": "ABCD-1234",
            "usercode": "A" * 65,
            "interval": "5",
            "expires_in": 900,
            "verification_uri": "https://auth.openai.com/codex/device",
            "verification_uri_complete": "https://auth.openai.com/codex/device?user_code=ABCD-1234",
            "secret": "secret",
        }
    ) == {
        "device_auth_id": "redacted-device-code-1",
        "device_code": "redacted-device-code-2",
        "user_code": "redacted-user-code-1",
        "usercode": "redacted-user-code-2 unusable",
        "interval": "5",
        "expires_in": 900,
        "verification_uri": "https://auth.openai.com/codex/device",
        "verification_uri_complete": "https://auth.openai.com/codex/device",
    }


@pytest.mark.parametrize(
    ("member", "value", "shown"),
    [
        ("verification_uri", "https://auth.openai.com.evil.example/", "https://other.invalid/"),
        ("verification_uri", "https://id.example/secret", "https://other.invalid/"),
        ("verification_uri", "javascript:secret", "other"),
        ("interval", "secret", "other"),
        ("interval", ["secret"], []),
        ("interval", None, None),
        ("expires_in", "900", "other"),
        ("authorization_code", "secret", "redacted-code-1"),
        ("authorization_code", "sec ret", "redacted-code-1"),
        ("authorization_code", "sec\x00ret", "redacted-code-1\x00"),
        ("code_verifier", "sec ret", "redacted-code-verifier-1 unusable"),
        ("user_code", "", ""),
    ],
)
def test_members_of_an_answer(member: str, value: object, shown: object) -> None:
    assert told({member: value}) == {member: shown}


@pytest.mark.parametrize(
    ("id_token", "shown"),
    [
        ("secret", "redacted-id-token-1"),
        ("secret.sec/ret.secret", "redacted-id-token-1.!."),
        ("secret.c2VjcmV0.secret", "redacted-id-token-1.ew."),
        ("secret._w.secret", "redacted-id-token-1._w."),
    ],
)
def test_an_id_token_that_cannot_be_read(id_token: str, shown: str) -> None:
    """Its placeholder cannot be read for the same reason."""
    assert told({"id_token": id_token}) == {"id_token": shown}


def test_replaced_credentials() -> None:
    old = Credentials(
        auth_mode="secret",
        api_key=Secret("sk-secret"),
        tokens=Tokens(
            id_token=Secret("secret-id"),
            access_token=Secret(""),
            refresh_token=Secret("secret-refresh"),
            account_id="secret-account",
            others=Secret('{"a": "secret"}'),
        ),
        last_refresh="secret",
        others=Secret('{"b": "secret"}'),
    )
    event = Redactor(OPTIONS, SECRETS).event(CredentialsSaved(replaced=old))
    assert isinstance(event, CredentialsSaved)
    assert event.replaced == Credentials(
        auth_mode="other",
        api_key=Secret("redacted-api-key-1"),
        tokens=Tokens(
            id_token=Secret("redacted-id-token-1"),
            access_token=Secret(""),
            refresh_token=Secret("redacted-refresh-token-1"),
        ),
    )
    assert Redactor(OPTIONS, SECRETS).event(CredentialsSaved()) == CredentialsSaved()


def test_in_words() -> None:
    assert event_words(Started()) == "the host starts the login"
    assert event_words(Started(method=LoginMethod.DEVICE_CODE)) == "the host starts the login with a device code"
    assert event_words(CallbackPasted(text="secret")) == "the person pastes an address"
    revoke = RevokeToken(url="https://id.example/revoke", form=(("token", "secret"),), timeout=5.0)
    assert action_words(revoke) == "revoke the old tokens at https://id.example/revoke, within 5 s"


def test_the_recorder_knows_the_real_device_code() -> None:
    recorder = Recorder(LoginOptions(provider=Provider.chatgpt()), SECRETS, write=str, clock=float)
    assert recorder.device_code is None
    recorder.handle(Started(method=LoginMethod.DEVICE_CODE))
    recorder.handle(answer(1, body=b'{"device_auth_id": "d", "user_code": "ABCD-1234"}'))
    assert recorder.device_code is not None
    assert recorder.device_code.user_code == "ABCD-1234"
