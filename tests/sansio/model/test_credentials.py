"""The bytes of auth.json, and the credentials that apply."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from loginmachine.sansio import AuthMode, Credentials, CredentialsError, Provider, Secret, Tokens
from loginmachine.sansio.model.auth_json import parse_object
from loginmachine.sansio.model.credentials import parse, serialise
from loginmachine.sansio.model.tokens import RefreshedTokens, TokenSet

from ..samples import NAMESPACE, jwt

TOKENS = Tokens(
    id_token=Secret("id"), access_token=Secret("access"), refresh_token=Secret("refresh"), account_id="acc-1"
)
LOGIN = Credentials(
    auth_mode="chatgpt", api_key=Secret("sk-1"), tokens=TOKENS, last_refresh="2026-11-18T11:06:40.000000Z"
)
LOGIN_BYTES = b"""{
  "auth_mode": "chatgpt",
  "OPENAI_API_KEY": "sk-1",
  "tokens": {
    "id_token": "id",
    "access_token": "access",
    "refresh_token": "refresh",
    "account_id": "acc-1"
  },
  "last_refresh": "2026-11-18T11:06:40.000000Z"
}"""


def members(**changes: Any) -> bytes:
    return json.dumps({**json.loads(LOGIN_BYTES), **changes}).encode()


def test_the_bytes_of_a_login() -> None:
    assert serialise(LOGIN) == LOGIN_BYTES


def test_a_login_without_api_key_and_account() -> None:
    plain = LOGIN.__replace__(api_key=None, tokens=TOKENS.__replace__(account_id=None))
    expected = LOGIN_BYTES.replace(b'"sk-1"', b"null").replace(b'"acc-1"', b"null")
    assert serialise(plain) == expected


def test_an_api_key_login_writes_two_members_only() -> None:
    credentials = Credentials(auth_mode=AuthMode.API_KEY, api_key=Secret("sk-1"))
    assert serialise(credentials) == b'{\n  "auth_mode": "apikey",\n  "OPENAI_API_KEY": "sk-1"\n}'


def test_what_was_written_is_read_again() -> None:
    assert parse(serialise(LOGIN)) == LOGIN
    assert parse(serialise(Credentials(auth_mode=None))) == Credentials(auth_mode=None)


def test_other_members_are_kept_after_ours_in_their_order() -> None:
    previous = {"zeta": {"b": 1, "a": [None, 1.5]}, "tokens": {"id_token": "old"}, "alpha": "\u00e9\ud800"}
    assert serialise(LOGIN, previous=previous) == LOGIN_BYTES[:-2] + (
        b',\n  "zeta": {\n    "b": 1,\n    "a": [\n      null,\n      1.5\n    ]\n  },\n  "alpha": "\\u00e9\\ud800"\n}'
    )


def test_credentials_that_this_login_did_not_make_are_reset() -> None:
    previous = dict.fromkeys(
        (
            "auth_mode",
            "OPENAI_API_KEY",
            "tokens",
            "last_refresh",
            "agent_identity",
            "personal_access_token",
            "bedrock_api_key",
            "bedrock_access_keys",
        ),
        "old",
    )
    assert serialise(LOGIN, previous=previous) == LOGIN_BYTES
    key_only = Credentials(auth_mode="apikey", api_key=Secret("sk-1"))
    assert json.loads(serialise(key_only, previous=previous)) == {"auth_mode": "apikey", "OPENAI_API_KEY": "sk-1"}


def test_the_credentials_of_a_login_through_the_browser() -> None:
    tokens = TokenSet(id_token=Secret("id"), access_token=Secret("access"), refresh_token=Secret("refresh"))
    made = Credentials.from_login(tokens, account_id="acc-1", received_at=1_795_000_000.25, api_key=Secret("sk-1"))
    assert made == LOGIN.__replace__(last_refresh="2026-11-18T11:06:40.250000Z")


# Reading


def test_reading_a_login() -> None:
    assert parse(LOGIN_BYTES) == LOGIN
    assert parse(b"\xef\xbb\xbf" + LOGIN_BYTES) == LOGIN


def test_older_and_emptier_files() -> None:
    assert parse(b"{}") == Credentials(auth_mode=None)
    assert parse(b'{"OPENAI_API_KEY": "sk-1"}') == Credentials(auth_mode=None, api_key=Secret("sk-1"))
    assert parse(b'{"OPENAI_API_KEY": "", "tokens": null}') == Credentials(auth_mode=None)
    assert parse(b'{"tokens": {}}') == Credentials(auth_mode=None)


def test_a_mode_of_a_newer_version_is_kept() -> None:
    assert parse(b'{"auth_mode": "agentIdentity", "agent_identity": {"x": 1}}').auth_mode == "agentIdentity"


CANARY = "canary-value"
BROKEN: list[tuple[bytes, str]] = [
    (b"", "the file cannot be used: not JSON"),
    (b"canary-value", "the file cannot be used: not JSON"),
    (b"\xffcanary-value", "the file cannot be used: not UTF-8"),
    (b'["canary-value"]', "the file cannot be used: not a JSON object"),
    (members(auth_mode=[CANARY]), "auth_mode is not a string"),
    (members(personal_access_token=[CANARY]), "personal_access_token is not a string"),
    (members(OPENAI_API_KEY={"k": CANARY}), "OPENAI_API_KEY is not a string"),
    (members(last_refresh=5, tokens=None, x=CANARY), "last_refresh is not a string"),
    (members(tokens=CANARY), "tokens is not an object"),
    (members(tokens=[CANARY]), "tokens is not an object"),
    (members(tokens=""), "tokens is not an object"),
    (members(tokens={"access_token": CANARY, "refresh_token": CANARY}), "tokens.id_token is missing"),
    (members(tokens={"id_token": CANARY, "refresh_token": CANARY}), "tokens.access_token is missing"),
    (members(tokens={"id_token": CANARY, "access_token": CANARY}), "tokens.refresh_token is missing"),
    (members(tokens={"id_token": None, "access_token": CANARY}), "tokens.id_token is missing"),
    (members(tokens={"id_token": [CANARY]}), "tokens.id_token is not a string"),
    (
        members(tokens={"id_token": "i", "access_token": "a", "refresh_token": "r", "account_id": [CANARY]}),
        "tokens.account_id is not a string",
    ),
    (members(OPENAI_API_KEY=f"{CANARY}\n"), "OPENAI_API_KEY holds a character that is in no token"),
    (
        members(tokens={"id_token": "i", "access_token": f"\x1b[2J{CANARY}", "refresh_token": "r"}),
        "tokens.access_token holds a character that is in no token",
    ),
    (
        members(tokens={"id_token": "i", "access_token": "a", "refresh_token": f"\ud800{CANARY}"}),
        "tokens.refresh_token holds a character that is in no token",
    ),
]


@pytest.mark.parametrize(("data", "message"), BROKEN, ids=[message for _, message in BROKEN])
def test_an_error_names_the_place_and_never_the_value(data: bytes, message: str) -> None:
    with pytest.raises(CredentialsError) as caught:
        parse(data)
    assert str(caught.value) == message
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None


def test_an_object_is_read_with_all_its_members() -> None:
    assert parse_object(b'{"a": [1], "tokens": 5}') == {"a": [1], "tokens": 5}
    with pytest.raises(CredentialsError, match=r"^the file cannot be used: not a JSON object$"):
        parse_object(b"[]")


# Which credentials apply

KEY, NO_KEY = Secret("sk-1"), None


@pytest.mark.parametrize("plan", ["free", "plus", "pro", "team", "business", "enterprise", "edu", "new", None])
@pytest.mark.parametrize(("mode", "expected"), [("chatgpt", "chatgpt"), ("apikey", "apikey"), ("newer", "newer")])
def test_the_stored_mode_decides(mode: str, expected: str, plan: str | None) -> None:
    assert LOGIN.__replace__(auth_mode=mode).effective_mode(plan) == expected


@pytest.mark.parametrize(
    ("key", "tokens", "plan", "expected"),
    [
        (KEY, None, None, "apikey"),
        (KEY, None, "plus", "apikey"),
        (KEY, TOKENS, "free", "chatgpt"),
        (KEY, TOKENS, "plus", "chatgpt"),
        (KEY, TOKENS, "pro", "chatgpt"),
        (KEY, TOKENS, "team", "chatgpt"),
        (KEY, TOKENS, "business", "apikey"),
        (KEY, TOKENS, "enterprise", "apikey"),
        (KEY, TOKENS, "edu", "apikey"),
        (KEY, TOKENS, "something new", "apikey"),
        (KEY, TOKENS, None, "apikey"),
        (NO_KEY, TOKENS, None, "chatgpt"),
        (NO_KEY, TOKENS, "enterprise", "chatgpt"),
    ],
)
def test_older_files_lack_the_mode(key: Secret | None, tokens: Tokens | None, plan: str | None, expected: str) -> None:
    assert Credentials(auth_mode=None, api_key=key, tokens=tokens).effective_mode(plan) == expected


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"personal_access_token": "at-1", "bedrock_api_key": {"api_key": "b"}}, "personalAccessToken"),
        ({"bedrock_api_key": {"api_key": "b"}, "bedrock_access_keys": {"id": "i"}}, "bedrockApiKey"),
        ({"bedrock_access_keys": {"id": "i"}}, "bedrockAccessKeys"),
        ({"personal_access_token": None, "bedrock_api_key": None, "agent_identity": "a"}, "apikey"),
        ({"personal_access_token": ""}, "apikey"),
        ({"personal_access_token": "at-1", "auth_mode": "chatgpt"}, "chatgpt"),
    ],
)
def test_credentials_of_codex_come_before_an_api_key(members: dict[str, Any], expected: str) -> None:
    content = {"OPENAI_API_KEY": "sk-1", **members}
    assert parse(json.dumps(content).encode()).effective_mode("plus") == expected


@pytest.mark.parametrize(
    ("stored", "moment"),
    [
        ("2026-11-18T11:06:40Z", datetime(2026, 11, 18, 11, 6, 40, tzinfo=UTC)),
        ("2026-11-18T11:06:40.123456789Z", datetime(2026, 11, 18, 11, 6, 40, 123456, tzinfo=UTC)),
        ("2026-11-18T13:06:40+02:00", datetime(2026, 11, 18, 13, 6, 40, tzinfo=timezone(timedelta(hours=2)))),
        ("2026-11-18T11:06:40", datetime(2026, 11, 18, 11, 6, 40, tzinfo=UTC)),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-12:00", None),
        ("yesterday", None),
        ("", None),
        ("\ud800", None),
        (None, None),
    ],
)
def test_the_moment_of_the_last_refresh(stored: str | None, moment: datetime | None) -> None:
    assert LOGIN.__replace__(last_refresh=stored).last_refresh_time() == moment


@pytest.mark.parametrize("account_id", ["acc\x1b[2J", "acc\u202e", "acc\ud800", ""])
def test_an_account_id_that_could_not_be_shown_is_none(account_id: str) -> None:
    assert TOKENS.__replace__(account_id=account_id).account(Provider.codex()).account_id is None
    assert TOKENS.account(Provider.codex()).account_id == "acc-1"


# What we do not know

NEWER = b"""{
  "auth_mode": "chatgpt",
  "OPENAI_API_KEY": null,
  "tokens": {
    "id_token": "id",
    "access_token": "access",
    "refresh_token": "refresh",
    "account_id": "acc-1",
    "oauth_provenance": {
      "canary-issuer": "x"
    },
    "login_owner_id": "owner-1"
  },
  "last_refresh": "2026-11-18T11:06:40.000000Z",
  "agent_identity": {
    "canary-key": [
      1,
      null
    ]
  },
  "personal_access_token": null
}"""


def test_a_file_of_a_newer_version_is_written_as_it_was_read() -> None:
    assert serialise(parse(NEWER)) == NEWER


def test_a_refresh_keeps_unknown_members_in_their_place() -> None:
    answer = RefreshedTokens(access_token=Secret("access-2"), refresh_token=Secret("refresh-2"))
    refreshed = parse(NEWER).refreshed(answer, received_at=1_795_000_001.0)
    expected = (
        NEWER.replace(b'"access"', b'"access-2"')
        .replace(b'"refresh"', b'"refresh-2"')
        .replace(b"11:06:40.0", b"11:06:41.0")
    )
    assert serialise(refreshed) == expected
    assert serialise(refreshed, previous=json.loads(NEWER)) == expected
    assert serialise(refreshed, previous={"agent_identity": "older", "zeta": 1}) == expected[:-2] + b',\n  "zeta": 1\n}'


def test_a_refresh_replaces_only_what_the_response_holds() -> None:
    at: Any = {"received_at": 1_795_000_000.25}
    new = {"last_refresh": "2026-11-18T11:06:40.250000Z"}
    assert LOGIN.refreshed(RefreshedTokens(), **at) == LOGIN.__replace__(**new)
    for name in ("id_token", "access_token", "refresh_token"):
        changes: Any = {name: Secret("new")}
        answer = RefreshedTokens(**changes)
        expected = LOGIN.__replace__(tokens=TOKENS.__replace__(**{name: Secret("new")}), **new)
        assert LOGIN.refreshed(answer, **at) == expected


def test_a_login_keeps_nothing_of_earlier_credentials() -> None:
    written = json.loads(serialise(LOGIN, previous={**json.loads(NEWER), "zeta": 1}))
    assert list(written) == ["auth_mode", "OPENAI_API_KEY", "tokens", "last_refresh", "zeta"]
    assert list(written["tokens"]) == ["id_token", "access_token", "refresh_token", "account_id"]


def test_unknown_members_are_compared_but_not_in_the_repr() -> None:
    credentials = parse(NEWER)
    assert "canary" not in repr(credentials)
    assert "owner-1" not in repr(credentials)
    assert hash(credentials) == hash(parse(NEWER))
    assert credentials != parse(NEWER.replace(b"owner-1", b"owner-2"))


@pytest.mark.parametrize(
    "data",
    [
        # Written by Python scripts: other spacing, escapes and order.
        b'{"tokens": {"account_id": null, "refresh_token": "refresh", "access_token": "access", "id_token": "id"}}',
        b'{"last_refresh":"2026-11-18T11:06:40.123456+00:00","OPENAI_API_KEY":"sk-\\u0031","tokens":null}',
        b'{"OPENAI_API_KEY": "sk-1"}',
        b'{"auth_mode": "apikey", "OPENAI_API_KEY": "sk-1"}',
    ],
)
def test_files_of_other_programs_keep_their_content(data: bytes) -> None:
    assert parse(serialise(parse(data))) == parse(data)
    assert b"auth_mode" in data or b"auth_mode" not in serialise(parse(data))


def test_an_api_key_alone() -> None:
    credentials = Credentials.from_api_key(Secret("sk-1"))
    assert serialise(credentials) == b'{\n  "auth_mode": "apikey",\n  "OPENAI_API_KEY": "sk-1"\n}'
    assert (credentials.effective_mode(None), credentials.tokens) == ("apikey", None)


# What the tokens say


def test_the_account_and_the_expiry_of_tokens() -> None:
    id_token = jwt({"email": "ada@example.org", NAMESPACE: {"chatgpt_account_id": "acc-2", "chatgpt_plan_type": "pro"}})
    access_token = jwt({"exp": 1_795_000_000.5, NAMESPACE: {"chatgpt_plan_type": "plus"}})
    tokens = TOKENS.__replace__(id_token=Secret(id_token), access_token=Secret(access_token))
    account = tokens.account(Provider.codex())
    assert (account.account_id, account.email, account.plan, account.shown_plan) == (
        "acc-2",
        "ada@example.org",
        "pro",
        "plus",
    )
    assert tokens.expires_at() == 1_795_000_000.5


def test_tokens_without_claims() -> None:
    account = TOKENS.account(Provider.codex())
    assert (account.account_id, account.email, account.plan) == ("acc-1", None, None)
    assert TOKENS.expires_at() is None


@pytest.mark.parametrize("exp", [None, "1", True, 1e300, [1], {}])
def test_an_expiry_that_is_not_a_time(exp: object) -> None:
    assert TOKENS.__replace__(access_token=Secret(jwt({"exp": exp}))).expires_at() is None


def test_the_bytes_of_a_file_and_back() -> None:
    credentials = Credentials.from_api_key(Secret("sk-1"))
    assert credentials.serialise() == serialise(credentials)
    assert Credentials.parse(credentials.serialise()) == credentials


def test_the_expiry_that_the_provider_said_is_stored() -> None:
    stored = LOGIN.__replace__(tokens=TOKENS.__replace__(expiry=1_800_000_000.5))
    assert json.loads(serialise(stored))["tokens"]["expires_at"] == 1_800_000_000.5
    assert parse(serialise(stored)) == stored
