"""The options of a login, and its random values."""

from __future__ import annotations

import math
import os
from base64 import urlsafe_b64encode
from enum import StrEnum

from ..base.records import Record, hidden
from ..base.urls import check_endpoint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from ..server.registration import Registration
    from .provider import Provider
    from .tokens import Tokens, TokenSet

_PROTOCOL_PARAMETERS: Final = frozenset(
    (
        *("response_type", "client_id", "client_secret", "redirect_uri", "scope", "state", "nonce"),
        *("code_challenge", "code_challenge_method", "request", "request_uri", "id_token_hint"),
    )
)
_OPTION_PARAMETERS: Final = frozenset(("resource", "audience", "prompt", "login_hint", "max_age"))
DEFAULT_DEADLINE: Final = 600.0
"""Seconds to wait for the callback."""

_LONGEST_NAME: Final = 64
_LONGEST_PAGE: Final = 262_144

_UNRESERVED: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


class LoginOptions(Record):
    """The options of a login.

    Raises:
        ValueError: A value is out of its range.
    """

    provider: Provider
    port: int | None = None
    """The callback port, 0 to 65535; None for the provider's own, 0 for any free port."""
    redirect_host: str = "127.0.0.1"
    """``127.0.0.1``, ``[::1]``, or ``localhost`` for providers that registered it (RFC 8252 section 8.3 advises against
    it)."""
    open_browser: bool = True
    deadline: float | None = DEFAULT_DEADLINE
    """Seconds to wait for the callback, more than 0; None for no limit. A device code expires by itself. The default
    adds no second limit to that; any other value does."""
    allowed_workspaces: tuple[str, ...] = ()
    """The account ids that may sign in; empty if all may."""
    device_code_fallback: bool = False
    """Continue in the browser if the provider has no device codes."""
    scopes: tuple[str, ...] | None = None
    """The scopes to ask for (RFC 6749 section 3.3), as a tuple, list or set; None for the provider's."""
    required_scopes: tuple[str, ...] = ()
    """Scopes without which the login fails. Without other scopes of those that were asked for, it succeeds."""
    resource: tuple[str, ...] = ()
    """The resources that the tokens are for (RFC 8707), as absolute URIs without a fragment."""
    audience: str | None = None
    """The API that the tokens are for, where the provider has such a parameter (Auth0)."""
    prompt: str | None = None
    """``none``, ``login``, ``consent`` or ``select_account``, or several (OpenID Connect Core section 3.1.2.1)."""
    login_hint: str | None = hidden(default=None)
    """The account that the person probably wants: an e-mail address, say."""
    max_age: int | None = None
    """Seconds after which the person must sign in again. The id token then says when that was."""
    parameters: tuple[tuple[str, str], ...] = ()
    """Further parameters of the authorization request, such as ``acr_values`` and ``ui_locales``."""
    redirect_uri: str | None = None
    """The address on the host's own web server that receives the callback, such as
    ``https://app.example/auth/callback``; None for a listener on loopback. It is ``https``, or ``http`` on loopback,
    and has no user name and no fragment (RFC 6749 section 3.1.2). Such a login opens no port and no browser, and needs
    a client id."""
    host_id: str | None = hidden(default=None)
    """The id of this installation's host, for a provider that asks for it; None for the one that the store keeps."""
    any_user: bool = False
    """Accept a callback from a process of another user of this machine. Without it, such a callback is refused where
    the system tells (on Linux)."""
    listen_address: str | None = None
    """The address of this machine at which the callback port listens, as an IPv4 or IPv6 address without brackets; None
    for loopback, as RFC 8252 section 8.3 wants it. Another one is for containers, whose published ports do not lead to
    loopback: other machines may then reach the port. What a request must carry stays the same."""
    app_name: str | None = None
    """What the pages in the browser call your program: 1 to 64 printable characters; None for "your program"."""
    success_page: str | None = hidden(default=None)
    """The HTML of a page of your own after a sign-in, at most 262,144 characters; None for the built-in page. In it
    ``{email}`` and ``{app_name}`` are replaced, escaped. It may have styles and images as ``data:``; scripts and
    everything from elsewhere are blocked. An account that must be set up gets the built-in page, with the link."""

    def _check(self) -> None:
        if not self.provider.needs_discovery and self.provider.lacking:
            raise ValueError(f"the provider has no {self.provider.lacking}")
        if self.port is not None and not 0 <= self.port <= 65535:
            raise ValueError(f"a port is a number from 0 to 65535, not {self.port}")
        if self.redirect_host not in ("127.0.0.1", "localhost", "[::1]"):
            raise ValueError("the redirect host is 127.0.0.1, localhost or [::1]")
        _check_request(self)
        if self.redirect_uri is not None:
            _check_redirect_uri(self)
        _check_pages(self)
        if self.listen_address is not None and not _is_address(self.listen_address):
            raise ValueError("the address to listen at is an IPv4 or IPv6 address, such as 0.0.0.0")
        if self.deadline is not None and not (math.isfinite(self.deadline) and self.deadline > 0):
            raise ValueError("the deadline is a positive number of seconds, or None")
        if isinstance(self.allowed_workspaces, str):
            # A string would be read as a list of letters.
            raise ValueError("the allowed workspaces are a tuple of ids")  # noqa: TRY004 - a wrong option like any other
        if any(not workspace or "," in workspace for workspace in self.allowed_workspaces):
            raise ValueError("a workspace id is not empty and has no comma")

    def of_installation(self, registration: Registration | None, host_id: str | None) -> LoginOptions:
        """Return the options with what this installation has of its own.

        Args:
            registration: Its client at the provider; None if it has none, or the provider's is the program's.
            host_id: The id of its host; None if it has none. That of the options comes first.
        """
        provider = self.provider if registration is None else self.provider.registered(registration)
        return self.__replace__(provider=provider, host_id=self.host_id or host_id)

    def check_method(self, method: LoginMethod) -> None:
        """Check that a login can use a method.

        Raises:
            ValueError: The method is a device code, the provider has none, and `device_code_fallback` is not set. Or
                the login has a `redirect_uri`, which a device code does not use.
        """
        provider = self.provider
        if method is LoginMethod.DEVICE_CODE and self.redirect_uri is not None:
            raise ValueError("a login with a device code has no redirect URI")
        has_codes = provider.device_code is not None or provider.needs_discovery or self.device_code_fallback
        # (A client that the provider issues comes in a callback.)
        if method is LoginMethod.DEVICE_CODE and (not has_codes or provider.dialect.issues_clients):
            raise ValueError("this provider has no device codes")

    @property
    def requested_scopes(self) -> tuple[str, ...]:
        """The scopes that the login asks for."""
        scopes = self.provider.scopes if self.scopes is None else tuple(self.scopes)
        return tuple(dict.fromkeys((*scopes, *self.required_scopes)))

    def missing_scopes(self, tokens: TokenSet | Tokens, wanted: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """Return the scopes that were not granted.

        ``offline_access`` asks for a refresh token (OpenID Connect Core section 11). With one, this scope counts as
        granted; Microsoft does not name it in its responses.

        Args:
            tokens: The tokens. Their scope is None if it is what was asked for (RFC 6749 section 5.1).
            wanted: The scopes to look for; None for all that were asked for.
        """
        if tokens.scope is None:
            return ()
        granted = {*tokens.scope, *(("offline_access",) if tokens.refresh_token is not None else ())}
        granted |= {scope for scope, other in self.provider.dialect.scope_names if other in granted}
        scopes = self.requested_scopes if wanted is None else wanted
        return tuple(scope for scope in scopes if scope not in granted)

    @property
    def requested_resources(self) -> tuple[str, ...]:
        """The resources that the tokens are for (RFC 8707)."""
        return self.resource or self.provider.dialect.resource

    @property
    def wants_id_token(self) -> bool:
        """Whether the login asks for an id token (OpenID Connect Core section 3.1.2.1)."""
        return "openid" in self.requested_scopes

    @property
    def launches_browser(self) -> bool:
        """Whether a browser is launched on this machine. That of a host's own `redirect_uri` is somewhere else."""
        return self.open_browser and self.redirect_uri is None

    @property
    def first_port(self) -> int:
        """The port to try first."""
        return self.provider.port if self.port is None else self.port

    @property
    def fallback_port(self) -> int | None:
        """The second registered port; None if the caller chose another port."""
        return self.provider.fallback_port if self.first_port == self.provider.port else None

    @property
    def device_deadline(self) -> float | None:
        """Seconds after which a device login ends, even if its code is still valid; None for no such limit."""
        return None if self.deadline == DEFAULT_DEADLINE else self.deadline


def _check_request(options: LoginOptions) -> None:
    """Check the options that are parameters of the authorization request."""
    for name in ("scopes", "required_scopes", "resource"):
        if isinstance(getattr(options, name), str):
            # A string would be read as a list of letters.
            raise ValueError(f"{name} is a tuple of texts, not a text")  # noqa: TRY004 - a wrong option like any other
    if any(not scope or " " in scope for scope in (*(options.scopes or ()), *options.required_scopes)):
        raise ValueError("a scope is not empty and has no space")
    for resource in options.resource:
        if ":" not in resource or "#" in resource:
            raise ValueError("a resource is an absolute URI without a fragment (RFC 8707 section 2)")
    if options.max_age is not None and options.max_age < 0:
        raise ValueError("max_age is a number of seconds, 0 or more")
    for name, _ in options.parameters:
        if name in _PROTOCOL_PARAMETERS:
            raise ValueError(f"the parameter {name} belongs to the protocol and cannot be given")
        if name in _OPTION_PARAMETERS:
            raise ValueError(f"the parameter {name} has an option of its own")


def _check_redirect_uri(options: LoginOptions) -> None:
    """Check the host's own address, and that nothing else of the options contradicts it."""
    problem = ""
    try:
        check_endpoint(options.redirect_uri or "")
    except ValueError:
        problem = "the redirect URI is https (http only on loopback), and has no user name and no fragment"
    if options.port is not None or options.listen_address is not None:
        problem = "a login has a port of its own or a redirect URI, not both"
    if not options.provider.client_id or options.provider.dialect.issues_clients:
        problem = "a login with a redirect URI needs a client that is registered already: give its client id"
    if problem:
        raise ValueError(problem)


def _is_address(text: str) -> bool:
    import ipaddress  # noqa: PLC0415 - for few logins

    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def _check_pages(options: LoginOptions) -> None:
    """Check the options that are about the pages in the browser."""
    name, page = options.app_name, options.success_page
    if name is not None and not (0 < len(name) <= _LONGEST_NAME and name.isprintable()):
        raise ValueError(f"the name of the program has 1 to {_LONGEST_NAME} printable characters")
    if page is not None and not 0 < len(page) <= _LONGEST_PAGE:
        raise ValueError(f"the success page has 1 to {_LONGEST_PAGE} characters")


class LoginSecrets(Record):
    """The random values of one login. Never use them for two logins.

    Raises:
        ValueError: A value is empty or holds characters outside the unreserved set (RFC 7636 section 4.1).
    """

    state: str = hidden()
    """Binds the callback to this login (RFC 6749 section 10.12)."""
    code_verifier: str = hidden()
    """Binds the authorization code to this program (RFC 7636)."""
    nonce: str = hidden(default="")
    """Binds the id token to this login. It is sent only to a provider that uses it."""
    success_key: str | None = hidden(default=None)
    """Ends the address of the success page, so that only a browser that was redirected there knows it. None for a value
    that is derived from the code verifier. Empty for an address that everybody knows, as in a trace."""

    def _check(self) -> None:
        wrong = [name for name in ("state", "code_verifier") if not _is_unreserved(getattr(self, name))]
        if self.success_key and not _is_unreserved(self.success_key):
            wrong.append("success_key")
        if wrong:
            raise ValueError(f"the {wrong[0]} must be letters, digits, '-', '.', '_' or '~'")

    @classmethod
    def generate(cls) -> LoginSecrets:
        """Return fresh values from the system's random source. Drivers call this; the machine is deterministic."""
        return cls(state=_random(32), code_verifier=_random(64), nonce=_random(32), success_key=_random(32))


def _is_unreserved(text: str) -> bool:
    return text != "" and _UNRESERVED.issuperset(text)


def _random(size: int) -> str:
    return urlsafe_b64encode(os.urandom(size)).rstrip(b"=").decode("ascii")


class LoginMethod(StrEnum):
    """How the person signs in."""

    BROWSER = "browser"
    """In a browser that calls back to this machine. The person may also paste the address of its last page."""
    DEVICE_CODE = "device_code"
    """In a browser on any machine, with a short code that this program shows."""
