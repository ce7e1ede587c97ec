"""``loginmachine demo``: a complete login on this machine, with the demo provider."""

from __future__ import annotations

import tempfile
import threading
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from ...drivers.accounts.account_store import AccountStore
from ...drivers.errors import LoginError
from ...drivers.stores.file_store import FileStore
from ...drivers.threaded.login import start_login
from ...sansio.login.progress import Listening
from ...sansio.model.options import LoginMethod, LoginOptions
from ...sansio.model.provider import Provider
from .. import exit_codes
from ..options import recording_from
from ..terminal.writer import print_error, print_out
from .status import describe

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from pathlib import Path

    from ...drivers.stores.protocols import CredentialStore
    from ...drivers.threaded.login import Canceller
    from ...sansio.login.progress import LoginPhase
    from ...sansio.model.credentials import Credentials

_EMAIL = "ada@example.com"
_PASSWORD = "any"  # noqa: S105 - the demo provider accepts every password


def run(arguments: argparse.Namespace) -> int:
    """Run the demo, and return the exit code."""
    try:
        from ...demo.chatgpt.provider import ChatGptProvider  # noqa: PLC0415 - needs the extra "demo"
        from ...demo.openid.provider import OpenIdProvider  # noqa: PLC0415 - as above
        from ...demo.server import DemoProvider  # noqa: PLC0415 - as above
    except ImportError as error:
        print_error(str(error))
        return exit_codes.FAILURE
    if arguments.device_code and arguments.provider == "chatgpt":
        print_error("Sign in with ChatGPT has no device codes: leave out --device-code")
        return exit_codes.USAGE_ERROR
    with recording_from(arguments, "demo") as record:
        if arguments.provider == "chatgpt":
            with ChatGptProvider() as demo_of_chatgpt:
                provider = Provider.chatgpt(app_name="loginmachine demo", issuer=demo_of_chatgpt.issuer)
                return _run(arguments, record, provider)
        if arguments.provider == "openid":
            with OpenIdProvider() as demo:
                return _run(arguments, record, Provider.openid(demo.issuer, client_id=demo.client.client_id))
        with DemoProvider() as demo_of_codex:
            return _run(arguments, record, Provider.codex(issuer=demo_of_codex.issuer))


def _run(arguments: argparse.Namespace, record: Callable[[str], object] | None, provider: Provider) -> int:
    folder = tempfile.mkdtemp(prefix="loginmachine-demo-")
    store = FileStore(folder) if provider.dialect.stores_in_auth_json else AccountStore(folder=folder)
    print_out(f"The demo provider runs at {provider.issuer}")
    options = LoginOptions(provider=provider, port=0, open_browser=arguments.browser)
    try:
        method = LoginMethod.DEVICE_CODE if arguments.device_code else LoginMethod.BROWSER
        credentials = _sign_in(options, store, record, method, automatic=not arguments.browser)
    except LoginError as error:
        print_error(str(error))
        return exit_codes.FAILURE
    _print_result(credentials, store.path if isinstance(store, FileStore) else store.folder)
    return exit_codes.SUCCESS


def _sign_in(
    options: LoginOptions,
    store: CredentialStore,
    record: Callable[[str], object] | None,
    method: LoginMethod,
    *,
    automatic: bool,
) -> Credentials:
    on_progress = _print_phase if automatic else _print_phase_with_address
    with start_login(options, store=store, on_progress=on_progress, record=record, method=method) as login:
        if method is LoginMethod.DEVICE_CODE:
            code = login.device_code
            print_out(f"  (the code is {code.user_code})")
            # The page after the code was entered.
            url = f"{code.verification_url}?{urlencode({'user_code': code.user_code})}"
        else:
            url = login.auth_url
        if not automatic:
            return login.wait()
        browser = threading.Thread(target=_browse, args=(url, login.canceller()))
        browser.start()
        try:
            return login.wait()
        finally:
            browser.join()


def _print_phase(phase: LoginPhase) -> None:
    print_out(f"  {phase.name:<22} {phase.text}")


def _print_phase_with_address(phase: LoginPhase) -> None:
    _print_phase(phase)
    if isinstance(phase, Listening):
        print_out(f"\nOpen this address yourself if your browser does not:\n\n{phase.url}\n")


def _browse(url: str, canceller: Canceller) -> None:
    """Do what a person would do: open the URL, fill in the form, and follow redirects to the last page."""
    from ...demo.browser import BrowsingError, sign_in  # noqa: PLC0415 - httpx is slow to load

    try:
        print_out(f"  (the browser shows: {sign_in(url, email=_EMAIL, password=_PASSWORD)})")
    except BrowsingError as error:
        canceller.cancel(f"the automatic browser could not sign in: {error}")


def _print_result(credentials: Credentials, path: Path) -> None:
    print_out("The result, without its secrets:")
    for line in describe(credentials):
        print_out(f"  {line}")
    print_out(f"It is stored in {path} (you can delete it)")
