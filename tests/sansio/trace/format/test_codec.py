"""Events and options that a trace cannot hold."""

from __future__ import annotations

import json
from typing import Any

import pytest

from loginmachine.sansio import Credentials, LoginOptions, Provider, Secret, Tokens
from loginmachine.sansio.base.http import Encoding
from loginmachine.sansio.login.events import CredentialsSaved, Started
from loginmachine.sansio.model.provenance import provenance_of_provider
from loginmachine.sansio.server.dialect import Dialect
from loginmachine.sansio.server.endpoints import ClientAuthentication
from loginmachine.sansio.server.registration import ClientMetadata, Registration
from loginmachine.sansio.trace import TraceError, read_trace
from loginmachine.sansio.trace.format.codec import decode_event, decode_options, encode

from ....traces.record import FOLDER

LARGE = (FOLDER / "succeeded_with_nonce.jsonl").read_bytes()
LINES = LARGE.splitlines()
HEADER, STARTED = LINES[:2]


def problem(*lines: bytes) -> tuple[int, str]:
    with pytest.raises(TraceError) as caught:
        read_trace(lines)
    return caught.value.line, caught.value.reason


def changed(line: bytes, **members: Any) -> bytes:
    return json.dumps({**json.loads(line), **members}).encode()


EVENTS = [
    ({"type": "Bound"}, "event lacks a member"),
    ({"type": "Bound", "port": 1, "x\x1b": 1}, "event has a member that is not known here"),
    ({"type": "Bound", "port": True}, "event.port is not a whole number of a usable size"),
    ({"type": "Bound", "port": 2**63}, "event.port is not a whole number of a usable size"),
    ({"type": "PreviousCancelled", "accepted": 1}, "event.accepted is neither true nor false"),
    ({"type": "BrowserFailed", "message": 1}, "event.message is not a text"),
    ({"type": "BrowserFailed", "message": "\ud800"}, "event.message is not a text"),
    ({"type": "TimerFired", "timer": "egg"}, "event.timer is none of the values that it can have"),
    ({"type": "TimerFired", "timer": {}}, "event.timer is none of the values that it can have"),
]
REQUEST = {"type": "RequestReceived", "request_id": 1, "method": "GET", "target": "/", "headers": []}
ANSWER = {"type": "TokenResponseReceived", "exchange_id": 1, "status": 200, "headers": [], "body": "", "received_at": 0}


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        *EVENTS,
        ({**REQUEST, "method": "\u0100"}, "event.method is not bytes"),
        ({**REQUEST, "method": {"repeat": " ", "times": 4}}, "event.method is not a usable run of bytes"),
        ({**REQUEST, "method": {"repeat": " ", "times": True}}, "event.method is not a usable run of bytes"),
        ({**REQUEST, "method": {"repeat": "\u20ac", "times": 4}}, "event.method is not a usable run of bytes"),
        ({**REQUEST, "headers": {}}, "event.headers is not a list"),
        ({**REQUEST, "headers": [["a"]]}, "event.headers is not a pair"),
        ({**REQUEST, "headers": ["ab"]}, "event.headers is not a list"),
        ({**ANSWER, "received_at": 10**400}, "event.received_at is not a number of a usable size"),
        ({**ANSWER, "received_at": "now"}, "event.received_at is not a number of a usable size"),
    ],
)
def test_members_that_are_not_an_event(event: dict[str, Any], reason: str) -> None:
    assert problem(HEADER, changed(STARTED, event=event)) == (2, reason)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("deadline", 10**400, "options.deadline is not a number of a usable size"),
        ("deadline", 0, "options has a value out of its range"),
        ("port", 65536, "options has a value out of its range"),
        ("allowed_workspaces", ["a,b"], "options has a value out of its range"),
        ("provider", {"type": "LoginOptions"}, "options.provider is of a type that is not known here"),
        ("surprise", 1, "options has a member that is not known here"),
    ],
)
def test_members_that_are_not_options(name: str, value: object, reason: str) -> None:
    options = {**json.loads(HEADER)["options"], name: value}
    assert problem(changed(HEADER, options=options)) == (1, reason)


def test_an_issuer_that_no_login_may_have() -> None:
    assert problem(HEADER.replace(b'"https://id.example"', b'"file:///etc/passwd"', 1)) == (
        1,
        "options.provider has a value out of its range",
    )


def test_a_provider_of_the_first_traces_gives_all_tokens_for_auth_json() -> None:
    """They have no such member, and the machine of that time accepted nothing else."""
    content = json.loads(HEADER)["options"]
    read = decode_options(content).provider
    assert (read.name, read.dialect) == ("openid", Dialect(gives_all_tokens=True, stores_in_auth_json=True))
    codex = json.loads((FOLDER / "succeeded.jsonl").read_bytes().splitlines()[0])["options"]
    assert decode_options(codex).provider == Provider.codex()


def test_every_field_of_a_provider_is_written_and_read() -> None:
    provider = Provider(
        name="gitlab",
        issuer="https://id.example",
        authorization_endpoint="https://id.example/authorize?p=1",
        token_endpoint="https://id.example/token",
        client_id="client-1",
        scopes=("openid",),
        dialect=Dialect(
            claims_namespace="urn:x",
            encoding=Encoding.JSON,
            revokes_replaced_tokens=True,
            scope_names=(("email", "https://id.example/email"),),
        ),
        token_endpoint_auth_method=ClientAuthentication.CLIENT_SECRET_POST,
        client_secret=Secret("redacted-client-secret"),
        jwks_uri="https://id.example/keys",
        id_token_signing_alg_values_supported=("ES256",),
        issuer_has_tenant=True,
        pushed_authorization_request_endpoint="https://id.example/par",
        require_pushed_authorization_requests=True,
        registration_endpoint="https://id.example/register",
        registration=ClientMetadata(client_name="A program", contacts=("redacted-contact-1",), grant_types=("x",)),
        scope_separator=",",
        token_types=("bearer", "mac"),
        access_token_lifetime=60.0,
    )
    options = LoginOptions(provider=provider)
    assert decode_options(json.loads(json.dumps(encode(options)))) == options


@pytest.mark.parametrize("secret", [None, Secret("redacted-client-secret-1")])
def test_a_registered_client_is_written_and_read(secret: Secret | None) -> None:
    event = Started(
        registration=Registration(
            issuer="https://id.example",
            client_id="redacted-client-1",
            client_secret=secret,
            client_secret_expires_at=5.0,
            redirect_uri="http://127.0.0.1/cb",
        )
    )
    assert decode_event(json.loads(json.dumps(encode(event)))) == event
    assert encode(Started()) == {"type": "Started", "method": "browser"}


def test_the_provider_of_tokens_is_written_unless_the_options_imply_it() -> None:
    tokens = Tokens(access_token=Secret("redacted-access-token-1"), provider=Provider.codex())
    event = CredentialsSaved(replaced=Credentials(auth_mode="oauth", tokens=tokens))
    assert decode_event(json.loads(json.dumps(encode(event)))) == event
    implied = provenance_of_provider(Provider.codex())
    assert "provider" not in encode(event, implied)["replaced"]["tokens"]
    assert "provider" not in encode(event.__replace__(replaced=None))
