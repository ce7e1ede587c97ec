"""Calls of the authentication of requests-oauth2client with a valid token, in an environment of its own."""

from __future__ import annotations

import sys
import time

import requests
from requests_oauth2client import BearerToken, OAuth2AccessTokenAuth, OAuth2Client


def main() -> None:
    """For each line of standard input, print the microseconds that a call takes, of as many as the line says."""
    client = OAuth2Client("https://id.example/token", client_id="client")
    token = BearerToken("a" * 1200, expires_in=3600, refresh_token="r")
    auth = OAuth2AccessTokenAuth(client=client, token=token)
    request = requests.Request("GET", "https://api.example/").prepare()
    for line in sys.stdin:
        calls = int(line)
        begin = time.perf_counter()
        for _ in range(calls):
            auth(request)
        print((time.perf_counter() - begin) / calls * 1e6, flush=True)
