"""Objects made from the command line: provider, login options, credential store, trace file."""

from __future__ import annotations

import contextlib
import os

from ..drivers.system.choice import opens_nothing
from ..sansio.base.records import Record
from ..sansio.base.text import clean_text
from ..sansio.model.options import LoginMethod, LoginOptions
from ..sansio.model.provider import CHATGPT_CLIENT_ID, CHATGPT_ISSUER
from .codex import codex_from

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator
    from typing import Any, Final

    from ..drivers.stores.home_store import HomeStore
    from ..drivers.stores.protocols import CredentialStore
    from ..drivers.traces.origin import CommandRecord
    from ..sansio.model.overrides import EndpointOverrides
    from ..sansio.model.provider import Provider


_FLAGS: Final = frozenset(
    ("browser", "device_code", "enable_plan", "if_due", "json", "keep_tokens", "new_account", "no_browser", "verbose")
)
"""Options without a value that are written into a trace."""
_VALUES: Final = frozenset(("driver", "port", "store", "timeout"))
"""Options that are written into a trace with their values."""
_OTHER: Final = (
    *(
        "profile",
        "account",
        "new_account",
        "enable_plan",
        "client_secret_file",
        "client_auth",
        "client_file",
        "tenant",
        "redirect_uri",
        "register",
    ),
    *("authorization_endpoint", "token_endpoint", "device_authorization_endpoint", "scope", "require_scope"),
    *("audience", "resource", "prompt", "login_hint", "param", "par"),
)
"""Options that Codex's provider does not need."""


class LoginSettings(Record):
    """What a driver needs to run the command's login."""

    options: LoginOptions
    method: LoginMethod
    store: CredentialStore
    record: Callable[[str], object] | None
    """Called with each line of the trace; None without ``--record``."""
    owns_process: bool
    """The process ends with the command."""


def is_for_codex(arguments: argparse.Namespace) -> bool:
    """Return whether a command is for Codex's provider, with options that it always had."""
    if arguments.provider == "codex" or (arguments.provider is None and arguments.issuer is None):
        named = () if arguments.provider or arguments.issuer else (os.environ.get("LOGINMACHINE_PROFILE"),)
        return not any((*named, *(getattr(arguments, name, None) for name in _OTHER)))
    return False


def provider_from(arguments: argparse.Namespace) -> Provider:
    """Return Codex's provider, or a mirror of it.

    A wrong issuer, or endpoint in the environment, ends the process with a usage error.
    """
    try:
        provider = codex_from(arguments.issuer, arguments.client_id, getattr(arguments, "originator", None))
    except ValueError as error:
        arguments.usage_error(f"--issuer: {error}. Example: https://auth.example.com")
        raise
    overrides = overrides_from(arguments)
    return provider if overrides is None else overrides.for_login(provider)


def overrides_from(arguments: argparse.Namespace) -> EndpointOverrides | None:
    """Return the endpoints that the environment names; None if it names none. A wrong one is a usage error."""
    if not any(os.environ.get(f"CODEX_{kind}_TOKEN_URL_OVERRIDE") for kind in ("REFRESH", "REVOKE")):
        return None
    from ..drivers.errors import EndpointError  # noqa: PLC0415 - few environments name one
    from ..drivers.shared.overrides import overrides_from_environment  # noqa: PLC0415

    try:
        return overrides_from_environment()
    except EndpointError as error:
        arguments.usage_error(str(error))
        raise


def issuing_provider_from(arguments: argparse.Namespace, store: HomeStore) -> Provider | None:
    """Return the provider of ``--issuer`` and ``--client-id``, for commands that use stored tokens.

    The option that is missing is that of the stored tokens, or Codex's. A wrong issuer, or endpoint in the
    environment, ends the process with a usage error.

    Returns:
        None if neither option was given. Then the stored tokens say which provider has issued them.
    """
    overrides_from(arguments)
    issuer, client_id = arguments.issuer, arguments.client_id
    if issuer is None and client_id is None:
        return None
    from ..drivers.errors import StoreError  # noqa: PLC0415 - not needed before the login URL is shown
    from ..sansio.model.issuer import provenance_of  # noqa: PLC0415

    recorded = None
    with contextlib.suppress(StoreError):
        stored = store.load()
        recorded = provenance_of(stored.tokens) if stored is not None and stored.tokens is not None else None
    if recorded is not None and (issuer is None or issuer.rstrip("/") == recorded.issuer):
        issuer, client_id = recorded.issuer, client_id or recorded.client_id
    arguments.issuer, arguments.client_id = issuer or CHATGPT_ISSUER, client_id or CHATGPT_CLIENT_ID
    return provider_from(arguments)


