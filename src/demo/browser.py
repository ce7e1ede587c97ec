"""An automatic browser: opens the authorization URL, fills in the login form, and follows redirects to the last page.

It understands only the demo providers' forms, and opens only pages on this computer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

import httpx

from ..drivers.logging import silenced
from .shared.forms import Page

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from .shared.forms import Fields

_HEADERS: Final = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) loginmachine-demo",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "en",
    "Upgrade-Insecure-Requests": "1",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-User": "?1",
}
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_MAX_REDIRECTS: Final = 10
_TIMEOUT: Final = 60.0
"""Seconds. The response to the callback comes after two token requests."""


class BrowsingError(Exception):
    """The automatic browser could not sign in. The text contains the page's URL without its query."""


def sign_in(url: str, *, email: str, password: str) -> str:
    """Sign in.

    Args:
        url: The authorization URL.
        email: Typed into the form.
        password: Typed into the form.

    Returns:
        The heading of the last page.

    Raises:
        BrowsingError: A page cannot be loaded, is not on this computer, or has no login form.
    """
    with Browser() as browser:
        page = browser.open(url)
        form = page.form
        if form is None or form.email is None or form.password is None or not form.buttons:
            raise BrowsingError(f"no login form at {_place(page.url)}")
        return browser.submit(page, form.filled({form.email: email, form.password: password})).heading


class Browser:
    """A browser with cookies, a context manager.

    Args:
        until: Redirects to addresses with this path are not followed. Empty for none.
    """

    def __init__(self, *, until: str = "") -> None:
        self._until = until

    def __enter__(self) -> Self:
        self._client = httpx.Client(headers=_HEADERS, trust_env=False, timeout=_TIMEOUT, verify=False)  # noqa: S501 - only http pages are opened
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self._client.close()

    def open(self, url: str) -> Page:
        """Open a page that a program asks for, and follow redirects.

        Raises:
            BrowsingError: A page cannot be loaded, or is not on this computer.
        """
        return self._load(url, site="none")

    def submit(self, page: Page, fields: Fields) -> Page:
        """Submit the form of a page, and follow redirects.

        Raises:
            BrowsingError: A page cannot be loaded, or is not on this computer.
        """
        # All redirects belong to the form's navigation. Another port of the same host is the same site.
        action = "" if page.form is None else page.form.action
        return self._load(urljoin(page.url, action), site="same-origin", fields=fields)

    def _load(self, url: str, *, site: str, fields: Fields | None = None) -> Page:
        """Open a page and follow redirects. Send a POST request if there are fields."""
        for _ in range(_MAX_REDIRECTS + 1):
            parts = urlsplit(url)
            if parts.scheme != "http" or parts.hostname not in _LOOPBACK:
                raise BrowsingError("a page leads away from this computer")
            response = self._request(url, site, fields)
            if response.status_code >= 400:
                raise BrowsingError(f"{_place(url)} answered with status {response.status_code}")
            if not response.has_redirect_location:
                return Page(url, response.text)
            if fields is not None and response.status_code in (307, 308):
                raise BrowsingError(f"{_place(url)} asks to send the form elsewhere")
            target = urljoin(url, response.headers["Location"])
            if self._until and urlsplit(target).path == self._until:
                return Page(target, "")
            if site == "same-origin" and urlsplit(target).netloc != parts.netloc:
                site = "same-site" if urlsplit(target).hostname == parts.hostname else "cross-site"
            url, fields = target, None
        raise BrowsingError(f"{_place(url)} redirects without end")

    def _request(self, url: str, site: str, fields: Fields | None) -> httpx.Response:
        method = "GET" if fields is None else "POST"
        problem = ""
        with silenced():  # httpx and httpcore log whole URLs, code and state included
            try:
                return self._client.request(method, url, data=fields, headers={"Sec-Fetch-Site": site})
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                problem = type(error).__name__
        # Outside of the handler: httpx's exceptions contain the request with the password.
        raise BrowsingError(f"no answer from {_place(url)} ({problem})")


def _place(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or 80}{parts.path}"
