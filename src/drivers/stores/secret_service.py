"""An entry of the Secret Service, the keyring of Linux, under the attributes with which the Codex CLI finds it.

Codex searches for ``service``, ``username`` and ``target``. If there is no such item it searches for the first two, and
then it does not unlock what it finds. The package keyring stores no ``target``, and never replaces an item that Codex
has stored: it makes a second one. So it only chooses the service here, and its methods are not used.
"""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyring.backend import KeyringBackend
    from secretstorage import Collection, Item

_TARGET: Final = {"target": "default"}
_APPLICATION: Final = {"application": "loginmachine"}


def is_secret_service(keyring: KeyringBackend) -> bool:
    """Return whether the package keyring has chosen the Secret Service, and names entries there as Codex does."""
    module = sys.modules.get("keyring.backends.SecretService")
    return module is not None and type(keyring) is module.Keyring and getattr(keyring, "scheme", "") == "default"


class SecretService:
    """The collection that the package keyring would use. It has the methods of a backend.

    Args:
        keyring: The backend of the package keyring.
    """

    def __init__(self, keyring: KeyringBackend) -> None:
        self._path: str | None = getattr(keyring, "preferred_collection", None)

    def prepare(self) -> None:
        """Unlock the collection, and make it if it is missing. The person may be asked for a password.

        Raises:
            KeyringLocked: It is still locked.
            SecretStorageException: It cannot be made, or there is no service.
        """
        with self._opened(create=True):
            pass

    def get_password(self, service: str, username: str) -> str | None:
        """Return the value of an entry, or None. A missing collection holds nothing, and is not made.

        Raises:
            KeyringLocked: The collection is locked.
            SecretStorageException: There is no service.
        """
        with self._opened(create=False) as collection:
            if collection is None:
                return None
            with_target, without = _find(collection, service, username)
            items = with_target or without
            return items[0].get_secret().decode("utf-8", "surrogateescape") if items else None

    def set_password(self, service: str, username: str, password: str) -> None:
        """Change the value of an entry, or make it. Other items of the same name are removed: their values are old.

        Raises:
            KeyringLocked: The collection is locked.
            SecretStorageException: There is no service, or it has refused.
        """
        secret = password.encode("utf-8", "surrogateescape")
        with self._opened(create=True) as collection:
            assert collection is not None
            with_target, without = _find(collection, service, username)
            if with_target:
                with_target[0].set_secret(secret)
            else:
                attributes = {"service": service, "username": username, **_TARGET, **_APPLICATION}
                collection.create_item(f"{username}@{service}", attributes, secret, replace=True)
            for item in (*with_target[1:], *without):
                item.delete()

    def delete_password(self, service: str, username: str) -> None:
        """Remove every item of an entry.

        Raises:
            KeyringLocked: The collection is locked.
            SecretStorageException: There is no service, or it has refused.
        """
        with self._opened(create=False) as collection:
            if collection is not None:
                with_target, without = _find(collection, service, username)
                for item in (*with_target, *without):
                    item.delete()

    @contextlib.contextmanager
    def _opened(self, *, create: bool) -> Iterator[Collection | None]:
        import secretstorage  # noqa: PLC0415 - the package keyring has loaded it
        from keyring.errors import KeyringLocked  # noqa: PLC0415
        from secretstorage.collection import DEFAULT_COLLECTION  # noqa: PLC0415

        with contextlib.closing(secretstorage.dbus_init()) as connection:
            try:
                collection = secretstorage.Collection(connection, self._path or DEFAULT_COLLECTION)
            except secretstorage.ItemNotFoundException:
                if not create:
                    yield None
                    return
                if self._path is not None:
                    raise
                collection = secretstorage.create_collection(connection, "Default", "default")
            if collection.is_locked():
                collection.unlock()
                if collection.is_locked():
                    raise KeyringLocked("the collection is still locked")
            yield collection


def _find(collection: Collection, service: str, username: str) -> tuple[list[Item], list[Item]]:
    """Return the items of an entry: those that Codex finds first, and those without a target."""
    items = list(collection.search_items({"service": service, "username": username}))
    targets = [item.get_attributes().get("target") for item in items]
    with_target = [item for item, target in zip(items, targets, strict=True) if target == _TARGET["target"]]
    return with_target, [item for item, target in zip(items, targets, strict=True) if target is None]
