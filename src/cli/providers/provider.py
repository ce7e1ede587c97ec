"""The provider that the settings describe."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ...sansio.base.urls import check_endpoint, check_provider_url
from ...sansio.model.provider import Provider
from ...sansio.server.endpoints import ClientAuthentication, DeviceCodeEndpoints
from ...sansio.server.registration import ClientMetadata
from ..codex import codex_from
from .client_secret import client_secret
from .redirect import parse_redirect_uri
from .settings import SettingsError

if TYPE_CHECKING:
    from typing import Any, Final

    from .settings import Settings

PROGRAM: Final = "loginmachine"
"""The name under which the command registers itself at a provider."""
_LONGEST_FILE: Final = 65_536
"""The most bytes of Google's client file."""
_ENDPOINTS: Final = (
    *("authorization_endpoint", "token_endpoint", "revocation_endpoint", "jwks_uri", "registration_endpoint"),
    "pushed_authorization_request_endpoint",
)
_URLS: Final = (*_ENDPOINTS, "device_authorization_endpoint")
_SECRETS: Final = ("client_secret_file", "client_secret_command")
_NO_METADATA: Final = ("register", "par")
_UNUSED: Final = {
    "codex": (*_SECRETS, "client_auth", "client_file", "tenant", "redirect_uri", "resource", *_NO_METADATA, *_URLS),
    "chatgpt": (
        *("client_id", *_SECRETS, "client_auth", "client_file", "tenant", "redirect_uri", "resource", "audience"),
        *("scope", "prompt", *_NO_METADATA, *_URLS),
    ),
    "openid": ("client_file", "tenant"),
    "oauth": ("client_file", "tenant", *_NO_METADATA),
    "google": ("tenant", "register"),
    "github": ("client_file", "tenant", *_NO_METADATA),
    "microsoft": ("client_file", "register"),
    "gitlab": ("client_file", "tenant", "register"),
}
"""Settings that mean nothing for a provider."""
_NEEDED: Final = {
    "codex": (),
    "chatgpt": (),
    "openid": ("issuer", "client_id"),
    "oauth": ("token_endpoint", "client_id"),
    "google": ("client_file",),
    "github": ("client_id",),
    "microsoft": ("client_id",),
    "gitlab": ("client_id",),
}


def provider_of(settings: Settings, *, originator: str | None = None) -> Provider:
    """Return the provider that the settings describe. The client's secret is read.

    Args:
        settings: The settings.
        originator: The program that is reported to Codex's provider.

    Raises:
        ValueError: A setting is missing, wrong, or means nothing for this provider. The message names it.
    """
    name = provider_name(settings)
    _check_names(settings, name)
    for url in ("issuer", *_URLS):
        if settings.has(url):
            _check_url(settings, url)
    if name == "codex":
        return codex_from(settings["issuer"], settings["client_id"], originator)
    provider = _make(name, settings, _fields(settings))
    if settings.has("redirect_uri"):
        try:
            return provider.__replace__(callback_path=parse_redirect_uri(settings["redirect_uri"]).path)
        except ValueError as error:
            raise SettingsError(f"{settings.word('redirect_uri')}: {error}") from None
    return provider


def provider_name(settings: Settings) -> str:
    """Return the kind of provider.

    Raises:
        SettingsError: There is an issuer, and nothing says what it is.
    """
    name: str | None = settings["provider"]
    if name is None and settings.has("issuer"):
        raise SettingsError(
            f"{settings.word('issuer')} alone is not enough: add --client-id, for an OpenID Connect provider,"
            " or --provider codex, for a mirror of Codex's provider"
        )
    if name is not None and name not in _NEEDED:
        raise SettingsError(f"{settings.word('provider')} is none of {', '.join(_NEEDED)}")
    return name or "codex"


def _check_names(settings: Settings, name: str) -> None:
    """Check which settings there are."""
    given = f"--provider {name}" if settings["provider"] else f"{name}, the provider if none is named"
    for unused in _UNUSED[name]:
        if settings.has(unused):
            advice = "" if settings["provider"] else ". Add --provider, or --issuer and --client-id"
            raise SettingsError(f"{settings.word(unused)} means nothing for {given}{advice}")
    for needed in _NEEDED[name]:
        instead = {"client_id": "register" if name == "openid" else "", "client_file": "client_id"}.get(needed, "")
        if not settings.has(needed) and not (instead and settings.has(instead)):
            option = f"--{needed.replace('_', '-')}" + (f" or --{instead.replace('_', '-')}" if instead else "")
            raise SettingsError(f"{given} needs {option}")
    _check_pairs(settings)
    _check_endpoints(settings, name)


