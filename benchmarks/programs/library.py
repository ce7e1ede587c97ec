"""loginmachine embedded in a program: with threads, and one token request instead of the command's two."""

from __future__ import annotations

import sys

from loginmachine import FileStore, LoginOptions, Provider, start_login


def main() -> None:
    """Sign in."""
    issuer, home = sys.argv[1:3]
    provider = Provider(
        issuer=issuer,
        authorization_endpoint=f"{issuer}/oauth/authorize",
        token_endpoint=f"{issuer}/oauth/token",
        client_id="app_EMoamEEZ73f0CkXaXp7hrann",
        scopes=("openid", "profile", "email", "offline_access"),
    )
    with start_login(LoginOptions(provider=provider, open_browser=False), store=FileStore(home)) as login:
        print(login.auth_url, file=sys.stderr, flush=True)
        login.wait()


if __name__ == "__main__":
    main()
