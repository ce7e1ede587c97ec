"""A client that the provider issues to an installation in the callback of its first login.

The authorization request of that login has a client id that all installations share (`Dialect.bootstrap_client_id`).
The callback has the client id that was issued, which alone exchanges the code and is used from then on.
"""

from __future__ import annotations

from ..base.text import is_visible_ascii

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from ..model.provider import Provider

MAX_ISSUED_ID: Final = 256
"""The most characters of a client id in a callback."""


def why_not_issued(client_id: str, provider: Provider) -> str:
    """Return why the code of a callback cannot be exchanged with the client that the callback names.

    Args:
        client_id: The client of the callback; empty if it names none. At a provider that issues no clients in callbacks
            it means nothing.
        provider: The provider. Its client is the one that was sent; empty in the first login of an installation.

    Returns:
        The reason, without the client id; empty if the code can be exchanged.
    """
    dialect, known = provider.dialect, provider.client_id
    if not dialect.issues_clients or (known and client_id in ("", known)):
        return ""
    if known:
        return "the callback names another client than the one that was sent, and nothing was exchanged"
    if client_id in ("", dialect.bootstrap_client_id):
        return "the callback does not say which client the provider has issued"
    if len(client_id) > MAX_ISSUED_ID or not is_visible_ascii(client_id):
        return "the client that the provider has issued cannot be a client id"
    return ""


def is_cut_off(client_id: str, provider: Provider) -> bool:
    """Return whether a pasted address may have lost the end of its client id, or all of it.

    The client id comes last in a callback, so it is what a cut-off address lacks.

    Args:
        client_id: The client of the address; empty if it names none.
        provider: As for `why_not_issued`.
    """
    dialect, known = provider.dialect, provider.client_id
    if not dialect.issues_clients:
        return False
    if known:
        return known.startswith(client_id) and client_id not in ("", known)
    return dialect.issued_prefix.startswith(client_id)
