"""What a login's port may meet besides the browser: idle connections, and requests that have to be turned away."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
import time

IDLE = 64
JUNK = (
    b"GET /favicon.ico HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n",
    b"GET /auth/callback?code=1&state=wrong HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n",
    b"GET /auth/callback?code=1&state=wrong HTTP/1.1\r\nHost: rebound.example:%d\r\n\r\n",
    b"POST /auth/callback HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Length: 2\r\n\r\n{}",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
)


def main() -> None:
    """Say when it begins, make noise until standard input is closed, and print how many answers came in a second."""
    port = int(sys.argv[1])
    stop = threading.Event()

    def wait_for_end() -> None:
        sys.stdin.read()
        stop.set()

    threading.Thread(target=wait_for_end, daemon=True).start()
    idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(IDLE)]
    print("begins", flush=True)
    begin = time.perf_counter()
    answered = 0
    while not stop.is_set():
        data = JUNK[answered % len(JUNK)]
        # (The login may be over, and its port closed.)
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=10) as client:
            client.sendall(data % port if b"%d" in data else data)
            if client.recv(65536).startswith(b"HTTP/1.1 4"):
                answered += 1
    print(answered / (time.perf_counter() - begin), flush=True)
    for client in idle:
        client.close()


if __name__ == "__main__":
    main()
