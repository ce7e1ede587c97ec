"""The authorization request (RFC 6749 section 4.1.1) with PKCE (RFC 7636)."""

from __future__ import annotations

import functools
import hashlib
from base64 import urlsafe_b64encode
from urllib.parse import urlencode

from ..base.text import is_printable_ascii

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

    from ..model.options import LoginOptions, LoginSecrets

MAX_CODE: Final = 8192
"""The most characters of an authorization code. A longer one does not fit into the target of a callback."""


def is_code(text: str) -> bool:
    """Return whether a text can be an authorization code: visible ASCII and spaces (RFC 6749 appendix A.11)."""
    return 0 < len(text) <= MAX_CODE and is_printable_ascii(text)


def code_challenge(code_verifier: str) -> str:
    """Return the S256 challenge of a code verifier (RFC 7636 section 4.2)."""
    digest = hashlib.sha256(code_verifier.encode("ascii")).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def redirect_uri(options: LoginOptions, port: int) -> str:
    """Return the address of the callback listener. Both requests have the same one (RFC 6749 section 4.1.3)."""
    return f"http://{options.redirect_host}:{port}{options.provider.callback_path}"


def authorization_url(options: LoginOptions, secrets: LoginSecrets, port: int) -> str:
    """Return the URL of the authorization request (RFC 6749 section 4.1.1, RFC 7636 section 4.3).

    Args:
        options: The provider, the allowed workspaces, the scopes, and other parameters.
        secrets: The state, the code verifier, and the nonce if the provider uses one.
        port: The callback port.
    """
    provider = options.provider
    query = [
        _encoded("response_type", "code"),
        _encoded("client_id", provider.client_id),
        _encoded("redirect_uri", redirect_uri(options, port)),
        # These two consist of characters that need no encoding (RFC 7636 section 4.1).
        f"code_challenge={code_challenge(secrets.code_verifier)}",
        "code_challenge_method=S256",
        f"state={secrets.state}",
    ]
    if options.requested_scopes:
        query.append(_encoded("scope", " ".join(options.requested_scopes)))
    if provider.uses_nonce:
        query.append(urlencode({"nonce": secrets.nonce}))
    query.extend(_encoded(name, value) for name, value in provider.authorization_parameters)
    # (What the caller gives may name a person, and is not kept in the cache.)
    query.extend(urlencode({name: value}) for name, value in _requested(options))
    if provider.dialect.workspace_parameter and options.allowed_workspaces:
        query.append(_encoded(provider.dialect.workspace_parameter, ",".join(options.allowed_workspaces)))
    # The endpoint's own query is kept (RFC 6749 section 3.1).
    mark = "&" if "?" in provider.authorization_endpoint else "?"
    return f"{provider.authorization_endpoint}{mark}{'&'.join(query)}"


def _requested(options: LoginOptions) -> Iterator[tuple[str, str]]:
    """Return the parameters that the caller has chosen."""
    for name in ("audience", "prompt", "login_hint", "max_age"):
        value = getattr(options, name)
        if value is not None:
            yield name, str(value)
    for resource in options.resource:
        yield "resource", resource
    yield from options.parameters


@functools.lru_cache(maxsize=64)
def _encoded(name: str, value: str) -> str:
    """Return a parameter of a query. The result is cached: never pass a secret."""
    return urlencode({name: value})
