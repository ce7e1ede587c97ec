"""The same login with google-auth-oauthlib, in an environment of its own."""

from __future__ import annotations

import sys

import printing_browser  # type: ignore[import-not-found]  # it is beside this, on PYTHONPATH
from google_auth_oauthlib.flow import InstalledAppFlow


def main() -> None:
    """Sign in."""
    issuer = sys.argv[1]
    printing_browser.register()
    client = {
        "client_id": "app_EMoamEEZ73f0CkXaXp7hrann",
        "client_secret": "none",
        "auth_uri": f"{issuer}/oauth/authorize",
        "token_uri": f"{issuer}/oauth/token",
    }
    flow = InstalledAppFlow.from_client_config({"installed": client}, scopes=["openid"])
    credentials = flow.run_local_server(port=0, authorization_prompt_message="")
    print("tokens" if credentials.token else "none", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
