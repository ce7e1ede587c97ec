"""``loginmachine whoami``: one line that says who is signed in, and at which provider. It sends nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ....sansio.base.text import clean_text
from ....sansio.model.credentials import AuthMode
from ....sansio.model.provider import CHATGPT_ISSUER
from ... import exit_codes
from ...options import StoreWarnings
from ...sign_in.doctor_hint import look_for_cause
from ...sign_in_advice import how_to_sign_in
from ...terminal.writer import print_error, print_out
from ..status import account_of, provider_values, read_status

if TYPE_CHECKING:
    import argparse

    from ....sansio.model.credentials import Credentials
    from ....sansio.refresh.effective import Applicable


def run(arguments: argparse.Namespace) -> int:
    """Print who is signed in, and return the exit code: failure if nobody is, or if the sign-in has ended."""
    warnings = StoreWarnings()
    found = read_status(arguments, warnings)
    for line in warnings.lines():
        print_error(line)
    values = _values(found.applies if found.is_usable else None)
    if arguments.json:
        from_environment = found.applies is not None and found.applies.from_environment
        signed_in = {"signed_in": found.is_usable and not from_environment, "from_environment": from_environment}
        is_printed = print_out(json.dumps({**signed_in, **values, "message": found.message}))
    elif found.message is not None:
        print_error(found.message)
        if found.is_unreadable:
            print_error(look_for_cause(arguments))
        elif not found.problem:
            stored = None if found.applies is None else found.applies.credentials
            print_error(how_to_sign_in(arguments, stored, found.signed_out))
        is_printed = False
    else:
        is_printed = print_out(f"{values['who']} at {_host(values['issuer'])} ({values['provider']})")
    return exit_codes.SUCCESS if is_printed and found.is_usable else exit_codes.FAILURE


def _values(applies: Applicable | None) -> dict[str, str | None]:
    """Return who it is, and where, as clean text. All are None if nobody is signed in."""
    names = ("who", "provider", "issuer", "client_id", "subject", "email", "name", "account_id", "auth_mode")
    values: dict[str, object] = dict.fromkeys(names)
    if applies is not None:
        credentials = applies.credentials
        account = account_of(credentials)
        known = {**provider_values(credentials), "email": _email(credentials), "account_id": account.account_id}
        if known["provider"] is None:
            known |= {"provider": "codex", "issuer": CHATGPT_ISSUER}
        values |= {name: known[name] for name in names if name in known}
        values |= {"auth_mode": applies.mode, "who": _who(applies, values)}
    return {name: clean_text(str(value)) if value else None for name, value in values.items()}


def _email(credentials: Credentials) -> str | None:
    from ....sansio.model.entry import identity_of  # noqa: PLC0415 - for those who are signed in

    return identity_of(credentials).email or account_of(credentials).email


def _who(applies: Applicable, values: dict[str, object]) -> str:
    if applies.from_environment:
        return "the API key in OPENAI_API_KEY"
    if applies.mode == AuthMode.API_KEY:
        return "an API key"
    person = next((values[name] for name in ("email", "name", "subject", "account_id") if values[name]), None)
    return "an unnamed account" if person is None else str(person)


def _host(issuer: str | None) -> str:
    return urlsplit(issuer or "").netloc or "an unknown address"
