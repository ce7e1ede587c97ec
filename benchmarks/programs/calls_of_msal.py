"""Calls of msal's `acquire_token_silent` with a valid token, in an environment of its own."""

from __future__ import annotations

import json
import sys
import time

import msal

AUTHORITY = "https://login.microsoftonline.com/common"
SCOPES = ["files"]


class NoNetwork:
    """msal reads the metadata of the authority when it starts."""

    def get(self, _url: str, **_: object) -> object:
        """Return metadata."""
        endpoints = {name: f"{AUTHORITY}/{name}" for name in ("authorization_endpoint", "token_endpoint")}
        body = json.dumps({"issuer": f"{AUTHORITY}/v2.0", **endpoints})
        return type("Response", (), {"status_code": 200, "text": body, "headers": {}})()

    def close(self) -> None:
        """Do nothing."""


def main() -> None:
    """For each line of standard input, print the microseconds that a call takes, of as many as the line says."""
    cache = msal.TokenCache()
    tokens = {
        "access_token": "a" * 1200,
        "refresh_token": "r",
        "expires_in": 3600,
        "client_info": "eyJ1aWQiOiJ1IiwidXRpZCI6InQifQ",
        "id_token_claims": {"preferred_username": "ada", "oid": "u"},
    }
    endpoint = f"{AUTHORITY}/oauth2/v2.0/token"
    cache.add({"client_id": "client", "scope": SCOPES, "token_endpoint": endpoint, "response": tokens})
    program = msal.PublicClientApplication(
        "client", authority=AUTHORITY, token_cache=cache, http_client=NoNetwork(), instance_discovery=False
    )
    (account,) = program.get_accounts()
    for line in sys.stdin:
        calls = int(line)
        begin = time.perf_counter()
        for _ in range(calls):
            found = program.acquire_token_silent(SCOPES, account)
            assert found is not None
        print((time.perf_counter() - begin) / calls * 1e6, flush=True)
