"""Kill programs of a fleet at random moments: ``python -m tests.fleet.kills [ROUNDS]``, by default 200.

The fleet shares a login at the demo provider, which rotates refresh tokens, and ends a login when one is sent twice. It
keeps the login on a real Redis server. In each round all programs want another token, and one of them is killed. After
it, the others must have a token; or the login was ended, which is counted, and the person signs in again.
"""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter
from threading import Thread

from loginmachine import LoginOptions, Provider, RedisStore, start_login
from loginmachine.demo.browser import sign_in
from loginmachine.demo.server import DemoProvider
from tests.drivers.fleet.support import RedisServer

PROGRAMS = 4
LEASE = 4.0
LONGEST = 0.25
"""Seconds until the kill, at most."""
PROGRAM = """
import sys
from loginmachine import LoginError, Provider, RedisStore, Session
from loginmachine.drivers.fleet import server
from loginmachine.drivers.threaded import http_client
import time
url, issuer, lease = sys.argv[1:]
store = RedisStore(url, name="fleet", lease=float(lease))
session = Session(store, Provider.codex(issuer=issuer))
answered = []
send, write = http_client.send, server.Server.write
def timed_send(request):
    answer = send(request)
    answered.append(time.perf_counter())
    return answer
def timed_write(*args):
    done = write(*args)
    if answered:
        print("window", time.perf_counter() - answered[-1], flush=True)
    return done
http_client.send, server.Server.write = timed_send, timed_write
print("ready", flush=True)
for line in sys.stdin:
    try:
        print("token", session.renew(line.strip()), flush=True)
    except LoginError as error:
        print("error", type(error).__name__, flush=True)
"""


class Program:
    """One program of the fleet."""

    def __init__(self, url: str, issuer: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, url, issuer, str(LEASE)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"
        self.answer = ""
        self.windows: list[float] = []

    def ask(self, rejected: str) -> None:
        assert self.process.stdin is not None
        print(rejected, file=self.process.stdin, flush=True)

    def read(self) -> None:
        """Read until the answer, or until the end of a program that was killed."""
        assert self.process.stdout is not None
        self.answer = ""
        for line in self.process.stdout:
            kind, _, rest = line.strip().partition(" ")
            if kind != "window":
                self.answer = rest if kind == "token" else line.strip()
                return
            self.windows.append(float(rest))


def log_in(store: RedisStore, provider: Provider) -> str:
    with start_login(LoginOptions(provider=provider, port=0, open_browser=False), store=store) as login:
        sign_in(login.auth_url, email="ada@example.com", password="x")
        credentials = login.wait(60)
    assert credentials.tokens is not None
    return credentials.tokens.access_token.reveal()


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    chance, found = random.Random(), Counter[str]()
    windows: list[float] = []
    longest = 0.0
    with RedisServer("--appendonly", "yes") as server, DemoProvider() as demo:
        provider = Provider.codex(issuer=demo.issuer)
        store = RedisStore(server.url, name="fleet", lease=LEASE)
        token = log_in(store, provider)
        fleet = [Program(server.url, demo.issuer) for _ in range(PROGRAMS)]
        for _ in range(rounds):
            victim = chance.choice(fleet)
            for program in chance.sample(fleet, PROGRAMS):
                program.ask(token)
            time.sleep(chance.uniform(0, LONGEST))
            victim.process.kill()
            began = time.monotonic()
            readers = [Thread(target=program.read) for program in fleet]
            for reader in readers:
                reader.start()
            for reader in readers:
                reader.join()
            longest = max(longest, time.monotonic() - began)
            others = [program.answer for program in fleet if program is not victim]
            errors = sorted({answer for answer in others if answer.startswith("error")})
            found["the victim had its token"] += bool(victim.answer)
            for program in fleet:
                windows += program.windows
                program.windows = []
            if errors:
                found[f"the login was lost: {', '.join(errors)}"] += 1
                store.remove()
                token = log_in(store, provider)
            else:
                found["the others had a token"] += 1
                found["not all the same"] += len(set(others)) > 1
                token = others[-1]
            fleet[fleet.index(victim)] = Program(server.url, demo.issuer)
        for program in fleet:
            program.process.kill()
        store.close()
    print(f"{rounds} rounds")
    for words, count in sorted(found.items()):
        print(f"{count:6}  {words}")
    windows.sort()
    middle, most = windows[len(windows) // 2], windows[-1]
    print(f"between answer and write: median {middle * 1000:.1f} ms, longest {most * 1000:.1f} ms")
    print(f"longest wait after a kill: {longest:.1f} s")


if __name__ == "__main__":
    main()
