"""Protected MCP servers on loopback: FastMCP with its OAuth provider, and the server of the official SDK."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING, Any

import uvicorn
from fastmcp import FastMCP
from fastmcp.server.auth.providers.in_memory import InMemoryOAuthProvider
from mcp.server.auth.provider import AuthorizationParams, AuthorizeError
from mcp.server.auth.settings import AuthSettings, ClientRegistrationOptions, RevocationOptions
from mcp.server.mcpserver import MCPServer

from ..drivers.support import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastmcp.server.auth.auth import AccessToken
    from mcp.shared.auth import OAuthClientInformationFull

SCOPES = ["read", "write"]


class _Provider(InMemoryOAuthProvider):
    """Gives tokens for the resource that was asked for (RFC 8707), unless the person declines."""

    declines = False
    resource: str | None = None

    async def authorize(self, client: OAuthClientInformationFull, params: AuthorizationParams) -> str:
        if self.declines:
            raise AuthorizeError(error="access_denied", error_description="The person declined.")
        self.resource = params.resource
        return await super().authorize(client, params)

    async def load_access_token(self, token: str) -> AccessToken | None:
        found: Any = await super().load_access_token(token)
        return None if found is None else found.model_copy(update={"resource": self.resource})


class ProtectedServer:
    """A running server, with the requests so far. A test may change the tokens of its authorization server."""

    def __init__(self, port: int, path: str) -> None:
        self.origin = f"http://127.0.0.1:{port}"
        self.url = f"{self.origin}{path}"
        self.provider = _Provider(
            base_url=self.origin,
            client_registration_options=ClientRegistrationOptions(enabled=True, valid_scopes=SCOPES),
            revocation_options=RevocationOptions(enabled=True),
            required_scopes=["read"],
        )
        self.requests: list[tuple[str, str]] = []
        self.needed = "read"
        """The scope that every request needs."""
        self.moved_to: str | None = None
        """Where requests are redirected to."""

    def asked(self, path: str) -> int:
        """Return how many requests there were for a path."""
        return sum(target == path for _, target in self.requests)

    def expire_tokens(self) -> None:
        """Forget the access tokens. The refresh tokens stay."""
        self.provider.access_tokens.clear()

    def revoke_all(self) -> None:
        """Forget all tokens."""
        self.provider.access_tokens.clear()
        self.provider.refresh_tokens.clear()

    def restart(self) -> None:
        """Forget all tokens and clients, as a server does that has them in memory."""
        self.revoke_all()
        self.provider.clients.clear()


class _Recorded:
    """Notes each request, and asks for the scope that the server needs now."""

    def __init__(self, app: Any, server: ProtectedServer) -> None:
        self._app = app
        self._server = server

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            self._server.requests.append((scope["method"], scope["path"]))
            if self._server.moved_to is not None and self._server.url.endswith(scope["path"]):
                headers = [(b"location", self._server.moved_to.encode())]
                await send({"type": "http.response.start", "status": 307, "headers": headers})
                await send({"type": "http.response.body", "body": b""})
                return
            if self._server.url.endswith(scope["path"]) and self._lacks_scope(scope):
                challenge = f'Bearer error="insufficient_scope", scope="{self._server.needed}"'
                headers = [(b"www-authenticate", challenge.encode())]
                await send({"type": "http.response.start", "status": 403, "headers": headers})
                await send({"type": "http.response.body", "body": b""})
                return
        await self._app(scope, receive, send)

    def _lacks_scope(self, scope: Any) -> bool:
        sent = dict(scope["headers"]).get(b"authorization", b"").decode()
        token = self._server.provider.access_tokens.get(sent.removeprefix("Bearer "))
        return token is not None and self._server.needed not in token.scopes


def _fastmcp(server: ProtectedServer, path: str) -> Any:
    host = FastMCP("test", auth=server.provider)

    @host.tool
    def add(a: int, b: int) -> int:
        return a + b

    return host.http_app(path=path)


def _sdk(server: ProtectedServer, path: str) -> Any:
    settings: Any = {
        "issuer_url": server.origin,
        "resource_server_url": server.url,
        "required_scopes": ["read"],
        "client_registration_options": {"enabled": True, "valid_scopes": SCOPES, "default_scopes": ["read"]},
        "revocation_options": {"enabled": True},
        # Tokens for another resource are refused.
        "validate_token_resource": True,
    }
    host: Any = MCPServer("test", auth_server_provider=server.provider, auth=AuthSettings(**settings))

    @host.tool()  # type: ignore[untyped-decorator]
    def add(a: int, b: int) -> int:
        return a + b

    return host.streamable_http_app(streamable_http_path=path)


KINDS = {"FastMCP": _fastmcp, "SDK": _sdk}


@contextlib.contextmanager
def serving(kind: str, path: str = "/mcp") -> Iterator[ProtectedServer]:
    """Run a server in a thread."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = ProtectedServer(listener.getsockname()[1], path)
        app = _Recorded(KINDS[kind](server, path), server)
        runner = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=0))
        thread = threading.Thread(target=runner.run, args=([listener],), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            runner.should_exit = True
            thread.join(PATIENCE)