def check_same_provider(store: HomeStore, provider: Provider) -> None:
    """Check that a sign-in would not replace the credentials of another provider.

    Raises:
        StoreError: The store holds such credentials.
    """
    from ..drivers.errors import StoreError  # noqa: PLC0415 - often nothing is stored
    from ..sansio.model.issuer import why_not_replace  # noqa: PLC0415

    stored = None
    with contextlib.suppress(StoreError):
        # What cannot be read is set aside, or replaced with a warning.
        stored = store.load()
    problem = why_not_replace(stored, None, provider)
    if problem:
        raise StoreError(f"{store.where}: the stored credentials are kept, because {problem}")


def login_options_from(arguments: argparse.Namespace) -> LoginOptions:
    """Return the options of ``login``. A value out of range ends the process with a usage error."""
    try:
        if not is_for_codex(arguments):
            from .providers.login import chosen_options  # noqa: PLC0415 - not for the default provider

            return chosen_options(arguments, login_options)
        return login_options(arguments, provider_from(arguments))
    except ValueError as error:
        arguments.usage_error(str(error))
        raise


def login_options(arguments: argparse.Namespace, provider: Provider, **fields: Any) -> LoginOptions:  # noqa: ANN401 - checked as fields
    """Return the options of ``login`` that do not depend on the provider, with further fields.

    Raises:
        ValueError: A value is out of its range.
    """
    common = {
        "port": arguments.port,
        "open_browser": not arguments.no_browser and not opens_nothing(),
        "deadline": arguments.timeout,
        "device_code_fallback": bool(provider.authorization_endpoint) or provider.needs_discovery,
        "any_user": arguments.any_user,
        "listen_address": arguments.listen_address,
        "success_page": arguments.success_page,
        "allowed_workspaces": tuple(arguments.workspace),
    }
    return LoginOptions(provider=provider, **{**common, **fields})


@contextlib.contextmanager
def recording_from(arguments: argparse.Namespace, command: str) -> Iterator[CommandRecord | None]:
    """Open the file of ``--record``, and close it at the end. If it cannot be opened, end with a usage error.

    After a signal it stays open.

    Args:
        arguments: The command line.
        command: The name of the command.

    Yields:
        What to call with each line of the trace; None without ``--record``.
    """
    if arguments.record is None:
        yield None
        return
    from ..drivers.traces.origin import CommandRecord  # noqa: PLC0415 - most logins are not recorded
    from ..drivers.traces.recording import TraceFile  # noqa: PLC0415

    try:
        file = TraceFile(arguments.record)
    except OSError as error:
        arguments.usage_error(f"--record: {clean_text(str(arguments.record))}: {error.strerror}")
        raise
    try:
        yield CommandRecord(file.write, f"loginmachine {command}", _options_words(arguments))
    except Exception:
        file.close()
        raise
    # After a signal a refresh goes on in its thread, until the process ends. So does its trace.
    file.close()


def _options_words(arguments: argparse.Namespace) -> str:
    """Return the options of a command that name no person and no folder."""
    given = sorted(vars(arguments).items())
    flags = [f"--{name.replace('_', '-')}" for name, value in given if value is True and name in _FLAGS]
    values = [f"--{name} {value}" for name, value in given if value is not None and name in _VALUES]
    return " ".join([*flags, *values])


def store_from(
    arguments: argparse.Namespace, *, on_warning: Callable[[str], None], on_fallback: Callable[[str], None]
) -> HomeStore:
    """Return the store of ``--home`` and ``--store``.

    Args:
        arguments: The command line.
        on_warning: Called with each warning, one line without a full stop.
        on_fallback: Called, also with one line, when the file is used because the keyring is unavailable.
    """
    from ..drivers.stores.auto_store import open_store  # noqa: PLC0415 - a login shows the URL first

    return open_store(arguments.home, arguments.store, on_warning=on_warning, on_fallback=on_fallback)


class StoreWarnings:
    """Collects the warnings of a store, so that a command can show its result first."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.fallback: str | None = None
        """Why the file is used instead of the keyring; None if it is not, or was chosen."""

    def open_store(self, arguments: argparse.Namespace, opener: Callable[..., HomeStore] | None = None) -> HomeStore:
        """Return a store with its warnings collected here.

        Args:
            arguments: The command line.
            opener: What opens the store; None for `store_from`.
        """
        open_it = opener or store_from
        return open_it(arguments, on_warning=self.add, on_fallback=self.add_fallback)

    def add(self, text: str) -> None:
        """Collect a warning."""
        self.warnings.append(text)

    def add_fallback(self, text: str) -> None:
        """Collect why the file is used instead of the keyring."""
        self.fallback = text

    def lines(self) -> list[str]:
        """Return all warnings as lines for the terminal."""
        fallback = [self.fallback] if self.fallback else []
        return [f"Warning: {warning}." for warning in (*self.warnings, *fallback)]
