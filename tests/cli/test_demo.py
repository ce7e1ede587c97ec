"""`loginmachine demo`: the whole house in one run."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from .conftest import run


@pytest.mark.timeout(60)
def test_the_demonstration() -> None:
    with run("demo") as command:
        out, err = command.process.communicate(timeout=50)
    assert command.process.returncode == 0, err
    assert err == ""
    phases = re.findall(r"^  ([a-z_]+) {2}", out, re.MULTILINE)
    assert phases == [
        "binding",
        "listening",
        "callback_received",
        "exchanging_code",
        "exchanging_api_key",
        "saving_credentials",
        "succeeded",
    ]
    assert "(the browser shows: You are signed in)" in out
    match = re.search(r"It is stored in (\S+)", out)
    assert match is not None
    path = Path(match[1])
    stored = json.loads(path.read_text())
    assert stored["auth_mode"] == "chatgpt"
    for secret in (stored["OPENAI_API_KEY"], *stored["tokens"].values()):
        assert secret == stored["tokens"]["account_id"] or secret not in out
    for left in (path, path.parent / "auth.lock", path.parent / "auth.json.lock"):
        left.unlink()
    path.parent.rmdir()
