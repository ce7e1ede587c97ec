"""Compare the traces of logins that took other times, ports and tokens."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode


def without_times(trace: str) -> str:
    """Remove times and ports from a trace, so that two recordings can be compared."""
    ports = re.findall(r"127\.0\.0\.1:(\d+)|%3A(\d+)%2F|\"port\":(\d+)", trace)
    for port in {port for match in ports for port in match if port}:
        trace = trace.replace(port, "0") if port != "0" else trace
    lines = [json.loads(line) for line in trace.splitlines()]
    lines[0]["origin"] = sorted(lines[0]["origin"])
    for line in lines[1:]:
        line["at"] = 0
        event = line["event"]
        if event["type"] == "TokenResponseReceived":
            event["received_at"] = 0
            event["headers"] = [header for header in event["headers"] if header[0] != "date"]
    # `ResponseSent` may come before or after the next request of the browser.
    lines = [line for line in lines if line.get("event", {}).get("type") != "ResponseSent" or line["actions"]]
    # The last of them has actions, whichever request it answers.
    for line in lines[1:]:
        if line["event"]["type"] == "ResponseSent":
            line["event"]["request_id"] = 0
    text = re.sub(r'"last_refresh": "[^"]*"', "", json.dumps(lines))
    return re.sub(r"eyJhbGciOiJub25lIn0\.([\w-]+)\.", lambda match: _claims(match[1]), text)


def _claims(payload: str) -> str:
    claims: dict[str, object] = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return str({name: value for name, value in claims.items() if name not in ("iat", "exp")}).replace('"', "'")
