"""Codex's ``config.toml`` in the home folder: settings for logins that Codex obeys and this command does not."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from ..drivers.logging import log_error
from ..sansio.base.text import clean_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

_MAX_FILE: Final = 1024 * 1024
_METHOD: Final = "forced_login_method"
_WORKSPACE: Final = "forced_chatgpt_workspace_id"


def warnings_about(home: str, workspaces: Sequence[str] = ()) -> list[str]:
    """Return warnings about settings that a login does not obey, each one line without a full stop.

    A file that cannot be read or parsed gives none. The log says why, at level DEBUG.

    Args:
        home: The home folder.
        workspaces: The workspaces that the login allows.
    """
    path = os.path.join(home, "config.toml")  # noqa: PTH118 - as in `log_file`
    settings = _read(path)
    warnings = []
    method = settings.get(_METHOD)
    if isinstance(method, str) and method:
        shown = clean_text(method)
        warnings.append(f"{path} sets {_METHOD} to {shown!r} for Codex, which this command does not obey")
    forced = _texts(settings.get(_WORKSPACE))
    if forced and set(forced) != set(workspaces):
        words = ", ".join(map(clean_text, forced))
        advice = "use --workspace to allow no other"
        warnings.append(f"{path} sets {_WORKSPACE} to {words} for Codex, which this command does not obey: {advice}")
    return warnings


def _read(path: str) -> dict[str, object]:
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        return {}
    except OSError as error:
        log_error("Codex's config.toml could not be read", error)
        return {}
    # It takes time to load, and few folders have the file.
    import tomllib  # noqa: PLC0415

    try:
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return {}
            return tomllib.loads(file.read(_MAX_FILE).decode("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        log_error("Codex's config.toml could not be read", error)
        return {}


def _texts(value: object) -> list[str]:
    """Return one text, or each text of a list. Newer versions of Codex read both."""
    values = value if isinstance(value, list) else [value]
    return [each for each in values if isinstance(each, str) and each]
