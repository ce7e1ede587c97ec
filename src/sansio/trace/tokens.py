"""Redact responses of the token endpoint, and credentials."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from ..base.secret import Secret
from ..base.text import is_printable_ascii
from ..base.urls import is_verification_url
from ..model.credentials import AuthMode, Credentials
from ..model.issuer import provenance_of
from ..model.moments import read_moment
from ..model.provenance import Provenance, provenance_of_provider
from ..model.tokens import Tokens
from ..oauth.authorization import is_code
from ..oauth.device_code_responses import MAX_DEVICE_CODE, is_user_code
from .claims import ID_TOKEN, Jwts
from .format.bodies import Members

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..base.http import Headers
    from ..model.provider import Provider
    from .placeholders import Placeholders
    from .server.signatures import Signatures

OTHER_PROVIDER: Final = Provenance(issuer="https://other.invalid", client_id="other")
"""Stands for the provenance of tokens that another provider has issued."""
_SECONDS: Final = ("interval", "expires_in")
_LONGEST_NUMBER: Final = 12


class TokenResponses:
    """Redacts the bodies of responses.

    Args:
        provider: The real provider.
        public: The provider in the trace. Its addresses and names are not secret.
        placeholders: The placeholders of the login.
        scopes: The scopes that were asked for. They are not secret.
        signatures: The signatures of the login; None if no signature is verified.
    """

    def __init__(
        self,
        provider: Provider,
        public: Provider,
        placeholders: Placeholders,
        scopes: Iterable[str] = (),
        signatures: Signatures | None = None,
    ) -> None:
        self._provider = provider
        self._public = public
        self._placeholders = placeholders
        self._scopes = frozenset(scopes)
        self._jwts = Jwts(provider, public, placeholders, signatures)
        self._members = Members(
            placeholders,
            {
                "id_token": partial(self._jwts.redacted, ID_TOKEN),
                "access_token": partial(self._jwts.redacted, "access-token"),
                "refresh_token": partial(placeholders.printable, "refresh-token"),
                "token_type": self._token_type,
                "scope": self._scope,
                "device_code": partial(self._code, "device-code"),
                "device_auth_id": partial(self._code, "device-code"),
                "user_code": self._user_code,
                "usercode": self._user_code,
                "authorization_code": self._authorization_code,
                "code_verifier": partial(self._code, "code-verifier"),
                "verification_uri": self._address,
                "verification_uri_complete": lambda url: self._address(url.partition("?")[0]),
                "interval": _digits,
                "expires_in": lambda text: _digits(text) if len(text) <= _LONGEST_NUMBER else "other",
            },
            numbers=_SECONDS,
            whole={member: read_moment for member in (provider.dialect.earliest_refresh_member,) if member},
        )

    def keeps_web_pages(self, keeps: bool) -> None:  # noqa: FBT001 - one word says it
        """Say whether a web page means something else than another text, as for a login that polls."""
        self._members.keeps_web_pages = keeps

    def body(self, headers: Headers, body: bytes) -> bytes:
        """Return a body that means the same for the login, without secrets and persons."""
        return self._members.body(headers, body)

    def credentials(self, credentials: Credentials) -> Credentials:
        """Return credentials that mean the same for the login, without secrets and persons."""
        key, tokens = credentials.api_key, credentials.tokens
        return Credentials(
            auth_mode=credentials.auth_mode if credentials.auth_mode in (None, *AuthMode) else "other",
            api_key=self._optional(partial(self._placeholders.printable, "api-key"), key),
            tokens=None
            if tokens is None
            else Tokens(
                id_token=self._optional(partial(self._unsigned.redacted, ID_TOKEN), tokens.id_token),
                access_token=self.access_token(tokens.access_token),
                refresh_token=self._optional(
                    partial(self._placeholders.printable, "refresh-token"), tokens.refresh_token
                ),
                provenance=self._provenance(tokens),
            ),
        )

    @property
    def _unsigned(self) -> Jwts:
        """For stored tokens. Their signatures are not verified again."""
        return Jwts(self._provider, self._public, self._placeholders, None)

    def access_token(self, token: Secret) -> Secret:
        """Return what stands for an access token."""
        return self._secret(partial(self._jwts.redacted, "access-token"), token)

    def account_id(self, value: str) -> str:
        """Return what stands for the id of an account."""
        return self._jwts.account_id(value)

    def scope(self, word: str) -> str:
        """Return a scope that was asked for, and what stands for any other one."""
        return word if word in self._scopes else self._placeholders.of("scope", word)

    def _scope(self, text: str) -> str:
        if not is_printable_ascii(text):
            return "\x00"
        words = text.replace(self._provider.scope_separator, " ").split(" ")
        return " ".join(self.scope(word) for word in words if word) or " "

    def _provenance(self, tokens: Tokens) -> Provenance:
        theirs = provenance_of(tokens)
        is_ours = theirs is None or provenance_of_provider(self._provider).is_same(theirs)
        return provenance_of_provider(self._public) if is_ours else OTHER_PROVIDER

    @staticmethod
    def _secret(redact: Callable[[str], str], secret: Secret) -> Secret:
        return Secret(redact(secret.reveal()) if secret.reveal() else "")

    def _optional(self, redact: Callable[[str], str], secret: Secret | None) -> Secret | None:
        return None if secret is None else self._secret(redact, secret)

    def _token_type(self, kind: str) -> str:
        if kind.lower() == "bearer":
            return "Bearer"
        return kind.lower() if kind.lower() in self._provider.token_types else "other"

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


def _digits(text: str) -> str:
    """Return a number of seconds that is written as text."""
    return text if text.isascii() and text.isdigit() else "other"
