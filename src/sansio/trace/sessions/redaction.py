"""Make the events of refreshes and sign-outs safe to publish, as `loginmachine.sansio.trace.redaction` does."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from ...base.secret import Secret
from ...base.text import safe_url
from ...login.events import CredentialsSaved, SaveFailed, TokenRequestFailed, TokenResponseReceived
from ...model.auth_json import members_of
from ...model.issuer import provenance_of, provider_of
from ...model.moments import read_moment
from ...model.provenance import Provenance, provenance_of_provider
from ...model.provider import Provider
from ...refresh.events import AccessTokenWanted, CredentialsLoaded, LoadFailed, LockBusy, LockFailed, LockTaken
from ...refresh.failures import RefreshFailureCategory
from ...refresh.outcome import Refusal, digest_of
from ...sign_out.events import CredentialsRemoved, RemovalFailed, RevocationEnded, SignOutWanted
from ..placeholders import SECRETS, Placeholders
from ..redaction import moment, response
from ..server.documents import Documents
from ..server.kinds import RequestKind, RequestKinds
from ..server.public import public, public_resource
from ..server.signatures import Signatures
from ..tokens import OTHER_PROVIDER, TokenResponses
from ..writer import RecordingError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from ...base.records import Record
    from ...model.credentials import Credentials
    from ...model.tokens import Tokens
    from ..replay import Machine

ENVIRONMENT_KEY: Final = "redacted-environment-key-1"
"""The API key of the environment in every trace."""
_UNKNOWN_CLIENT: Final = Provenance(issuer=OTHER_PROVIDER.issuer, client_id=None)
"""Stands for a provenance from which no provider follows."""
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")
"""A time in the format of RFC 3339."""


class SessionRedactor:
    """Redacts the events of one refresh or sign-out, in their order.

    Args:
        provider: The provider that the host has named; None for the one that the tokens record. Its addresses and names
            are not secret.
        environment_key: The API key of the environment; empty if there is none.
    """

    def __init__(self, provider: Provider | None, environment_key: str = "") -> None:
        self._named = provider
        self._placeholders = Placeholders(SECRETS)
        self.provider = None if provider is None else public(provider, self._placeholders)
        """The named provider as it stands in the trace."""
        self._kinds = RequestKinds()
        self._signatures = Signatures(self._placeholders)
        self._use(provider or Provider.codex())
        if environment_key:
            self._placeholders.of("environment-key", environment_key)

    def event(self, event: Record) -> Record:
        """Return an event that means the same for the machine, without secrets and persons.

        Raises:
            RecordingError: The event is of a kind that is not known here.
        """
        match event:
            case AccessTokenWanted(rejected=rejected):
                return event.__replace__(rejected=rejected and self._responses.access_token(rejected))
            case CredentialsLoaded():
                return self._loaded(event)
            case TokenResponseReceived():
                return response(event, self._body(event))
            case CredentialsSaved(replaced=replaced):
                return event.__replace__(replaced=self._credentials(replaced))
            case CredentialsRemoved(removed=removed):
                return event.__replace__(removed=self._credentials(removed))
            case RevocationEnded(problem=problem):
                url = f"{self._revocation_url}: "
                known = url if problem.startswith(url) else ""
                return event.__replace__(problem=known + self._placeholders.text(problem.removeprefix(known)))
            case LoadFailed() | LockFailed() | TokenRequestFailed() | SaveFailed() | RemovalFailed():
                return event.__replace__(message=self._placeholders.text(event.message))
            case LockTaken() | LockBusy() | SignOutWanted():
                return event
            case _:
                raise RecordingError("an event is of a kind that no trace has")

    def _loaded(self, event: CredentialsLoaded) -> CredentialsLoaded:
        safe = self._credentials(event.credentials)
        refusal = event.refusal
        if refusal is not None:
            # The real digest is of the real token, and would mean nothing to the second machine.
            is_known = refusal.digest == _digest(event.credentials, self._named)
            digest = _digest(safe, self.provider) if is_known else "other"
            refusal = Refusal(digest=digest, category=RefreshFailureCategory(refusal.category))
        return event.__replace__(credentials=safe, loaded_at=moment(event.loaded_at), refusal=refusal)

    def _credentials(self, credentials: Credentials | None) -> Credentials | None:
        if credentials is None:
            return None
        tokens = credentials.tokens
        if tokens is not None:
            self._follow(tokens)
        safe = self._responses.credentials(credentials)
        if tokens is not None and safe.tokens is not None:
            account_id = tokens.account_id and self._responses.account_id(tokens.account_id)
            origin = safe.tokens.provenance if self._named else _recorded(tokens)
            changes = {**_plain(tokens), "account_id": account_id, "provenance": origin, **self._recorded(tokens)}
            safe = safe.__replace__(tokens=safe.tokens.__replace__(**changes))
        received = credentials.last_refresh_time()
        words = "other" if received is None else received.isoformat().replace("+00:00", "Z")
        last_refresh = None if credentials.last_refresh is None else words
        unverified = self._credentials(credentials.unverified)
        return safe.__replace__(**{"last_refresh": last_refresh, "unverified": unverified, **_plain(credentials)})

    def _recorded(self, tokens: Tokens) -> dict[str, Any]:
        """Return what the tokens of another provider than Codex's record of their login."""
        if tokens.provider is None:
            return {}
        return {
            "extra": _earliest(tokens),
            "provenance": None,
            "provider": public(tokens.provider, self._placeholders),
            "resource": public_resource(tokens.resource, self._placeholders),
            "scope": None if tokens.scope is None else tuple(map(self._responses.scope, tokens.scope)),
        }

    def _body(self, event: TokenResponseReceived) -> bytes:
        kind = self._kinds.of(event.exchange_id)
        if kind is RequestKind.TOKENS:
            return self._responses.body(event.headers, event.body)
        return self._documents.body(kind, event)

    def _use(self, provider: Provider) -> None:
        safe, placeholders, signatures = public(provider, self._placeholders), self._placeholders, self._signatures
        signatures.algorithms = provider.id_token_signing_alg_values_supported
        self._responses = TokenResponses(provider, safe, placeholders, provider.scopes, signatures)
        self._documents = Documents(provider, safe, placeholders, signatures)
        self._revocation_url = safe_url(provider.revocation_endpoint or "")

    def follow(self, machine: Machine, second: Machine, actions: Iterable[Record]) -> None:
        """Note what the machines have done with the last event.

        Args:
            machine: The real machine.
            second: The machine of the trace.
            actions: What the second machine has returned.
        """
        self._signatures.settle(counts=machine.last_trigger is not None)
        self._kinds.note(second.state, actions)

    def _follow(self, tokens: Tokens) -> None:
        """Read what follows as from the provider of these tokens, as the machine does."""
        provider = self._named or provider_of(tokens)
        if provider is not None:
            self._use(provider)


def _recorded(tokens: Tokens) -> Provenance | None:
    """Return the provenance in a trace without a named provider. The issuer and the client are not secret."""
    if provenance_of(tokens) is None:
        return None
    provider = provider_of(tokens)
    return _UNKNOWN_CLIENT if provider is None else provenance_of_provider(provider)


def _earliest(tokens: Tokens) -> Secret | None:
    """Return the only one of the further members of a response that decides something here."""
    member = tokens.provider.dialect.earliest_refresh_member if tokens.provider is not None else None
    if member is None or tokens.extra is None:
        return None
    return Secret(json.dumps({member: read_moment(members_of(tokens.extra).get(member))}))


def _digest(credentials: Credentials | None, named: Provider | None) -> str:
    """Return what identifies the refresh token of credentials for a refresh with this provider; empty for none."""
    if credentials is None or credentials.tokens is None:
        return ""
    return digest_of(credentials, named or provider_of(credentials.tokens) or Provider.codex())


def _plain(record: Record) -> dict[str, Any]:
    """Return the fields with a number or a time, which are not secret."""
    return {
        name: value
        for name, value in record.values().items()
        if isinstance(value, (int, float)) or (isinstance(value, str) and _TIME.fullmatch(value))
    }
