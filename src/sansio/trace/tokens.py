"""Redact responses of the token endpoint: rebuild them from members that were reviewed, and copy no body as a whole."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlencode

from ..base.http import header_values
from ..base.secret import Secret
from ..base.strict_json import JsonError, loads_object
from ..base.text import clean_text, is_printable_ascii
from ..base.urls import is_verification_url
from ..model.claims import LAST_MOMENT, ClaimError, read_claims
from ..model.credentials import AuthMode, Credentials
from ..model.issuer import provenance_of
from ..model.provenance import Provenance, provenance_of_provider
from ..model.tokens import Tokens
from ..oauth.authorization import is_code
from ..oauth.device_code_responses import MAX_DEVICE_CODE, is_user_code
from ..oauth.responses import MAX_TOKEN_RESPONSE, is_web_page, plain_text
from .format.bodies import NOT_JSON, TOO_LARGE, UNREADABLE, WEB_PAGE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..base.http import Headers
    from ..base.strict_json import JsonObject
    from ..model.provider import Provider
    from .placeholders import Placeholders

_UNSIGNED: Final = "eyJhbGciOiJub25lIn0"
"""The header of a JWT without a signature: ``{"alg":"none"}``."""


OTHER_PROVIDER: Final = Provenance(issuer="https://other.invalid", client_id="other")
"""Stands for the provenance of tokens that another provider has issued."""
_FORM: Final = b"application/x-www-form-urlencoded"
_SECONDS: Final = ("interval", "expires_in")


class _Kind(StrEnum):
    """The kind of a claim's value. For persons and parties it is also a part of the placeholder."""

    FLAG = "flag"
    PARTY = "party"
    """An issuer or a client. Those of this login keep their names; others get a placeholder."""
    MOMENT = "moment"
    PLAN = "plan"
    PERSON = "person"
    ACCOUNT = "account"
    USER = "user"
    ORGANIZATION = "organization"
    PROJECT = "project"
    NONCE = "nonce"


_REVIEWED: Final[Mapping[str, _Kind]] = {
    **dict.fromkeys(("exp", "iat", "nbf", "auth_time"), _Kind.MOMENT),
    **dict.fromkeys(("completed_platform_onboarding", "is_org_owner", "email_verified"), _Kind.FLAG),
    **dict.fromkeys(("iss", "aud", "azp"), _Kind.PARTY),
    "chatgpt_plan_type": _Kind.PLAN,
    "chatgpt_account_id": _Kind.ACCOUNT,
    "chatgpt_user_id": _Kind.USER,
    "sub": _Kind.USER,
    "email": _Kind.PERSON,
    "organization_id": _Kind.ORGANIZATION,
    "project_id": _Kind.PROJECT,
    "nonce": _Kind.NONCE,
}
"""The claims that a trace may hold. The machine reads no others."""
_PLANS: Final = frozenset(("free", "plus", "pro", "team", "business", "enterprise", "edu"))


