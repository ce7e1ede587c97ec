"""The refreshes and sign-outs of the golden traces: what happens in each, event by event."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from loginmachine import Credentials, Provider, Secret, Tokens
from loginmachine.sansio.login.events import CredentialsSaved, SaveFailed
from loginmachine.sansio.model.provenance import Provenance
from loginmachine.sansio.refresh.events import CredentialsLoaded, LoadFailed, LockBusy, LockFailed, LockTaken
from loginmachine.sansio.refresh.failures import RefreshFailureCategory
from loginmachine.sansio.refresh.outcome import Refusal, digest_of
from loginmachine.sansio.server.endpoints import ClientAuthentication
from loginmachine.sansio.server.registration import ClientMetadata
from loginmachine.sansio.sign_out.events import CredentialsRemoved, RemovalFailed, RevocationEnded, SignOutWanted

from ..sansio.refresh.samples import (
    API_KEY_ONLY,
    FORCED,
    NEW,
    NEW_CREDENTIALS,
    OLD,
    OTHER_ACCOUNT,
    OVER,
    PROVIDER,
    THEIR_CREDENTIALS,
    WANTED,
    answered,
    loaded,
    rejected,
    stored,
    unanswered,
)
from . import server_samples

if TYPE_CHECKING:
    from loginmachine.sansio.refresh.events import RefreshEvent
    from loginmachine.sansio.sign_out.events import SignOutEvent

URL = "https://auth.openai.com/oauth/revoke"
ECHO = "no canary-old-refresh here, /home/ada"
MIRROR = Provenance(issuer="https://id.example", client_id="client-1")
OTHER = Provider(
    name="openid",
    issuer="https://id.example",
    authorization_endpoint="https://id.example/authorize",
    token_endpoint="https://id.example/token?canary-query",
    revocation_endpoint="https://id.example/revoke",
    client_id="canary-client",
    client_secret=Secret("canary-client-secret"),
    token_endpoint_auth_method=ClientAuthentication.CLIENT_SECRET_BASIC,
    registration=ClientMetadata(client_name="canary name", contacts=("ada@example.org",)),
    scopes=("openid", "offline_access"),
)
"""A provider that is recorded in its tokens, with a client that was registered for this installation."""
UNKNOWN = Provenance(issuer="https://id.example/?canary", client_id=None)


def issued_by(provenance: Provenance | None, access_token: str = OLD) -> Credentials:
    credentials = stored(access_token)
    assert credentials.tokens is not None
    return credentials.__replace__(tokens=credentials.tokens.__replace__(provenance=provenance))


def issued_by_other(provider: Provider) -> Credentials:
    """Return credentials that record their provider, and the client's secret."""
    tokens = Tokens(
        access_token=Secret(OLD),
        refresh_token=Secret("canary-old-refresh"),
        id_token=Secret(server_samples.id_token(aud="canary-client")),
        provider=provider,
        scope=("openid", "canary-scope"),
        resource=("https://api.example/?canary",),
        expiry=1_795_000_060.0,
        extra=Secret('{"instance": "canary"}'),
    )
    return Credentials(auth_mode="oauth", tokens=tokens, last_refresh="2026-11-10T00:00:00Z")


THEIRS = issued_by_other(OTHER)
MOVED = issued_by_other(OTHER.__replace__(client_id="canary-other-client"))


def refused_before(credentials: Credentials, digest: str = "") -> CredentialsLoaded:
    digest = digest or digest_of(credentials, PROVIDER)
    refusal = Refusal(digest=digest, category=RefreshFailureCategory.REFRESH_TOKEN_REJECTED)
    return loaded(credentials).__replace__(refusal=refusal)


class RefreshScenario(NamedTuple):
    """A refresh to be recorded."""

    name: str
    """The name of the scenario, and of its file."""
    events: tuple[RefreshEvent, ...]
    outcome: str
    """The outcome and the category, as ``succeeded`` or ``failed store_busy``."""
    provider: Provider | None = PROVIDER
    environment_key: str | None = None


class SignOutScenario(NamedTuple):
    """A sign-out to be recorded."""

    name: str
    events: tuple[SignOutEvent, ...]
    outcome: str
    provider: Provider | None = PROVIDER


