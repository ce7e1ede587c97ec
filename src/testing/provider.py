"""A provider on loopback, and a browser that signs in there. Needs the extra ``loginmachine[demo]``."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any, Literal

from ..demo.browser import Browser as DemoBrowser
from ..demo.browser import BrowsingError
from ..demo.openid.provider import OpenIdProvider
from ..demo.openid.switches import OpenIdSwitches
from ..demo.shared.answers import Answer
from ..drivers.system import browser as system_browser
from ..sansio.model.options import LoginOptions
from ..sansio.model.provider import Provider

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType
    from typing import Self

    from ..demo.openid.clients import Client
    from ..demo.shared.forms import Page
    from ..sansio.oauth.device_code import DeviceCode

__all__ = ["Answer", "Browser", "FakeProvider"]
EMAIL = "ada@example.com"


class FakeProvider(OpenIdProvider):
    """A strict OpenID provider on a free port of this machine, a context manager.

        with FakeProvider() as provider, Browser(), start_login(provider.options(), store=store) as login:
            credentials = login.wait()

    It refuses what the standards do not allow, keeps every request in `requests`, and misbehaves as its `switches`
    say. Any number of them can run at the same time.

    Args:
        path: The path of the issuer, such as ``/realms/demo``. It has no slash at the end.
        host: The host of the issuer. The server listens on 127.0.0.1 in any case.
        clients: More clients than those that are attributes.
        switches: How the provider behaves.
    """

    def __init__(
        self,
        *,
        path: str = "",
        host: Literal["127.0.0.1", "localhost"] = "127.0.0.1",
        clients: Iterable[Client] = (),
        switches: OpenIdSwitches | None = None,
    ) -> None:
        # A key for RS256 takes a tenth of a second to generate.
        switches = OpenIdSwitches(signing_algorithm="ES256") if switches is None else switches
        super().__init__(path=path, host=host, clients=clients, switches=switches)

    def provider(self, **fields: Any) -> Provider:  # noqa: ANN401 - checked as fields
        """Return the `Provider` for a login here, which is found by its metadata.

        Args:
            fields: Fields of `Provider` that are other than by default.
        """
        return Provider.openid(self.issuer, **{"client_id": self.client.client_id, **fields})

    def options(self, **fields: Any) -> LoginOptions:  # noqa: ANN401 - checked as fields
        """Return the options of a login here, on any free port.

        Args:
            fields: Fields of `LoginOptions` that are other than by default.
        """
        return LoginOptions(**{"provider": self.provider(), "port": 0, **fields})

    def end_sign_ins(self) -> None:
        """Revoke every code and token that was issued so far."""
        tickets = self._state.tickets
        for text in tickets.all():
            ticket = tickets.find(text)
            if ticket is not None:
                ticket.grant.active = False


class Browser:
    """A browser that signs a person in at a `FakeProvider`.

    As a context manager it is the browser of this machine: every login in the block that opens a browser opens this
    one, in which the person signs in at once, in a thread. Without that, call its methods.

    Args:
        email: The person's address.
        refuses: Whether the person refuses to sign in.
    """

    def __init__(self, *, email: str = EMAIL, refuses: bool = False) -> None:
        self.email = email
        self.refuses = refuses
        self.opened: list[str] = []
        """The addresses that logins have opened."""
        self.headings: list[str] = []
        """The headings of the last pages that the person has seen."""
        self.problems: list[str] = []
        """Why a page could not be opened in a thread."""
        self._threads: list[threading.Thread] = []
        self._patch = contextlib.ExitStack()

    def sign_in(self, url: str) -> str:
        """Open the address of a login, and sign in, or refuse to.

        It returns when the login has answered the callback. So another thread must run the login meanwhile, as the
        threaded driver does.

        Args:
            url: The `auth_url` of the login.

        Returns:
            The heading of the last page.

        Raises:
            BrowsingError: A page cannot be loaded, is not on this computer, or has no login form.
        """
        with DemoBrowser() as browser:
            return self._decide(browser, browser.open(url))

    def enter(self, device_code: DeviceCode) -> str:
        """Enter a device code on its page, and sign in, or refuse to.

        Args:
            device_code: The `device_code` of the login.

        Returns:
            The heading of the last page.

        Raises:
            BrowsingError: As for `sign_in`.
        """
        url = device_code.complete_url or f"{device_code.verification_url}?user_code={device_code.user_code}"
        return self.sign_in(url)

    def _decide(self, browser: DemoBrowser, page: Page) -> str:
        form = page.form
        if form is None:
            # The provider has decided by itself.
            return page.heading
        if form.email is None or form.password is None:
            raise BrowsingError("the page has no login form")
        typed = {form.email: self.email, form.password: "any password"}
        button = "refuse" if self.refuses else "sign-in"
        return browser.submit(page, form.filled(typed, button=button)).heading

    def __enter__(self) -> Self:
        self._patch.callback(setattr, system_browser, "opener", system_browser.opener)
        system_browser.opener = self._open
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self._patch.close()
        for thread in self._threads:
            thread.join()

    def _open(self, url: str) -> None:
        self.opened.append(url)
        thread = threading.Thread(target=self._visit, args=(url,), name="fake-browser")
        self._threads.append(thread)
        thread.start()

    def _visit(self, url: str) -> None:
        try:
            self.headings.append(self.sign_in(url))
        except BrowsingError as error:
            self.problems.append(str(error))
