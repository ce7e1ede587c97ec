"""Endpoints of OpenAI's issuer that the environment names, under the names of the Codex CLI."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from ..base.records import Record
from ..base.urls import check_provider_url
from .provider import CHATGPT_ISSUER

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

    from .provider import Provider

REFRESH: Final = "CODEX_REFRESH_TOKEN_URL_OVERRIDE"
"""The environment variable with the endpoint for refreshes."""
REVOCATION: Final = "CODEX_REVOKE_TOKEN_URL_OVERRIDE"
"""The environment variable with the endpoint for revocations."""


class EndpointOverrides(Record):
    """Endpoints to use instead of those of OpenAI's issuer."""

    refresh: str | None = None
    """The endpoint for refreshes; None for the provider's token endpoint."""
    revocation: str | None = None
    """The endpoint for revocations; None for ``/oauth/revoke`` beside `refresh`, or else the provider's own."""

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> EndpointOverrides:
        """Read the environment variables. An empty one is as absent.

        Raises:
            ValueError: A value is no URL that tokens may be sent to. The message names the variable, not the value,
                which may hold a password.
        """
        values = {name: environment.get(name, "").strip() or None for name in (REFRESH, REVOCATION)}
        for name, value in values.items():
            problem = _problem_of(value)
            if problem:
                raise ValueError(f"the environment variable {name} cannot be used: {problem}")
        return cls(refresh=values[REFRESH], revocation=values[REVOCATION])

    def for_login(self, provider: Provider) -> Provider:
        """Return a provider for a login. Only the revocation of replaced tokens goes to another endpoint."""
        revocation = self.revocation or (self.refresh and _beside(self.refresh))
        if not _is_codex(provider) or not revocation:
            return provider
        return provider.__replace__(revocation_endpoint=revocation)

    def for_tokens(self, provider: Provider) -> Provider:
        """Return a provider for refreshes and revocations of its tokens."""
        if not _is_codex(provider) or not self.refresh:
            return self.for_login(provider)
        return self.for_login(provider).__replace__(token_endpoint=self.refresh)


def _is_codex(provider: Provider) -> bool:
    """Return whether the environment's endpoints are meant: those of OpenAI's issuer, for the Codex CLI's tokens."""
    return provider.issuer == CHATGPT_ISSUER and provider.dialect.stores_in_auth_json


def _problem_of(url: str | None) -> str:
    try:
        if url is not None:
            check_provider_url(url)
    except ValueError as error:
        return str(error)
    return ""


def _beside(endpoint: str) -> str:
    """Return the revocation endpoint of the server that refreshes tokens, as Codex does."""
    parts = urlsplit(endpoint)
    return urlunsplit((parts.scheme, parts.netloc, "/oauth/revoke", "", ""))
