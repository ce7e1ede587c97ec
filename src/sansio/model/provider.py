"""The provider of a login: its endpoints, the OAuth client, and how its responses are read."""

from __future__ import annotations

from enum import StrEnum
from urllib.parse import urlsplit

from ..base.http import Encoding
from ..base.records import Record
from ..base.text import is_visible_ascii

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, TypeGuard

CHATGPT_ISSUER: Final = "https://auth.openai.com"
CHATGPT_CLIENT_ID: Final = "app_EMoamEEZ73f0CkXaXp7hrann"
DEFAULT_ORIGINATOR: Final = "codex_cli_rs"
_CODEX_SCOPES: Final = ("openid", "profile", "email", "offline_access", "api.connectors.read", "api.connectors.invoke")
_CODEX_PARAMETERS: Final = (("id_token_add_organizations", "true"), ("codex_cli_simplified_flow", "true"))

_OWN_PATHS: Final = ("/success", "/cancel")
_LONGEST_SHOWN_URL: Final = 2048
_LOOPBACK_LITERALS: Final = frozenset({"127.0.0.1", "::1"})
# Characters that some browser launcher, shell or terminal interprets (CVE-2025-6514).
_NOT_IN_URL: Final = frozenset("\"'`\\^|<>")


class IdTokenPolicy(StrEnum):
    """What to do if an id token lacks a claim that OpenID Connect requires."""

    STRICT = "strict"
    """Refuse the token."""
    COMPAT = "compat"
    """Accept the token. The claims that it has are checked."""


class DeviceCodeDialect(StrEnum):
    """The protocol of a provider for device codes."""

    RFC8628 = "rfc8628"
    """The OAuth 2.0 device authorization grant. The response to the last poll has the tokens."""
    CODEX = "codex"
    """JSON bodies. The response to the last poll has an authorization code with its verifier."""


class DeviceCodeEndpoints(Record):
    """The endpoints for device codes.

    Raises:
        ValueError: `check_provider_url` refuses an endpoint, or one that the dialect needs is missing.
    """

    dialect: DeviceCodeDialect = DeviceCodeDialect.RFC8628
    code_endpoint: str
    """The endpoint that issues codes, ``device_authorization_endpoint`` in RFC 8628 section 4."""
    poll_endpoint: str | None = None
    """The endpoint that is polled; None for the provider's token endpoint (RFC 8628 section 3.4)."""
    verification_url: str | None = None
    """The page where the person enters the code; None if the provider sends its URL with the code."""
    redirect_uri: str | None = None
    """The redirect URI of the authorization code in the response to the last poll, in Codex's dialect."""

    def _check(self) -> None:
        others = (self.poll_endpoint, self.verification_url, self.redirect_uri)
        for url in (self.code_endpoint, *others):
            if url is not None:
                check_provider_url(url)
        if self.dialect is DeviceCodeDialect.CODEX and None in others:
            raise ValueError("this dialect needs a poll endpoint, a verification URL and a redirect URI")


