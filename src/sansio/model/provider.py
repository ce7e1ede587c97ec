"""What a login is asked to do: the provider, the options, and the random values that make it this login."""

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
# Characters to which some opener, shell or terminal gives a meaning (CVE-2025-6514).
_NOT_IN_URL: Final = frozenset("\"'`\\^|<>")


class IdTokenPolicy(StrEnum):
    """What to do when an id token lacks a claim that OpenID Connect requires."""

    STRICT = "strict"
    COMPAT = "compat"
    """Accept it. A claim that is there is checked all the same."""


class DeviceCodeDialect(StrEnum):
    """How a provider speaks of device codes."""

    RFC8628 = "rfc8628"
    """The OAuth 2.0 device authorization grant: the tokens come with the last poll."""
    CODEX = "codex"
    """JSON, and the last poll brings an authorization code with its verifier."""


class DeviceCodeEndpoints(Record):
    """Where a device code is asked for and used.

    Raises:
        ValueError: An endpoint is not one that `check_provider_url` accepts, or the dialect needs one that is missing.
    """

    dialect: DeviceCodeDialect = DeviceCodeDialect.RFC8628
    code_endpoint: str
    """Where a code is asked for: the ``device_authorization_endpoint`` of RFC 8628 section 4."""
    poll_endpoint: str | None = None
    """Where the login asks whether the code was used; None for the provider's token endpoint, as RFC 8628 has it."""
    verification_url: str | None = None
    """Where the person enters the code; None if the provider says so with the code."""
    redirect_uri: str | None = None
    """That of the authorization code which the last poll brings, if it brings one."""

    def _check(self) -> None:
        others = (self.poll_endpoint, self.verification_url, self.redirect_uri)
        for url in (self.code_endpoint, *others):
            if url is not None:
                check_provider_url(url)
        if self.dialect is DeviceCodeDialect.CODEX and None in others:
            raise ValueError("this dialect needs a poll endpoint, a verification URL and a redirect URI")


class Provider(Record):
    """An identity provider: endpoints, client, and how its answers are to be read.

    Raises:
        ValueError: An endpoint is not ``https`` (or ``http`` on loopback), or holds userinfo, a query, a fragment or a
            character that is not safe to hand to a browser's launcher.
    """

    issuer: str
    """The identifier in ``iss``, compared exactly (RFC 9207 section 2.4)."""
    authorization_endpoint: str
    token_endpoint: str
    client_id: str
    scopes: tuple[str, ...]
    authorization_parameters: tuple[tuple[str, str], ...] = ()
    """Added to the authorization request after ``scope``."""
    port: int = 0
    """The callback port registered with the provider; 0 if it takes any (RFC 8252 section 7.3)."""
    fallback_port: int | None = None
    """A second registered port, for when the first is taken."""
    callback_path: str = "/auth/callback"
    promises_iss: bool = False
    """``authorization_response_iss_parameter_supported`` (RFC 9207): a callback without ``iss`` is refused."""
    uses_nonce: bool = False
    id_token_policy: IdTokenPolicy = IdTokenPolicy.STRICT
    claims_namespace: str | None = None
    """The claim that holds the account claims; None if they are at the top level."""
    workspace_parameter: str | None = None
    """The authorization parameter that names the allowed workspaces."""
    exchanges_api_key: bool = False
    """An id token can be exchanged for an API key (RFC 8693)."""
    no_entitlement_marker: str | None = None
    """In the description of ``access_denied``: the workspace has no access to this client."""
    platform_url: str | None = None
    """Where an organisation without a finished setup is sent."""
    help_url: str | None = None
    revocation_endpoint: str | None = None
    """Where tokens are given back (RFC 7009); None if the provider has no such endpoint."""
    revocation_encoding: Encoding = Encoding.FORM
    device_code: DeviceCodeEndpoints | None = None
    """How to sign in with a device code; None if the provider has none."""

    def _check(self) -> None:
        for url in (self.issuer, self.authorization_endpoint, self.token_endpoint, self.revocation_endpoint):
            if url is not None:
                check_provider_url(url)
        if self.id_token_policy not in tuple(IdTokenPolicy):
            # Read from a configuration, a misspelt one would be the laxer of the two.
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
            issuer: Its base URL; a trailing slash is trimmed.
            client_id: The OAuth client.
            originator: The name of the program that the person signs in for.

        Raises:
            ValueError: The issuer is not a URL that may be shown to a browser.
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
    """Refuse a URL that must not reach a browser's launcher or carry a token request.

    Raises:
        ValueError: The message names the rule, not the URL, which may hold a password.
    """
    _check_shown_url(url)
    if "?" in url:
        raise ValueError("the provider's URL must not have a user name, a query or a fragment")


def is_verification_url(url: object) -> TypeGuard[str]:
    """Return whether a person may be shown this address and open it. Unlike the provider's own it may have a query."""
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
