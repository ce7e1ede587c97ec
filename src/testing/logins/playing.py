"""Play logins: one, or those that a program starts."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, TypedDict, Unpack, overload

from .drivers import Driver, login_of, replaced_makers
from .login import Casting
from .outcomes import script_named, script_of_steps
from .traces import script_of_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ...drivers.stores.protocols import CredentialStore
    from ...sansio.login.progress import LoginPhase
    from ...sansio.model.options import LoginMethod, LoginOptions
    from .asyncio import PlayedAsyncioLogin
    from .login import PlayedLogin
    from .script import Script, Step
    from .threaded import PlayedThreadedLogin
    from .trio import PlayedTrioLogin

Source: TypeAlias = "str | os.PathLike[str] | Sequence[Step]"
"""What a login plays: the name of an outcome, the path of a trace, or steps."""


class Arguments(TypedDict, total=False):
    """What `played` takes beside the source and the driver."""

    options: LoginOptions | None
    store: CredentialStore | None
    on_progress: Callable[[LoginPhase], None] | None
    record: Callable[[str], object] | None
    method: LoginMethod | None


class PlayLogin(Protocol):
    """The type of `played`, and of the fixture ``played_login``."""

    @overload
    def __call__(
        self, source: Source = ..., *, driver: Literal["threaded"] = ..., **arguments: Unpack[Arguments]
    ) -> PlayedThreadedLogin: ...

    @overload
    def __call__(
        self, source: Source = ..., *, driver: Literal["trio"], **arguments: Unpack[Arguments]
    ) -> PlayedTrioLogin: ...

    @overload
    def __call__(
        self, source: Source = ..., *, driver: Literal["asyncio"], **arguments: Unpack[Arguments]
    ) -> PlayedAsyncioLogin: ...


@overload
def played(
    source: Source = ..., *, driver: Literal["threaded"] = ..., **arguments: Unpack[Arguments]
) -> PlayedThreadedLogin: ...


@overload
def played(source: Source = ..., *, driver: Literal["trio"], **arguments: Unpack[Arguments]) -> PlayedTrioLogin: ...


@overload
def played(
    source: Source = ..., *, driver: Literal["asyncio"], **arguments: Unpack[Arguments]
) -> PlayedAsyncioLogin: ...


def played(  # noqa: PLR0913 - the arguments of a driver
    source: Source = "succeeded",
    *,
    driver: Driver = "threaded",
    options: LoginOptions | None = None,
    store: CredentialStore | None = None,
    on_progress: Callable[[LoginPhase], None] | None = None,
    record: Callable[[str], object] | None = None,
    method: LoginMethod | None = None,
) -> PlayedLogin:
    """Return a login that plays a script, in place of `start_login`, `open_login` or `asyncio_open_login`.

        with played("token_endpoint_rejected") as login:
            ...

    Args:
        source: The name of an outcome (`OUTCOMES` lists them), the path of a trace (a `Path`, or a
            text that ends with ``.jsonl``), or steps (`steps` makes them).
        driver: ``threaded``, ``trio`` or ``asyncio``.
        options: The options of the login; None for some that fit. A trace has its own.
        store: Where the credentials are saved; None for a store in memory.
        on_progress: As for a driver.
        record: As for a driver.
        method: How the person signs in; None for what fits. A trace has its own.

    Returns:
        The login, to be entered. It is a `ThreadedLogin`, a `TrioLogin` or an `AsyncioLogin`.

    Raises:
        ValueError: No outcome has this name, or it cannot happen with these options.
        TraceError: The file is not the trace of a login.
        OSError: The file cannot be read.
    """
    casting = Casting(script_from(source), options, store=store, on_progress=on_progress, record=record, method=method)
    return login_of(driver)(casting)


class Playing:
    """The logins that a program has started in a block of `playing`.

    Args:
        sources: What each plays.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        self._scripts = [script_from(source) for source in sources]
        self.logins: list[PlayedLogin] = []
        """The logins that the program has started so far."""

    @property
    def login(self) -> PlayedLogin:
        """The login that the program has started last.

        Raises:
            AssertionError: It has started none.
        """
        if not self.logins:
            raise AssertionError("the program has started no login")
        return self.logins[-1]

    def starter(self, driver: Driver) -> Callable[..., PlayedLogin]:
        """Return what makes the logins of a driver.

        Args:
            driver: The driver.
        """
        make = login_of(driver)

        def start(
            options: LoginOptions,
            *,
            store: CredentialStore,
            on_progress: Callable[[LoginPhase], None] | None,
            record: Callable[[str], object] | None,
            method: LoginMethod,
        ) -> PlayedLogin:
            if len(self.logins) == len(self._scripts):
                raise AssertionError(f"the program has started more than {len(self._scripts)} login(s)")
            script = self._scripts[len(self.logins)]
            login = make(Casting(script, options, store=store, on_progress=on_progress, record=record, method=method))
            self.logins.append(login)
            return login

        return start


@contextlib.contextmanager
def playing(*sources: Source) -> Iterator[Playing]:
    """Let every login that is started in the block play a script, wherever the program has `start_login` from.

        with playing("token_endpoint_rejected", "succeeded") as stage:
            my_program.sign_in()
        assert len(stage.logins) == 2

    The first login plays the first source, and so on. It is for one thread at a time: other tests of the same process
    must not sign in meanwhile.

    Args:
        sources: What the logins play, as for `played`.

    Returns:
        The logins.

    Raises:
        ValueError: No outcome has such a name. `start_login` raises it if an outcome cannot happen with the program's
            options.
        AssertionError: Raised by `start_login`: the program starts more logins than there are sources.
    """
    stage = Playing(sources or ("succeeded",))
    with replaced_makers(lambda driver, _: stage.starter(driver)):
        yield stage


def script_from(source: Source) -> Script:
    """Return the script of a source.

    Raises:
        ValueError: No outcome has this name.
        TraceError: The file is not the trace of a login.
        OSError: The file cannot be read.
    """
    if isinstance(source, str) and not source.endswith(".jsonl"):
        return script_named(source)
    return script_of_file(source) if isinstance(source, str | os.PathLike) else script_of_steps(tuple(source))
