"""The index of the stored accounts: which of them `use` has chosen, and in which order people signed in.

It names accounts and holds no credentials. Without it nothing is lost but these two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.records import Record, hidden
from ..model.auth_json import CredentialsError, members_of, others_of, read_members

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Final

    from ..base.secret import Secret
    from ..base.strict_json import JsonObject
    from .stored import StoredAccount

_CHOSEN_KEYS: Final = ("provider", "issuer")
_KEYS: Final = ("chosen", "order", "shown")


class AccountIndex(Record):
    """The index. See the module's description."""

    chosen: tuple[str, str] | None = None
    """The provider and the issuer (or token endpoint) that `use` has chosen; None if none was chosen."""
    order: tuple[str, ...] = ()
    """The names of the entries, in the order of their last sign-in or `use`. The last of a provider is its default."""
    shown: tuple[str, ...] = ()
    """The names of what was shown to the person once, and is never shown again."""
    others: Secret | None = hidden(default=None)
    """Members that a newer version has added, as a JSON object."""

    def signed_in(self, key: str) -> AccountIndex:
        """Return the index after a sign-in: the account is the default of its provider and issuer."""
        return self.__replace__(order=(*(other for other in self.order if other != key), key))

    def used(self, account: StoredAccount | None) -> AccountIndex:
        """Return the index after `use`. None chooses no account."""
        if account is None:
            return self.__replace__(chosen=None)
        return self.signed_in(account.key).__replace__(chosen=account.group)

    def marked(self, accounts: Iterable[StoredAccount]) -> list[StoredAccount]:
        """Return accounts with what the index says about them: which are default, and which is chosen.

        They are sorted by provider and issuer, the default of each first, then the others from the latest sign-in on.
        Accounts that the index does not know count as older, in the order in which their tokens were received.

        Args:
            accounts: All stored accounts.
        """
        places = {key: place for place, key in enumerate(self.order)}

        def rank(account: StoredAccount) -> tuple[int, str, str]:
            return places.get(account.key, -1), account.last_refresh or "", account.key

        groups: dict[tuple[str, str], list[StoredAccount]] = {}
        for account in sorted(accounts, key=rank, reverse=True):
            groups.setdefault(account.group, []).append(account)
        return [
            account.__replace__(is_default=place == 0, is_chosen=place == 0 and group == self.chosen)
            for group in sorted(groups)
            for place, account in enumerate(groups[group])
        ]


def parse_index(data: bytes) -> AccountIndex:
    """Read the bytes of an index.

    Raises:
        CredentialsError: The bytes are not a JSON object, or a member has the wrong type.
    """
    content = read_members(data)
    if isinstance(content, str):
        raise CredentialsError(content)
    order, chosen, shown = content.get("order") or [], content.get("chosen"), content.get("shown") or []
    for name, value in (("order", order), ("shown", shown)):
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise CredentialsError(f"{name} is not a list of strings")
    if chosen is not None and not _is_chosen(chosen):
        raise CredentialsError("chosen does not name a provider and an issuer")
    return AccountIndex(
        chosen=None if chosen is None else (chosen["provider"], chosen["issuer"]),
        order=tuple(order),
        shown=tuple(shown),
        others=others_of(content, _KEYS),
    )


def serialise_index(index: AccountIndex, *, previous: Mapping[str, object] | None = None) -> bytes:
    """Return the bytes of an index.

    Args:
        index: The index. Members of a newer version are written too.
        previous: The members of the index that is replaced. They are in the new one, if they were read.
    """
    import json  # noqa: PLC0415 - as for credentials

    del previous
    chosen = None if index.chosen is None else dict(zip(_CHOSEN_KEYS, index.chosen, strict=True))
    shown = {"shown": list(index.shown)} if index.shown else {}
    content: JsonObject = {"chosen": chosen, "order": list(index.order), **shown, **members_of(index.others)}
    return json.dumps(content, indent=2).encode("ascii")


def _is_chosen(chosen: object) -> bool:
    return isinstance(chosen, dict) and all(isinstance(chosen.get(name), str) for name in _CHOSEN_KEYS)
