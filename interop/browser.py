"""A person with a browser, as a program: it follows redirects, fills in forms and sends them."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeAlias

    Hook: TypeAlias = Callable[["Browser", httpx.Response], httpx.Response | None]
    """Takes a page that has no form for `Browser` to fill in, and returns the next one; None if it is not for it."""

LIMIT = 30.0
"""Seconds for one page."""
_STEPS = 25
"""Pages after which a sign-in is taken for a circle."""
_REFUSALS = ("cancel", "deny", "abort", "reject", "no", "logout", "decline", "refuse")


class SignInFailed(Exception):  # noqa: N818 - the pages' failure, not ours
    """The pages of a server did not lead to the end of a sign-in."""


@dataclass
class Form:
    """A form of a page."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    empty: list[tuple[str, str]] = field(default_factory=list)
    """Names and types of the fields that a person fills in."""
    buttons: list[tuple[str, str]] = field(default_factory=list)
    """Names and values of the buttons that send the form."""


class Browser:
    """A browser with cookies of its own.

    Args:
        answers: What the person enters, by the name of the field.
        hook: See `Hook`.
    """

    def __init__(self, answers: Mapping[str, str], hook: Hook | None = None) -> None:
        self._answers = answers
        self._hook = hook
        self.client = httpx.Client(follow_redirects=False, timeout=LIMIT, trust_env=False)
        self.client.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64) interop"
        self.client.headers["Accept"] = "text/html,application/xhtml+xml"
        self.visited: list[str] = []
        """Addresses without their queries, which may hold secrets."""

    def sign_in(self, url: str, *, until: str = "") -> httpx.Response:
        """Go through a sign-in.

        Args:
            url: Where it begins.
            until: The beginning of the address at which it ends. Empty if it ends at a page without a form.

        Returns:
            The last page.

        Raises:
            SignInFailed: It ended somewhere else.
        """
        page = self.follow(self.get(url))
        for _ in range(_STEPS):
            if until and str(page.url).startswith(until):
                return page
            after = self._next(page)
            if after is None and not until and page.status_code < 400:
                return page
            if after is None:
                raise SignInFailed(f"stuck at {self.visited[-1]} with status {page.status_code}: {_words(page.text)}")
            page = self.follow(after)
        raise SignInFailed(f"{_STEPS} pages, the last is {self.visited[-1]}")

    def get(self, url: str) -> httpx.Response:
        """Get a page, without following a redirect."""
        self._prepare(url)
        return self.client.get(url)

    def follow(self, page: httpx.Response) -> httpx.Response:
        """Follow redirects to the next page."""
        for _ in range(_STEPS):
            target = page.headers.get("location", "")
            if not page.is_redirect or not target:
                return page
            page = self.get(urljoin(str(page.url), target))
        raise SignInFailed(f"{_STEPS} redirects, the last to {self.visited[-1]}")

    def send(self, page: httpx.Response, form: Form, **changes: str) -> httpx.Response:
        """Send a form of a page."""
        target = urljoin(str(page.url), form.action)
        values = {**form.fields, **changes}
        self._prepare(target)
        if form.method == "post":
            return self.client.post(target, data=values, headers={"Referer": str(page.url), "Origin": _origin(target)})
        return self.client.get(target, params=values)

    def _prepare(self, url: str) -> None:
        self.visited.append(_without_query(url))
        for cookie in self.client.cookies.jar:
            # Browsers send `Secure` cookies to this machine without TLS, too.
            cookie.secure = False

    def _next(self, page: httpx.Response) -> httpx.Response | None:
        if self._hook is not None and (after := self._hook(self, page)) is not None:
            return after
        forms = forms_of(page.text)
        known = [form for form in forms if form.empty and all(self._answer(name) for name, _ in form.empty)]
        plain = [form for form in forms if not form.empty and form.method == "post"]
        for form in (*known, *plain):
            buttons = [button for button in form.buttons if not _is_refusal(button)]
            if form.buttons and not buttons:
                continue
            entered = {name: str(self._answer(name)) for name, _ in form.empty}
            pressed = dict(buttons[:1]) if buttons and buttons[0][0] else {}
            return self.send(page, form, **entered, **pressed)
        return None

    def _answer(self, name: str) -> str | None:
        return self._answers.get(name)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._in_form = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._in_form = True
            self.forms.append(Form(found.get("action", ""), found.get("method", "get").lower()))
        elif self._in_form and tag in ("input", "button", "select"):
            self._field(tag, found, has_check="checked" in found)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._in_form = False

    def _field(self, tag: str, found: dict[str, str], *, has_check: bool) -> None:
        form, name, kind = self.forms[-1], found.get("name", ""), found.get("type", "").lower()
        if "disabled" in found:
            return
        if kind in ("submit", "image") or (tag == "button" and kind not in ("button", "reset")):
            form.buttons.append((name, found.get("value", "")))
        elif not name or tag != "input" or kind in ("button", "reset"):
            return
        elif kind in ("checkbox", "radio"):
            if has_check or kind == "radio":
                form.fields.setdefault(name, found.get("value", "on"))
        elif kind != "hidden" and not found.get("value"):
            form.empty.append((name, kind))
        else:
            form.fields[name] = found.get("value", "")


def forms_of(text: str) -> list[Form]:
    """Return the forms of a page."""
    parser = _Forms()
    parser.feed(text)
    return parser.forms


def _is_refusal(button: tuple[str, str]) -> bool:
    return any(part.lower() in _REFUSALS for part in button)


def _without_query(url: str) -> str:
    return url.partition("?")[0]


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._skipped = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self._skipped += tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._skipped -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self._skipped:
            self.words += data.split()


def _words(text: str) -> str:
    """Return the beginning of what a person reads on a page."""
    parser = _Text()
    parser.feed(text)
    return " ".join(parser.words)[:200]
