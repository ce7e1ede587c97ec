"""The constructors of a `Provider`: by kind, and for providers that are known."""

from __future__ import annotations

from ..base.records import Record
from ..server.endpoints import IdTokenPolicy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, Final, Self

OPENID_SCOPES: Final = ("openid", "profile", "email", "offline_access")
"""The default scopes. Those that the provider's metadata does not list are not asked for."""


class KnownProviders(Record):
    """The base of `Provider`, without fields."""

    @classmethod
    def openid(cls, issuer: str, *, client_id: str, **fields: Any) -> Self:  # noqa: ANN401 - checked as fields
        """Return an OpenID Connect provider. The login reads its endpoints from its metadata (OpenID Discovery).

        Args:
            issuer: The issuer identifier, compared exactly.
            client_id: The OAuth client.
            fields: Other fields, such as ``client_secret`` and ``scopes``.

        Raises:
            ValueError: A field is out of its range.
        """
        presets = _presets()
        known = {"issuer": issuer, "authorization_endpoint": "", "token_endpoint": "", "uses_nonce": True}
        return cls(**{**known, **presets.client_fields(fields, OPENID_SCOPES), "client_id": client_id})

    @classmethod
    def oauth(
        cls,
        *,
        authorization_endpoint: str,
        token_endpoint: str,
        client_id: str,
        scopes: Iterable[str] = (),
        **fields: Any,  # noqa: ANN401 - checked as fields
    ) -> Self:
        """Return an OAuth 2.0 server that has no metadata and issues no id tokens.

        Args:
            authorization_endpoint: RFC 6749 section 3.1.
            token_endpoint: RFC 6749 section 3.2.
            client_id: The OAuth client.
            scopes: The scopes to ask for, such as a list. None are asked for by default.
            fields: Other fields, such as ``client_secret`` and ``revocation_endpoint``.

        Raises:
            ValueError: A field is out of its range.
        """
        presets = _presets()
        known = {"name": "oauth", "issuer": None, "id_token_policy": IdTokenPolicy.COMPAT, "client_id": client_id}
        client = presets.client_fields({**fields, "scopes": scopes}, ())
        endpoints = {"authorization_endpoint": authorization_endpoint, "token_endpoint": token_endpoint}
        return cls(**{**known, **client, **endpoints})

    @classmethod
    def for_resource(cls, url: str, *, client_id: str = "", **fields: Any) -> Self:  # noqa: ANN401 - as above
        """Return the provider that gives tokens for a protected resource, such as an MCP server.

        The login reads the metadata of the resource, which names the provider (RFC 9728), and then that of the
        provider (RFC 8414). A resource without metadata is its own provider. The tokens are for the resource only (RFC
        8707), unless the options of the login name another one.

        Args:
            url: The URL of the resource, such as ``https://api.example.com/mcp``.
            client_id: The OAuth client. By default the login registers one (RFC 7591).
            fields: Other fields, such as ``registration``, which says how the program presents itself, ``scopes``, and
                ``resource_metadata``. The scopes are those of the resource's metadata by default.

        Raises:
            ValueError: A field is out of its range.
        """
        presets = _presets()
        known = {**presets.resource(url, needs_client=not client_id), "client_id": client_id}
        return cls(**{**known, **presets.client_fields(fields, ())})

    @classmethod
    def google(cls, client_file: str | bytes | Mapping[str, object], **fields: Any) -> Self:  # noqa: ANN401 - as above
        """Return Google's provider for the client of a file from Google's console.

        Args:
            client_file: The contents of the file of a "Desktop app", as text or read as JSON.
            fields: Other fields.

        Raises:
            ValueError: It is not such a file, or a field is out of its range.
        """
        presets = _presets()
        return cls.openid(**{**presets.google(client_file), **fields})

    @classmethod
    def github(cls, client_id: str, *, host: str = "https://github.com", **fields: Any) -> Self:  # noqa: ANN401 - as above
        """Return GitHub's provider, or that of a GitHub Enterprise Server. It has no id tokens.

        Raises:
            ValueError: A field is out of its range.
        """
        presets = _presets()
        has_secret = fields.get("client_secret") is not None
        return cls.oauth(**{**presets.github(host, has_secret=has_secret), "client_id": client_id, **fields})

    @classmethod
    def microsoft(cls, client_id: str, *, tenant: str = "common", **fields: Any) -> Self:  # noqa: ANN401 - as above
        """Return Microsoft's provider (Entra ID) for a tenant, or for all of them.

        Raises:
            ValueError: A field is out of its range.
        """
        presets = _presets()
        return cls.openid(**{**presets.microsoft(tenant), "client_id": client_id, **fields})

    @classmethod
    def gitlab(cls, client_id: str, *, host: str = "https://gitlab.com", **fields: Any) -> Self:  # noqa: ANN401 - as above
        """Return GitLab's provider, at gitlab.com or at another host.

        Raises:
            ValueError: A field is out of its range.
        """
        presets = _presets()
        return cls.openid(**{**presets.gitlab(host), "client_id": client_id, **fields})


def _presets() -> Any:  # noqa: ANN401 - a module
    from ..server import presets  # noqa: PLC0415 - not for the default provider

    return presets
