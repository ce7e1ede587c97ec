"""The provider of a login: its endpoints, the OAuth client, and how its responses are read."""

from __future__ import annotations

from ..base.urls import check_endpoint, check_provider_url
from ..server.dialect import STANDARD, codex_fields
from ..server.endpoints import ClientAuthentication, IdTokenPolicy, check_client_secret
from .known_providers import OPENID_SCOPES, KnownProviders

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Final

    from ..base.secret import Secret
    from ..server.dialect import Dialect
    from ..server.endpoints import DeviceCodeEndpoints
    from ..server.metadata import ServerMetadata
    from ..server.registration import ClientMetadata, Registration
    from ..server.resource import ResourceMetadata

CHATGPT_ISSUER: Final = "https://auth.openai.com"
CHATGPT_CLIENT_ID: Final = "app_EMoamEEZ73f0CkXaXp7hrann"
DEFAULT_ORIGINATOR: Final = "codex_cli_rs"
_OWN_PATHS: Final = ("/success", "/cancel")

ID_TOKEN_ALGORITHMS: Final = ("RS256", "PS256", "ES256", "EdDSA")
"""The algorithms of signatures that are accepted, unless the provider's metadata has a list."""


class Provider(KnownProviders):
    """An authorization server: its endpoints, the OAuth client, and how its responses are read.

    `codex`, `chatgpt`, `openid`, `oauth`, `for_resource`, `google`, `github`, `microsoft`, `gitlab` and `from_metadata`
    make one. The names of the endpoints are those of RFC 8414.

    Raises:
        ValueError: An endpoint is not ``https`` (or ``http`` on loopback), or holds userinfo, a fragment or a character
            that is not safe to pass to a browser's launcher. Or another field is out of its range.
    """

    name: str = "openid"
    """The kind: ``codex``, ``chatgpt``, ``openid``, ``oauth``, ``google``, ``github``, ``microsoft`` or ``gitlab``."""
    issuer: str | None
    """The identifier of the provider, compared exactly with ``iss`` (RFC 9207 section 2.4). None if it has none."""
    authorization_endpoint: str
    """Empty if it is not known before the login has read the provider's metadata."""
    token_endpoint: str
    """Empty if it is not known before the login has read the provider's metadata."""
    client_id: str
    scopes: tuple[str, ...]
    authorization_parameters: tuple[tuple[str, str], ...] = ()
    """Added to the authorization request after ``scope``."""
    port: int = 0
    """The registered callback port; 0 for any (RFC 8252 section 7.3)."""
    fallback_port: int | None = None
    """A second registered port, which is used if the first is taken."""
    callback_path: str = "/auth/callback"
    """The path of the redirect URI. It may be empty."""
    promises_iss: bool = False
    """Refuse a callback without ``iss``: ``authorization_response_iss_parameter_supported`` (RFC 9207 section 3)."""
    uses_nonce: bool = False
    id_token_policy: IdTokenPolicy = IdTokenPolicy.STRICT
    help_url: str | None = None
    """A page with help, to which failures refer."""
    revocation_endpoint: str | None = None
    """The endpoint that revokes tokens (RFC 7009); None if the provider has none."""
    device_code: DeviceCodeEndpoints | None = None
    """How to sign in with a device code; None if the provider has none."""
    protected_resource: str | None = None
    """The URL of a resource whose metadata names the provider, such as an MCP server (RFC 9728)."""
    resource_metadata: str | None = None
    """The address of that metadata, if a response of the resource has named it (RFC 9728 section 5.1)."""
    dialect: Dialect = STANDARD
    """What the provider does beside the standards."""
    token_endpoint_auth_method: ClientAuthentication | None = ClientAuthentication.NONE
    """How the client authenticates. None for what the metadata lists: basic, or else post."""
    client_secret: Secret | None = None
    jwks_uri: str | None = None
    """The keys that sign id tokens. None if signatures are not verified (OpenID Connect Core section 3.1.3.7)."""
    id_token_signing_alg_values_supported: tuple[str, ...] = ID_TOKEN_ALGORITHMS
    """The algorithms of signatures that are accepted."""
    id_token_issuer: str | None = None
    """The ``iss`` of id tokens, if the metadata has another one than `issuer` (Microsoft); None for `issuer`."""
    issuer_has_tenant: bool = False
    """The issuer in the metadata has the text ``{tenantid}``, which stands for the ``tid`` of the token (Microsoft)."""
    pushed_authorization_request_endpoint: str | None = None
    require_pushed_authorization_requests: bool = False
    registration_endpoint: str | None = None
    registration: ClientMetadata | None = None
    """What the program tells the provider, if the login registers a client. Then `client_id` may be empty."""
    scope_separator: str = " "
    """What separates the scopes of a response. GitHub's are separated by commas."""
    has_form_answers: bool = False
    """The token endpoint may answer with a form instead of JSON."""
    token_types: tuple[str, ...] = ("bearer",)
    """The types of tokens that are accepted, in lower case."""
    access_token_lifetime: float | None = None
    """Seconds for which an access token is valid if nothing says when it expires; None if it does not expire."""

    def registered(self, registration: Registration) -> Provider:
        """Return the provider with the client that it has registered for this installation."""
        return self.__replace__(
            client_id=registration.client_id,
            client_secret=registration.client_secret,
            token_endpoint_auth_method=registration.token_endpoint_auth_method,
        )

    def unregistered(self) -> Provider:
        """Return the provider without the client that it has registered for this installation."""
        return self.__replace__(client_id="", client_secret=None, token_endpoint_auth_method=ClientAuthentication.NONE)

    def named_by(self, metadata: ResourceMetadata) -> Provider:
        """Return the provider that the metadata of the resource names first. Scopes that it has already are kept.

        A client is registered for all scopes of the resource, so that a later login may ask for more of them.
        """
        scopes, registration = self.scopes or metadata.scopes_supported, self.registration
        if registration is not None:
            registration = registration.covering(metadata.scopes_supported)
        return self.__replace__(issuer=metadata.authorization_servers[0], scopes=scopes, registration=registration)

    def completed(self, metadata: ServerMetadata) -> Provider:
        """Return the provider with what its metadata says. An endpoint that it has already is kept."""
        from ..server.discovered import discovered  # noqa: PLC0415 - not for the default provider

        return self.__replace__(**discovered(metadata, self.values(), OPENID_SCOPES))

    @property
    def needs_resource_metadata(self) -> bool:
        """Whether the issuer comes from the metadata of a protected resource, which the login reads first."""
        return self.issuer is None and not self.token_endpoint

    @property
    def resource_metadata_addresses(self) -> tuple[str, ...]:
        """Where the metadata of the protected resource may be. Empty if there is no such resource."""
        if self.protected_resource is None:
            return ()
        from ..server.resource import resource_metadata_urls  # noqa: PLC0415 - not for the default provider

        return resource_metadata_urls(self.protected_resource, self.resource_metadata)

    @property
    def needs_discovery(self) -> bool:
        """Whether the endpoints come from the provider's metadata, which the login reads first."""
        return not self.token_endpoint

    @property
    def lacking(self) -> str:
        """The endpoint that a login needs and the provider does not have; empty if it has all."""
        if self.require_pushed_authorization_requests and self.pushed_authorization_request_endpoint is None:
            return "pushed_authorization_request_endpoint"
        if self.dialect.strict_id_tokens and self.jwks_uri is None:
            return "jwks_uri"
        has_client = self.client_id or self.dialect.issues_clients
        return "" if has_client or self.registration_endpoint is not None else "registration_endpoint"

    @property
    def request_path(self) -> str:
        """The path of the request that is the callback."""
        return self.callback_path or "/"

    @property
    def origin(self) -> str:
        """What identifies the provider: the issuer, or the token endpoint if it has none.

        Before the login has read its metadata, the provider of a protected resource has the URL of the resource.
        """
        return self.issuer or self.token_endpoint or self.protected_resource or ""

    def _check(self) -> None:
        if self.issuer is not None:
            check_provider_url(self.issuer)
        elif not self.token_endpoint and self.protected_resource is None:
            raise ValueError("a provider without an issuer needs a token endpoint")
        # It raises `MetadataError`, which is a `ValueError`.
        _ = self.resource_metadata_addresses
        # With device codes, the authorization endpoint is not needed.
        page = self.authorization_endpoint or ("" if self.device_code is None else None)
        needed = () if self.needs_discovery else (page, self.token_endpoint)
        optional = (self.revocation_endpoint, self.jwks_uri, self.registration_endpoint)
        for url in (*needed, *optional, self.pushed_authorization_request_endpoint):
            if url is not None:
                check_endpoint(url)
        if self.id_token_policy not in tuple(IdTokenPolicy):  # A misspelt value would act as the laxer policy.
            raise ValueError("the id token policy is strict or compat")
        if self.callback_path in _OWN_PATHS or self.callback_path[:1] not in ("", "/"):
            raise ValueError("the callback path is empty or starts with a slash, and is neither /success nor /cancel")
        if isinstance(self.scopes, str):  # A string would be read as a list of letters.
            raise ValueError("the scopes are a tuple of texts")  # noqa: TRY004 - a wrong field like any other
        if not self.client_id and self.registration is None:
            raise ValueError("the provider needs a client id, or the metadata of a client to register")
        check_client_secret(self.client_secret, self.token_endpoint_auth_method)

    @classmethod
    def codex(
        cls,
        *,
        issuer: str = CHATGPT_ISSUER,
        client_id: str = CHATGPT_CLIENT_ID,
        originator: str = DEFAULT_ORIGINATOR,
    ) -> Provider:
        """Return the provider of the Codex CLI, or a mirror of it.

        Args:
            issuer: The base URL. A trailing slash is removed.
            client_id: The OAuth client.
            originator: The name of the program that the person signs in for.

        Raises:
            ValueError: `check_provider_url` refuses the issuer.
        """
        check_provider_url(issuer)
        base = issuer.rstrip("/")
        return cls(issuer=base, client_id=client_id, **codex_fields(base, originator, is_mirror=base != CHATGPT_ISSUER))

    @classmethod
    def chatgpt(cls, *, app_name: str, issuer: str = CHATGPT_ISSUER) -> Provider:
        """Return "Sign in with ChatGPT" for open-source and locally run programs (docs/chatgpt.md).

        Args:
            app_name: The program's name, the same on each machine. The person sees it, and may change it.
            issuer: The issuer identifier, compared exactly.

        Raises:
            ValueError: The name cannot be shown or has more than 120 characters, or a field is out of its range.
        """
        from ..server.chatgpt import chatgpt_fields  # noqa: PLC0415 - not for the default provider

        return cls(**chatgpt_fields(issuer, app_name))

    @classmethod
    def from_metadata(cls, document: Mapping[str, object], *, issuer: str, client_id: str, **fields: Any) -> Provider:  # noqa: ANN401 - checked as fields
        """Return an OpenID Connect provider from its metadata, which the caller has (RFC 8414 section 2).

        Raises:
            ValueError: The metadata or a field cannot be used. `MetadataError` names the member of the metadata.
        """
        from ..server.metadata import parse_metadata  # noqa: PLC0415 - not for the default provider

        return cls.openid(issuer, client_id=client_id, **fields).completed(parse_metadata(document, issuer))
