"""Redact what a login knows before it starts: its options, its provider, and a client that was registered earlier."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ...base.secret import Secret
from ...model.account import KnownAccount
from ...server.endpoints import DeviceCodeEndpoints
from .signatures import ALGORITHM, KNOWN_ALGORITHMS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...login.events import Started
    from ...model.options import LoginOptions
    from ...model.provider import Provider
    from ...server.registration import ClientMetadata, Registration
    from ..placeholders import Placeholders

_PARAMETERS: Final = {
    **dict.fromkeys(("id_token_add_organizations", "codex_cli_simplified_flow"), re.compile("true|false")),
    "originator": re.compile("codex_(cli_rs|exec|vscode)|loginmachine"),
    "prompt": re.compile("none|login|consent|select_account"),
    "access_type": re.compile("offline|online"),
}
"""Parameters of an authorization request, with the values that a trace may hold."""
_PROMPTS: Final = re.compile("(none|login|consent|select_account|create)( (login|consent|select_account))*")
_LINK: Final = re.compile(r"https?://[\w.:\[\]-]+(/[\w./-]*)?")
"""A URL without user name, query and fragment."""
_NO_LINK: Final = "https://redacted.invalid/"
_LOOPBACK: Final = re.compile(r"http://(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?(/[\w./-]*)?")
_ENDPOINTS: Final = (
    *("authorization_endpoint", "token_endpoint", "revocation_endpoint", "jwks_uri", "registration_endpoint"),
    *("pushed_authorization_request_endpoint", "protected_resource", "resource_metadata"),
)
_DEVICE_CODE_URLS: Final = tuple(name for name in DeviceCodeEndpoints._fields if name != "dialect")


def public_options(options: LoginOptions, placeholders: Placeholders) -> LoginOptions:
    """Return the options of a login without values that may be secrets or name a person."""
    hint, audience, prompt = options.login_hint, options.audience, options.prompt
    return options.__replace__(
        allowed_workspaces=tuple(placeholders.of("account", each) for each in options.allowed_workspaces),
        provider=public(options.provider, placeholders),
        # (That of an id token has the same placeholder.)
        login_hint=placeholders.of("person", hint) if hint else hint,
        audience=placeholders.of("audience", audience) if audience and not _LINK.fullmatch(audience) else audience,
        prompt=prompt if prompt is None or _PROMPTS.fullmatch(prompt) else "redacted",
        resource=public_resource(options.resource, placeholders),
        redirect_uri=_redirect_uri(options.redirect_uri),
        host_id=placeholders.of("host", options.host_id) if options.host_id else options.host_id,
        parameters=_parameters(options.parameters),
        listen_address=None,
        app_name=None,
        success_page=None,
    )


def public(provider: Provider, placeholders: Placeholders) -> Provider:
    """Return a provider without values that may be secrets or name a person.

    The client id of a client that was registered for this installation is replaced. If the provider has keys, or may
    have some, the algorithm of the signatures in traces is accepted too.
    """
    platform_url, device_code = _link(provider.dialect.platform_url), provider.device_code
    return provider.__replace__(
        authorization_parameters=_parameters(provider.authorization_parameters),
        dialect=provider.dialect.__replace__(platform_url=platform_url),
        help_url=_link(provider.help_url),
        client_id=_client_id(provider, placeholders),
        client_secret=_secret("client-secret", provider.client_secret, placeholders),
        registration=None if provider.registration is None else _metadata(provider.registration, placeholders),
        device_code=device_code and device_code.__replace__(**_urls(device_code, _DEVICE_CODE_URLS, placeholders)),
        id_token_signing_alg_values_supported=_algorithms(provider, placeholders),
        **_urls(provider, _ENDPOINTS, placeholders),
    )


def public_registration(registration: Registration, provider: Provider, placeholders: Placeholders) -> Registration:
    """Return a registration without its client id and secrets.

    Args:
        registration: The registration.
        provider: The provider of the login. Its names are not secret.
        placeholders: The placeholders of the login.
    """
    # (The metadata of a resource may still name its issuer.)
    may_be_ours = registration.issuer == provider.origin or provider.needs_resource_metadata
    return registration.__replace__(
        issuer=registration.issuer if may_be_ours else _NO_LINK,
        client_id=placeholders.of("client", registration.client_id) if registration.client_id else "",
        client_secret=_secret("client-secret", registration.client_secret, placeholders),
        redirect_uri=_redirect_uri(registration.redirect_uri),
        others=None,
    )


def public_start(event: Started, provider: Provider, placeholders: Placeholders) -> Started:
    """Return the first event of a login, without the client, the person and the host.

    Args:
        event: The event.
        provider: The provider of the login. Its names are not secret.
        placeholders: The placeholders of the login.
    """
    registration, account, host_id = event.registration, event.account, event.host_id
    return event.__replace__(
        registration=None if registration is None else public_registration(registration, provider, placeholders),
        account=None if account is None else _account(account, placeholders),
        host_id=placeholders.of("host", host_id) if host_id else host_id,
    )


def _account(account: KnownAccount, placeholders: Placeholders) -> KnownAccount:
    email = account.email
    return KnownAccount(
        # (That of an id token has the same placeholder.)
        subject=placeholders.of("user", account.subject),
        email=placeholders.of("person", email) if email else email,
        id_token=_secret("id-token-hint", account.id_token, placeholders),
    )


def public_resource(resource: Iterable[str], placeholders: Placeholders) -> tuple[str, ...]:
    """Return the resources that tokens are for."""
    return tuple(each if _LINK.fullmatch(each) else f"urn:{placeholders.of('resource', each)}" for each in resource)


def public_endpoint(url: str, placeholders: Placeholders) -> str:
    """Return the URL of an endpoint with a placeholder for its query, which may hold a key."""
    address, mark, query = url.partition("?")
    return f"{address}?{placeholders.of('query', query)}" if mark and query else url


def algorithm(name: str, placeholders: Placeholders) -> str:
    """Return the name of an algorithm for signatures."""
    return name if name in KNOWN_ALGORITHMS or not name else placeholders.of("algorithm", name)


def _algorithms(provider: Provider, placeholders: Placeholders) -> tuple[str, ...]:
    accepted = provider.id_token_signing_alg_values_supported
    kept = tuple(algorithm(name, placeholders) for name in accepted)
    may_have_keys = provider.jwks_uri is not None or provider.needs_discovery
    return kept if ALGORITHM in kept or not may_have_keys else (*kept, ALGORITHM)


def _client_id(provider: Provider, placeholders: Placeholders) -> str:
    is_own = provider.registration is not None and provider.client_id != ""
    return placeholders.of("client", provider.client_id) if is_own else provider.client_id


def _metadata(metadata: ClientMetadata, placeholders: Placeholders) -> ClientMetadata:
    return metadata.__replace__(
        client_name="redacted",
        client_uri=_link(metadata.client_uri),
        logo_uri=_link(metadata.logo_uri),
        contacts=tuple(placeholders.of("contact", each) for each in metadata.contacts),
        software_id=metadata.software_id and "redacted",
        software_version=metadata.software_version and "redacted",
    )


def _parameters(parameters: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (name, value if _PARAMETERS[name].fullmatch(value) else "redacted")
        if name in _PARAMETERS
        else (f"redacted-parameter-{number}", "redacted")
        for number, (name, value) in enumerate(parameters, 1)
    )


def _urls(
    record: Provider | DeviceCodeEndpoints, names: Iterable[str], placeholders: Placeholders
) -> dict[str, str | None]:
    urls: dict[str, str | None] = {name: getattr(record, name) for name in names}
    return {name: url and public_endpoint(url, placeholders) for name, url in urls.items()}


def _secret(kind: str, secret: Secret | None, placeholders: Placeholders) -> Secret | None:
    return secret if secret is None or not secret.reveal() else Secret(placeholders.of(kind, secret.reveal()))


def _redirect_uri(uri: str | None) -> str | None:
    return uri if uri is None or _LOOPBACK.fullmatch(uri) else _NO_LINK


def _link(url: str | None) -> str | None:
    return url if url is None or _LINK.fullmatch(url) else _NO_LINK
