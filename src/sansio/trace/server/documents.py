"""Redact what the provider or a resource says: metadata, a registration, a pushed request, and keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...base.urls import check_endpoint
from ...oauth.keys import KeySet, read_keys
from ...oauth.pushed_request import MAX_REQUEST_URI
from ...oauth.registration import MAX_CLIENT_ID, is_registered
from ...server.discovered import OFFLINE_ACCESS
from ...server.endpoints import ClientAuthentication
from ...server.metadata import LONGEST_ENDPOINT, MetadataError, parse_metadata
from ...server.resource import contains
from ..format.bodies import Members, moment_of, of_its_kind
from .kinds import RequestKind
from .public import algorithm, public_endpoint
from .signatures import ALGORITHM

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ...base.http import HttpResponse
    from ...base.strict_json import JsonObject
    from ...model.provider import Provider
    from ..placeholders import Placeholders
    from .signatures import Signatures

_ENDPOINTS: Final = (
    *("authorization_endpoint", "token_endpoint", "device_authorization_endpoint", "revocation_endpoint"),
    *("jwks_uri", "registration_endpoint", "pushed_authorization_request_endpoint"),
)
_FLAGS: Final = ("require_pushed_authorization_requests", "authorization_response_iss_parameter_supported")
_ALGORITHMS: Final = "id_token_signing_alg_values_supported"
_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "token_endpoint_auth_methods_supported": tuple(ClientAuthentication),
    "code_challenge_methods_supported": ("S256", "plain"),
    "grant_types_supported": ("authorization_code", "refresh_token"),
}
"""The lists in metadata, with the words that a trace may hold. The others are counted as one."""
_DEFAULT_ALGORITHM: Final = "RS256"


class Documents:
    """Redacts the responses about the provider, in the order in which they come.

    Args:
        provider: The real provider, as it was before the response.
        public: The provider in the trace.
        placeholders: The placeholders of the login.
        signatures: The signatures of the login.
    """

    def __init__(
        self, provider: Provider, public: Provider, placeholders: Placeholders, signatures: Signatures
    ) -> None:
        self._provider = provider
        self._public = public
        self._placeholders = placeholders
        self._signatures = signatures

    def body(self, kind: RequestKind, response: HttpResponse, redirect_uri: str | None = None) -> bytes:
        """Return a body that means the same for the machine, without secrets and persons.

        Args:
            kind: What the request was about. It is not a token request.
            response: The real response.
            redirect_uri: The redirect URI of a registration; None if there is none.
        """
        if kind is RequestKind.RESOURCE_METADATA:
            members: Members = self._resource_metadata()
        elif kind is RequestKind.METADATA:
            members = self._metadata()
        elif kind is RequestKind.REGISTRATION:
            members = self._registration(redirect_uri)
        elif kind is RequestKind.PUSHED_REQUEST:
            members = self._pushed()
        else:
            members = self._keys(response)
        return members.body(response.headers, response.body)

    # The metadata of a resource

    def _resource_metadata(self) -> Members:
        servers = _listed(lambda text: text if _is_safe(text) else "other")
        whole = {"resource": self._resource, "authorization_servers": servers, "scopes_supported": _without_empty}
        return Members(self._placeholders, {}, whole=whole)

    def _resource(self, value: object) -> object:
        if not isinstance(value, str) or not value:
            return of_its_kind(value)
        if not _is_safe(value):
            return "other"
        ours = self._provider.protected_resource
        is_ours = ours is not None and contains(value, ours)
        return public_endpoint(value, self._placeholders) if is_ours else "https://other.invalid/"

    # Metadata

    def _metadata(self) -> Members:
        return _MetadataMembers(
            self._placeholders,
            {
                "issuer": self._issuer,
                **dict.fromkeys(_ENDPOINTS, self._endpoint),
                **dict.fromkeys(_FLAGS, of_its_kind),
                **{name: _listed(_one_of(known)) for name, known in _WORDS.items()},
                "scopes_supported": _listed(_one_of((*self._provider.scopes, OFFLINE_ACCESS))),
                _ALGORITHMS: _listed(lambda word: algorithm(word, self._placeholders)),
            },
            self._accepts,
        )

    def _issuer(self, value: object) -> object:
        if not isinstance(value, str) or not value:
            return of_its_kind(value)
        provider = self._provider
        # (The other members are right, so that the result depends on the issuer only.)
        document = dict.fromkeys(("authorization_endpoint", "token_endpoint"), provider.issuer)
        try:
            parse_metadata(
                {**document, "issuer": value}, provider.issuer or "", tenant_template=provider.issuer_has_tenant
            )
        except MetadataError:
            return self._placeholders.issuer(value, provider.issuer)
        return value

    def _endpoint(self, value: object) -> object:
        if not isinstance(value, str) or not value:
            return of_its_kind(value)
        return public_endpoint(value, self._placeholders) if _is_safe(value) else "other"

    def _accepts(self, listed: object) -> bool:
        """Return whether an algorithm of a list in metadata is accepted. None stands for the default."""
        names = listed if isinstance(listed, list) and listed else [_DEFAULT_ALGORITHM]
        return any(name in names for name in self._provider.id_token_signing_alg_values_supported)

    # A registration, a pushed request, and keys

    def _registration(self, redirect_uri: str | None) -> Members:
        return Members(
            self._placeholders,
            {
                "client_id": lambda text: self._id("client", text),
                "client_secret": lambda text: self._id("client-secret", text),
                "registration_access_token": lambda text: self._placeholders.of("registration-access-token", text),
                "token_endpoint_auth_method": lambda text: text if text in tuple(ClientAuthentication) else "other",
            },
            whole={
                **dict.fromkeys(("client_secret_expires_at", "client_id_issued_at"), moment_of),
                "redirect_uris": lambda value: _redirect_uris(value, redirect_uri),
            },
        )

    def _id(self, kind: str, text: str) -> str:
        return self._placeholders.printable(kind, text, MAX_CLIENT_ID)

    def _pushed(self) -> Members:
        return Members(
            self._placeholders,
            {"request_uri": lambda text: self._placeholders.code("request-uri", text, MAX_REQUEST_URI)},
            numbers=("expires_in",),
        )

    def _keys(self, response: HttpResponse) -> Members:
        found = read_keys(response)

        def keys(value: object) -> object:
            return self._signatures.keys(found) if isinstance(found, KeySet) else of_its_kind(value)

        return Members(self._placeholders, {}, whole={"keys": keys})


class _MetadataMembers(Members):
    """Rebuilds metadata, in which a trace names the algorithm of its signatures."""

    def __init__(
        self,
        placeholders: Placeholders,
        whole: Mapping[str, Callable[[object], object]],
        accepts: Callable[[object], bool],
    ) -> None:
        super().__init__(placeholders, {}, whole=whole)
        self._accepts = accepts

    def rebuilt(self, content: JsonObject) -> JsonObject:
        """Return the metadata without what is not read."""
        rebuilt = super().rebuilt(content)
        names = content.get(_ALGORITHMS)
        if "issuer" not in rebuilt or not (names is None or _is_list_of_texts(names)):
            return rebuilt
        listed: list[str] = rebuilt.get(_ALGORITHMS) or [_DEFAULT_ALGORITHM]
        others = [name for name in listed if name != ALGORITHM]
        # (An empty list would mean the default.)
        return {**rebuilt, _ALGORITHMS: [*others, ALGORITHM] if self._accepts(names) else others or ["other"]}


def _is_safe(url: str) -> bool:
    """Return whether the URL of an endpoint, a resource or an issuer can be used."""
    try:
        check_endpoint(url)
    except ValueError:
        return False
    return len(url) <= LONGEST_ENDPOINT


def _without_empty(value: object) -> object:
    """Return a list of scopes. A trace holds those that a login asks for."""
    if not _is_list_of_texts(value):
        return [0] if isinstance(value, list) else of_its_kind(value)
    assert isinstance(value, list)
    return [word for word in value if word]


def _redirect_uris(value: object, ours: str | None) -> object:
    """Return the redirect URIs of a client. All that counts is whether ours is among them."""
    if not isinstance(value, list):
        return of_its_kind(value)
    is_ours = ours is not None and is_registered(ours, value)
    return ([ours] if is_ours else ["https://other.invalid/"]) if value else []


def _listed(redact: Callable[[str], str]) -> Callable[[object], object]:
    """Return the function that redacts a list of texts, given the one that redacts a text: empty for one to leave out.

    Texts that are left out leave one trace, because an empty list means something else.
    """

    def read(value: object) -> object:
        if not _is_list_of_texts(value):
            return [0] if isinstance(value, list) else of_its_kind(value)
        assert isinstance(value, list)
        kept = list(dict.fromkeys(map(redact, value)))
        return [name for name in kept if name] + ["other"] * ("" in kept)

    return read


def _one_of(known: tuple[str, ...]) -> Callable[[str], str]:
    return lambda word: word if word in known else ""


def _is_list_of_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
