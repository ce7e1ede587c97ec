"""The floor: a login with sockets and string operations, plain HTTP only. Do not use this."""

from __future__ import annotations

import json
import os
import socket
import sys
from base64 import urlsafe_b64encode
from hashlib import sha256


def random(size: int) -> str:
    """Unreserved characters."""
    return urlsafe_b64encode(os.urandom(size)).rstrip(b"=").decode()


def post(issuer: str, form: str) -> dict[str, str]:
    """Send a token request. Its answer has a Content-Length and arrives whole."""
    host, _, path = issuer.removeprefix("http://").partition("/")
    name, _, port = host.partition(":")
    with socket.create_connection((name, int(port))) as connection:
        head = f"POST /{path}/oauth/token HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(form)}\r\n\r\n"
        connection.sendall((head + form).encode())
        data = b""
        while b"}" not in data:
            data += connection.recv(65536)
    answer: dict[str, str] = json.loads(data.partition(b"\r\n\r\n")[2])
    return answer


def main() -> None:
    """Print the URL and serve two requests."""
    issuer, home, requests = sys.argv[1:4]
    verifier, state = random(64), random(32)
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    redirect = f"http%3A%2F%2F127.0.0.1%3A{port}%2Fauth%2Fcallback"
    query = f"response_type=code&redirect_uri={redirect}&code_challenge={challenge}&state={state}"
    print(f"{issuer}/oauth/authorize?{query}", file=sys.stderr, flush=True)
    connection, _ = listener.accept()
    with connection:
        target = connection.recv(65536).split(b" ")[1].decode()
        code = dict(pair.split("=", 1) for pair in target.partition("?")[2].split("&"))["code"]
        tokens = post(issuer, f"grant_type=authorization_code&code={code}&code_verifier={verifier}")
        if requests == "2":
            tokens["api_key"] = post(issuer, f"grant_type=token-exchange&subject_token={tokens['id_token']}")[
                "access_token"
            ]
        with open(f"{home}/tokens.json", "w", encoding="ascii") as file:  # noqa: PTH123 - pathlib is no floor
            json.dump(tokens, file)
        connection.sendall(
            b"HTTP/1.1 302 Found\r\nLocation: /success\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )
    connection, _ = listener.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nDone")


if __name__ == "__main__":
    main()
