"""The options of a login at any provider."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ...sansio.model.options import LoginOptions
from ..shared_arguments import default_home
from .provider import provider_of
from .redirect import parse_redirect_uri
from .settings import Settings, SettingsError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from typing import Any, Final

    from ...sansio.model.provider import Provider

_FIELDS: Final = {
    "scope": "scopes",
    "require_scope": "required_scopes",
    "resource": "resource",
    "audience": "audience",
    "prompt": "prompt",
    "login_hint": "login_hint",
}
"""Settings that are an option of a login, and its name."""
_CODEX_ONLY: Final = ("workspace", "originator", "api_key")
_FOR_ISSUED_CLIENTS: Final = ("account", "new_account", "enable_plan")
"""Options for a provider that issues a client to each person and workspace."""


def chosen_options(arguments: argparse.Namespace, make: Callable[..., LoginOptions]) -> LoginOptions:
    """Return the options of ``login``.

    Args:
        arguments: The command line.
        make: Makes options of the command line, a provider, and further fields.

    Raises:
        ValueError: A setting is missing or wrong. The message names it.
    """
    settings = Settings(arguments)
    provider = provider_of(settings, originator=arguments.originator)
    if not provider.dialect.stores_in_auth_json:
        for name in _CODEX_ONLY:
            if getattr(arguments, name):
                raise SettingsError(f"--{name.replace('_', '-')} is for codex only, not for {provider.name}")
    fields: dict[str, Any] = _of_issued_client(arguments, provider)
    for name, field in _FIELDS.items():
        if settings.has(name):
            value = settings[name]
            fields[field] = _checked(
                settings, name, provider, field, tuple(value) if isinstance(value, list) else value
            )
    fields |= _parameters(settings, provider)
    fields |= _redirect(arguments, settings, provider)
    return make(arguments, provider, **fields)


def _of_issued_client(arguments: argparse.Namespace, provider: Provider) -> dict[str, Any]:
    """Return the fields for a provider that issues clients, after a check of the options that mean nothing there."""
    if not provider.dialect.issues_clients:
        for name in _FOR_ISSUED_CLIENTS:
            if getattr(arguments, name):
                raise SettingsError(f"--{name.replace('_', '-')} is for chatgpt only, not for {provider.name}")
        return {}
    is_other_home = os.path.abspath(arguments.home) != os.path.abspath(default_home())  # noqa: PTH100 - as in `default_home`
    given = {"--device-code": arguments.device_code, "--port": arguments.port, "--home": is_other_home}
    for option, value in given.items():
        if value:
            raise SettingsError(f"{option} means nothing for {provider.name}")
    return {"prompt": "consent"} if arguments.enable_plan else {}


def _checked(settings: Settings, name: str, provider: Provider, field: str, value: Any) -> Any:  # noqa: ANN401 - checked as a field
    """Return a value for an option of a login, after a check; its message names the setting."""
    try:
        LoginOptions(provider=provider, **{field: value})
    except ValueError as error:
        raise SettingsError(f"{settings.word(name)}: {error}") from None
    return value


def _parameters(settings: Settings, provider: Provider) -> dict[str, Any]:
    """Return the fields for other parameters. ``max_age`` has a field of its own."""
    pairs = settings["param"] or ()
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name == "max_age":
            if not (value.isascii() and value.isdecimal()):
                raise SettingsError(f"{settings.word('param')}: max_age is a number of seconds")
            found["max_age"] = int(value)
    others = tuple(pair for pair in pairs if pair[0] != "max_age")
    return {**found, "parameters": _checked(settings, "param", provider, "parameters", others)}


def _redirect(arguments: argparse.Namespace, settings: Settings, provider: Provider) -> dict[str, Any]:
    """Return the fields for the redirect URI. Its path is the provider's."""
    if not settings.has("redirect_uri"):
        # The portal of Microsoft registers no other host for programs.
        return {"redirect_host": "localhost"} if provider.name == "microsoft" else {}
    redirect = parse_redirect_uri(settings["redirect_uri"])
    if redirect.port is not None and arguments.port is not None:
        raise SettingsError(f"--port: the port is that of {settings.word('redirect_uri')}, {redirect.port}")
    port = {} if redirect.port is None else {"port": redirect.port}
    return {"redirect_host": redirect.host, **port}
