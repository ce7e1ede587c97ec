"""The rules that always hold (docs/design/invariants.md), each written once.

The random sequences of events in `login.test_invariants` and the exploration of every state in `tests.model` check each
step with them. A `Ledger` remembers what was seen of a login. It knows events and actions only: of the machine, a step
shows the state and the outcome.
"""

from __future__ import annotations

from collections import Counter
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlencode

from loginmachine.sansio import LoginCancellation, LoginFailure, LoginState, LoginSuccess
from loginmachine.sansio.base.http import Encoding
from loginmachine.sansio.login.actions import (
    AbortTokenRequest,
    Action,
    Bind,
    CloseListener,
    Finish,
    OpenBrowser,
    ReportProgress,
    Respond,
    RevokeToken,
    SaveCredentials,
    SaveRegistration,
    SendTokenRequest,
    StartTimer,
    StopTimer,
    Timer,
)
from loginmachine.sansio.login.events import (
    ClientGone,
    CredentialsSaved,
    RegistrationSaved,
    RequestReceived,
    TimerFired,
    TokenRequestFailed,
    TokenResponseReceived,
)
from loginmachine.sansio.login.progress import AddressReady, Cancelled, DeviceCodeShown, Failed, Listening, Succeeded

from .samples import (
    CLIENT_SECRET,
    DEVICE_AUTH_ID,
    DEVICE_VERIFIER,
    ID_TOKEN_HINT,
    OLD_REFRESH_TOKEN,
    REFRESH_TOKEN,
    STATE,
    USER_CODE,
    VERIFIER,
    everything_in,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from enum import StrEnum

    from loginmachine.sansio import LoginOptions
    from loginmachine.sansio.login.events import Event
    from loginmachine.sansio.login.outcome import LoginOutcome

    Rule = Callable[["Step", "Ledger"], bool]
    """Its docstring is the rule, with its number in docs/design/invariants.md if it has one."""

FINAL: Final = (LoginState.SUCCEEDED, LoginState.FAILED, LoginState.CANCELLED)
BUSY: Final = (
    *(LoginState.SAVING_CLIENT, LoginState.EXCHANGING_CODE, LoginState.FETCHING_KEYS),
    *(LoginState.EXCHANGING_API_KEY, LoginState.SAVING_CREDENTIALS),
)
"""From the accepted callback, or the device code that was used, to the outcome."""
MOST_BIND_ATTEMPTS: Final = 10


class EventKind(Enum):
    """What the rules have to know of an event. They do not read requests and tokens by themselves."""

    FACT = "no rule asks about it"
    STRANGER = "a request or a pasted text that must not change the state: most lack this login's own"
    RIVAL = "another login server asks for the port"
    ANSWER = "a request with this login's state, but without a code for it"
    CALLBACK = "this login's state and a code, in a request or pasted"
    GRANT = "the person used the device code, and the provider sends a code instead of tokens"
    TOKENS = "good tokens, of a workspace that may sign in"
    KEYS = "the provider's keys, with the one that has signed the good tokens"
    MISTAKE = "no honest host posts it"


class Ledger(NamedTuple):
    """What was seen of a login so far."""

    unanswered: frozenset[int] = frozenset()
    """Requests without a response, from clients that still wait."""
    allowed: bool = False
    """The person signed in: a callback with this login's state and a code came, or their device code was used."""
    tokens: bool = False
    """Good tokens came, of a workspace that may sign in, in response to an outstanding request."""
    saved: bool = False
    """The credentials that were to be saved are durable."""
    codes: int = 0
    """Exchanges of an authorization code."""
    api_keys: int = 0
    """Exchanges of an id token for an API key."""
    device_codes: int = 0
    """Requests for a device code that the provider has not postponed."""
    pending: frozenset[int] = frozenset()
    """Token requests without a response."""
    running: frozenset[Timer] = frozenset()
    """Timers that run."""
    deadlines: int = 0
    """How often the deadline was started; 0 again after the outcome, when no timer but `linger` may run at all."""
    keys: bool = False
    """The provider's keys came, in response to an outstanding request."""
    registrations: int = 0
    """Registrations that were to be stored."""
    registered: bool = False
    """The registration is durable."""
    saves: int = 0
    finishes: int = 0
    closings: int = 0
    successes: int = 0
    """`Succeeded` reports."""
    failures: int = 0
    """Reports of a `Failed` that ends the login."""
    cancellations: int = 0
    """`Cancelled` reports."""

    def key(self) -> tuple[object, ...]:
        """Return the ledger without the numbers of requests, which mean nothing."""
        plain = self._replace(unanswered=frozenset(), pending=frozenset())
        return (len(self.unanswered), len(self.pending), *plain)


class Step(NamedTuple):
    """One event that a login accepted in some state, and the result."""

    options: LoginOptions
    kind: EventKind
    event: Event
    actions: list[Action]
    before: LoginState
    after: LoginState
    outcome: LoginOutcome | None
    known: Ledger
    """The ledger before the event."""


class BrokenRuleError(AssertionError):
    """A rule does not hold."""


def checked(step: Step) -> Ledger:
    """Check a step against every rule.

    Returns:
        The ledger after the step.

    Raises:
        BrokenRuleError: With the rule's number and sentence.
    """
    now = note(step)
    for rule in RULES:
        insist(sentence(rule), holds=rule(step, now))
    return now


def check_refused(state: StrEnum, before: object, after: object, final: Collection[StrEnum] = FINAL) -> None:
    """Check a machine that refused an event with `UnexpectedEvent`.

    Args:
        state: The machine's state.
        before: The snapshot before the event.
        after: The snapshot after it.
        final: The states after the outcome.

    Raises:
        BrokenRuleError: The event changed something, or came after the outcome, when events may be late.
    """
    insist("rule refused events: An event that is refused changes nothing.", holds=before == after)
    insist("rule refused events: After the outcome no event is refused.", holds=state not in final)


def sentence(rule: Rule) -> str:
    """Return a rule in words."""
    return f"rule {rule.__doc__}"


def insist(words: str, *, holds: bool) -> None:
    if not holds:
        raise BrokenRuleError(words)


# The ledger


def note(step: Step) -> Ledger:
    """Return the ledger after a step.

    Raises:
        BrokenRuleError: An action contradicts the ledger: a second response to a request, or a timer that is stopped
            but does not run.
    """
    known, event = step.known, step.event
    if known.closings:
        insist("rule 4: After CloseListener there are no more actions.", holds=not step.actions)
        return known
    unanswered, running, pending, saved = set(known.unanswered), set(known.running), set(known.pending), known.saved
    tokens, keys, registered = known.tokens, known.keys, known.registered
    match event:
        case RequestReceived() if step.kind is not EventKind.MISTAKE:
            unanswered.add(event.request_id)
        case ClientGone():
            unanswered.discard(event.request_id)
        case TimerFired():
            running.discard(event.timer)
        case TokenResponseReceived() | TokenRequestFailed():
            tokens = tokens or (step.kind is EventKind.TOKENS and event.exchange_id in pending)
            keys = keys or (step.kind is EventKind.KEYS and event.exchange_id in pending)
            pending.discard(event.exchange_id)
        case CredentialsSaved():
            saved = saved or (known.saves > 0 and step.before not in FINAL)
        case RegistrationSaved():
            registered = registered or known.registrations > 0
    for action in step.actions:
        _enter(action, unanswered, running, pending)
    phases = [action.phase for action in step.actions if isinstance(action, ReportProgress)]
    counts = Counter(map(type, step.actions))
    finishes = known.finishes + counts[Finish]
    started = Counter(action.timer for action in step.actions if isinstance(action, StartTimer))
    deadlines = known.deadlines + started[Timer.DEADLINE]
    return known._replace(
        unanswered=frozenset(unanswered),
        allowed=known.allowed or _allows(step),
        tokens=tokens,
        saved=saved,
        codes=known.codes + sum(map(_exchanges_code, step.actions)),
        api_keys=known.api_keys + sum(map(_exchanges_api_key, step.actions)),
        device_codes=known.device_codes + sum(map(_requests_device_code, step.actions)) - started[Timer.CODE_REQUEST],
        pending=frozenset(pending),
        running=frozenset(running),
        deadlines=0 if finishes else deadlines,
        keys=keys,
        registrations=known.registrations + sum(map(_stores_client, step.actions)),
        registered=registered,
        saves=known.saves + counts[SaveCredentials],
        finishes=finishes,
        closings=known.closings + counts[CloseListener],
        successes=known.successes + sum(isinstance(phase, Succeeded) for phase in phases),
        failures=known.failures + sum(isinstance(phase, Failed) and phase.fatal for phase in phases),
        cancellations=known.cancellations + sum(isinstance(phase, Cancelled) for phase in phases),
    )


def _enter(action: Action, unanswered: set[int], running: set[Timer], pending: set[int]) -> None:
    match action:
        case Respond(request_id=number):
            insist(f"rule 3: Request {number} gets a response, but waits for none.", holds=number in unanswered)
            unanswered.remove(number)
        case StartTimer(timer=timer):
            insist(f"rule timers: The timer {timer} is started, but runs already.", holds=timer not in running)
            running.add(timer)
        case StopTimer(timer=timer):
            insist(f"rule timers: The timer {timer} is stopped, but does not run.", holds=timer in running)
            running.remove(timer)
        case SendTokenRequest(exchange_id=number):
            insist("rule token requests: A token request is sent while another one is outstanding.", holds=not pending)
            pending.add(number)
        case AbortTokenRequest(exchange_id=number):
            insist(
                f"rule token requests: Token request {number} is aborted, but not outstanding.", holds=number in pending
            )
            pending.remove(number)


def _allows(step: Step) -> bool:
    """Whether the event shows that the person signed in."""
    polled = step.before is LoginState.POLLING_DEVICE_CODE and bool(step.known.pending)
    return step.kind is EventKind.CALLBACK or (polled and step.kind in (EventKind.GRANT, EventKind.TOKENS))


def _grant_type(action: Action) -> str:
    return str(dict(action.form).get("grant_type", "")) if isinstance(action, SendTokenRequest) else ""


def _endpoint(action: Action) -> str:
    return action.url if isinstance(action, SendTokenRequest) else ""


def _stores_client(action: Action) -> bool:
    """Whether a client is stored. That the provider has refused one is noted after its use."""
    return isinstance(action, SaveRegistration) and not action.registration.is_refused


def _exchanges_code(action: Action) -> bool:
    return _grant_type(action) == "authorization_code"


def _exchanges_api_key(action: Action) -> bool:
    return _grant_type(action).endswith(":token-exchange")


def _requests_device_code(action: Action) -> bool:
    return _endpoint(action).endswith(("/deviceauth/usercode", "/device"))


def _polls(action: Action) -> bool:
    return _endpoint(action).endswith("/deviceauth/token") or _grant_type(action).endswith(":device_code")


def _pushes(action: Action) -> bool:
    return _endpoint(action).endswith("/par")


def _leads_to_provider(action: Action) -> bool:
    """Whether a browser at the start page is redirected to the authorization request."""
    return isinstance(action, Respond) and any(b"response_type=code" in value for _, value in action.headers)


def _address(action: Action) -> str:
    """Return the address for the person, or the form of a request; empty for any other action."""
    if isinstance(action, ReportProgress) and isinstance(action.phase, (Listening, AddressReady)):
        return action.phase.url
    if isinstance(action, SendTokenRequest) and action.encoding is Encoding.FORM:
        return urlencode([(name, str(value)) for name, value in action.form])
    return ""


def _names_client(action: Action) -> bool:
    authenticated = isinstance(action, SendTokenRequest) and action.authorization is not None
    return authenticated or "client_id=" in _address(action)


# The rules


def saved_after_consent(step: Step, now: Ledger) -> bool:
    """1: Credentials are saved once, after the person signed in, with good tokens of an allowed workspace."""
    saved = [action.credentials.tokens for action in step.actions if isinstance(action, SaveCredentials)]
    allowed = step.options.allowed_workspaces
    right = all(tokens is not None and (not allowed or tokens.account_id in allowed) for tokens in saved)
    return not saved or (now.allowed and now.tokens and now.saves == 1 and right)


def final_states_are_final(step: Step, _: Ledger) -> bool:
    """2: A final state is never left."""
    # That a final state can always be reached is a property of the whole graph: see `tests.model.proofs`.
    return step.before not in FINAL or step.after is step.before


def requests_are_answered(step: Step, now: Ledger) -> bool:
    """3: Each request is answered at once, or waits between the person's consent and the outcome."""
    return not now.unanswered or (now.allowed and step.after in BUSY)


def one_end(step: Step, now: Ledger) -> bool:
    """4: Finish comes exactly once, with the outcome; CloseListener at most once and last."""
    over = step.after in FINAL
    outcomes = [action.outcome for action in step.actions if isinstance(action, Finish)]
    last = not any(isinstance(action, CloseListener) for action in step.actions[:-1])
    return (
        now.finishes == over
        and now.closings <= over
        and last
        and all(outcome == step.outcome for outcome in outcomes)
        and (step.outcome is not None) == over
    )


def success_means_saved(step: Step, now: Ledger) -> bool:
    """5: Success if and only if the credentials are saved; the outcome, the state and the reports agree."""
    outcomes = (LoginSuccess, LoginFailure, LoginCancellation)
    known = tuple(isinstance(step.outcome, outcome) for outcome in outcomes)
    states = tuple(step.after is state for state in FINAL)
    return known == states == (now.successes, now.failures, now.cancellations) and known[0] == now.saved


def secrets_stay_in_their_place(step: Step, _: Ledger) -> bool:
    """6: Each secret leaves only in the actions that need it."""
    return not any(map(misplaced_secrets, step.actions))


def one_exchange(_: Step, now: Ledger) -> bool:
    """7: At most one code exchange, one request for a device code, and one API-key exchange, after the tokens came.

    A request for a device code that the provider postpones does not count.
    """
    return now.codes <= 1 and now.device_codes <= 1 and now.api_keys <= now.tokens


def only_the_right_state_moves(step: Step, _: Ledger) -> bool:
    """8: No request without this login's state changes the machine's state; another login server can only cancel."""
    if step.kind is EventKind.STRANGER:
        return step.after is step.before
    return step.kind is not EventKind.RIVAL or step.after in (step.before, LoginState.CANCELLED)


def too_late_to_cancel(step: Step, now: Ledger) -> bool:
    """too late: Once the credentials are being saved, a login is no longer cancelled."""
    return step.after is not LoginState.CANCELLED or not now.saves


def nothing_left_over(step: Step, now: Ledger) -> bool:
    """left over: After the outcome no token request is outstanding and no timer but linger runs."""
    if step.after not in FINAL:
        return True
    return not now.pending and now.running <= ({Timer.LINGER} if not now.closings else set())


def one_deadline(_: Step, now: Ledger) -> bool:
    """deadline: The deadline is started at most once."""
    return now.deadlines <= 1


def id_tokens_are_verified(step: Step, now: Ledger) -> bool:
    """keys: Where the provider has keys, an id token is stored only after the key came that has signed it."""
    stored = [action.credentials.tokens for action in step.actions if isinstance(action, SaveCredentials)]
    for tokens in stored:
        provider = tokens.provider if tokens is not None and tokens.provider is not None else step.options.provider
        if tokens is not None and tokens.id_token is not None and provider.jwks_uri is not None and not now.keys:
            return False
    return True


def clients_are_stored_before_use(step: Step, now: Ledger) -> bool:
    """registration: A client is registered at most once, and is durable before a request or an address names it."""
    in_use = any(map(_names_client, step.actions))
    return now.registrations <= 1 and (now.registered or not (now.registrations and in_use))


def nothing_comes_before_the_client(step: Step, _: Ledger) -> bool:
    """client: No request and no address of a login is without a client."""
    return not any("client_id=&" in str(url) or url.endswith("client_id=") for url in map(_address, step.actions))


def never_the_bootstrap_client(step: Step, _: Ledger) -> bool:
    """bootstrap: The client of the first authorization request is in no other request, and is never stored."""
    bootstrap = step.options.provider.dialect.bootstrap_client_id
    requests = [action for action in step.actions if isinstance(action, (SendTokenRequest, RevokeToken))]
    stored = [action.registration.client_id for action in step.actions if isinstance(action, SaveRegistration)]
    stored += [_client_of(action) for action in step.actions if isinstance(action, SaveCredentials)]
    return bootstrap is None or not (bootstrap in stored or bootstrap in everything_in(tuple(requests)))


def _client_of(action: SaveCredentials) -> str:
    tokens = action.credentials.tokens
    return "" if tokens is None or tokens.provider is None else tokens.provider.client_id


def few_bind_attempts(step: Step, _: Ledger) -> bool:
    """ports: There are at most ten attempts to bind a port."""
    return all(action.attempt <= MOST_BIND_ATTEMPTS for action in step.actions if isinstance(action, Bind))


def revoked_after_success(step: Step, _: Ledger) -> bool:
    """revocation: Replaced tokens are revoked once, after Finish, when the new credentials are saved."""
    kinds = [type(action) for action in step.actions]
    if RevokeToken not in kinds:
        return True
    replaced = isinstance(step.event, CredentialsSaved) and step.event.replaced is not None
    return (
        replaced
        and isinstance(step.outcome, LoginSuccess)
        and kinds.count(RevokeToken) == 1
        and Finish in kinds[: kinds.index(RevokeToken)]
    )


RULES: Final[tuple[Rule, ...]] = (
    saved_after_consent,
    final_states_are_final,
    requests_are_answered,
    one_end,
    success_means_saved,
    secrets_stay_in_their_place,
    one_exchange,
    only_the_right_state_moves,
    too_late_to_cancel,
    nothing_left_over,
    one_deadline,
    id_tokens_are_verified,
    clients_are_stored_before_use,
    nothing_comes_before_the_client,
    never_the_bootstrap_client,
    few_bind_attempts,
    revoked_after_success,
)


@lru_cache(maxsize=4096)
def misplaced_secrets(action: Action) -> tuple[str, ...]:
    """Return the secrets that an action holds and must not hold."""
    held = everything_in(action)
    phase = action.phase if isinstance(action, ReportProgress) else None
    code_exchange, poll = _exchanges_code(action), _polls(action)
    in_authorization_url = isinstance(action, OpenBrowser) or isinstance(phase, (Listening, AddressReady))
    places: Iterable[tuple[str, bool]] = (
        (USER_CODE, poll or isinstance(phase, DeviceCodeShown)),
        (DEVICE_AUTH_ID, poll),
        (DEVICE_VERIFIER, code_exchange),
        (VERIFIER, code_exchange),
        (STATE, in_authorization_url or _pushes(action) or _leads_to_provider(action)),
        (ID_TOKEN_HINT, _leads_to_provider(action)),
        (CLIENT_SECRET, isinstance(action, SaveRegistration | SaveCredentials | Finish)),
        (REFRESH_TOKEN, isinstance(action, SaveCredentials | Finish)),
        (OLD_REFRESH_TOKEN, isinstance(action, RevokeToken)),
    )
    return tuple(secret for secret, is_its_place in places if secret in held and not is_its_place)
