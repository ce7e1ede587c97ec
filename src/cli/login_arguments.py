"""The options of ``login``."""

from __future__ import annotations

from ..sansio.model.options import DEFAULT_DEADLINE
from ..sansio.model.provider import CHATGPT_ISSUER, DEFAULT_ORIGINATOR
from . import exit_codes
from .argument_types import page, port, seconds, token_kind
from .shared_arguments import PROVIDERS, add_home, add_record, add_store

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse


def add_login(login: argparse.ArgumentParser) -> None:
    """Add the options of ``login``."""
    login.epilog = exit_codes.HELP
    _add_method(login)
    _add_callback(login)
    _add_provider(login)
    _add_client(login)
    _add_request(login)
    add = login.add_argument
    add(
        "--timeout",
        type=seconds,
        default=DEFAULT_DEADLINE,
        metavar="SECONDS",
        help="time to wait for the browser; 0 for no limit (default: %(default)g, or the lifetime of a device code)",
    )
    add("--success-page", type=page, metavar="FILE", help="HTML page to show in the browser after the sign-in")
    add_home(login)
    add_store(login)
    drivers = ("threaded", "trio", "asyncio")
    add("--driver", choices=drivers, default="threaded", help="I/O implementation (default: %(default)s)")
    add_record(login)
    add("--json", action="store_true", help="write events to standard output, one JSON object per line")
    add("-v", "--verbose", action="store_true", help="show every phase of the login")


def _add_method(login: argparse.ArgumentParser) -> None:
    add = login.add_argument
    add("--no-browser", action="store_true", help="print the login URL, but do not open a browser")
    add("--device-code", action="store_true", help="sign in with a short code, in a browser on any machine")
    add("--qr", action="store_true", help="show the address as a QR code, too")
    add("--api-key", action="store_true", help="read an API key from standard input or a hidden prompt, and store it")
    add(
        "--with-token",
        type=token_kind,
        nargs="?",
        const="refresh",
        metavar="refresh|access",
        help="read a refresh token (or an access token) from standard input or a hidden prompt, and store it",
    )


def _add_callback(login: argparse.ArgumentParser) -> None:
    add = login.add_argument
    add("--port", type=port, help="port for the callback; 0 for any free port (default: the provider's, or any)")
    add(
        "--listen-address",
        metavar="ADDRESS",
        help="listen at this address instead of loopback, such as 0.0.0.0 in a container with a published port;"
        " other machines may then reach it",
    )
    add(
        "--wait",
        action="store_true",
        help="if another sign-in for the same account is waiting, wait for its outcome instead of asking it to stop",
    )
    add("--any-user", action="store_true", help="accept a callback from a program of another user of this machine, too")


def _add_provider(login: argparse.ArgumentParser) -> None:
    add = login.add_argument_group("provider", "docs/providers.md describes each of them").add_argument
    add(
        "--provider",
        choices=PROVIDERS,
        metavar="NAME",
        help=f"{', '.join(PROVIDERS)} (default: codex; openid with --issuer and --client-id)",
    )
    add("--profile", metavar="NAME", help="profile of the configuration (default: $LOGINMACHINE_PROFILE)")
    add("--issuer", metavar="URL", help=f"identity provider (default for codex: {CHATGPT_ISSUER})")
    add("--tenant", metavar="TENANT", help="microsoft: id or domain of the tenant (default: common)")
    add("--authorization-endpoint", metavar="URL", help="instead of the one in the provider's metadata")
    add("--token-endpoint", metavar="URL", help="likewise")
    add("--device-authorization-endpoint", metavar="URL", help="likewise")
    which = login.add_mutually_exclusive_group().add_argument
    which("--account", metavar="ACCOUNT", help="chatgpt: renew this account: its e-mail address, subject or client ID")
    which("--new-account", action="store_true", help="chatgpt: sign in with another account or workspace")
    add("--enable-plan", action="store_true", help="chatgpt: ask again for the use of your plan")
    add("--originator", metavar="NAME", help=f"codex: program to report (default: {DEFAULT_ORIGINATOR})")
    add("--workspace", action="append", default=[], metavar="ID", help="codex: allow only this workspace; repeatable")


def _add_client(login: argparse.ArgumentParser) -> None:
    add = login.add_argument_group("client").add_argument
    add("--client-id", metavar="ID", help="OAuth client ID")
    add("--client-secret-file", metavar="FILE", help="file with the client's secret, which only you can read")
    add("--client-auth", choices=["none", "basic", "post"], help="how the client authenticates (default: as it can)")
    add("--client-file", metavar="FILE", help="google: the client's JSON file from Google's console")
    add("--register", action="store_true", help="register this program at the provider (RFC 7591)")
    add(
        "--redirect-uri",
        metavar="URI",
        help="http://127.0.0.1, http://localhost or http://[::1], with any path; without a port, any port is used",
    )


def _add_request(login: argparse.ArgumentParser) -> None:
    add = login.add_argument_group("authorization request").add_argument
    add("--scope", action="append", metavar="SCOPE", help="scope to ask for; repeatable")
    add("--require-scope", action="append", metavar="SCOPE", help="fail if this scope is not granted; repeatable")
    add("--audience", metavar="API", help="API that the tokens are for")
    add("--resource", action="append", metavar="URI", help="resource that the tokens are for (RFC 8707); repeatable")
    add("--prompt", metavar="PROMPT", help="none, login, consent or select_account")
    add("--login-hint", metavar="HINT", help="account to suggest, such as an e-mail address")
    add("--param", action="append", metavar="NAME=VALUE", help="another parameter, such as max_age; repeatable")
    add("--par", action="store_true", help="push the authorization request (RFC 9126)")
