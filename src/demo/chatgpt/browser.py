"""An automatic browser for the imitation of "Sign in with ChatGPT": it decides on every page as a person would."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ..browser import Browser, BrowsingError

if TYPE_CHECKING:
    from collections.abc import Collection

    from ..shared.forms import Fields, Page

_CALLBACK: Final = "/auth/callback"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """A person with a browser."""

    email: str = "ada@example.com"
    workspace: str = "Personal"
    agent_name: str | None = None
    """What the person calls the program. None keeps the suggested name."""
    declined: Collection[str] = ()
    """The permissions that the person unchecks."""
    approves: bool = True
    """False if the person cancels."""

    def callback(self, url: str) -> str:
        """Decide about a sign-in.

        Args:
            url: The authorization URL.

        Returns:
            The address of the callback to which the provider sends the browser. It is not opened.

        Raises:
            BrowsingError: The provider shows an error page, or another page than those of a sign-in.
        """
        with Browser(until=_CALLBACK) as browser:
            page = self._decided(browser, url)
        if not page.url.partition("?")[0].endswith(_CALLBACK):
            raise BrowsingError("the provider does not send the browser to a callback")
        return page.url

    def sign_in(self, url: str) -> str:
        """Decide about a sign-in, and open the callback.

        Args:
            url: The authorization URL.

        Returns:
            The heading of the last page.

        Raises:
            BrowsingError: A page cannot be loaded.
        """
        with Browser() as browser:
            return self._decided(browser, url).heading

    def _decided(self, browser: Browser, url: str) -> Page:
        page = browser.open(url)
        return page if page.form is None else browser.submit(page, self._fields(page))

    def _fields(self, page: Page) -> Fields:
        assert page.form is not None
        typed = {}
        if page.form.email is not None and page.form.password is not None:
            typed = {page.form.email: self.email, page.form.password: "any", "workspace": self.workspace}
            if self.agent_name is not None:
                typed["agent_name"] = self.agent_name
        return page.form.filled(typed, button="approve" if self.approves else "refuse", unchecked=self.declined)
