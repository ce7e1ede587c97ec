"""The scripts with names: how a login can end, and the troubles that it can survive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...sansio.base.records import Record
from ...sansio.model.options import LoginMethod, LoginOptions
from ...sansio.model.provider import Provider
from ...sansio.server.endpoints import DeviceCodeEndpoints
from ...sansio.server.registration import ClientMetadata
from . import steps as step
from .answers import ISSUER
from .script import Request, Script

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .script import Step

PROVIDER: Final = Provider(
    issuer=ISSUER,
    authorization_endpoint=f"{ISSUER}/authorize",
    token_endpoint=f"{ISSUER}/token",
    revocation_endpoint=f"{ISSUER}/revoke",
    client_id="played-client",
    scopes=("openid", "email", "offline_access"),
    device_code=DeviceCodeEndpoints(code_endpoint=f"{ISSUER}/device_authorization"),
)
"""The provider of a played login, if the program brings no options. Its endpoints are known, nothing is verified."""
_DISCOVERED: Final = Provider.openid(ISSUER, client_id="played-client")
_REGISTERED: Final = Provider.openid(ISSUER, client_id="", registration=ClientMetadata(client_name="A played program"))
_PUSHED: Final = _DISCOVERED.__replace__(require_pushed_authorization_requests=True)
_SCOPE: Final = "email"


class Kind(Record):
    """What a login must have so that something can happen in it."""

    options: LoginOptions
    """Options that have it."""
    method: LoginMethod = LoginMethod.BROWSER
    lacks: Callable[[LoginOptions], str] = lambda _: ""
    """Returns what other options lack for it; empty if they lack nothing."""


def _unless(has: Callable[[LoginOptions], object], what: str) -> Callable[[LoginOptions], str]:
    return lambda options: "" if has(options) else what


_BROWSER: Final = Kind(options=LoginOptions(provider=PROVIDER))
_DEVICE: Final = Kind(options=LoginOptions(provider=PROVIDER), method=LoginMethod.DEVICE_CODE)
_DISCOVERY: Final = Kind(
    options=LoginOptions(provider=_DISCOVERED),
    lacks=_unless(lambda options: options.provider.needs_discovery, "a provider that is found by its metadata"),
)
_REGISTRATION: Final = Kind(
    options=LoginOptions(provider=_REGISTERED),
    lacks=_unless(
        lambda options: not options.provider.client_id and not options.provider.dialect.issues_clients,
        "a provider at which the program registers",
    ),
)
_ISSUED: Final = Kind(
    options=LoginOptions(provider=Provider.chatgpt(app_name="A played program")),
    lacks=_unless(lambda options: options.provider.dialect.issues_clients, "a provider that issues clients"),
)
_PUSH: Final = Kind(
    options=LoginOptions(provider=_PUSHED),
    lacks=_unless(lambda options: options.provider.require_pushed_authorization_requests, "pushed requests"),
)
_ID_TOKEN: Final = Kind(
    options=LoginOptions(provider=PROVIDER), lacks=_unless(lambda options: options.wants_id_token, "the scope openid")
)


def _lacks_keys(options: LoginOptions) -> str:
    """Return what options lack so that keys are fetched: they verify the signature of an id token."""
    has_keys = options.provider.jwks_uri or options.provider.needs_discovery
    return _ID_TOKEN.lacks(options) if has_keys else "a provider with keys"


_KEYS: Final = Kind(options=LoginOptions(provider=_DISCOVERED), lacks=_lacks_keys)
_SCOPES: Final = Kind(
    options=LoginOptions(provider=PROVIDER, required_scopes=(_SCOPE,)),
    lacks=_unless(lambda options: options.required_scopes, "required_scopes"),
)
_WORKSPACES: Final = Kind(
    options=LoginOptions(provider=PROVIDER, allowed_workspaces=("workspace-1",)),
    lacks=_unless(lambda options: options.allowed_workspaces, "allowed_workspaces"),
)
_OPENS_BROWSER: Final = Kind(
    options=LoginOptions(provider=PROVIDER), lacks=_unless(lambda options: options.open_browser, "open_browser")
)
_DEADLINE: Final = Kind(
    options=LoginOptions(provider=PROVIDER), lacks=_unless(lambda options: options.deadline, "a deadline")
)
_ISSUER: Final = Kind(
    options=LoginOptions(provider=PROVIDER),
    lacks=_unless(lambda options: options.provider.issuer or options.provider.needs_resource_metadata, "an issuer"),
)
_DEVICE_DEADLINE: Final = Kind(
    options=LoginOptions(provider=PROVIDER, deadline=60.0),
    method=LoginMethod.DEVICE_CODE,
    lacks=_unless(lambda options: options.device_deadline, "a deadline of its own"),
)

_RETURNS: Final = step.callback()
_REFUSED: Final = {"error": "access_denied"}
_HTML: Final = b"<!doctype html><title>Hello</title>"


def _transport(kind: str, during: Request) -> tuple[Step, ...]:
    return (
        (_RETURNS, step.no_answer(kind, to=during)) if during is Request.TOKENS else (step.no_answer(kind, to=during),)
    )


# fmt: off
_SCRIPTS: Final[Mapping[str, tuple[Kind, tuple[Step, ...]]]] = {
    # It ends well
    "succeeded":                       (_BROWSER, (_RETURNS,)),
    "succeeded_with_device_code":      (_DEVICE, (step.device_code_pending(),)),
    # It ends well, with a trouble that is reported
    "browser_launch_failed":           (_OPENS_BROWSER, (step.browser_fails(), _RETURNS)),
    "callback_state_mismatch":         (_BROWSER, (step.callback(state="that-of-an-older-tab"), _RETURNS)),
    "callback_from_other_user":        (_BROWSER, (step.callback(from_other_user=True), _RETURNS)),
    "redirect_failed":                 (_BROWSER, (_RETURNS, step.browser_leaves())),
    # The program decides
    "waiting":                         (_BROWSER, (step.wait_for_program(), _RETURNS)),
    "waiting_with_device_code":        (_DEVICE, (step.wait_for_program(),)),
    # It fails before the browser opens
    "discovery_failed":                (_DISCOVERY, (step.answer(status=404, to="metadata"),) * 2),
    "registration_failed":             (_REGISTRATION, (step.answer({"error": "invalid_redirect_uri"}, status=400,
                                                                    to="registration"),)),
    "registration_failed:validate_callback": (_ISSUED, (step.callback(client_id=""),)),
    "persist_failed:register_client":  (_REGISTRATION, (step.registration_store_fails(),)),
    "provider_callback_error:push_request": (_PUSH, (step.answer({"error": "invalid_request"}, status=400,
                                                                 to="pushed_request"),)),
    "local_server_unavailable":        (_BROWSER, (step.port_fails(),)),
    # It fails in the browser
    "login_timed_out":                 (_DEADLINE, ()),
    "issuer_mismatch":                 (_ISSUER, (step.callback(iss="https://other.example"),)),
    "provider_callback_error":         (_BROWSER, (step.callback(error="access_denied"),)),
    "missing_authorization_code":      (_BROWSER, (step.callback(code=None),)),
    # It fails with the tokens
    "token_exchange_timeout":          (_BROWSER, _transport("timeout", Request.TOKENS)),
    "token_exchange_connect":          (_BROWSER, _transport("connect", Request.TOKENS)),
    "token_exchange_request":          (_BROWSER, _transport("request", Request.TOKENS)),
    "token_endpoint_rejected":         (_BROWSER, (_RETURNS, step.answer({"error": "invalid_grant"}, status=400,
                                                                         to="tokens"))),
    "token_response_malformed":        (_BROWSER, (_RETURNS, step.answer(_HTML, to="tokens"))),
    "id_token_invalid":                (_ID_TOKEN, (_RETURNS, step.id_token(aud="another-client"))),
    "keys_unavailable":                (_KEYS, (*(step.answer(status=500, to="keys"),) * 2, _RETURNS)),
    "scope_insufficient":              (_SCOPES, (_RETURNS, step.tokens(scope="another-scope"))),
    "workspace_restriction":           (_WORKSPACES, (_RETURNS, step.other_account())),
    "persist_failed":                  (_BROWSER, (step.store_fails(), _RETURNS)),
    # It fails with a device code
    "device_code_unavailable":         (_DEVICE, (step.answer(status=404, to="device_code"),)),
    "device_code_denied":              (_DEVICE, (step.answer(_REFUSED, status=400, to="poll"),)),
    "device_code_expired":             (_DEVICE, (step.answer({"error": "expired_token"}, status=400, to="poll"),)),
    "login_timed_out:wait_for_device_code": (_DEVICE_DEADLINE, (step.device_code_pending(),) * 20),
    "token_exchange_timeout:request_device_code": (_DEVICE, _transport("timeout", Request.DEVICE_CODE)),
    "token_exchange_connect:request_device_code": (_DEVICE, _transport("connect", Request.DEVICE_CODE)),
    "token_exchange_request:request_device_code": (_DEVICE, _transport("request", Request.DEVICE_CODE)),
    "token_response_malformed:request_device_code": (_DEVICE, (step.answer(_HTML, to="device_code"),)),
    "token_response_malformed:wait_for_device_code": (_DEVICE, (step.answer(b"{}", to="poll"),)),
    # It is cancelled
    "login_cancelled":                 (_BROWSER, (step.program_cancels(),)),
    "login_cancelled_by_another_login": (_BROWSER, (step.another_login_cancels(),)),
    "login_cancelled:read_metadata":   (_DISCOVERY, (step.program_cancels(during="metadata"),)),
    "login_cancelled:register_client": (_REGISTRATION, (step.program_cancels(during="registration"),)),
    "login_cancelled:push_request":    (_PUSH, (step.program_cancels(during="pushed_request"),)),
    "login_cancelled:exchange_token":  (_BROWSER, (_RETURNS, step.program_cancels(during="tokens"))),
    "login_cancelled:request_device_code": (_DEVICE, (step.program_cancels(during="device_code"),)),
    "login_cancelled:wait_for_device_code": (_DEVICE, (step.program_cancels(during="poll"),)),
}
# fmt: on

OUTCOMES: Final[tuple[str, ...]] = tuple(_SCRIPTS)
"""The names that `played` knows. A failure has the name of its category, and ``category:step`` in another step."""


def possible_outcomes(options: LoginOptions, method: LoginMethod = LoginMethod.BROWSER) -> tuple[str, ...]:
    """Return the names in `OUTCOMES` that can happen in a login, for a test with parameters.

    Args:
        options: The options of the program.
        method: How the person signs in.
    """
    return tuple(name for name, (kind, _) in _SCRIPTS.items() if not _why_not(name, kind, options, method))


def script_named(name: str) -> Script:
    """Return the script with a name.

    Raises:
        ValueError: There is no such script.
    """
    if name not in _SCRIPTS:
        raise ValueError(f"no outcome is called {name!r}: loginmachine.testing.OUTCOMES lists them")
    kind, steps = _SCRIPTS[name]
    return Script(
        steps=steps,
        options=kind.options,
        method=kind.method,
        why_not=lambda options, method: _why_not(name, kind, options, method),
    )


def script_of_steps(steps: tuple[Step, ...]) -> Script:
    """Return the script that consists of some steps."""
    return Script(steps=steps, options=_BROWSER.options, method=LoginMethod.BROWSER)


def _why_not(name: str, kind: Kind, options: LoginOptions, method: LoginMethod) -> str:
    if method is not kind.method:
        return f"{name} needs the method {kind.method.name}"
    lacking = kind.lacks(options)
    return f"{name} needs options with {lacking}" if lacking else ""
