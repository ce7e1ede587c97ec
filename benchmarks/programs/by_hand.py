"""A login as dozens of tools write it: `http.server` on a port, and the standard library. For comparison only."""

from __future__ import annotations

import base64
import hashlib
import http.server
import json
import secrets
import sys
import urllib.parse
import urllib.request
import webbrowser

ISSUER = "https://auth.openai.com"
verifier = secrets.token_urlsafe(64)
state = secrets.token_urlsafe(32)


class Handler(http.server.BaseHTTPRequestHandler):
    """Takes the first callback for the right one."""

    def do_GET(self) -> None:
        """Exchange the code and store the tokens."""
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        form = {"grant_type": "authorization_code", "code": query["code"][0], "code_verifier": verifier}
        with urllib.request.urlopen(f"{ISSUER}/oauth/token", urllib.parse.urlencode(form).encode()) as response:
            tokens = json.load(response)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"Signed in, {len(tokens)} tokens.".encode())


def main() -> None:
    """Print the URL and serve."""
    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    parameters = {
        "response_type": "code",
        "redirect_uri": f"http://127.0.0.1:{server.server_port}/auth/callback",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        "state": state,
    }
    url = f"{ISSUER}/oauth/authorize?{urllib.parse.urlencode(parameters)}"
    print(url, file=sys.stderr, flush=True)
    if "--browser" in sys.argv:
        webbrowser.open(url)
    server.serve_forever()


if __name__ == "__main__":
    main()
