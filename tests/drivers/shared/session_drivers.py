"""The sessions of the drivers behind one blocking interface, so that each test is written once."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import trio

from loginmachine import AsyncioSession, Session, TrioSession

from ..asyncio import support as in_loop
from ..support import PATIENCE, eventually
from ..trio.support import in_thread

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    Call = Callable[[], Any]
    """A bound method of a session, blocking or asynchronous."""


@dataclass(frozen=True)
class Start:
    """Start a call in a thread or task of its own."""

    call: Call


@dataclass(frozen=True)
class Until:
    """Wait until a condition holds."""

    holds: Callable[[], object]


@dataclass(frozen=True)
class Do:
    """Call a blocking function, and go on."""

    work: Callable[[], object]


Step = Start | Until | Do


@dataclass(frozen=True)
class Fetch:
    """A request of an HTTP client."""

    url: str
    method: str = "GET"
    body: tuple[bytes, ...] | None = None
    """The parts of a body that can be read only once."""


class InThreads:
    """`Session`."""

    session = Session
    module = "loginmachine.drivers.threaded.refresh"

    def run(self, call: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """Call a method of a session, and wait for the end of a refresh that it has started for no caller."""
        try:
            return call(*args, **options)
        finally:
            for thread in threading.enumerate():
                if thread.name == "loginmachine-refresh":
                    thread.join(PATIENCE)
                    assert not thread.is_alive()

    def play(self, *steps: Step) -> list[Any]:
        """Perform the steps, wait for the started calls, and return their results in the order of the steps."""
        results: list[Any] = []
        threads: list[threading.Thread] = []

        def started(position: int, call: Call) -> None:
            results[position] = call()

        for step in steps:
            match step:
                case Start(call=call):
                    threads.append(threading.Thread(target=started, args=(len(results), call)))
                    results.append(None)
                    threads[-1].start()
                case Until(holds=holds):
                    assert eventually(lambda holds=holds: bool(holds()))  # type: ignore[misc]
                case Do(work=work):
                    work()
        for thread in threads:
            thread.join(PATIENCE * 2)
            assert not thread.is_alive()
        return results

    def fetch(self, auth: Any, *fetches: Fetch, **options: Any) -> list[httpx.Response]:
        """Send requests with one client."""

        def once(parts: tuple[bytes, ...]) -> Iterator[bytes]:
            yield from parts

        settings = {"trust_env": False, "follow_redirects": True, **options}
        with httpx.Client(auth=auth, **settings) as client:
            return [
                client.request(one.method, one.url, content=None if one.body is None else once(one.body))
                for one in fetches
            ]


class InTrio:
    """`TrioSession`. Each method is a run of trio, so that a session outlives many."""

    session = TrioSession
    module = "loginmachine.drivers.trio.refresh"

    def run(self, call: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """Call a method of a session, and wait for the end of a refresh that it has started for no caller."""

        async def main() -> Any:
            before = trio.lowlevel.current_statistics().tasks_living
            try:
                return await call(*args, **options)
            finally:
                with trio.CancelScope(shield=True):
                    await until(lambda: trio.lowlevel.current_statistics().tasks_living == before)

        return trio.run(main)

    def play(self, *steps: Step) -> list[Any]:
        """Perform the steps, wait for the started calls, and return their results in the order of the steps."""
        results: list[Any] = []

        async def started(position: int, call: Call) -> None:
            results[position] = await call()

        async def main() -> None:
            with trio.fail_after(PATIENCE * 2):
                async with trio.open_nursery() as nursery:
                    for step in steps:
                        match step:
                            case Start(call=call):
                                nursery.start_soon(started, len(results), call)
                                results.append(None)
                            case Until(holds=holds):
                                await until(holds)
                            case Do(work=work):
                                await in_thread(work)

        self.run(main)
        return results

    def fetch(self, auth: Any, *fetches: Fetch, **options: Any) -> list[httpx.Response]:
        """Send requests with one client."""

        async def once(parts: tuple[bytes, ...]) -> AsyncIterator[bytes]:
            for part in parts:
                yield part

        async def main() -> list[httpx.Response]:
            settings = {"trust_env": False, "follow_redirects": True, **options}
            async with httpx.AsyncClient(auth=auth, **settings) as client:
                return [
                    await client.request(one.method, one.url, content=None if one.body is None else once(one.body))
                    for one in fetches
                ]

        responses: list[httpx.Response] = self.run(main)
        return responses


class InAsyncio:
    """`AsyncioSession`. Each method is a run of an event loop of its own, so that a session outlives many."""

    session = AsyncioSession
    module = "loginmachine.drivers.asyncio.refresh"

    def run(self, call: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """Call a method of a session, and wait for the end of a refresh that it has started for no caller."""

        async def main() -> Any:
            try:
                return await call(*args, **options)
            finally:
                await in_loop.until(lambda: in_loop.living_tasks() == {asyncio.current_task()})

        return asyncio.run(main())

    def play(self, *steps: Step) -> list[Any]:
        """Perform the steps, wait for the started calls, and return their results in the order of the steps."""
        results: list[Any] = []

        async def started(position: int, call: Call) -> None:
            results[position] = await call()

        async def main() -> None:
            async with asyncio.timeout(PATIENCE * 2), asyncio.TaskGroup() as tasks:
                for step in steps:
                    match step:
                        case Start(call=call):
                            tasks.create_task(started(len(results), call))
                            results.append(None)
                        case Until(holds=holds):
                            await in_loop.until(holds)
                        case Do(work=work):
                            await asyncio.to_thread(work)

        self.run(main)
        return results

    def fetch(self, auth: Any, *fetches: Fetch, **options: Any) -> list[httpx.Response]:
        """Send requests with one client."""

        async def once(parts: tuple[bytes, ...]) -> AsyncIterator[bytes]:
            for part in parts:
                yield part

        async def main() -> list[httpx.Response]:
            settings = {"trust_env": False, "follow_redirects": True, **options}
            async with httpx.AsyncClient(auth=auth, **settings) as client:
                return [
                    await client.request(one.method, one.url, content=None if one.body is None else once(one.body))
                    for one in fetches
                ]

        responses: list[httpx.Response] = self.run(main)
        return responses


async def until(holds: Callable[[], object]) -> None:
    """Wait in trio until a condition holds."""
    with trio.fail_after(PATIENCE):
        while not holds():  # noqa: ASYNC110 - the condition knows no trio
            await trio.sleep(0.002)


Driver = InThreads | InTrio | InAsyncio
SESSION_DRIVERS = (InThreads(), InTrio(), InAsyncio())
DRIVER_IDS = ("threads", "trio", "asyncio")
