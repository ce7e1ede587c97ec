"""The bytes of an entry: the credentials of another provider than Codex's, with the provider that issued them."""

from __future__ import annotations

import contextlib
import json
from typing import Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loginmachine.sansio import Credentials, CredentialsError, Provider, Secret, Tokens
from loginmachine.sansio.model.entry import Identity, identity_of, parse_entry, serialise_entry
from loginmachine.sansio.model.provider_json import READERS, known_members, nested_members, read_provider
from loginmachine.sansio.oauth.revocation import revocation
from loginmachine.sansio.server.client_secret import ExternalSecret
from loginmachine.sansio.server.dialect import Dialect, codex_dialect
from loginmachine.sansio.server.endpoints import ClientAuthentication, DeviceCodeEndpoints, IdTokenPolicy

from ..samples import jwt

ID_TOKEN = jwt({"sub": "u-1", "email": "ada@example.com", "name": "Ada"}, "canary-id-token")
PROVIDER = Provider.openid(
    "https://id.example.com",
    client_id="native",
    authorization_endpoint="https://id.example.com/authorize",
    token_endpoint="https://id.example.com/token",
    revocation_endpoint="https://id.example.com/revoke",
    client_secret="canary-secret",
    token_endpoint_auth_method=ClientAuthentication.CLIENT_SECRET_BASIC,
    scopes=["openid"],
)
CREDENTIALS = Credentials(
    auth_mode="oauth",
    tokens=Tokens(
        id_token=Secret(ID_TOKEN),
        access_token=Secret("canary-access"),
        refresh_token=Secret("canary-refresh"),
        scope=("openid", "email"),
        expiry=1_800_000_000.0,
        resource=("https://api.example.com",),
        extra=Secret('{"instance_url": "https://eu.example.com"}'),
        provider=PROVIDER,
    ),
    last_refresh="2026-11-18T11:06:40.000000Z",
)
ENTRY = """{
  "provider": "openid",
  "issuer": "https://id.example.com",
  "authorization_endpoint": "https://id.example.com/authorize",
  "token_endpoint": "https://id.example.com/token",
  "client_id": "native",
  "scopes": [
    "openid"
  ],
  "uses_nonce": true,
  "revocation_endpoint": "https://id.example.com/revoke",
  "token_endpoint_auth_method": "client_secret_basic",
  "client_secret": "canary-secret",
  "resource": [
    "https://api.example.com"
  ],
  "account": {
    "subject": "u-1",
    "email": "ada@example.com",
    "name": "Ada"
  },
  "tokens": {
    "id_token": "ID_TOKEN",
    "access_token": "canary-access",
    "refresh_token": "canary-refresh",
    "scope": [
      "openid",
      "email"
    ],
    "expires_at": 1800000000.0,
    "extra": {
      "instance_url": "https://eu.example.com"
    }
  },
  "last_refresh": "2026-11-18T11:06:40.000000Z"
}""".replace("ID_TOKEN", ID_TOKEN).encode()


def entry(**changes: Any) -> bytes:
    """Return the bytes of an entry with other members. None removes one."""
    members = {**json.loads(ENTRY), **changes}
    return json.dumps({name: value for name, value in members.items() if value is not None}).encode()


def tokens(**changes: Any) -> bytes:
    return entry(tokens={**json.loads(ENTRY)["tokens"], **changes})


def test_the_bytes_of_an_entry() -> None:
    assert serialise_entry(CREDENTIALS) == ENTRY
    assert parse_entry(ENTRY) == CREDENTIALS


def test_an_entry_with_little_in_it() -> None:
    provider = Provider.oauth(
        authorization_endpoint="https://a.example/auth", token_endpoint="https://a.example/token", client_id="c"
    )
    plain = Credentials(auth_mode="oauth", tokens=Tokens(access_token=Secret("at"), provider=provider))
    assert json.loads(serialise_entry(plain)) == {
        "provider": "oauth",
        "authorization_endpoint": "https://a.example/auth",
        "token_endpoint": "https://a.example/token",
        "client_id": "c",
        "id_token_policy": "compat",
        "tokens": {"access_token": "at"},
        "last_refresh": None,
    }
    assert parse_entry(serialise_entry(plain)) == plain
    assert identity_of(plain) == Identity()


def test_an_emptied_file_holds_nothing() -> None:
    assert parse_entry(b"{}") == Credentials(auth_mode=None)


