"""What a provider does beside the standards. The ordinary path of a login has no such rule."""

from __future__ import annotations

from ..base.http import Encoding
from ..base.records import Record
from .endpoints import IdTokenPolicy, codex_device_code

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

CODEX_SCOPES: Final = ("openid", "profile", "email", "offline_access", "api.connectors.read", "api.connectors.invoke")
CODEX_PARAMETERS: Final = (("id_token_add_organizations", "true"), ("codex_cli_simplified_flow", "true"))


class Dialect(Record):
    """The peculiarities of a provider. The default is a provider that has none."""

    claims_namespace: str | None = None
    """The claim that holds the account claims; None if they are at the top level."""
    workspace_parameter: str | None = None
    """The authorization parameter that names the allowed workspaces."""
    exchanges_api_key: bool = False
    """The provider exchanges id tokens for API keys (RFC 8693)."""
    no_entitlement_marker: str | None = None
    """A text in the description of ``access_denied`` which means that the workspace has no access to this client."""
    platform_url: str | None = None
    """The base URL of the page where an organisation finishes its setup."""
    encoding: Encoding = Encoding.FORM
    """How the parameters of a refresh and of a revocation are written."""
    gives_all_tokens: bool = False
    """A code exchange always gives an id token, an access token and a refresh token."""
    stores_in_auth_json: bool = False
    """The credentials are stored in the Codex CLI's ``auth.json``, whose format has no place for scopes."""
    revokes_replaced_tokens: bool = False
    """A new login revokes the tokens that it replaces, because each login has a grant of its own. Elsewhere both logins
    may share one grant, and revoking the old tokens would revoke the new ones (RFC 7009 section 2.1)."""

    scope_names: tuple[tuple[str, str], ...] = ()
    """Scopes that responses name otherwise than requests: each with its name in a response."""


STANDARD: Final = Dialect()
"""Nothing beside the standards."""


def codex_dialect(platform_url: str | None) -> Dialect:
    """Return the dialect of OpenAI's provider for the Codex CLI's client.

    Args:
        platform_url: The base URL of the page where an organisation finishes its setup.
    """
    return Dialect(
        claims_namespace="https://api.openai.com/auth",
        workspace_parameter="allowed_workspace_id",
        exchanges_api_key=True,
        no_entitlement_marker="missing_codex_entitlement",
        platform_url=platform_url,
        encoding=Encoding.JSON,
        gives_all_tokens=True,
        stores_in_auth_json=True,
        revokes_replaced_tokens=True,
    )


def codex_fields(base: str, originator: str, *, is_mirror: bool) -> dict[str, Any]:
    """Return the fields of a `Provider` for the Codex CLI's client.

    Args:
        base: The issuer, without a slash at its end.
        originator: The name of the program that the person signs in for.
        is_mirror: The issuer is not OpenAI's own.
    """
    return {
        "name": "codex",
        "authorization_endpoint": f"{base}/oauth/authorize",
        "token_endpoint": f"{base}/oauth/token",
        "revocation_endpoint": f"{base}/oauth/revoke",
        "device_code": codex_device_code(base),
        "scopes": CODEX_SCOPES,
        "authorization_parameters": (*CODEX_PARAMETERS, ("originator", originator)),
        "port": 1455,
        "fallback_port": 1457,
        "id_token_policy": IdTokenPolicy.COMPAT,
        "dialect": codex_dialect("https://platform.api.openai.org" if is_mirror else "https://platform.openai.com"),
        "help_url": "https://developers.openai.com/codex/auth",
    }
