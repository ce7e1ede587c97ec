"""The id of this installation's host, which some providers ask for. It names the machine, and no person."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from ..model.auth_json import CredentialsError, read_members

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

_FORMS: Final = re.compile(
    r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    r"|urn:ietf:params:oauth:jwk-thumbprint:[a-z0-9-]+:[A-Za-z0-9_-]+"
    r"|did:key:[A-Za-z0-9]+",
)
_LONGEST: Final = 512
_ABOUT: Final = "The id of this machine for sign-ins. It is no secret. Do not copy it to another machine."


def is_host_id(text: object) -> bool:
    """Return whether a text can be the id of a host.

    It is ``urn:uuid:`` with a random UUID (RFC 9562 section 5.4), the thumbprint of a key (RFC 9278), or a ``did:key``.
    """
    return isinstance(text, str) and len(text) <= _LONGEST and _FORMS.fullmatch(text) is not None


def parse_host(data: bytes) -> str:
    """Read the bytes of the file with the id of the host.

    Raises:
        CredentialsError: They are not a JSON object, or hold no such id.
    """
    content = read_members(data)
    if isinstance(content, str):
        raise CredentialsError(content)
    if not is_host_id(content.get("host_id")):
        raise CredentialsError("host_id is not the id of a host: correct it, or remove the file for a new one")
    return str(content["host_id"])


def serialise_host(host_id: str, *, previous: Mapping[str, object] | None = None) -> bytes:
    """Return the bytes of the file.

    Args:
        host_id: The id.
        previous: The members of the file that is replaced. They are kept.
    """
    return json.dumps({**(previous or {}), "about": _ABOUT, "host_id": host_id}, indent=2).encode("ascii")