class TokenResponses:
    """Redacts the bodies of responses.

    Args:
        provider: The provider. Its addresses and names are not secret.
        placeholders: The placeholders of the login.
    """

    def __init__(self, provider: Provider, placeholders: Placeholders) -> None:
        self.has_polls = False
        """Whether the login polls for a device code. Then a web page means something else than other text."""
        self._provider = provider
        self._placeholders = placeholders
        text = self._placeholders.text
        self._members: dict[str, Callable[[str], str]] = {
            "id_token": lambda token: self._jwt("id-token", token),
            "access_token": lambda token: self._jwt("access-token", token),
            "refresh_token": lambda token: self._opaque("refresh-token", token),
            "token_type": lambda kind: "Bearer" if kind.lower() == "bearer" else "other",
            "error": lambda code: self._placeholders.word("error", code),
            "error_description": text,
            "code": lambda code: self._placeholders.word("error", code),
            "message": text,
            "device_code": lambda code: self._code("device-code", code),
            "device_auth_id": lambda code: self._code("device-code", code),
            "user_code": self._user_code,
            "usercode": self._user_code,
            "authorization_code": self._authorization_code,
            "code_verifier": lambda code: self._code("code-verifier", code),
            "verification_uri": self._address,
            "verification_uri_complete": lambda url: self._address(url.partition("?")[0]),
            "interval": lambda digits: digits if digits.isascii() and digits.isdigit() else "other",
            "expires_in": lambda _: "other",
        }
        """The function that redacts each string member. Other members are not read, and are dropped."""

    def body(self, headers: Headers, body: bytes) -> bytes:
        """Return a body that means the same for the login, without secrets and persons."""
        if len(body) > MAX_TOKEN_RESPONSE:
            return TOO_LARGE
        problem = ""
        try:
            content = loads_object(body)
        except JsonError as error:
            problem = str(error)
        if problem == "not JSON" and _is_form(headers):
            members = parse_qsl(body.decode("latin-1"), keep_blank_values=True)
            return urlencode(self._object(dict(members))).encode("ascii")
        if problem == "not JSON" and self.has_polls and is_web_page(body):
            return WEB_PAGE
        if problem == "not JSON":
            return self._placeholders.text(plain_text(headers, body)).encode("utf-8") or NOT_JSON
        if problem:
            return UNREADABLE[problem]
        return json.dumps(self._object(content)).encode("ascii")

    def credentials(self, credentials: Credentials) -> Credentials:
        """Return credentials that mean the same for the login, without secrets and persons."""
        key, tokens = credentials.api_key, credentials.tokens
        return Credentials(
            auth_mode=credentials.auth_mode if credentials.auth_mode in (None, *AuthMode) else "other",
            api_key=self._optional(partial(self._opaque, "api-key"), key),
            tokens=None
            if tokens is None
            else Tokens(
                id_token=self._optional(partial(self._jwt, "id-token"), tokens.id_token),
                access_token=self.access_token(tokens.access_token),
                refresh_token=self._optional(partial(self._opaque, "refresh-token"), tokens.refresh_token),
                provenance=self._provenance(tokens),
            ),
        )

    def access_token(self, token: Secret) -> Secret:
        """Return what stands for an access token."""
        return self._secret(partial(self._jwt, "access-token"), token)

    def account_id(self, value: str) -> str:
        """Return what stands for the id of an account."""
        return self._person(_Kind.ACCOUNT, value) if value else ""

    def _provenance(self, tokens: Tokens) -> Provenance:
        ours = provenance_of_provider(self._provider)
        theirs = provenance_of(tokens)
        return ours if theirs is None or ours.is_same(theirs) else OTHER_PROVIDER

    @staticmethod
    def _secret(redact: Callable[[str], str], secret: Secret) -> Secret:
        return Secret(redact(secret.reveal()) if secret.reveal() else "")

    def _optional(self, redact: Callable[[str], str], secret: Secret | None) -> Secret | None:
        return None if secret is None else self._secret(redact, secret)

    def _object(self, content: JsonObject) -> JsonObject:
        return {name: self._member(name, value) for name, value in content.items() if name in self._members}

    def _member(self, name: str, value: object) -> object:
        if isinstance(value, str):
            return self._members[name](value) if value else ""
        if name in _SECONDS and isinstance(value, (int, float)):
            return value
        if name == "error" and isinstance(value, dict):
            return {inner: self._member(inner, value[inner]) for inner in ("code", "message") if inner in value}
        return _of_its_kind(value)

    def _code(self, kind: str, code: str) -> str:
        return self._placeholders.code(kind, code, MAX_DEVICE_CODE)

    def _user_code(self, code: str) -> str:
        placeholder = self._placeholders.of("user-code", code)
        return placeholder if is_user_code(code) else f"{placeholder} unusable\x00"

    def _authorization_code(self, code: str) -> str:
        placeholder = self._placeholders.of("code", code)
        return placeholder if is_code(code) else f"{placeholder}\x00"

    def _address(self, url: str) -> str:
        if not is_verification_url(url):
            return "other"
        # (The slash excludes hosts with a longer name.)
        return url if f"{url}/".startswith(f"{self._provider.issuer}/") else "https://other.invalid/"

    def _opaque(self, kind: str, token: str) -> str:
        placeholder = self._placeholders.of(kind, token)
        # A token with unusable characters is refused. So is its placeholder.
        return placeholder if is_printable_ascii(token) else f"{placeholder}\x00"

    def _jwt(self, kind: str, token: str) -> str:
        opaque = self._opaque(kind, token)
        problem = ""
        try:
            claims = read_claims(Secret(token))
        except ClaimError as error:
            problem = str(error)
        if not problem and not opaque.endswith("\x00"):
            payload = json.dumps({"placeholder": opaque, **self._claims(claims)}).encode("ascii")
            return f"{_UNSIGNED}.{_base64url(payload)}."
        # (A payload that is nested too deeply would be long.)
        is_short = problem and not any(word in problem for word in ("size", "deeply"))
        return f"{opaque}.{_payload_like(problem)}." if is_short else opaque

    def _claims(self, claims: JsonObject) -> JsonObject:
        reviewed = self._reviewed(claims)
        namespace = self._provider.dialect.claims_namespace
        if namespace is not None and isinstance(claims.get(namespace), dict):
            reviewed[namespace] = self._reviewed(claims[namespace])
        return reviewed

    def _reviewed(self, claims: JsonObject) -> JsonObject:
        return {name: self._claim(name, value) for name, value in claims.items() if name in _REVIEWED}

    def _claim(self, name: str, value: object) -> object:
        kind = _REVIEWED[name]
        if kind is _Kind.PARTY and isinstance(value, list):
            # The machine only looks for the client itself in the list.
            ours = self._provider.client_id
            return [ours] * (ours in value) + ["redacted-other-party"] * any(item != ours for item in value)
        if kind is _Kind.MOMENT:
            return _moment(value)
        if kind is _Kind.FLAG or not isinstance(value, str) or not value:
            return _of_its_kind(value)
        if kind is _Kind.PARTY and value in (self._provider.issuer, self._provider.client_id):
            return value
        if kind is _Kind.NONCE:
            return self._placeholders.nonce(value)
        if kind is _Kind.PLAN and value in _PLANS:
            return value
        return self._person(kind, value)

    def _person(self, kind: str, value: str) -> str:
        if not clean_text(value):
            return " "
        placeholder = self._placeholders.of(kind, value)
        # An identifier that is not printable is ignored. So is its placeholder.
        return placeholder if clean_text(value) == value else f"{placeholder}\x00"


def _is_form(headers: Headers) -> bool:
    kinds = [value.partition(b";")[0].strip().lower() for value in header_values(headers, b"content-type")]
    return kinds == [_FORM]


def _moment(value: object) -> object:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        # (Values beyond are no usable times.)
        return value if abs(value) < LAST_MOMENT else LAST_MOMENT
    return _of_its_kind(value)


def _of_its_kind(value: object) -> object:
    """Return an empty value of the same JSON type."""
    for kind, empty in ((bool, value), ((int, float), 0), (str, value and "other"), (list, []), (dict, {})):
        if isinstance(value, kind):
            return empty
    return None


def _payload_like(problem: str) -> str:
    if "base64url" in problem:
        return "!"
    return _base64url(next((body for reason, body in UNREADABLE.items() if reason in problem), NOT_JSON))


def _base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