def to_exchange(credentials: Credentials) -> tuple[RefreshEvent, ...]:
    return (WANTED, loaded(credentials), LockTaken(), loaded(credentials))


FORCED_EXCHANGE = (FORCED, loaded(stored()), LockTaken(), loaded(stored()))
OLD_EXCHANGE, OVER_EXCHANGE = to_exchange(stored()), to_exchange(stored(OVER))
GRANT_REFUSED = answered(400, error="invalid_grant", error_description=ECHO)
OTHER_ONE = answered(access_token=NEW, refresh_token="canary-new-refresh", id_token=OTHER_ACCOUNT)
UNNAMED = issued_by(MIRROR)
NO_REFRESH_TOKEN = stored(OVER, "")
OF_STANDARD = Credentials(
    auth_mode="oauth",
    tokens=Tokens(
        access_token=Secret("canary-access-token"),
        refresh_token=Secret("canary-old-refresh"),
        id_token=Secret(server_samples.id_token()),
        expiry=1_794_999_999.0,
        scope=("openid", "canary-scope"),
        resource=("https://api.example/v1",),
        provider=server_samples.BASIC.__replace__(
            authorization_endpoint="https://id.example/authorize",
            token_endpoint="https://id.example/token",
            jwks_uri="https://id.example/keys",
            id_token_signing_alg_values_supported=("ES256",),
        ),
    ),
    last_refresh="2026-11-18T10:00:00Z",
)
"""The credentials of a confidential client at a standard provider."""
WRONGLY_SIGNED = server_samples.id_token()[:-8] + "AAAAAAAA"

ISSUED = Credentials(
    auth_mode="oauth",
    tokens=Tokens(
        access_token=Secret("canary-access-token"),
        refresh_token=Secret("canary-old-refresh"),
        id_token=Secret(server_samples.id_token(aud="oaiapp_canary")),
        expiry=1_794_999_999.0,
        resource=("https://api.openai.com/v1",),
        extra=Secret('{"earliest_refresh_at": 1794999990}'),
        provider=Provider.chatgpt(app_name="canary name", issuer="https://id.example").__replace__(
            client_id="oaiapp_canary",
            authorization_endpoint="https://id.example/authorize",
            token_endpoint="https://id.example/token",
            revocation_endpoint="https://id.example/revoke",
            jwks_uri="https://id.example/keys",
            id_token_signing_alg_values_supported=("ES256",),
        ),
    ),
    last_refresh="2026-11-18T10:00:00Z",
)
"""The credentials of a client that was issued for this installation, with a refresh token that works once."""
ISSUED_TOKENS = server_samples.tokens(
    1, server_samples.id_token(aud="oaiapp_canary", nonce=None), earliest_refresh_at=1_795_001_800
)
TO_MARKED_EXCHANGE = (*to_exchange(ISSUED), CredentialsSaved(replaced=ISSUED))

