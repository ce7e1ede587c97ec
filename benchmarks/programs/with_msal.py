"""The same login with msal, in an environment of its own. It needs an issuer with TLS."""

from __future__ import annotations

import sys

import msal
import printing_browser  # type: ignore[import-not-found]  # it is beside this, on PYTHONPATH


def main() -> None:
    """Sign in."""
    printing_browser.register()
    app = msal.PublicClientApplication("app_EMoamEEZ73f0CkXaXp7hrann", oidc_authority=sys.argv[1])
    result = app.acquire_token_interactive(["User.Read"], port=0)
    print("tokens" if "access_token" in result else result, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
