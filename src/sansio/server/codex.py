"""OpenAI's provider, as the Codex CLI's own client uses it."""

from __future__ import annotations

from .dialect import codex_dialect
from .endpoints import DeviceCodeDialect, DeviceCodeEndpoints

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

_SCOPES: Final = ("openid", "profile", "email", "offline_access", "api.connectors.read", "api.connectors.invoke")
_PARAMETERS: Final = (("id_token_add_organizations", "true"), ("codex_cli_simplified_flow", "true"))


def codex_fields(base: str, originator: str, *, is_default: bool) -> dict[str, Any]:
    """Return the fields of the provider, without the client.

    Args:
        base: The base URL, without a slash at its end.
        originator: The name of the program that the person signs in for.
        is_default: Whether it is OpenAI's own server, and no mirror.
    """
    return {
        "name": "codex",
        "issuer": base,
        "authorization_endpoint": f"{base}/oauth/authorize",
        "token_endpoint": f"{base}/oauth/token",
        "scopes": _SCOPES,
        "authorization_parameters": (*_PARAMETERS, ("originator", originator)),
        "port": 1455,
        "fallback_port": 1457,
        "dialect": codex_dialect("https://platform.openai.com" if is_default else "https://platform.api.openai.org"),
        "help_url": "https://developers.openai.com/codex/auth",
        "revocation_endpoint": f"{base}/oauth/revoke",
        "device_code": _device_code(base),
    }


def _device_code(base: str) -> DeviceCodeEndpoints:
    return DeviceCodeEndpoints(
        dialect=DeviceCodeDialect.CODEX,
        code_endpoint=f"{base}/api/accounts/deviceauth/usercode",
        poll_endpoint=f"{base}/api/accounts/deviceauth/token",
        verification_url=f"{base}/codex/device",
        redirect_uri=f"{base}/deviceauth/callback",
    )