REFRESHES = (
    # Successes
    RefreshScenario("current", (WANTED, loaded(NEW_CREDENTIALS)), "succeeded"),
    RefreshScenario("current_api_key", (WANTED, loaded(API_KEY_ONLY)), "succeeded"),
    RefreshScenario(
        "current_environment_key", (WANTED, loaded(None)), "succeeded", environment_key=" sk-canary-environment "
    ),
    RefreshScenario(
        "refreshed",
        (*FORCED_EXCHANGE, answered(), loaded(stored()), CredentialsSaved(replaced=stored())),
        "succeeded",
    ),
    RefreshScenario(
        "refreshed_by_the_recorded_provider",
        (*to_exchange(UNNAMED), answered(), loaded(UNNAMED), CredentialsSaved(replaced=UNNAMED)),
        "succeeded",
        None,
    ),
    RefreshScenario(
        "refreshed_with_keys",
        (
            *(*to_exchange(OF_STANDARD), server_samples.keys(1), server_samples.tokens(1)),
            *(loaded(OF_STANDARD), CredentialsSaved(replaced=OF_STANDARD)),
        ),
        "succeeded",
        None,
    ),
    RefreshScenario(
        "refreshed_without_keys",
        (
            *(*to_exchange(OF_STANDARD), unanswered(), server_samples.tokens(1)),
            *(loaded(OF_STANDARD), CredentialsSaved(replaced=OF_STANDARD)),
        ),
        "succeeded",
        None,
    ),
    RefreshScenario(
        "refreshed_with_a_token_that_works_once",
        (
            *(*TO_MARKED_EXCHANGE, ISSUED_TOKENS, loaded(ISSUED), CredentialsSaved(replaced=ISSUED)),
            *(server_samples.keys(1), loaded(ISSUED), CredentialsSaved(replaced=ISSUED)),
        ),
        "succeeded",
        None,
    ),
    RefreshScenario(
        "refresh_token_rejected_that_works_once",
        (*TO_MARKED_EXCHANGE, GRANT_REFUSED, loaded(ISSUED)),
        "failed refresh_token_rejected",
        None,
    ),
    RefreshScenario(
        "account_changed_by_signature",
        (*to_exchange(OF_STANDARD), server_samples.keys(1), server_samples.tokens(1, WRONGLY_SIGNED)),
        "failed account_changed",
        None,
    ),
    RefreshScenario(
        "refreshed_but_not_stored", (*OLD_EXCHANGE, answered(), loaded(stored()), SaveFailed(message=ECHO)), "succeeded"
    ),
    RefreshScenario(
        "refreshed_although_another_token_was_refused",
        (
            *(WANTED, refused_before(stored(), "f" * 64), LockTaken(), refused_before(stored(), "f" * 64)),
            *(answered(), loaded(stored()), CredentialsSaved(replaced=stored())),
        ),
        "succeeded",
    ),
    RefreshScenario(
        "refreshed_by_the_provider_of_the_tokens",
        (
            *to_exchange(THEIRS),
            answered(access_token="canary-new-access", expires_in="3600", scope="openid canary-scope", x="canary"),
            *(loaded(THEIRS), CredentialsSaved(replaced=THEIRS)),
        ),
        "succeeded",
        None,
    ),
    RefreshScenario(
        "refreshed_by_a_named_provider",
        (*to_exchange(THEIRS), answered(access_token="canary-new-access"), loaded(THEIRS), CredentialsSaved()),
        "succeeded",
        OTHER,
    ),
    RefreshScenario("adopted", (rejected(OLD), loaded(stored()), LockBusy(), loaded(THEIR_CREDENTIALS)), "succeeded"),
    RefreshScenario("adopted_after_a_refusal", (*OLD_EXCHANGE, GRANT_REFUSED, loaded(THEIR_CREDENTIALS)), "succeeded"),
    RefreshScenario("kept", (*OLD_EXCHANGE, unanswered()), "succeeded"),
    RefreshScenario("kept_without_lock", (WANTED, loaded(stored()), LockFailed(message=ECHO)), "succeeded"),
    RefreshScenario("kept_while_busy", (WANTED, loaded(stored()), *(LockBusy(), loaded(stored())) * 16), "succeeded"),
    RefreshScenario(
        "kept_for_good", (*OLD_EXCHANGE, GRANT_REFUSED, loaded(stored())), "succeeded refresh_token_rejected"
    ),
    RefreshScenario("kept_last", (WANTED, refused_before(stored())), "succeeded refresh_token_rejected"),
    # Failures
    RefreshScenario("not_signed_in", (WANTED, loaded(None)), "failed not_signed_in"),
    RefreshScenario(
        "credentials_unreadable",
        (WANTED, LoadFailed(failed_at=1_795_000_000.0, message="/home/ada: denied")),
        "failed credentials_unreadable",
    ),
    RefreshScenario(
        "credentials_unsupported", (WANTED, loaded(stored(auth_mode="canary"))), "failed credentials_unsupported"
    ),
    RefreshScenario("provider_mismatch", (WANTED, loaded(issued_by(MIRROR))), "failed provider_mismatch"),
    RefreshScenario("provider_mismatch_other_client", (WANTED, loaded(MOVED)), "failed provider_mismatch", OTHER),
    RefreshScenario(
        "provider_mismatch_unknown_client", (WANTED, loaded(issued_by(UNKNOWN))), "failed provider_mismatch", None
    ),
    RefreshScenario("refresh_token_missing", (WANTED, loaded(NO_REFRESH_TOKEN)), "failed refresh_token_missing"),
    RefreshScenario(
        "refresh_token_rejected", (*OVER_EXCHANGE, GRANT_REFUSED, loaded(stored(OVER))), "failed refresh_token_rejected"
    ),
    RefreshScenario(
        "refresh_token_rejected_before",
        (WANTED, refused_before(stored(OVER))),
        "failed refresh_token_rejected",
    ),
    RefreshScenario("account_changed", (*OVER_EXCHANGE, OTHER_ONE), "failed account_changed"),
    RefreshScenario(
        "client_refused",
        (*OVER_EXCHANGE, answered(401, error="invalid_client", error_description="unknown client")),
        "failed client_refused",
    ),
    RefreshScenario("refresh_unavailable", (*OVER_EXCHANGE, unanswered()), "failed refresh_unavailable"),
    RefreshScenario(
        "refresh_unavailable_for_a_while",
        (*OVER_EXCHANGE, answered(503, error="temporarily_unavailable")),
        "failed refresh_unavailable",
    ),
    RefreshScenario(
        "refresh_response_malformed",
        (*OVER_EXCHANGE, answered(token_type="Bearer")),
        "failed refresh_response_malformed",
    ),
    RefreshScenario(
        "store_unavailable", (WANTED, loaded(stored(OVER)), LockFailed(message=ECHO)), "failed store_unavailable"
    ),
    # A host's mistake, and a trace that stops
    RefreshScenario("unexpected", (WANTED, LockTaken(), loaded(NEW_CREDENTIALS)), "succeeded"),
    RefreshScenario("unfinished", OLD_EXCHANGE, "unfinished"),
)
REMOVED = (SignOutWanted(), loaded(stored()), CredentialsRemoved(removed=stored()))
SIGN_OUTS = (
    SignOutScenario("confirmed", (*REMOVED, RevocationEnded(problem="")), "succeeded"),
    SignOutScenario(
        "confirmed_by_the_recorded_provider",
        (SignOutWanted(), CredentialsRemoved(removed=UNNAMED), RevocationEnded(problem="")),
        "succeeded",
        None,
    ),
    SignOutScenario(
        "confirmed_by_the_provider_of_the_tokens",
        (SignOutWanted(), CredentialsRemoved(removed=THEIRS), RevocationEnded(problem="")),
        "succeeded",
        None,
    ),
    SignOutScenario(
        "confirmed_before_the_removal",
        (
            *(SignOutWanted(reads_store=True), loaded(ISSUED), RevocationEnded(problem="status 503", may_pass=True)),
            *(RevocationEnded(problem=""), CredentialsRemoved(removed=ISSUED)),
        ),
        "succeeded",
        None,
    ),
    SignOutScenario("not_confirmed", (*REMOVED, RevocationEnded(problem=f"{URL}: status 503")), "succeeded"),
    SignOutScenario("not_confirmed_echo", (*REMOVED, RevocationEnded(problem=ECHO)), "succeeded"),
    SignOutScenario(
        "not_confirmed_provider_unknown",
        (SignOutWanted(), CredentialsRemoved(removed=issued_by(UNKNOWN))),
        "succeeded",
        None,
    ),
    SignOutScenario("nothing_stored", (SignOutWanted(), loaded(None), CredentialsRemoved(removed=None)), "succeeded"),
    SignOutScenario(
        "nothing_to_revoke",
        (SignOutWanted(), loaded(API_KEY_ONLY), CredentialsRemoved(removed=API_KEY_ONLY)),
        "succeeded",
    ),
    SignOutScenario(
        "unreadable",
        (
            SignOutWanted(),
            LoadFailed(failed_at=1_795_000_000.0, message=ECHO),
            CredentialsRemoved(removed=Credentials(auth_mode=None)),
        ),
        "succeeded",
    ),
    SignOutScenario(
        "tokens_kept",
        (SignOutWanted(keeps_tokens=True), loaded(stored()), CredentialsRemoved(removed=stored())),
        "succeeded",
    ),
    SignOutScenario("provider_mismatch", (SignOutWanted(), loaded(issued_by(MIRROR))), "failed provider_mismatch"),
    SignOutScenario(
        "removal_failed",
        (SignOutWanted(), loaded(stored()), RemovalFailed(message="/home/ada: permission denied")),
        "failed removal_failed",
    ),
    SignOutScenario("unexpected", (SignOutWanted(), RevocationEnded(problem="")), "unfinished"),
    SignOutScenario("unfinished", REMOVED, "unfinished"),
)
