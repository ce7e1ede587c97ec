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
    issues_clients: bool = False
    """The provider issues a client to each person and workspace, in the callback of the first login."""
    bootstrap_client_id: str | None = None
    """The client id in the authorization request of that login. It is sent to no other endpoint, and never stored."""
    issued_prefix: str = ""
    """What the client ids that the provider issues begin with."""
    name_parameter: str | None = None
    """The authorization parameter with the program's name, in a login of an installation that has no client yet."""
    host_parameter: str | None = None
    """The authorization parameter with the id of this installation's host."""
    resource: tuple[str, ...] = ()
    """The resources that tokens are for (RFC 8707), if the login names none."""
    plan_scope: str | None = None
    """The scope with which the person's plan pays for requests. Only the granted scopes decide."""
    has_optional_access_token: bool = False
    """A code exchange need not give an access token: then the login says who the person is, and no more."""
    endpoints_at_issuer: bool = False
    """Each endpoint in the metadata has the scheme, host and port of the issuer."""
    strict_id_tokens: bool = False
    """Id tokens are verified in any case, and must say all that OpenID Connect recommends."""
    one_use_refresh_tokens: bool = False
    """A refresh token works once (RFC 9700 section 4.14.2). A mark is stored before it is sent, and new tokens before
    anything else can fail: while their id token is not verified, they are stored apart. The tokens of a refresh token
    that is refused are removed."""
    earliest_refresh_member: str | None = None
    """The member of a token response with the time before which no refresh is accepted."""
    revokes_before_removal: bool = False
    """A sign-out revokes the tokens first, with several tries, and then removes them."""


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
