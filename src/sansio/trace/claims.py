"""Redact JWTs: rebuild their claims from those that were reviewed."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from ..base.secret import Secret
from ..base.text import clean_text
from ..model.claims import ClaimError, read_claims
from ..oauth.id_token import expected_issuer
from .format.bodies import NOT_JSON, UNREADABLE, moment_of, of_its_kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..base.strict_json import JsonObject
    from ..model.provider import Provider
    from .placeholders import Placeholders
    from .server.signatures import Signatures

_UNSIGNED: Final = "eyJhbGciOiJub25lIn0"
"""The header of a JWT without a signature: ``{"alg":"none"}``."""
ID_TOKEN: Final = "id-token"  # noqa: S105 - a kind of token


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
    TENANT = "tenant"


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
    "tid": _Kind.TENANT,
}
"""The claims that a trace may hold. The machine reads no others."""
_PLANS: Final = frozenset(("free", "plus", "pro", "team", "business", "enterprise", "edu"))


class Jwts:
    """Redacts JWTs.

    Args:
        provider: The real provider.
        public: The provider in the trace. Its addresses and names are not secret.
        placeholders: The placeholders of the login.
        signatures: The signatures of the login. None if no signature is verified.
    """

    def __init__(
        self, provider: Provider, public: Provider, placeholders: Placeholders, signatures: Signatures | None
    ) -> None:
        self._provider = provider
        self._public = public
        self._placeholders = placeholders
        self._signatures = signatures if provider.jwks_uri is not None else None

    def redacted(self, kind: str, token: str) -> str:
        """Return what stands for a token, which need not be a JWT.

        Args:
            kind: The kind of token, as for `Placeholders.of`. An id token is signed if signatures are verified.
            token: The token, not empty.
        """
        opaque = self._placeholders.printable(kind, token)
        problem = ""
        try:
            claims = read_claims(Secret(token))
        except ClaimError as error:
            problem = str(error)
        if not problem and not opaque.endswith("\x00"):
            payload = _base64url(json.dumps({"placeholder": opaque, **self._claims(claims)}).encode("ascii"))
            if kind == ID_TOKEN and self._signatures is not None:
                return self._signatures.token(token, payload)
            return f"{_UNSIGNED}.{payload}."
        # (A payload that is nested too deeply would be long.)
        is_short = problem and not any(word in problem for word in ("size", "deeply"))
        return f"{opaque}.{_payload_like(problem)}." if is_short else opaque

    def account_id(self, value: str) -> str:
        """Return what stands for the id of an account."""
        return self._person(_Kind.ACCOUNT, value) if value else ""

    def _claims(self, claims: JsonObject) -> JsonObject:
        reviewed = self._reviewed(claims)
        namespace = self._provider.dialect.claims_namespace
        if namespace is not None and isinstance(claims.get(namespace), dict):
            reviewed[namespace] = self._reviewed(claims[namespace])
        if self._provider.issuer_has_tenant and claims.get("iss") == expected_issuer(claims, self._provider):
            reviewed["iss"] = expected_issuer(reviewed, self._public)
        return reviewed

    def _reviewed(self, claims: JsonObject) -> JsonObject:
        return {name: self._claim(name, value) for name, value in claims.items() if name in _REVIEWED}

    def _claim(self, name: str, value: object) -> object:
        kind = _REVIEWED[name]
        if kind is _Kind.PARTY and isinstance(value, list):
            # The machine only looks for the client itself in the list.
            ours = self._provider.client_id
            names = [self._public.client_id] * (ours in value)
            return names + ["redacted-other-party"] * any(item != ours for item in value)
        if kind is _Kind.MOMENT:
            return moment_of(value)
        if kind is _Kind.FLAG or not isinstance(value, str) or not value:
            return of_its_kind(value)
        if kind is _Kind.PARTY and value == self._provider.client_id:
            return self._public.client_id
        if kind is _Kind.PARTY and value in (self._provider.issuer, self._provider.id_token_issuer):
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


def _payload_like(problem: str) -> str:
    if "base64url" in problem:
        return "!"
    return _base64url(next((body for reason, body in UNREADABLE.items() if reason in problem), NOT_JSON))


def _base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
