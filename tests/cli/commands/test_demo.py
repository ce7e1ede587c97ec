"""`loginmachine demo`: a complete login."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ..conftest import run

BY_BROWSER = [
    *("binding", "listening", "callback_received", "exchanging_code"),
    *("exchanging_api_key", "saving_credentials", "succeeded"),
]
BY_DEVICE_CODE = [
    *("requesting_device_code", "device_code_shown", "device_code_authorized"),
    *("exchanging_code", "saving_credentials", "succeeded"),
]
TOKENS = ("id_token", "access_token", "refresh_token")
PHASES = (BY_BROWSER, BY_DEVICE_CODE)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("arguments", [[], ["--device-code"]], ids=["browser", "device code"])
def test_demo(arguments: list[str]) -> None:
    with run("demo", *arguments) as command:
        out, err = command.process.communicate(timeout=50)
    assert command.process.returncode == 0, err
    assert err == ""
    phases = re.findall(r"^  ([a-z_]+) +[A-Z]", out, re.MULTILINE)
    assert phases == PHASES[len(arguments)]
    assert "(the browser shows: You are signed in)" in out
    match = re.search(r"It is stored in (\S+)", out)
    assert match is not None
    path = Path(match[1])
    stored = json.loads(path.read_text())
    assert stored["auth_mode"] == "chatgpt"
    tokens = stored["tokens"]
    for secret in (*filter(None, [stored["OPENAI_API_KEY"]]), *(tokens[name] for name in TOKENS)):
        assert secret not in out
    for left in (path, path.parent / "auth.lock", path.parent / "auth.json.lock"):
        left.unlink()
    path.parent.rmdir()
