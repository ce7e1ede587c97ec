"""An automatic browser: opens the authorization URL, fills in the login form, and follows redirects to the last page.

It understands only the demo provider's form, and opens only pages on this computer.
"""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Final
from urllib.parse import urljoin, urlsplit

import httpx

from ..drivers.logging import silenced

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
    # httpx and httpcore log whole URLs, code and state included.
    with silenced(), httpx.Client(headers=_HEADERS, trust_env=False, timeout=_TIMEOUT) as client:
        page, at = _open(client, url, site="none")
        form = page.form
        if form is None or form.email is None or form.password is None or form.submit is None:
            raise BrowsingError(f"no login form at {_place(at)}")
        fields = {**form.fields, form.email: email, form.password: password, form.submit[0]: form.submit[1]}
        # All redirects belong to the form's navigation. Another port of the same host is the same site.
        page, _ = _open(client, urljoin(at, form.action), site="same-origin", fields=fields)
        return page.heading.strip()


def _open(client: httpx.Client, url: str, *, site: str, fields: dict[str, str] | None = None) -> tuple[_Page, str]:
    """Open a page and follow redirects. Send a POST request if there are fields."""
    for _ in range(_MAX_REDIRECTS + 1):
        parts = urlsplit(url)
        if parts.scheme != "http" or parts.hostname not in _LOOPBACK:
            raise BrowsingError("a page leads away from this computer")
        method = "GET" if fields is None else "POST"
        problem = ""
        try:
            response = client.request(method, url, data=fields, headers={"Sec-Fetch-Site": site})
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            problem = type(error).__name__
        if problem:  # outside of the handler: httpx's exceptions contain the request with the password
            raise BrowsingError(f"no answer from {_place(url)} ({problem})")
        if response.status_code >= 400:
            raise BrowsingError(f"{_place(url)} answered with status {response.status_code}")
        if not response.has_redirect_location:
            return _Page(response.text), url
        if fields is not None and response.status_code in (307, 308):
            raise BrowsingError(f"{_place(url)} asks to send the form elsewhere")
        target = urljoin(url, response.headers["Location"])
        if site == "same-origin" and urlsplit(target).netloc != parts.netloc:
            site = "same-site" if urlsplit(target).hostname == parts.hostname else "cross-site"
        url, fields = target, None
    raise BrowsingError(f"{_place(url)} redirects without end")


def _place(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or 80}{parts.path}"


class _Form:
    """A form: its action, fields, and submit button."""

    def __init__(self, action: str) -> None:
        self.action = action
        """URL relative to the page; empty for the page itself."""
        self.fields: dict[str, str] = {}
        self.email: str | None = None
        self.password: str | None = None
        self.submit: tuple[str, str] | None = None
        """Name and value of the button with the text "Sign in"."""

    def add_input(self, name: str, kind: str, value: str) -> None:
        self.fields[name] = value
        if kind == "email":
            self.email = name
        elif kind == "password":
            self.password = name


class _Page(HTMLParser):
    """A parsed page: its heading, and the form with a password field."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.heading = ""
        self.form: _Form | None = None
        self._open_form: _Form | None = None
        self._button: tuple[str, str] | None = None
        self._in_heading = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "h1":
            self._in_heading = not self.heading
        elif tag == "form" and values.get("method", "").lower() == "post":
            self._open_form = _Form(values.get("action", ""))
        elif tag == "input" and self._open_form is not None and values.get("name"):
            self._open_form.add_input(values["name"], values.get("type", "text"), values.get("value", ""))
        elif tag == "button":
            self._button = values.get("name", ""), values.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "h1":
            self._in_heading = False
        elif tag == "button":
            self._button = None
        elif tag == "form":
            if self._open_form is not None and self._open_form.password is not None:
                self.form = self._open_form
            self._open_form = None

    def handle_data(self, data: str) -> None:
        if self._in_heading:
            self.heading += data
        if self._button is not None and self._open_form is not None and data.strip() == "Sign in":
            self._open_form.submit = self._button