@pytest.mark.parametrize("credentials", [Credentials(), Credentials(tokens=Tokens(access_token=Secret("at")))])
def test_credentials_without_their_provider_are_refused(credentials: Credentials) -> None:
    with pytest.raises(CredentialsError, match=r"^the credentials do not name the provider that issued them$"):
        serialise_entry(credentials)


# The client secret

EXTERNAL = [
    (ExternalSecret("canary-secret", file="/etc/secret"), "client_secret_file", "/etc/secret", "/etc/secret"),
    (
        ExternalSecret("canary-secret", command=("pass", "show", "id")),
        "client_secret_command",
        ["pass", "show", "id"],
        "the command pass",
    ),
]


@pytest.mark.parametrize(("secret", "member", "value", "where"), EXTERNAL)
def test_only_the_place_of_a_secret_is_stored(secret: ExternalSecret, member: str, value: object, where: str) -> None:
    provider = PROVIDER.__replace__(client_secret=secret)
    assert CREDENTIALS.tokens is not None
    data = serialise_entry(CREDENTIALS.__replace__(tokens=CREDENTIALS.tokens.__replace__(provider=provider)))
    assert b"canary-secret" not in data
    assert json.loads(data)[member] == value
    read = parse_entry(data)
    assert read.tokens is not None
    assert read.tokens.provider is not None
    found = read.tokens.provider.client_secret
    assert isinstance(found, ExternalSecret)
    assert (found.is_read, secret.is_read, found.where) == (False, True, where)
    assert found.with_value("canary-secret") == secret
    # What was read from an entry is written again as it was.
    assert serialise_entry(read) == data


def test_a_secret_has_one_place() -> None:
    for wrong in ({}, {"file": "/etc/secret", "command": ("pass",)}):
        with pytest.raises(ValueError, match="in a file or comes from a command"):
            ExternalSecret(**wrong)  # type: ignore[arg-type]


# Members that are wrong


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"[]", "the file cannot be used: not a JSON object"),
        (b'{"a"', "the file cannot be used: not JSON"),
        (entry(tokens=None), "tokens is missing"),
        (entry(tokens="canary"), "tokens is not an object"),
        (entry(account="canary"), "account is not an object"),
        (entry(resource="canary"), "resource is not a list of strings"),
        (entry(resource=["canary", 1]), "resource is not a list of strings"),
        (entry(last_refresh=7), "last_refresh is not a string"),
        (entry(client_id=None), "client_id is missing"),
        (entry(client_id=["canary"]), "client_id is not a string"),
        (entry(issuer=1), "issuer is not a string"),
        (entry(issuer="http://canary.example"), "issuer: the provider's URL must be https (http only on loopback)"),
        (
            entry(token_endpoint="https://canary@x.example/"),
            "token_endpoint: the provider's URL must not have a user name or a fragment",
        ),
        (entry(jwks_uri="canary"), "jwks_uri: the provider's URL has no valid host"),
        (
            entry(issuer=None, token_endpoint=None),
            "the provider cannot be used: a provider without an issuer needs a token endpoint",
        ),
        (
            entry(callback_path="canary"),
            (
                "the provider cannot be used: the callback path is empty or starts with a"
                " slash, and is neither /success nor /cancel"
            ),
        ),
        (entry(port="canary"), "port is not an integer"),
        (entry(port=True), "port is not an integer"),
        (entry(access_token_lifetime="canary"), "access_token_lifetime is not a number"),
        (entry(uses_nonce="canary"), "uses_nonce is not true or false"),
        (entry(uses_nonce=1), "uses_nonce is not true or false"),
        (entry(token_types="canary"), "token_types is not a list of strings"),
        (entry(authorization_parameters=[["canary"]]), "authorization_parameters is not a list of pairs"),
        (entry(authorization_parameters=[["canary", 1]]), "authorization_parameters is not a list of strings"),
        (
            entry(token_endpoint_auth_method="canary"),
            "token_endpoint_auth_method is not one of none, client_secret_basic, client_secret_post",
        ),
        (entry(id_token_policy=["canary"]), "id_token_policy is not one of strict, compat"),
        (entry(dialect="canary"), "dialect is not an object"),
        (entry(dialect={"encoding": "canary"}), "dialect.encoding is not one of form, json"),
        (entry(device_code={}), "device_code: a member is missing"),
        (
            entry(device_code={"device_authorization_endpoint": "http://canary.example"}),
            "device_code: the provider's URL must be https (http only on loopback)",
        ),
        (entry(client_secret=7), "client_secret is not a string"),
        (entry(client_secret="canary\n"), "client_secret holds a character that is in no secret"),
        (entry(client_secret_file="canary"), "client_secret and client_secret_file are both there"),
        (entry(client_secret=None, client_secret_command="canary"), "client_secret_command is not a list of strings"),
        (tokens(access_token=None), "tokens.access_token is missing"),
        (tokens(access_token=1), "tokens.access_token is not a string"),
        (tokens(refresh_token="canary\n"), "tokens.refresh_token holds a character that is in no token"),
        (tokens(scope="canary"), "tokens.scope is not a list of strings"),
        (tokens(extra="canary"), "tokens.extra is not an object"),
        (tokens(expires_at="canary"), "tokens.expires_at is not a time"),
        (tokens(expires_at=1e300), "tokens.expires_at is not a time"),
    ],
)
def test_what_is_wrong_is_named_and_not_shown(data: bytes, problem: str) -> None:
    with pytest.raises(CredentialsError) as raised:
        parse_entry(data)
    assert str(raised.value) == problem
    assert "canary" not in str(raised.value)


