"""What the command line and a profile say about a provider, as one set of settings."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ...sansio.server.endpoints import ClientAuthentication
from .configuration import ConfigurationError, profile_named

if TYPE_CHECKING:
    import argparse
    from typing import Any, Final

_OPTIONS: Final = (
    *("provider", "issuer", "client_id", "client_secret_file", "client_auth", "client_file", "tenant", "redirect_uri"),
    *("authorization_endpoint", "token_endpoint", "device_authorization_endpoint", "register", "par"),
    *("audience", "resource", "prompt", "login_hint", "param", "scope", "require_scope"),
)
_MEMBERS: Final = {
    "token_endpoint_auth_method": "client_auth",
    "parameters": "param",
    "require_pushed_authorization_requests": "par",
}
"""Members of a profile with other names than their options."""
_OWN_OPTION: Final = ("audience", "prompt", "login_hint")
"""Parameters that have an option of their own, and may be written as parameters too."""
_METHODS: Final = {
    "none": ClientAuthentication.NONE,
    "basic": ClientAuthentication.CLIENT_SECRET_BASIC,
    "post": ClientAuthentication.CLIENT_SECRET_POST,
}


class SettingsError(ValueError):
    """Settings are missing, wrong, or do not fit together. The message names the option."""


class Settings:
    """The settings of a command. The command line comes before the profile.

    Args:
        arguments: The command line.

    Raises:
        ValueError: The profile cannot be used, or a value is written wrongly.
    """

    def __init__(self, arguments: argparse.Namespace) -> None:
        is_named = arguments.provider or arguments.issuer
        self.profile = arguments.profile or (None if is_named else os.environ.get("LOGINMACHINE_PROFILE")) or None
        self._values: dict[str, Any] = {}
        self._members: dict[str, str] = {}
        """Settings of the profile, and their names there."""
        for member, value in self._profile(is_option=bool(arguments.profile)).items():
            name = _MEMBERS.get(member, member)
            self._values[name], self._members[name] = value, member
        self._read_members()
        for name in _OPTIONS:
            value = getattr(arguments, name, None)
            if value == "":
                raise SettingsError(f"{self.word(name)} must not be empty")
            if value not in (None, False):
                self._set(name, value)
        self.is_provider_named = self.has("provider")
        if self.has("issuer") and self._values.get("provider") is None and self._has_client():
            self._values["provider"] = "openid"

    def _profile(self, *, is_option: bool) -> dict[str, object]:
        if not self.profile:
            return {}
        try:
            return profile_named(self.profile)
        except ConfigurationError as error:
            if is_option:
                raise
            raise ConfigurationError(f"LOGINMACHINE_PROFILE: {error}") from error

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - as argparse
        return self._values.get(name)

    def has(self, name: str) -> bool:
        """Return whether there is such a setting."""
        return self._values.get(name) not in (None, False)

    def names(self) -> tuple[str, ...]:
        """Return the names of all settings that there are."""
        return tuple(name for name in self._values if self.has(name))

    def word(self, name: str) -> str:
        """Return what a person has written for a setting: the option, or the member of the profile."""
        if name in self._members:
            return f"{self._members[name]} in the profile {self.profile}"
        return f"--{name.replace('_', '-')}"

    def _has_client(self) -> bool:
        return self.has("client_id") or self.has("register")

    def _set(self, name: str, value: object) -> None:
        """Set a value of the command line. A secret of the command line replaces the command of the profile."""
        if name == "client_secret_file":
            self._values.pop("client_secret_command", None)
        if name in {"scope", "require_scope"} and isinstance(value, list):
            value = " ".join(value).split()
        self._members.pop(name, None)
        if name == "param" and isinstance(value, list):
            self._set_parameters([_pair(text) for text in value])
        else:
            self._values[name] = _METHODS[str(value)] if name == "client_auth" else value

    def _set_parameters(self, pairs: list[tuple[str, str]]) -> None:
        names = [name for name, _ in pairs]
        for name in names:
            if names.count(name) > 1:
                raise SettingsError(f"{self.word('param')}: {name} is given twice (RFC 6749 section 3.1)")
        known = dict(self._values.get("param") or ())
        known |= {name: value for name, value in pairs if name not in _OWN_OPTION}
        self._values["param"] = tuple(known.items())
        self._values |= {name: value for name, value in pairs if name in _OWN_OPTION}

    def _read_members(self) -> None:
        """Read the members of the profile that are written differently on the command line."""
        values = self._values
        if values.get("scope") is not None:
            values["scope"] = values["scope"].split()
        if isinstance(values.get("resource"), str):
            values["resource"] = [values["resource"]]
        method = values.get("client_auth")
        if method is not None:
            names = {**_METHODS, **{str(known): known for known in ClientAuthentication}}
            if method not in names:
                raise SettingsError(f"{self.word('client_auth')} is one of {', '.join(ClientAuthentication)}")
            values["client_auth"] = names[method]
        if values.get("param") is not None:
            self._set_parameters([(name, str(value)) for name, value in values.pop("param").items()])


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise SettingsError("--param is written as NAME=VALUE")
    return name, value
