"""Checks of the folders: whether credentials can be stored, who else can read them, and what is stored."""

from __future__ import annotations

import os
import shlex
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from ...drivers.accounts.folder import accounts_folder
from ...drivers.errors import StoreError
from ...drivers.stores.checks import UnusableError, check_file, check_folder, explain, probe
from ...drivers.stores.locks import is_held
from ...drivers.stores.owners import foreign_owner, risks
from ..options import store_from
from ..providers.stored import account_store
from ..sign_in.joining import PREFIX
from .findings import Finding, ok, problem, sentence, warning

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from typing import Final

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_SECRET_FILES: Final = ("*.json", "*.json.corrupt-*", "*.lock", "log/*.log", "log/*.log.1")
_FOREIGN_ADVICE: Final = "It may be left from sudo. Remove it, or give it to yourself with chown."


def check_folders(arguments: argparse.Namespace) -> Iterator[Finding]:
    """Find out whether credentials can be stored, and whether others can read them.

    A file is created in each folder, and removed again. Nothing else is changed.
    """
    accounts = str(accounts_folder("loginmachine", None))
    for check, folder, name in (("home", arguments.home, "auth.json"), ("accounts", accounts, "accounts.json")):
        if not os.path.lexists(folder):
            yield ok(check, f"{folder} does not exist yet. A sign-in creates it.")
            continue
        yield from _check_folder(check, folder, name, has_file=arguments.store != "keyring")
        yield from _check_files(check, Path(folder))
        yield from _check_locks(check, Path(folder))


def check_stored(arguments: argparse.Namespace) -> Iterator[Finding]:
    """Find out whether what is stored can be read."""
    warnings: list[str] = []
    store = store_from(arguments, on_warning=warnings.append, on_fallback=warnings.append)
    accounts = account_store(arguments, warnings.append, warnings.append)
    try:
        codex = store.load()
        what = "none" if codex is None else "tokens" if codex.tokens is not None else "an API key"
        yield ok("stored", f"Codex's credentials: {what} in {store.searched}.")
    except StoreError as error:
        yield problem("stored", sentence(str(error)), "Sign in again. What cannot be read is set aside.")
    try:
        count = len(accounts.accounts())
        yield ok("stored", f"Accounts at other providers: {count or 'none'}.")
    except StoreError as error:
        yield problem("stored", sentence(str(error)), "Sign in again.")
    for text in dict.fromkeys(warnings):
        yield warning("stored", sentence(text))


def _check_folder(check: str, folder: str, name: str, *, has_file: bool) -> Iterator[Finding]:
    warnings: list[str] = []
    try:
        check_folder(folder)
        if has_file:
            check_file(os.path.join(folder, name))  # noqa: PTH118 - as the check takes it
            probe(folder, warnings.append, name)
    except OSError as error:
        advice = error.advice if isinstance(error, UnusableError) else "Choose another folder with --home."
        yield problem(check, sentence(explain(error)), advice)
    else:
        yield ok(check, f"Credentials can be stored in {folder}.")
    for text in (*risks(folder), *warnings):
        yield warning(check, sentence(text))


def _check_files(check: str, folder: Path) -> Iterator[Finding]:
    """Check the owner and the mode of each file, and name files that were set aside."""
    for path in sorted({path for pattern in _SECRET_FILES for path in folder.glob(pattern)}):
        if ".corrupt-" in path.name:
            words = f"{path} was set aside, because it could not be read."
            yield warning(check, words, "It may hold tokens. Delete it when you do not need it.")
        try:
            mode = path.lstat().st_mode
        except OSError:
            # It has just been removed.
            continue
        owner = foreign_owner(str(path))
        if owner:
            yield warning(check, f"{path} belongs to {owner}.", _FOREIGN_ADVICE)
        elif os.name == "posix" and stat.S_ISREG(mode) and mode & _OTHERS and path.suffix != ".lock":
            words = f"{path} has mode {stat.S_IMODE(mode):04o}, so that other users can use it."
            yield warning(check, words, f"Run: chmod 600 {shlex.quote(str(path))}")


def _check_locks(check: str, folder: Path) -> Iterator[Finding]:
    held = []
    for path in sorted(folder.glob("*.lock")):
        if path.name.startswith(PREFIX):
            # A sign-in that waits holds it for as long as a person takes.
            continue
        try:
            held += [path.name] if is_held(str(path)) else []
        except OSError as error:
            yield warning(check, f"The lock {path} cannot be used: {explain(error)}.", _FOREIGN_ADVICE)
    if held:
        words = f"Another program holds {', '.join(held)} in {folder} just now."
        yield warning(
            check, words, "It is changing the credentials. If that stays, see which program it is: fuser, lsof."
        )