# Members of newer versions

NEWER = {
    **json.loads(ENTRY),
    "plan": "canary",
    "account": {**json.loads(ENTRY)["account"], "picture": "https://x.example"},
    "dialect": {"new": [1], "encoding": "json"},
    "device_code": {"device_authorization_endpoint": "https://id.example.com/device", "interval": 7},
}
NEWER["tokens"] = {**NEWER["tokens"], "token_type": "DPoP"}


def test_members_of_a_newer_version_are_kept_by_a_refresh() -> None:
    read = parse_entry(json.dumps(NEWER).encode())
    assert "canary" not in repr(read)
    assert json.loads(serialise_entry(read)) == NEWER
    assert read.tokens is not None
    assert read.tokens.provider is not None
    assert read.tokens.provider.dialect == Dialect(encoding="json")  # type: ignore[arg-type]


def test_a_new_login_keeps_members_that_hold_no_credentials() -> None:
    written = json.loads(serialise_entry(CREDENTIALS, previous=NEWER))
    assert written["plan"] == "canary"
    # The device code is a member of this version, and this provider has none.
    assert {name for name in written if name not in json.loads(ENTRY)} == {"plan"}
    assert written["tokens"] == json.loads(ENTRY)["tokens"]


def test_an_account_that_no_id_token_describes_is_kept() -> None:
    data = tokens(id_token=None)
    read = parse_entry(data)
    assert identity_of(read) == Identity(subject="u-1", email="ada@example.com", name="Ada")
    assert json.loads(serialise_entry(read))["account"] == json.loads(ENTRY)["account"]


@pytest.mark.parametrize(
    ("claims", "identity"),
    [
        ({"sub": "u-1", "email": "a\n@x", "name": ""}, Identity(subject="u-1", email="a @x")),
        ({"sub": 7, "email": 7, "name": None}, Identity()),
    ],
)
def test_the_person_of_an_id_token(claims: dict[str, object], identity: Identity) -> None:
    found = identity_of(Credentials(tokens=Tokens(id_token=Secret(jwt(claims)), access_token=Secret("at"))))
    assert found.subject == identity.subject
    assert found.name == identity.name
    assert (found.email is None) is (identity.email is None)
    assert found.email is None or found.email.isprintable()


# Every field of a provider


@pytest.mark.parametrize("record", [Provider, Dialect, DeviceCodeEndpoints])
def test_each_type_of_a_field_can_be_read(record: type) -> None:
    annotations = {name: dict.__getitem__(record.__annotations__, name) for name in get_type_hints(record)}
    kinds = {kind.removesuffix(" | None") for kind in annotations.values() if not kind.startswith("ClassVar")}
    assert kinds - {"Secret"} <= set(READERS)


def test_no_member_of_a_provider_is_one_of_the_entry() -> None:
    assert not {"resource", "account", "tokens", "last_refresh"} & set(known_members())
    assert set(nested_members()) == {"device_code", "dialect", "registration"}


