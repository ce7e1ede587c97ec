"""Calls of google-auth's `before_request` with a valid token, in an environment of its own."""

from __future__ import annotations

import datetime as dt
import sys
import time

from google.oauth2.credentials import Credentials  # type: ignore[import-not-found]  # in its own environment


def main() -> None:
    """For each line of standard input, print the microseconds that a call takes, of as many as the line says."""
    ends = dt.datetime.now(dt.UTC).replace(tzinfo=None) + dt.timedelta(hours=1)
    credentials = Credentials("a" * 1200, "r", None, "https://id.example/token", "client", "secret", expiry=ends)
    headers: dict[str, str] = {}
    for line in sys.stdin:
        calls = int(line)
        begin = time.perf_counter()
        for _ in range(calls):
            credentials.before_request(None, "GET", "https://api.example/", headers)
        print((time.perf_counter() - begin) / calls * 1e6, flush=True)
