"""Properties of a store that holds what cannot be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...drivers.errors import StoreError
from .probe import NotHeldError, expect, expect_no_secret, shown_by
from .samples import CANARY, ONE, TWO

if TYPE_CHECKING:
    from .probe import Probe

_CONTENTS: Final = {
    "an empty text": b"",
    "half a text": f'{{"tokens": {{"access_token": "{CANARY}'.encode(),
    "a number in place of a token": f'{{"tokens": {{"access_token": 1, "id_token": "{CANARY}"}}}}'.encode(),
    "a text that is no JSON": f"{CANARY}".encode(),
    "a token that no header can hold": f'{{"OPENAI_API_KEY": "{CANARY}\\n"}}'.encode(),
}


def unreadable_content_is_an_error(probe: Probe) -> None:
    """`load` raises `StoreError` for content that cannot be read. It never returns None, and shows none of it."""
    probe.store.save(ONE)
    for what, content in _CONTENTS.items():
        probe.spoil(content)
        try:
            probe.store.load()
        except StoreError as error:
            expect_no_secret(shown_by(error), f"{what}: the error")
        else:
            raise NotHeldError(f"{what}: load raised nothing")
        finally:
            # The next property begins with a removal, which is not what is tested here.
            probe.spoil(ONE.serialise())


def unreadable_content_can_be_replaced(probe: Probe) -> None:
    """`save` replaces content that cannot be read, and returns None: there is nothing that could be revoked."""
    probe.store.save(ONE)
    for what, content in _CONTENTS.items():
        probe.spoil(content)
        expect(probe.store.save(TWO) is None, f"{what}: save returned something")
        expect(probe.store.load() == TWO, f"{what}: other credentials are stored afterwards")


def unreadable_content_can_be_removed(probe: Probe) -> None:
    """`remove` removes content that cannot be read, and returns credentials without what could not be read."""
    for what, content in _CONTENTS.items():
        probe.store.save(ONE)
        probe.spoil(content)
        removed = probe.store.remove()
        expect(removed is not None, f"{what}: remove returned None, as if nothing had been stored")
        expect(probe.store.load() is None, f"{what}: something is left")


UNREADABLE = (
    unreadable_content_is_an_error,
    unreadable_content_can_be_replaced,
    unreadable_content_can_be_removed,
)