class Provider(Record):
    """An identity provider: its endpoints, the OAuth client, and how its responses are read.

    Raises:
        ValueError: An endpoint is not ``https`` (or ``http`` on loopback), or holds userinfo, a query, a fragment or a
            character that is not safe to pass to a browser's launcher. Or another field is out of its range.
    """

    issuer: str
    """The identifier of the provider, compared exactly with ``iss`` (RFC 9207 section 2.4)."""
    authorization_endpoint: str
    token_endpoint: str
    client_id: str
    scopes: tuple[str, ...]
    authorization_parameters: tuple[tuple[str, str], ...] = ()
    """Added to the authorization request after ``scope``."""
    port: int = 0
    """The registered callback port; 0 if the provider accepts any (RFC 8252 section 7.3)."""
    fallback_port: int | None = None
    """A second registered port, which is used if the first is taken."""
    callback_path: str = "/auth/callback"
    promises_iss: bool = False
    """Refuse a callback without ``iss``: ``authorization_response_iss_parameter_supported`` (RFC 9207 section 3)."""
    uses_nonce: bool = False
    id_token_policy: IdTokenPolicy = IdTokenPolicy.STRICT
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
    help_url: str | None = None
    """A page with help, to which failures refer."""
    revocation_endpoint: str | None = None
    """The endpoint that revokes tokens (RFC 7009); None if the provider has none."""
    revocation_encoding: Encoding = Encoding.FORM
    device_code: DeviceCodeEndpoints | None = None
    """How to sign in with a device code; None if the provider has none."""

    @property
    def revokes_replaced_tokens(self) -> bool:
        """Whether a new login revokes the tokens that it replaces.

        Only Codex's provider issues a grant for each login. Elsewhere both logins may share one grant, and revoking the
        old tokens would revoke the new ones (RFC 7009 section 2.1).
        """
        return self.revocation_encoding is Encoding.JSON

    def _check(self) -> None:
        for url in (self.issuer, self.authorization_endpoint, self.token_endpoint, self.revocation_endpoint):
            if url is not None:
                check_provider_url(url)
        if self.id_token_policy not in tuple(IdTokenPolicy):
            # A misspelt value from a configuration would otherwise act as the laxer policy.
            raise ValueError("the id token policy is strict or compat")
        if not self.callback_path.startswith("/") or self.callback_path in _OWN_PATHS:
            raise ValueError("the callback path must start with a slash, and be neither /success nor /cancel")

    @classmethod
    def chatgpt(
        cls,
        *,
        issuer: str = CHATGPT_ISSUER,
        client_id: str = CHATGPT_CLIENT_ID,
        originator: str = DEFAULT_ORIGINATOR,
    ) -> Provider:
        """Return the provider of ChatGPT accounts, or a mirror of it.

        Args:
            issuer: The base URL. A trailing slash is removed.
            client_id: The OAuth client.
            originator: The name of the program that the person signs in for.

        Raises:
            ValueError: `check_provider_url` refuses the issuer.
        """
        check_provider_url(issuer)
        base = issuer.rstrip("/")
        default = base == CHATGPT_ISSUER
        return cls(
            issuer=base,
            authorization_endpoint=f"{base}/oauth/authorize",
            token_endpoint=f"{base}/oauth/token",
            client_id=client_id,
            scopes=_CODEX_SCOPES,
            authorization_parameters=(*_CODEX_PARAMETERS, ("originator", originator)),
            port=1455,
            fallback_port=1457,
            id_token_policy=IdTokenPolicy.COMPAT,
            claims_namespace="https://api.openai.com/auth",
            workspace_parameter="allowed_workspace_id",
            exchanges_api_key=True,
            no_entitlement_marker="missing_codex_entitlement",
            platform_url="https://platform.openai.com" if default else "https://platform.api.openai.org",
            help_url="https://developers.openai.com/codex/auth",
            revocation_endpoint=f"{base}/oauth/revoke",
            revocation_encoding=Encoding.JSON,
            device_code=_codex_device_code(base),
        )


def _codex_device_code(base: str) -> DeviceCodeEndpoints:
    return DeviceCodeEndpoints(
        dialect=DeviceCodeDialect.CODEX,
        code_endpoint=f"{base}/api/accounts/deviceauth/usercode",
        poll_endpoint=f"{base}/api/accounts/deviceauth/token",
        verification_url=f"{base}/codex/device",
        redirect_uri=f"{base}/deviceauth/callback",
    )


def check_provider_url(url: str) -> None:
    """Check that a URL is safe for a browser's launcher and for token requests.

    Raises:
        ValueError: The URL is not safe. The message names the rule, not the URL, which may hold a password.
    """
    _check_shown_url(url)
    if "?" in url:
        raise ValueError("the provider's URL must not have a user name, a query or a fragment")


def is_verification_url(url: object) -> TypeGuard[str]:
    """Return whether a person may be asked to open a URL. In contrast to an endpoint, it may have a query."""
    try:
        if isinstance(url, str) and len(url) <= _LONGEST_SHOWN_URL:
            _check_shown_url(url)
            return True
    except ValueError:
        pass
    return False


def _check_shown_url(url: str) -> None:
    if not is_visible_ascii(url) or not _NOT_IN_URL.isdisjoint(url):
        raise ValueError("the provider's URL is empty or holds a character that is not allowed in it")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if not host:
        raise ValueError("the provider's URL has no valid host")
    if "@" in parts.netloc or "#" in url:
        raise ValueError("the provider's URL must not have a user name or a fragment")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _LOOPBACK_LITERALS):
        raise ValueError("the provider's URL must be https (http only on loopback)")
