"""What a server is to the trials: how it is installed and started, and what runs then."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from .browser import Hook

PUBLIC = "public"
CONFIDENTIAL = "confidential"
PERSON = "ada"
PASSWORD = "correct horse battery 9"
EMAIL = "ada@example.com"
CALLBACK_PATH = "/auth/callback"
SECRET = "interop-secret-0123456789-0123456789"


@dataclass(frozen=True)
class Client:
    """A client as the server knows it."""

    kind: str
    """`PUBLIC` or `CONFIDENTIAL`."""
    client_id: str
    secret: str | None = field(default=None, repr=False)
    auth: str = "none"
    """`token_endpoint_auth_method`."""
    device_client: str = ""
    """The client id for device codes, if it is another one."""


@dataclass(frozen=True)
class Site:
    """A server that runs."""

    issuer: str
    clients: tuple[Client, ...]
    scopes: tuple[str, ...] = ("openid", "profile", "email", "offline_access")
    host: str = "127.0.0.1"
    """The host of the redirect URI."""
    port: int = 0
    """The port of the redirect URI that the clients have registered; 0 if any port is accepted."""
    pause: float = 0.0
    """Seconds to wait before each step, for a server that cannot give two tokens in one second."""
    device_scopes: tuple[str, ...] | None = None
    """The scopes with a device code; None if they are `scopes`."""
    endpoints: dict[str, str] = field(default_factory=dict)
    """Those that its OpenID metadata leave out, by their names there."""
    limits: dict[tuple[str, str], str] = field(default_factory=dict)
    """Why a step (first) cannot work with a kind of client (second), where that is the server's own fault."""
    parameters: tuple[tuple[str, str], ...] = ()
    """What a refresh token needs beside the scopes, such as ``prompt=consent``."""
    answers: dict[str, str] = field(default_factory=dict)
    """What the person enters, by the name of the field."""
    hook: Hook | None = None
    user_code_field: str = "user_code"
    registration: str = ""
    """How the clients were registered, in words for the table."""


class Server(Protocol):
    """A kind of authorization server."""

    name: str
    package: str
    """Where it comes from, with its version."""

    def install(self) -> Path:
        """Install it, and return the folder.

        Raises:
            Unavailable: It cannot be installed on this machine.
        """

    def version(self, folder: Path) -> str:
        """Return the version that is installed."""

    def start(self, folder: Path, state: Path) -> AbstractContextManager[Site]:
        """Run it while the block runs.

        Args:
            folder: Where it is installed.
            state: An empty folder for what it writes.

        Raises:
            ServerFailed: It did not start.
        """
