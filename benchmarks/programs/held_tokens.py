"""What the programs with sessions have in common: a home folder with tokens."""

from __future__ import annotations

import base64
import json
import tempfile
import time

from loginmachine import Credentials, FileStore, Secret, Tokens


def jwt(**claims: object) -> str:
    """Return a token that is not signed."""
    return f"e30.{base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b'=').decode()}.c2ln"


def signed_in(lasts: float) -> FileStore:
    """Return a store with an access token that lasts for so many seconds, in a folder of its own."""
    store = FileStore(tempfile.mkdtemp())
    access = jwt(exp=int(time.time() + lasts), padding="x" * 800)
    id_token = jwt(email="ada@example.com")
    tokens = Tokens(id_token=Secret(id_token), access_token=Secret(access), refresh_token=Secret("r"))
    store.save(Credentials(auth_mode="chatgpt", tokens=tokens, last_refresh="2026-01-01T00:00:00Z"))
    return store
