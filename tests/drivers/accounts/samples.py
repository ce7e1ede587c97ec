"""Credentials of two providers, and an account store for the tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from loginmachine import AccountStore, Credentials, Provider, Secret, Tokens

from ..support import jwt

if TYPE_CHECKING:
    from pathlib import Path

PROVIDER = Provider.openid(
    "https://id.example.com",
    client_id="native",
    authorization_endpoint="https://id.example.com/authorize",
    token_endpoint="https://id.example.com/token",
)
OTHER = PROVIDER.__replace__(issuer="https://id.example.org", token_endpoint="https://id.example.org/token")
FIRST = "2026-11-18T11:06:40.000000Z"
SECOND = "2026-11-19T11:06:40.000000Z"


def credentials(
    subject: str = "u-1", provider: Provider = PROVIDER, *, at: str = FIRST, token: str = "access", **fields: Any
) -> Credentials:
    """Return the credentials of a login. An empty subject stands for a provider without id tokens."""
    claims = {"iss": provider.issuer, "sub": subject, "email": f"{subject}@example.com"}
    tokens = Tokens(
        id_token=Secret(jwt(claims)) if subject else None,
        access_token=Secret(f"canary-{token}"),
        refresh_token=Secret(f"canary-refresh-of-{subject}"),
        scope=("openid",),
        provider=provider,
        **fields,
    )
    return Credentials(auth_mode="oauth", tokens=tokens, last_refresh=at)


def opened(folder: Path, warnings: list[str] | None = None, **arguments: Any) -> AccountStore:
    """Return a store. Its warnings are a failure, if there is no list for them."""

    def warn(text: str) -> None:
        assert warnings is not None, text
        warnings.append(text)

    return AccountStore(folder=folder, on_warning=warn, **arguments)


def names(folder: Path) -> set[str]:
    """Return the files in a folder, without the locks."""
    return {path.name for path in folder.iterdir() if not path.name.endswith(".lock")}
