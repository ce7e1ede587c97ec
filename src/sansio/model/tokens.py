"""The tokens in a response of the token endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.records import Record

if TYPE_CHECKING:
    from ..base.secret import Secret


class TokenSet(Record):
    """The tokens of a code exchange."""

    id_token: Secret
    access_token: Secret
    refresh_token: Secret


class RefreshedTokens(Record):
    """The tokens of a refresh. A token that the provider did not renew is None."""

    id_token: Secret | None = None
    access_token: Secret | None = None
    refresh_token: Secret | None = None
