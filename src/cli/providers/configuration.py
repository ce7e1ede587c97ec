"""The configuration file: ``config.toml`` in the user's configuration folder, with profiles for ``login``.

It holds no secrets. A profile says in which file the client's secret is, or which command prints it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ...sansio.base.text import clean_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path
    from typing import Final

    Profile = dict[str, object]

_TEXTS: Final = (
    *("provider", "issuer", "client_id", "client_secret_file", "client_file", "tenant"),
    *("token_endpoint_auth_method", "scope", "redirect_uri", "audience", "prompt", "login_hint"),
    *("authorization_endpoint", "token_endpoint", "device_authorization_endpoint", "revocation_endpoint"),
    *("jwks_uri", "registration_endpoint", "pushed_authorization_request_endpoint"),
)
_FLAGS: Final = ("require_pushed_authorization_requests", "register")
_LISTS: Final = ("client_secret_command", "resource")
MEMBERS: Final = (*_TEXTS, *_FLAGS, *_LISTS, "parameters")
"""The members of a profile."""
_PATHS: Final = ("client_secret_file", "client_file")
_NO_SECRETS: Final = (
    'no secret belongs into this file. Write client_secret_file = "FILE", or client_secret_command = ["PROGRAM",'
    ' "ARGUMENT"], instead'
)


class ConfigurationError(ValueError):
    """The configuration cannot be used. The message names the file and the member, and holds no value."""


def configuration_path() -> Path:
    """Return the path of the configuration file, whether it exists or not."""
    from platformdirs import user_config_path  # noqa: PLC0415 - slow to load

    return user_config_path("loginmachine", appauthor=False) / "config.toml"


def read_profiles(path: Path | None = None) -> dict[str, Profile]:
    """Return the profiles of the configuration, by name. There are none without a file.

    Args:
        path: The file; None for the user's.

    Raises:
        ConfigurationError: The file cannot be read, or a member is unknown or wrong.
    """
    import tomllib  # noqa: PLC0415 - most people have no such file, and this takes a millisecond

    path = path or configuration_path()
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problem = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else _place(error)
    except OSError as error:
        problem = error.strerror or "it cannot be read"
    else:
        return _profiles(content, path)
    raise ConfigurationError(f"{path}: {problem}")


def profile_named(name: str, path: Path | None = None) -> Profile:
    """Return a profile.

    Raises:
        ConfigurationError: There is none of this name, or the configuration cannot be used.
    """
    path = path or configuration_path()
    profiles = read_profiles(path)
    if name not in profiles:
        missing = "" if path.exists() else ", which does not exist"
        near = _nearest(name, profiles)
        raise ConfigurationError(f"there is no profile {clean_text(name)} in {path}{missing}{near}")
    return profiles[name]


def _place(error: ValueError) -> str:
    """Return where the file is wrong. The decoder's words may quote a part of the file."""
    _, _, place = str(error).rpartition("(at ")
    return f"it is not valid TOML ({place.rstrip(')') or 'at an unknown place'})"


def _profiles(content: Mapping[str, object], path: Path) -> dict[str, Profile]:
    for name in content:
        if name != "profile":
            raise ConfigurationError(f"{path}: {clean_text(name)} is unknown{_nearest(name, ['profile'])}")
    tables = content.get("profile", {})
    if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
        raise ConfigurationError(f"{path}: a profile is a table: [profile.NAME]")
    return {name: _profile(name, table, path) for name, table in tables.items()}


def _profile(name: str, table: Mapping[str, object], path: Path) -> Profile:
    found: Profile = {}
    for member, value in table.items():
        problem = _problem(member, value)
        if problem:
            raise ConfigurationError(f"{path}: [profile.{clean_text(name)}] {clean_text(member)}: {problem}")
        if member in _PATHS:
            # As written in the file's own folder.
            value = os.path.join(path.parent, os.path.expanduser(str(value)))  # noqa: PLW2901, PTH111, PTH118
        found[member] = value
    if "client_secret_file" in found and "client_secret_command" in found:
        raise ConfigurationError(
            f"{path}: [profile.{clean_text(name)}] has both client_secret_file and client_secret_command: leave out one"
        )
    return found


def _problem(member: str, value: object) -> str:
    if member == "client_secret":
        return _NO_SECRETS
    if member not in MEMBERS:
        return f"unknown member{_nearest(member, MEMBERS)}"
    if member in _FLAGS:
        return "" if isinstance(value, bool) else "it is true or false"
    if member == "parameters":
        is_good = isinstance(value, dict) and all(type(item) in {str, int} for item in value.values())
        return "" if is_good else 'it is a table of texts: { NAME = "VALUE" }'
    if member == "resource" and isinstance(value, str):
        return ""
    if member in _LISTS:
        is_good = isinstance(value, list) and value != [] and all(isinstance(item, str) and item for item in value)
        return "" if is_good else "it is a list of texts, with at least one"
    return "" if isinstance(value, str) and value else "it is a text, and not empty"


def _nearest(name: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - for a wrong file only

    near = get_close_matches(name, known, n=1)
    return f". Did you mean {clean_text(near[0])}?" if near else ""
