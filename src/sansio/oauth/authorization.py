"""The authorization request (RFC 6749 section 4.1.1) with PKCE (RFC 7636)."""

from __future__ import annotations

import functools
from base64 import urlsafe_b64encode
from urllib.parse import urlencode

from ..base.digests import sha256
from ..base.text import is_printable_ascii

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

    from ..model.account import KnownAccount
    from ..model.options import LoginOptions, LoginSecrets

_PUBLIC: Final = frozenset(("response_type", "client_id", "redirect_uri", "code_challenge_method", "scope"))
"""Parameters with an encoding that is kept for the next login. The others may be secret, or name a person."""
_OF_AN_ACCOUNT: Final = ("prompt", "login_hint")
"""Parameters about an account that has a client. A bootstrap client has none yet, and the person is asked for all."""
MAX_CODE: Final = 8192
"""The most characters of an authorization code. A longer one does not fit into the target of a callback."""


def is_code(text: str) -> bool:
    """Return whether a text can be an authorization code: visible ASCII and spaces (RFC 6749 appendix A.11)."""
    return 0 < len(text) <= MAX_CODE and is_printable_ascii(text)


def code_challenge(code_verifier: str) -> str:
    """Return the S256 challenge of a code verifier (RFC 7636 section 4.2)."""
    digest = sha256(code_verifier.encode("ascii"))
    return urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def redirect_uri(options: LoginOptions, port: int) -> str:
    """Return the address for the callback. Both requests have the same one (RFC 6749 section 4.1.3).

    Args:
        options: The options of the login, with the host's own address if there is one.
        port: The port of the callback listener, otherwise.
    """
    if options.redirect_uri is not None:
        return options.redirect_uri
    return f"http://{options.redirect_host}:{port}{options.provider.callback_path}"


def authorization_url(options: LoginOptions, secrets: LoginSecrets, port: int) -> str:
    """Return the URL of the authorization request (RFC 6749 section 4.1.1, RFC 7636 section 4.3).

    Args:
        options: The provider, the allowed workspaces, the scopes, and other parameters.
        secrets: The state, the code verifier, and the nonce if the provider uses one.
        port: The callback port.
    """
    endpoint = options.provider.authorization_endpoint
    query = [
        _encoded(name, value) if name in _PUBLIC else urlencode({name: value})
        for name, value in authorization_parameters(options, secrets, port)
    ]
    # The endpoint's own query is kept (RFC 6749 section 3.1).
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{'&'.join(query)}"


def hinted_url(url: str, options: LoginOptions, account: KnownAccount | None) -> str:
    """Return the URL of an authorization request with hints about the person (OpenID Connect Core section 3.1.2.1).

    Only the person's browser may get it: both hints name the person, and one is a token.

    Args:
        url: The authorization request.
        options: The options of the login. If they have a hint, they are about another account, perhaps.
        account: The account that the login renews; None if it renews none.

    Returns:
        The same URL if there are no hints.
    """
    if account is None or options.login_hint is not None:
        return url
    id_token = account.id_token
    hints = {"login_hint": account.email, "id_token_hint": None if id_token is None else id_token.reveal()}
    given = {name: value for name, value in hints.items() if value}
    return f"{url}&{urlencode(given)}" if given else url


def authorization_parameters(options: LoginOptions, secrets: LoginSecrets, port: int) -> Iterator[tuple[str, str]]:
    """Return the parameters of the authorization request, in their order.

    Args:
        options: As for `authorization_url`.
        secrets: As for `authorization_url`.
        port: As for `authorization_url`.
    """
    provider, dialect = options.provider, options.provider.dialect
    yield "response_type", "code"
    yield "client_id", provider.client_id or dialect.bootstrap_client_id or ""
    if dialect.name_parameter and provider.registration is not None and not provider.client_id:
        yield dialect.name_parameter, provider.registration.client_name
    if dialect.host_parameter:
        yield dialect.host_parameter, options.host_id or ""
    yield "redirect_uri", redirect_uri(options, port)
    yield "code_challenge", code_challenge(secrets.code_verifier)
    yield "code_challenge_method", "S256"
    yield "state", secrets.state
    if options.requested_scopes:
        yield "scope", " ".join(options.requested_scopes)
    if provider.uses_nonce:
        yield "nonce", secrets.nonce
    yield from provider.authorization_parameters
    if dialect.workspace_parameter and options.allowed_workspaces:
        yield dialect.workspace_parameter, ",".join(options.allowed_workspaces)
    yield from _requested(options)


def _requested(options: LoginOptions) -> Iterator[tuple[str, str]]:
    """Return the parameters that the caller has chosen, as far as the client may send them."""
    provider = options.provider
    is_bootstrap = not provider.client_id and provider.dialect.bootstrap_client_id is not None
    for name in ("audience", "prompt", "login_hint", "max_age"):
        value = getattr(options, name)
        if value is not None and not (is_bootstrap and name in _OF_AN_ACCOUNT):
            yield name, str(value)
    for resource in options.requested_resources:
        yield "resource", resource
    yield from options.parameters


@functools.lru_cache(maxsize=64)
def _encoded(name: str, value: str) -> str:
    """Return a parameter of a query. The result is cached: never pass a secret."""
    return urlencode({name: value})
