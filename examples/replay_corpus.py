"""Replay a corpus of recorded logins, refreshes and sign-outs, and print a summary of the results.

python examples/replay_corpus.py --generate 100000 FOLDER    # generate one first
python examples/replay_corpus.py FOLDER                      # over the processors of this machine

It is a program that has its own questions about the reports. `loginmachine replay FOLDER` has a table, a page with
pictures (--report), and --dask for a cluster.

The exit code is 1 if a trace acts differently today or cannot be read, or if there are none.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import statistics
import sys
import time
from base64 import urlsafe_b64encode
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from loginmachine import LoginOptions, LoginSecrets, Provider
from loginmachine.drivers.traces import Report, replay_many
from loginmachine.sansio import TransportProblem, actions, events
from loginmachine.sansio.trace import Recorder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

TRACES_IN_A_FILE = 1000
HOST = ((b"Host", b"127.0.0.1:1455"),)
SECRETS = LoginSecrets(state="s" * 43, code_verifier="v" * 86, success_key="k" * 43)


def token_response(exchange_id: int, members: dict[str, str]) -> events.TokenResponseReceived:
    """Return a good response of the token endpoint."""
    body = json.dumps(members).encode()
    return events.TokenResponseReceived(exchange_id=exchange_id, status=200, headers=(), body=body, received_at=1.8e9)


def made_up_login(dice: random.Random) -> Iterator[events.Event]:
    """Yield the events of a login. Most of them succeed."""
    yield events.Started()
    yield events.Bound(port=1455)
    yield events.BrowserOpened()
    for number in range(dice.choice((0, 0, 0, 1, 3))):
        yield events.RequestReceived(request_id=100 + number, method=b"GET", target=b"/favicon.ico", headers=HOST)
        yield events.ResponseSent(request_id=100 + number)
    fate = dice.random()
    if fate < 0.05:
        yield events.TimerFired(timer=actions.Timer.DEADLINE)
        return
    if fate < 0.15:
        yield events.CancelRequested()
        return
    answer = "error=access_denied" if fate < 0.2 else f"code=code-{dice.randrange(10**9)}"
    target = f"/auth/callback?{answer}&state={SECRETS.state}".encode()
    yield events.RequestReceived(request_id=1, method=b"GET", target=target, headers=HOST)
    if fate < 0.2:
        yield events.ResponseSent(request_id=1)
        return
    if fate < 0.25:
        kind = dice.choice(list(TransportProblem))
        yield events.TokenRequestFailed(exchange_id=1, kind=kind, message="no answer")
        return
    claims = urlsafe_b64encode(json.dumps({"email": f"person{dice.randrange(10**6)}@example.com"}).encode())
    token = f"e30.{claims.rstrip(b'=').decode()}.sig"
    access_token = f"access-{dice.random()}"
    yield token_response(1, {"id_token": token, "access_token": access_token, "refresh_token": "refresh"})
    yield token_response(2, {"access_token": "sk-key"} if fate < 0.9 else {"error": "no_organization"})
    yield events.SaveFailed(message="no space left on device") if fate < 0.27 else events.CredentialsSaved()
    yield events.ResponseSent(request_id=1)
    last_page = f"/success/{SECRETS.success_key}".encode()
    yield events.RequestReceived(request_id=2, method=b"GET", target=last_page, headers=HOST)
    yield events.ResponseSent(request_id=2)


def generate(folder: Path, count: int) -> None:
    """Record invented logins, some thousand in a file."""
    options = LoginOptions(provider=Provider.codex())
    dice = random.Random(20261121)  # noqa: S311 - the same corpus every time
    folder.mkdir(parents=True, exist_ok=True)
    for first in range(0, count, TRACES_IN_A_FILE):
        with (folder / f"{first:08}.jsonl").open("w") as file:
            for _ in range(min(TRACES_IN_A_FILE, count - first)):
                clock = itertools.accumulate(itertools.repeat(dice.uniform(0.01, 2)))
                recorder = Recorder(options, SECRETS, write=file.write, clock=clock.__next__)
                for event in made_up_login(dice):
                    recorder.handle(event)


def words_of(report: Report) -> str:
    """Return how a login, a refresh or a sign-out ended. A login is not named, because most traces are of logins."""
    what = "" if report.of == "login" else f"{report.of.replace('_', '-')} "
    return f"{what}{report.outcome} {report.category or ''}"


def summarise(reports: Iterable[Report], started: float) -> bool:
    """Print outcomes by category, times and divergences. Return whether all traces were replayed as recorded."""
    every = list(reports)
    elapsed = time.perf_counter() - started
    print(f"{len(every)} traces replayed in {elapsed:.1f} s ({len(every) / elapsed:.0f} a second)\n")
    counts = Counter(map(words_of, every))
    for words, count in counts.most_common():
        seconds = [report.seconds for report in every if words_of(report) == words]
        print(f"{count:8}  {words:<45} median {statistics.median(seconds):6.2f} s")
    diverging = [report for report in every if report.diverges_at is not None]
    print(f"\n{len(diverging)} act differently today")
    for report in diverging[:10]:
        print(f"  {report.path}:{report.diverges_at}")
    unreadable = [report for report in every if report.problem is not None]
    for report in unreadable:
        print(f"  {report.path}:{report.line}: {report.problem}")
    if not every:
        print("there are no traces", file=sys.stderr)
    return bool(every) and not diverging and not unreadable


def main() -> int:
    """Read the command line, and generate or replay the corpus.

    Returns:
        The exit code: 0 if every trace was replayed as recorded; otherwise 1, also if there is none.
    """
    parser = argparse.ArgumentParser(description="Replay a corpus of traces.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--generate", type=int, metavar="N", help="make up so many logins, into the folder")
    parser.add_argument("--processes", type=int, help="how many (default: one for each processor)")
    arguments = parser.parse_args()
    if arguments.generate:
        generate(arguments.folder, arguments.generate)
        return 0
    paths = sorted(arguments.folder.glob("*.jsonl"))
    started = time.perf_counter()
    reports: Iterable[Report] = replay_many(paths, processes=arguments.processes) if paths else ()
    return 0 if summarise(reports, started) else 1


if __name__ == "__main__":
    sys.exit(main())
