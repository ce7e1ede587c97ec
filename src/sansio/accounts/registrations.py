"""The clients that providers have registered for this installation, as they are stored (RFC 7591)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.records import Record, hidden
from ..base.secret import Secret
from ..base.text import is_printable_ascii
from ..base.urls import check_endpoint
from ..model.auth_json import CredentialsError, members_of, others_of, read_members
from ..model.claims import expiry
from ..server.endpoints import ClientAuthentication
from ..server.registration import Registration
from .stored import name_for

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

    from ..base.strict_json import JsonObject

_TEXTS: Final = (
    *("issuer", "client_id", "client_secret", "token_endpoint_auth_method", "redirect_uri"),
    *("provider", "software", "subject", "email", "saved_at"),
)
_KEYS: Final = (*_TEXTS, "client_secret_expires_at", "is_doubtful", "response")


class StoredRegistration(Record):
    """A registration, and what is known about it here. It is kept when the person signs out."""

    registration: Registration
    provider: str = ""
    """The kind of provider that has issued the client to one person, such as ``chatgpt``; empty for a client that the
    installation has registered for all its accounts."""
    software: str = ""
    """The program that was registered: its ``software_id`` or its name. Another program has other registrations."""
    subject: str = ""
    """``sub`` of the person that the client belongs to; empty before the first login with it."""
    email: str | None = None
    saved_at: str = ""
    """When it was stored first, in UTC and in the format of RFC 3339."""
    is_doubtful: bool = False
    """The last login with it got no callback, or the provider has refused the client."""
    others: Secret | None = hidden(default=None)
    """Members that a newer version has added, as a JSON object."""

    @property
    def key(self) -> str:
        """The name of its file. Each issuer and client has one."""
        return registration_key(self.registration.issuer, self.registration.client_id)


def registration_key(issuer: str, client_id: str) -> str:
    """Return the name of the file of a registration."""
    return name_for(issuer, client_id)


def may_ask_for(registration: Registration, scopes: tuple[str, ...]) -> bool:
    """Return whether a client was registered for scopes, as far as the provider has told (RFC 7591 section 2)."""
    registered = members_of(registration.others).get("scope")
    return not isinstance(registered, str) or set(scopes) <= set(registered.split())


def parse_registration(data: bytes) -> StoredRegistration:
    """Read the bytes of a stored registration.

    Raises:
        CredentialsError: The bytes are not a JSON object, or a member is missing or wrong. The message names it.
    """
    content = read_members(data)
    problem = content if isinstance(content, str) else _problem_of(content)
    if problem or isinstance(content, str):
        # A traceback with locals must not show them.
        del data, content
        raise CredentialsError(problem)
    secret = content.get("client_secret")
    return StoredRegistration(
        registration=Registration(
            issuer=content["issuer"],
            client_id=content["client_id"],
            client_secret=Secret(secret) if secret else None,
            client_secret_expires_at=content.get("client_secret_expires_at"),
            token_endpoint_auth_method=ClientAuthentication(content.get("token_endpoint_auth_method") or "none"),
            redirect_uri=content.get("redirect_uri"),
            others=others_of(content.get("response") or {}, ()),
        ),
        provider=content.get("provider") or "",
        software=content.get("software") or "",
        subject=content.get("subject") or "",
        email=content.get("email"),
        saved_at=content.get("saved_at") or "",
        is_doubtful=content.get("is_doubtful") is True,
        others=others_of(content, _KEYS),
    )


def serialise_registration(stored: StoredRegistration, *, previous: Mapping[str, object] | None = None) -> bytes:
    """Return the bytes of a registration.

    Args:
        stored: The registration. Members of a newer version are written too.
        previous: The members of the file that is replaced. Those that this version does not know are kept.
    """
    import json  # noqa: PLC0415 - as for credentials

    registration = stored.registration
    secret = registration.client_secret
    values: JsonObject = {
        **registration.values(),
        "client_secret": None if secret is None else secret.reveal(),
        "response": members_of(registration.others),
        "is_refused": None,
        "provider": stored.provider,
        "software": stored.software,
        "subject": stored.subject,
        "email": stored.email,
        "saved_at": stored.saved_at,
        "is_doubtful": stored.is_doubtful,
        "others": None,
    }
    content = {name: value for name, value in values.items() if value or name in {"issuer", "client_id"}}
    kept = {name: value for name, value in (previous or {}).items() if name not in _KEYS}
    return json.dumps({**content, **kept, **members_of(stored.others)}, indent=2).encode("ascii")


def _problem_of(content: JsonObject) -> str:
    """Return which member is wrong and why, without its value; empty if all are right."""
    kinds = (*((name, str, "a string") for name in _TEXTS), ("response", dict, "an object"))
    for name, kind, words in kinds:
        if not isinstance(content.get(name), (kind, type(None))):
            return f"{name} is not {words}"
    for name in ("issuer", "client_id"):
        if not content.get(name):
            return f"{name} is missing"
    for name in ("client_id", "client_secret"):
        if not is_printable_ascii(content.get(name) or ""):
            return f"{name} holds a character that is not allowed in it"
    if (content.get("token_endpoint_auth_method") or "none") not in tuple(ClientAuthentication):
        return f"token_endpoint_auth_method is not one of {', '.join(ClientAuthentication)}"
    moment = content.get("client_secret_expires_at")
    if moment is not None and expiry({"exp": moment}) is None:
        return "client_secret_expires_at is not a time"
    try:
        check_endpoint(content["issuer"])
    except ValueError as error:
        return f"issuer: {error}"
    return ""
