"""What is known about "Sign in with ChatGPT" for open-source and locally run programs: the fields of its `Provider`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .dialect import Dialect
from .registration import ClientMetadata

if TYPE_CHECKING:
    from typing import Any, Final

IDENTITY_SCOPES: Final = ("openid", "profile", "email")
PLAN_SCOPES: Final = ("offline_access", "resource.invoke", "chatgpt.tokens.use.direct")
USAGE_URL: Final = "https://chatgpt.com/settings/usage"
"""Where a person manages what programs may use of their plan."""
LONGEST_NAME: Final = 120
"""The most characters of a program's name."""
DIALECT: Final = Dialect(
    issues_clients=True,
    bootstrap_client_id="dynamic_agent_client",
    issued_prefix="oaiapp_",
    name_parameter="agent_name_hint",
    host_parameter="ext_agent_host_id",
    resource=("https://api.openai.com/v1",),
    plan_scope="chatgpt.tokens.use.direct",
    has_optional_access_token=True,
    endpoints_at_issuer=True,
    strict_id_tokens=True,
    one_use_refresh_tokens=True,
    earliest_refresh_member="earliest_refresh_at",
    revokes_before_removal=True,
)


def chatgpt_fields(issuer: str, app_name: str) -> dict[str, Any]:
    """Return the fields of a `Provider` that issues a client to each person and workspace.

    Args:
        issuer: The issuer. Its metadata has the endpoints.
        app_name: The program's name, which the person sees.

    Raises:
        ValueError: The name is empty, too long, or cannot be shown.
    """
    if len(app_name) > LONGEST_NAME:
        raise ValueError(f"app_name has more than {LONGEST_NAME} characters")
    return {
        "name": "chatgpt",
        "issuer": issuer,
        "authorization_endpoint": "",
        "token_endpoint": "",
        "client_id": "",
        "registration": ClientMetadata(client_name=app_name),
        "scopes": (*IDENTITY_SCOPES, *PLAN_SCOPES),
        "id_token_signing_alg_values_supported": ("RS256",),
        "uses_nonce": True,
        "dialect": DIALECT,
        "help_url": "https://chatgpt.com/settings",
    }