URLS = st.sampled_from(["https://a.example/x", "https://b.example/y?z=1", "http://127.0.0.1:8080"])
TEXTS = st.text(st.characters(codec="ascii", min_codepoint=32, max_codepoint=126), min_size=1, max_size=9)
TOKEN = TEXTS.map(Secret)
JSON_OBJECTS = st.dictionaries(TEXTS, st.one_of(st.integers(-9, 9), TEXTS, st.none()), min_size=1, max_size=2)
OTHERS = JSON_OBJECTS.map(json.dumps).map(Secret)
DEVICE = st.builds(DeviceCodeEndpoints, code_endpoint=URLS, poll_endpoint=st.none() | URLS)
DIALECTS = st.one_of(
    st.just(Dialect()), st.just(codex_dialect(None)), st.builds(Dialect, claims_namespace=st.none() | TEXTS)
)
PROVIDERS = st.builds(
    Provider,
    name=st.sampled_from(["openid", "oauth", "google"]),
    issuer=st.sampled_from([None, "https://id.example.com", "http://localhost/realms/x"]),
    authorization_endpoint=URLS,
    token_endpoint=URLS,
    client_id=TEXTS,
    scopes=st.lists(TEXTS, max_size=2).map(tuple),
    authorization_parameters=st.lists(st.tuples(TEXTS, TEXTS), max_size=2).map(tuple),
    port=st.integers(0, 65535),
    fallback_port=st.none() | st.integers(1, 65535),
    callback_path=st.sampled_from(["", "/", "/auth/callback"]),
    promises_iss=st.booleans(),
    uses_nonce=st.booleans(),
    id_token_policy=st.sampled_from(IdTokenPolicy),
    revocation_endpoint=st.none() | URLS,
    jwks_uri=st.none() | URLS,
    help_url=st.none() | URLS,
    device_code=st.none() | DEVICE,
    dialect=DIALECTS,
    token_endpoint_auth_method=st.sampled_from([None, ClientAuthentication.CLIENT_SECRET_POST]),
    client_secret=TOKEN,
    id_token_signing_alg_values_supported=st.lists(TEXTS, max_size=2).map(tuple),
    issuer_has_tenant=st.booleans(),
    scope_separator=st.sampled_from([" ", ","]),
    has_form_answers=st.booleans(),
    token_types=st.lists(TEXTS, max_size=2).map(tuple),
    access_token_lifetime=st.none() | st.floats(0, 1e9),
)
ENTRIES = st.builds(
    Credentials,
    auth_mode=st.just("oauth"),
    tokens=st.builds(
        Tokens,
        id_token=st.sampled_from([None, Secret(ID_TOKEN), Secret("opaque")]),
        access_token=TOKEN,
        refresh_token=st.none() | TOKEN,
        account_id=st.none() | TEXTS,
        expiry=st.none() | st.floats(0, 1e11),
        scope=st.none() | st.lists(TEXTS, max_size=2).map(tuple),
        resource=st.lists(TEXTS, max_size=2).map(tuple),
        extra=st.none() | OTHERS,
        provider=PROVIDERS,
        others=st.none() | st.just(Secret('{"newer": 1}')),
    ),
    last_refresh=st.none() | TEXTS,
    others=st.none() | st.just(Secret('{"newer": {"a": [1]}}')),
)


@given(ENTRIES)
def test_what_was_written_is_read_again(credentials: Credentials) -> None:
    data = serialise_entry(credentials)
    assert parse_entry(data) == credentials
    assert serialise_entry(parse_entry(data)) == data


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 99999) | TEXTS | URLS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from([*known_members(), "tokens", "account", "resource"]), JSON, max_size=3))
def test_any_object_is_read_or_refused(members: dict[str, Any]) -> None:
    data = json.dumps({**json.loads(ENTRY), **members}).encode()
    with contextlib.suppress(CredentialsError):
        read = parse_entry(data)
        assert parse_entry(serialise_entry(read)) == read


def test_members_are_needed() -> None:
    with pytest.raises(CredentialsError, match="client_id is missing"):
        read_provider({})


# What follows from an entry


def test_a_sign_out_revokes_the_tokens() -> None:
    request = revocation(PROVIDER, CREDENTIALS)
    assert request is not None
    assert request.url == "https://id.example.com/revoke"
    assert dict(request.form)["token"] == "canary-refresh"