def _check_pairs(settings: Settings) -> None:
    """Check which settings exclude each other."""
    if settings.has("client_file") and (settings.has("client_id") or any(map(settings.has, _SECRETS))):
        raise SettingsError(f"{settings.word('client_file')} has the client ID and its secret: give no others")
    if settings.has("register"):
        for other in ("client_id", *_SECRETS):
            if settings.has(other):
                raise SettingsError(f"{settings.word('register')} and {settings.word(other)} exclude each other")
    if settings.has("tenant") and settings.has("issuer"):
        raise SettingsError(f"{settings.word('tenant')} and {settings.word('issuer')} exclude each other")


def _check_endpoints(settings: Settings, name: str) -> None:
    has_token, has_authorization = settings.has("token_endpoint"), settings.has("authorization_endpoint")
    needs_both = name in {"openid", "google", "microsoft", "gitlab"} and has_token
    needs_page = name == "oauth" and not settings.has("device_authorization_endpoint")
    if (needs_both or needs_page) and not has_authorization:
        raise SettingsError(f"{settings.word('token_endpoint')} needs --authorization-endpoint, too")


def _check_url(settings: Settings, name: str) -> None:
    try:
        (check_provider_url if name == "issuer" else check_endpoint)(settings[name])
    except ValueError as error:
        raise SettingsError(f"{settings.word(name)}: {error}. Example: https://id.example.com") from None


def _fields(settings: Settings) -> dict[str, Any]:
    """Return the fields of the provider that settings have."""
    fields = {name: settings[name] for name in _ENDPOINTS if settings.has(name)}
    if settings.has("device_authorization_endpoint"):
        fields["device_code"] = DeviceCodeEndpoints(code_endpoint=settings["device_authorization_endpoint"])
    if settings.has("par"):
        fields["require_pushed_authorization_requests"] = True
    secret = client_secret(settings)
    method = settings["client_auth"]
    if settings.has("register"):
        asked = method or ClientAuthentication.NONE
        return {**fields, "registration": ClientMetadata(client_name=PROGRAM, token_endpoint_auth_method=asked)}
    if secret is not None:
        fields["client_secret"] = secret
        if method is ClientAuthentication.NONE:
            raise SettingsError(f"{settings.word('client_auth')} is none, and the client has a secret: leave out one")
    elif method not in (None, ClientAuthentication.NONE) and not settings.has("client_file"):
        raise SettingsError(f"{settings.word('client_auth')} needs --client-secret-file")
    if method is not None:
        fields["token_endpoint_auth_method"] = method
    return fields


def _make(name: str, settings: Settings, fields: dict[str, Any]) -> Provider:
    issuer, client_id = settings["issuer"], settings["client_id"] or ""
    other_issuer = {} if issuer is None else {"issuer": issuer}
    other_host = {} if issuer is None else {"host": issuer.rstrip("/")}
    match name:
        case "chatgpt":
            return Provider.chatgpt(app_name=PROGRAM, **other_issuer)
        case "openid":
            return Provider.openid(issuer, client_id=client_id, **fields)
        case "oauth":
            endpoints = {"authorization_endpoint": "", **other_issuer, **fields}
            return Provider.oauth(client_id=client_id, **endpoints)
        case "google":
            return Provider.google(_google_client(settings), **other_issuer, **fields)
        case "github":
            return Provider.github(client_id, **other_host, **fields)
        case "microsoft":
            tenant = {"tenant": settings["tenant"]} if settings.has("tenant") else {}
            return Provider.microsoft(client_id, **tenant, **other_issuer, **fields)
        case _:
            return Provider.gitlab(client_id, **other_host, **fields)


def _google_client(settings: Settings) -> bytes | dict[str, object]:
    if not settings.has("client_file"):
        return {"installed": {"client_id": settings["client_id"]}}
    word = settings.word("client_file")
    try:
        with Path(settings["client_file"]).open("rb") as file:
            content = file.read(_LONGEST_FILE + 1)
    except OSError as error:
        raise SettingsError(f"{word}: {error.strerror}") from None
    if len(content) > _LONGEST_FILE:
        raise SettingsError(f"{word}: the file is too large")
    return content
