"""A login as dozens of tools write it: `http.server` and the standard library. For comparison only.

It checks the state, uses PKCE, stores the tokens and redirects to a closing page; it is one request at a time, believes
what comes, and hopes that nothing goes wrong.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import http.server
import json
import secrets
import sys
import threading
import urllib.parse
import urllib.request
import webbrowser
from pathlib import Path

CLIENT_ID = "app_EMoamEEZ73f0CkXaXp7hrann"
verifier = secrets.token_urlsafe(64)
state = secrets.token_urlsafe(32)
done = threading.Event()


def post(url: str, form: dict[str, str]) -> dict[str, str]:
    """Send a token request."""
    with urllib.request.urlopen(url, urllib.parse.urlencode(form).encode(), timeout=30) as response:
        answer: dict[str, str] = json.load(response)
        return answer


class Handler(http.server.BaseHTTPRequestHandler):
    """Takes the callback, then shows a page."""

    options: argparse.Namespace
    redirect_uri: str

    def do_GET(self) -> None:
        """Exchange the code, store the tokens, redirect; or show the closing page."""
        path, _, query = self.path.partition("?")
        if path == "/success":
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<p>You are signed in. You can close this tab.</p>")
            done.set()
            return
        parameters = urllib.parse.parse_qs(query)
        if path != "/auth/callback" or parameters.get("state") != [state]:
            self.send_error(404)
            return
        self.sign_in(parameters["code"][0])
        self.send_response(302)
        self.send_header("Location", "/success")
        self.end_headers()

    def sign_in(self, code: str) -> None:
        """Code to tokens to file."""
        url = f"{self.options.issuer}/oauth/token"
        form = {
            "grant_type": "authorization_code",
            "client_id": CLIENT_ID,
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": verifier,
        }
        tokens = post(url, form)
        if self.options.requests == 2:
            form = {
                "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
                "client_id": CLIENT_ID,
                "requested_token": "openai-api-key",
                "subject_token": tokens["id_token"],
                "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
            }
            tokens["api_key"] = post(url, form)["access_token"]
        path = Path(self.options.home) / "tokens.json"
        path.write_text(json.dumps(tokens))
        path.chmod(0o600)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def main() -> None:
    """Print the URL and serve."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--issuer", required=True)
    parser.add_argument("--home", default=Path.home() / ".by-hand")
    parser.add_argument("--requests", type=int, default=1)
    parser.add_argument("--browser", action="store_true")
    Handler.options = parser.parse_args()
    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    Handler.redirect_uri = f"http://127.0.0.1:{server.server_port}/auth/callback"
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    query = {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": Handler.redirect_uri,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        "state": state,
        "scope": "openid profile email offline_access",
    }
    url = f"{Handler.options.issuer}/oauth/authorize?{urllib.parse.urlencode(query)}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(url, file=sys.stderr, flush=True)
    if Handler.options.browser:
        webbrowser.open(url)
    done.wait()


if __name__ == "__main__":
    main()
