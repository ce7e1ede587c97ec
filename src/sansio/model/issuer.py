"""Which provider issued tokens, and to which client: a credential is only ever sent to the server that issued it.

``auth.json`` records both, as newer versions of the Codex CLI do, in ``tokens.oauth_provenance``. In an older file the
``iss`` of the tokens names the issuer. OpenAI's tokens in such a file were issued to Codex's client. Tokens that name
no issuer count as those of the provider that the caller names, or else as OpenAI's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .claims import claims_of
from .credentials import AuthMode
from .provenance import Provenance, provenance_of_provider
from .provider import CHATGPT_CLIENT_ID, CHATGPT_ISSUER, Provider

if TYPE_CHECKING:
    from ..base.secret import Secret
    from .credentials import Credentials
    from .tokens import Tokens


def provenance_of(tokens: Tokens) -> Provenance | None:
    """Return who issued tokens, and to which client, as far as it is known. See the module's description."""
    if tokens.provider is not None:
        return provenance_of_provider(tokens.provider)
    if tokens.provenance is not None:
        return tokens.provenance
    issuer = _issuer_in(tokens.id_token) or _issuer_in(tokens.access_token)
    if issuer.rstrip("/") == CHATGPT_ISSUER:
        return Provenance(issuer=CHATGPT_ISSUER, client_id=CHATGPT_CLIENT_ID)
    return Provenance(issuer=issuer, client_id=None) if issuer else None


def _issuer_in(token: Secret | None) -> str:
    issuer = claims_of(token).get("iss")
    return issuer if isinstance(issuer, str) else ""


def why_not_from(credentials: Credentials, provider: Provider | None) -> str:
    """Return why the tokens of credentials must not be sent to a provider.

    Args:
        credentials: The stored credentials.
        provider: The provider; None for the one that the tokens record.

    Returns:
        The reason as clean text, which names both; empty if the tokens may be sent.
    """
    tokens = credentials.tokens
    if tokens is None:
        return ""
    recorded = provenance_of(tokens)
    if credentials.auth_mode == AuthMode.OAUTH and tokens.provider is None:
        # They come from the format of ``auth.json``, which has no place for the endpoints of another provider.
        origin = "another provider than Codex's" if recorded is None else recorded
        if provider is None or provider.dialect.stores_in_auth_json:
            return f"they were issued by {origin}, and that provider must be named"
    if recorded is None:
        return ""
    if provider is None:
        return "" if provider_of(tokens) else f"they were issued by {recorded}, and that provider must be named"
    wanted = provenance_of_provider(provider)
    return "" if wanted.is_same(recorded) else f"they were issued by {recorded}, not by {wanted}"


def provider_of(tokens: Tokens) -> Provider | None:
    """Return the provider that issued tokens: the one that they record, or else Codex's provider at their issuer.

    Returns:
        None if the client is not known, or if the issuer is no URL that tokens may be sent to.
    """
    if tokens.provider is not None:
        return tokens.provider
    recorded = provenance_of(tokens)
    if recorded is None:
        return Provider.codex()
    if recorded.client_id is None:
        return None
    try:
        return Provider.codex(issuer=recorded.issuer, client_id=recorded.client_id)
    except ValueError:
        return None


def why_not_replace(stored: Credentials | None, new: Credentials | None, provider: Provider | None = None) -> str:
    """Return why credentials must not be replaced: a login never touches what another provider issued.

    Args:
        stored: What is stored; None if nothing is.
        new: The credentials to store. None before a login, whose provider is then given.
        provider: The provider of the login.

    Returns:
        The reason as clean text, which names both; empty if the credentials may be replaced.
    """
    if stored is None or stored.tokens is None:
        return ""
    wanted = None if provider is None else provenance_of_provider(provider)
    if new is not None and new.tokens is not None:
        wanted = provenance_of(new.tokens)
    recorded = provenance_of(stored.tokens)
    if wanted is None or recorded is None or recorded.is_same(wanted):
        return ""
    advice = "sign out there first, or use another home folder"
    return f"they hold a sign-in at {recorded}, and this one is at {wanted}: {advice}"
