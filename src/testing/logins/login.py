"""What the played logins of all drivers share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...drivers.shared.handle import login_store_of
from ...drivers.stores.protocols import MemoryStore
from .answers import ALGORITHM
from .recorders import with_recorders

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...drivers.stores.protocols import CredentialStore
    from ...sansio.base.http import HttpRequest
    from ...sansio.callback.responses import Response
    from ...sansio.login.progress import LoginPhase
    from ...sansio.model.options import LoginMethod, LoginOptions
    from ...sansio.model.provider import Provider
    from ...sansio.server.registration import Registration
    from .script import Script, Step
    from .stage import Stage


HOST_ID: Final = "urn:uuid:00000000-0000-4000-8000-000000000000"
"""The id of the host that plays."""
PATIENCE: Final = 10.0
"""Real seconds to wait, in a pause of the script, for what another thread or task of the program does."""
IDLE: Final = "the script waits for the program, which has neither cancelled nor pasted anything"


class PlayedLogin:
    """A login that plays a script: base of the played login objects of all drivers.

    It opens no port and no browser, sends nothing, and waits for no real time. The machine is that of a real login, and
    so are the answers to `cancel` and `paste`.
    """

    _stage: Stage
    _entered: bool

    @property
    def progress(self) -> tuple[LoginPhase, ...]:
        """The phases that were reported so far."""
        return tuple(self._stage.progress)

    @property
    def responses(self) -> tuple[Response, ...]:
        """What the browser was answered so far: pages and redirects."""
        return tuple(self._stage.responses)

    @property
    def requests(self) -> tuple[HttpRequest, ...]:
        """The requests to the provider so far."""
        return tuple(self._stage.requests)

    @property
    def revoked(self) -> tuple[HttpRequest, ...]:
        """The requests that revoke the tokens which the login has replaced."""
        return tuple(self._stage.revoked)

    def play(self, *steps: Step) -> None:
        """Let more happen, after the steps of the script.

        Args:
            steps: The steps, from `loginmachine.testing.steps`.
        """
        self._stage.play(steps)

    def _check_before_entering(self) -> None:
        """Check that the login was not entered before. It uses no certificates and no proxy.

        Raises:
            RuntimeError: The login was entered before.
        """
        if self._entered:
            raise RuntimeError("a login can be entered only once")
        self._entered = True


class PlayedStore(MemoryStore):
    """The store of a played login, if the program brings none. It also keeps a registered client, and the host's id."""

    def __init__(self) -> None:
        super().__init__()
        self.registration: Registration | None = None

    def host_id(self) -> str:
        """Return the id of the host."""
        return HOST_ID

    def load_account(self) -> None:
        """Return None: the client belongs to no account yet."""

    def load_registration(self, provider: Provider) -> Registration | None:
        """Return the registered client."""
        del provider
        return self.registration

    def save_registration(self, registration: Registration) -> None:
        """Keep a registered client."""
        self.registration = registration


class Casting:
    """The script of one login, with what the program brings.

    Args:
        script: The script.
        options: The program's options; None for those of the script.
        store: The program's store; None for one in memory.
        on_progress: As for a driver.
        record: As for a driver.
        method: The program's method; None for that of the script.

    Raises:
        ValueError: A login with these options, or with this method, cannot go as the script says.
    """

    def __init__(  # noqa: PLR0913 - the arguments of a driver
        self,
        script: Script,
        options: LoginOptions | None,
        *,
        store: CredentialStore | None,
        on_progress: Callable[[LoginPhase], None] | None,
        record: Callable[[str], object] | None,
        method: LoginMethod | None,
    ) -> None:
        self.script = script
        self.options = script.options if options is None or script.is_recorded else accepting(options)
        self.method = script.method if method is None or script.is_recorded else method
        self.store: CredentialStore = login_store_of(PlayedStore() if store is None else store, self.options.provider)
        self.on_progress = on_progress
        self.record = with_recorders(record)
        problem = script.why_not(self.options, self.method)
        if problem:
            raise ValueError(problem)

    def stage(self, kind: Callable[..., Stage]) -> Stage:
        """Return the owner of the login."""
        return kind(
            self.script,
            self.options,
            store=self.store,
            on_progress=self.on_progress,
            record=self.record,
            method=self.method,
        )


def accepting(options: LoginOptions) -> LoginOptions:
    """Return options that accept the signatures of the played provider, if signatures are verified."""
    provider = options.provider
    accepted = provider.id_token_signing_alg_values_supported
    if ALGORITHM in accepted or (provider.jwks_uri is None and not provider.needs_discovery):
        return options
    return options.__replace__(
        provider=provider.__replace__(id_token_signing_alg_values_supported=(*accepted, ALGORITHM))
    )
