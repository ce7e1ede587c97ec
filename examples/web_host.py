"""A web host that signs people in, with several replicas behind one address: docs/suspended-logins.md explains it.

    pip install 'loginmachine[demo]' redis
    export LOGIN_KEYS=$(python examples/web_host.py new-key) CLIENT_SECRET=...
    python examples/web_host.py https://id.example my-client https://app.example redis://10.0.0.5 8001

The arguments are the issuer, the client id, the address that people use, the Redis server, and the port of this
replica.
"""

import base64
import os
import secrets
import sys
import time

from flask import Flask, Response, redirect, request
from markupsafe import escape
from redis import Redis
from werkzeug.serving import make_server
from werkzeug.wrappers import Response as AnyResponse

from loginmachine import (
    LoginFailed,
    LoginOptions,
    Provider,
    SealingKeys,
    StoreError,
    SuspendedLoginRefused,
    WebLogins,
)

SESSION_SECONDS = 3600


class RedisMarks:
    """Which logins were resumed, for all replicas. SET with NX is one step: of two replicas, one is the first."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis

    def mark(self, name: str, seconds: int) -> bool:
        """Note a name, unless it is noted already."""
        return bool(self.redis.set(f"web:resumed:{name}", 1, nx=True, ex=seconds))


def web_host(logins: WebLogins, redis: Redis, *, is_https: bool) -> Flask:
    """Return the host's web application."""
    app = Flask("web_host")

    def with_cookie(response: AnyResponse, name: str, value: str, seconds: int) -> AnyResponse:
        """Add a cookie that no script reads. Lax: the browser sends it when the provider sends the person back."""
        response.set_cookie(name, value, max_age=seconds, httponly=True, samesite="Lax", secure=is_https)
        return response

    @app.get("/")
    def home() -> str:
        email = redis.get(f"web:session:{request.cookies.get('session', '')}")
        if not isinstance(email, bytes):
            return '<a href="/login">Sign in</a>'
        return f"You are signed in as {escape(email.decode())}."

    @app.get("/login")
    def login() -> AnyResponse:
        try:
            pending = logins.begin()
        except LoginFailed as error:
            return refused(error)
        # The name of the suspended login is in the cookie of this browser, and nowhere else. Without it, an attacker
        # could make a person open the callback of the attacker's own sign-in.
        name, seconds = secrets.token_urlsafe(32), max(1, int(pending.expires_at - time.time()))
        redis.set(f"web:login:{name}", pending.sealed, ex=seconds)
        return with_cookie(redirect(pending.auth_url), "login", name, seconds)

    @app.get("/auth/callback")
    def callback() -> AnyResponse:
        name = request.cookies.get("login", "")
        sealed = redis.get(f"web:login:{name}")
        if not isinstance(sealed, bytes):
            return page("This browser has not begun to sign in, or it was too long ago.")
        try:
            success = logins.finish(sealed, request.query_string)
        except (LoginFailed, SuspendedLoginRefused, StoreError) as error:
            return refused(error)
        redis.delete(f"web:login:{name}")
        session = secrets.token_urlsafe(32)
        redis.set(f"web:session:{session}", success.account.email or "a person without an address", ex=SESSION_SECONDS)
        return with_cookie(redirect("/"), "session", session, SESSION_SECONDS)

    @app.after_request
    def name_replica(response: Response) -> Response:
        """Say which replica has answered. Pages of a sign-in are not kept."""
        response.headers["X-Replica"] = str(os.getpid())
        response.headers["Cache-Control"] = "no-store"
        return response

    return app


def refused(error: Exception) -> AnyResponse:
    """Show why a sign-in has failed. The texts of these exceptions are for people, and hold no secret."""
    return page(str(error))


def page(text: str) -> AnyResponse:
    """Return a page that offers another attempt."""
    return Response(f'<p>{escape(text)}</p><a href="/login">Sign in again</a>', 400)


def main(issuer: str, client_id: str, address: str, redis_url: str, port: str) -> None:
    """Serve requests until the program is stopped."""
    provider = Provider.openid(issuer, client_id=client_id, client_secret=os.environ["CLIENT_SECRET"])
    options = LoginOptions(provider=provider, redirect_uri=f"{address}/auth/callback", deadline=300)
    keys = SealingKeys(*map(base64.b64decode, os.environ["LOGIN_KEYS"].split()))
    redis = Redis.from_url(redis_url, socket_timeout=5)
    logins = WebLogins(options, keys=keys, marks=RedisMarks(redis))
    app = web_host(logins, redis, is_https=address.startswith("https:"))
    server = make_server("127.0.0.1", int(port), app, threaded=True)
    print("listening on port", server.port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    if sys.argv[1:] == ["new-key"]:
        print(base64.b64encode(SealingKeys.generate()).decode())
    else:
        main(*sys.argv[1:])
