"""The token endpoint of the benchmarks, in a process of its own: answers that were made before, and nothing else.

It prints one line, its base URL, and serves until its standard input is closed.
"""

from __future__ import annotations

import argparse
import base64
import json
import socketserver
import ssl
import sys
import threading
import time
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    import socket

CLIENT_ID = "app_EMoamEEZ73f0CkXaXp7hrann"
_NAMESPACE = "https://api.openai.com/auth"


class Handler(socketserver.StreamRequestHandler):
    """One connection, kept alive as clients like it."""

    disable_nagle_algorithm = True
    timeout = 60
    base: ClassVar[str]
    tokens: ClassVar[bytes]
    api_key: ClassVar[bytes]
    discovery: ClassVar[bytes]
    delay: ClassVar[float] = 0.0
    """Seconds until a token request is answered."""
    requests: ClassVar[int] = 0
    """How many token requests came; `/requests` tells."""

    def handle(self) -> None:
        """Answer requests until the client leaves."""
        try:
            while self._answer():
                pass
        except OSError:
            # The client left in its own way.
            pass

    def _answer(self) -> bool:
        request_line = self.rfile.readline()
        length = 0
        while (line := self.rfile.readline()) not in (b"\r\n", b""):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        body = self.rfile.read(length)
        if not request_line:
            return False
        if request_line.startswith(b"GET") and b"/requests " in request_line:
            answer = _response({"requests": Handler.requests})
        elif request_line.startswith(b"GET"):
            answer = self.discovery
        else:
            Handler.requests += 1
            time.sleep(self.delay)
            answer = self.api_key if b"token-exchange" in body else self.tokens
        self.wfile.write(answer)
        return True


class Server(socketserver.ThreadingTCPServer):
    """Listens on loopback, with TLS if there is a certificate."""

    daemon_threads = True
    request_queue_size = 1024
    context: ssl.SSLContext | None = None

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        """Accept; the handshake is left to the connection's thread."""
        connection, address = super().get_request()
        if self.context is not None:
            connection = self.context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address


def _response(content: dict[str, object]) -> bytes:
    body = json.dumps(content).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


def _jwt(claims: dict[str, object]) -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in ({"alg": "RS256"}, claims)]
    return b".".join([*parts, b"c2lnbmF0dXJl"]).decode()


def _prepare(base: str) -> None:
    now = int(time.time())
    account = {"chatgpt_account_id": "acc-1", "chatgpt_plan_type": "plus"}
    standard = {
        "iss": base,
        "sub": "user-1",
        "aud": CLIENT_ID,
        "iat": now,
        "exp": now + 86400,
        "email": "ada@example.com",
    }
    Handler.tokens = _response(
        {
            "id_token": _jwt({**standard, _NAMESPACE: account}),
            "access_token": _jwt({_NAMESPACE: account}),
            "refresh_token": "refresh-1",
            "token_type": "Bearer",
            "expires_in": 3600,
        }
    )
    Handler.api_key = _response({"access_token": "sk-1", "token_type": "Bearer"})
    Handler.discovery = _response(
        {
            "issuer": base,
            "authorization_endpoint": f"{base}/oauth/authorize",
            "token_endpoint": f"{base}/oauth/token",
        }
    )


def main() -> None:
    """Serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--certificate", help="PEM file with certificate and key; without it plain HTTP")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds until a token request is answered")
    arguments = parser.parse_args()
    certificate: str | None = arguments.certificate
    Handler.delay = arguments.delay
    with Server(("127.0.0.1", 0), Handler) as server:
        if certificate is not None:
            server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            server.context.load_cert_chain(certificate)
        # (A path, because msal asks for one.)
        base = f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_address[1]}/tenant"
        _prepare(base)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(base, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
