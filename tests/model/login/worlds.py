"""The options that a login is explored with: each world switches rows of the table on or off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from loginmachine.sansio import LoginOptions, Provider
from loginmachine.sansio.login.events import Started
from loginmachine.sansio.server.endpoints import DeviceCodeEndpoints
from tests.sansio import chatgpt_samples as chatgpt
from tests.sansio.samples import ID_CLAIMS, NAMESPACE, NONCE, OPTIONS, OTHER_PROVIDER, jwt, token_json, with_dialect
from tests.sansio.server_samples import CLAIMS, KEYS_URL, METADATA, OPENID, REGISTERING, RESOURCE, signed

if TYPE_CHECKING:
    from collections.abc import Mapping


class World(NamedTuple):
    """Options, and what the answers of their provider look like."""

    name: str
    options: LoginOptions
    claims: Mapping[str, Any] = ID_CLAIMS
    """The claims of an ID token that passes every check."""
    callback_parameters: str = ""
    """What the provider adds to the query of every callback."""
    any_port: int = 50000
    """The port that the system chooses for port 0."""
    has_others: bool = False
    """Whether other users and https come to the listener. What is noted of them changes nothing else, and would make
    four times as many states."""
    has_keys: bool = False
    """Whether the provider signs its id tokens with keys that are fetched, and has metadata and registrations."""
    scope: str | None = None
    """The scopes that are granted; None to say nothing."""
    started: Started = Started()
    """How a login in the browser starts."""

    @property
    def restricted(self) -> bool:
        """Whether only one workspace may sign in: ``acc-1``."""
        return bool(self.options.allowed_workspaces)

    def tokens(self, **changes: Any) -> bytes:
        """Return a response with tokens. The claims of its ID token are good, apart from these changes."""
        claims = {**self.claims, **changes}
        return self.answer(signed(**claims) if self.has_keys else jwt(claims))

    def answer(self, id_token: str, **changes: Any) -> bytes:
        """Return a response with this id token."""
        scope = {} if self.scope is None else {"scope": self.scope}
        return token_json(id_token=id_token, **scope, **changes)


_CHATGPT = OPTIONS.provider
_STRICT = OTHER_PROVIDER.__replace__(
    promises_iss=True,
    uses_nonce=True,
    dialect=OTHER_PROVIDER.dialect.__replace__(claims_namespace=NAMESPACE),
    device_code=DeviceCodeEndpoints(code_endpoint="https://id.example/device"),
)
_STRICT_CLAIMS = {**ID_CLAIMS, "iss": "https://id.example", "aud": "client-1", "nonce": NONCE}

_LONG: Mapping[str, Any] = {"deadline": None, "open_browser": False}
"""Fewer timers and answers make fewer states."""
_REGISTERING = with_dialect(REGISTERING.provider, claims_namespace=NAMESPACE)
_KNOWN = Provider.from_metadata(
    METADATA,
    issuer="https://id.example",
    client_id="",
    registration=REGISTERING.provider.registration,
    require_pushed_authorization_requests=True,
)
_APP = "https://app.example/auth/callback"
_SIGNED = {**CLAIMS, NAMESPACE: ID_CLAIMS[NAMESPACE]}

WORLDS: Final = (
    World("default", OPTIONS),
    World("any port", OPTIONS.__replace__(port=0)),
    World("a port of one's own", OPTIONS.__replace__(port=4321)),
    World("no API key", LoginOptions(provider=with_dialect(_CHATGPT, exchanges_api_key=False))),
    World("one workspace", OPTIONS.__replace__(allowed_workspaces=("acc-1",))),
    World("no browser", OPTIONS.__replace__(open_browser=False)),
    World("no deadline", OPTIONS.__replace__(deadline=None)),
    World("device codes, else the browser", OPTIONS.__replace__(deadline=60.0, device_code_fallback=True)),
    World("nothing but the callback", OPTIONS.__replace__(deadline=None, open_browser=False), has_others=True),
    World(
        "a strict provider, one workspace",
        LoginOptions(provider=_STRICT, allowed_workspaces=("acc-1",)),
        claims=_STRICT_CLAIMS,
        callback_parameters="&iss=https://id.example",
    ),
    World(
        "metadata, a client, a pushed request",
        LoginOptions(provider=_REGISTERING, allowed_workspaces=("acc-1",), required_scopes=("repo",), **_LONG),
        claims=_SIGNED,
        has_keys=True,
        scope="repo",
    ),
    World(
        "metadata, else the browser",
        OPENID.__replace__(device_code_fallback=True, scopes=("repo",), required_scopes=("repo",), **_LONG),
        claims=_SIGNED,
        scope="repo",
        has_keys=True,
    ),
    World(
        "a client without metadata",
        LoginOptions(provider=_KNOWN, **_LONG),
        claims=_SIGNED,
        has_others=True,
        has_keys=True,
    ),
    World(
        "a resource that names its provider",
        LoginOptions(provider=RESOURCE.provider, **_LONG),
        claims=_SIGNED,
        has_keys=True,
    ),
    World(
        "an issued client",
        chatgpt.OPTIONS.__replace__(deadline=None, open_browser=False),
        claims={**CLAIMS, "aud": [chatgpt.ISSUED]},
        callback_parameters=f"&client_id={chatgpt.ISSUED}",
        has_keys=True,
        scope=chatgpt.PLAN,
        started=chatgpt.FIRST,
    ),
    World(
        "an account to renew",
        chatgpt.OPTIONS.__replace__(deadline=None),
        claims={**CLAIMS, "aud": [chatgpt.ISSUED]},
        has_keys=True,
        scope=chatgpt.PLAN,
        started=chatgpt.LATER,
    ),
    World(
        "keys and an API key",
        OPTIONS.__replace__(
            provider=_CHATGPT.__replace__(jwks_uri=KEYS_URL, id_token_signing_alg_values_supported=("ES256",)),
            deadline=None,
        ),
        claims=ID_CLAIMS,
        has_keys=True,
    ),
    World(
        "a web host",
        LoginOptions(provider=_STRICT, allowed_workspaces=("acc-1",), redirect_uri=_APP),
        claims=_STRICT_CLAIMS,
        callback_parameters="&iss=https://id.example",
    ),
    World(
        "a web host, a pushed request",
        LoginOptions(
            provider=_KNOWN.__replace__(client_id="native", registration=None), redirect_uri=_APP, deadline=None
        ),
        claims=_SIGNED,
        has_keys=True,
    ),
    World("a web host, metadata", OPENID.__replace__(redirect_uri=_APP), claims=_SIGNED, has_keys=True),
)
