"""The clients that providers have registered for this installation: a file for each, which a sign-out keeps."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from ...sansio.accounts.registrations import (
    StoredRegistration,
    parse_registration,
    registration_key,
    serialise_registration,
)
from ...sansio.accounts.stored import is_key
from ..errors import StoreError
from ..stores.auth_file import AuthFile
from ..stores.formats import FileFormat
from ..stores.home_store import LockedStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    from ...sansio.server.registration import Registration

_END: Final = ".registration"
"""What the stem of the file of a registration ends with."""


class RegistrationStore:
    """The registrations in a folder of accounts: the base of `AccountStore`.

    Args:
        folder: The folder. It is created with mode 0700 by the first save.
        on_warning: Called with one line of text when something unusual was done.
    """

    def __init__(self, folder: Path, on_warning: Callable[[str], None]) -> None:
        self.folder = folder
        """The folder of the accounts. It is created with mode 0700 when something is stored, or by `check`."""
        self._warn = on_warning
        self._said: set[str] = set()

    def _warn_once(self, text: str) -> None:
        if text not in self._said:
            self._said.add(text)
            self._warn(text)

    def save_registration(
        self,
        registration: Registration,
        *,
        software: str = "",
        subject: str = "",
        email: str | None = None,
        provider: str = "",
    ) -> None:
        """Make a registration durable (RFC 7591). Do this before its client is used.

        Each client of an issuer has a file of its own, which a sign-out keeps. What is already known about the same
        client, and is not given, stays.

        Args:
            registration: The client that the provider has registered.
            software: The program that was registered: its ``software_id``, or its name.
            subject: ``sub`` of the person that the client belongs to, when it is known.
            email: The e-mail address of that person.
            provider: The kind of provider, if it issues a client to each person.

        Raises:
            StoreError: It is not stored, and what is stored is unchanged.
        """
        given = {"software": software, "subject": subject, "email": email, "provider": provider}
        known = {name: value for name, value in given.items() if value}
        self._change_registration(registration, registration=registration, is_doubtful=False, **known)

    def doubt_registration(self, registration: Registration) -> None:
        """Note that a login with a client has begun and got no callback yet, or that the provider refused the client.

        `save_registration` ends the doubt.

        Args:
            registration: The client.

        Raises:
            StoreError: It is not noted.
        """
        self._change_registration(registration, is_doubtful=True)

    def identify_registration(self, registration: Registration, subject: str, email: str | None) -> None:
        """Note the person that a client belongs to.

        Args:
            registration: The client.
            subject: ``sub`` of the verified id token.
            email: Its e-mail address, if it has one.

        Raises:
            StoreError: It is not noted.
        """
        self._change_registration(registration, subject=subject, email=email, is_doubtful=False)

    def _change_registration(self, client: Registration, **changes: Any) -> None:  # noqa: ANN401 - checked as fields
        with self._store(registration_key(client.issuer, client.client_id)).transaction() as transaction:
            try:
                old = transaction.load()
            except StoreError:
                # It is set aside.
                old = None
            new = old or StoredRegistration(registration=client, saved_at=_now())
            transaction.save(new.__replace__(**changes))

    def load_registration(
        self, issuer: str, *, software: str = "", client_id: str | None = None
    ) -> Registration | None:
        """Return the latest registration at an issuer, or None.

        Args:
            issuer: The issuer, compared exactly.
            software: The program that was registered, as it was given to `save_registration`.
            client_id: The client, if it is known.

        Raises:
            StoreError: The folder cannot be read.
        """
        found = [each for each in self.registrations(issuer) if each.software == software]
        found = [each for each in found if client_id in (None, each.registration.client_id)]
        return found[-1].registration if found else None

    def remove_registration(self, issuer: str, client_id: str) -> bool:
        """Forget a registration, because the provider does not know the client any more.

        Returns:
            Whether there was one.

        Raises:
            StoreError: It is still stored.
        """
        store = self._store(registration_key(issuer, client_id))
        return self.folder.is_dir() and store.remove() is not None

    def registrations(self, issuer: str | None = None) -> list[StoredRegistration]:
        """Return the registrations, the latest last. What cannot be read is left out, with a warning.

        Args:
            issuer: Only those at this issuer.

        Raises:
            StoreError: The folder cannot be read.
        """
        found = []
        for key in self._registration_keys():
            try:
                stored = self._store(key).load()
            except StoreError as error:
                self._warn_once(f"a registration is left out: {error}")
            else:
                if stored is not None and issuer in (None, stored.registration.issuer):
                    found.append(stored)
        return sorted(found, key=lambda stored: (stored.saved_at, stored.key))

    def _registration_keys(self) -> list[str]:
        problem = ""
        names: list[str] = []
        try:
            names = os.listdir(self.folder)  # noqa: PTH208 - names are all that is needed
        except FileNotFoundError:
            pass
        except OSError as error:
            problem = error.strerror or type(error).__name__
        if problem:
            raise StoreError(f"{self.folder}: {problem}")
        stems = (name.removesuffix(f"{_END}.json") for name in names if name.endswith(f"{_END}.json"))
        return sorted(filter(is_key, stems))

    def _store(self, key: str) -> LockedStore[StoredRegistration]:
        format_ = FileFormat(f"{key}{_END}", parse_registration, serialise_registration)
        file = AuthFile(self.folder, self._warn_once, format_)
        return LockedStore(self.folder, file, file)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
