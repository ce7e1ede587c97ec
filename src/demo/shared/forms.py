"""Reads pages as a browser does: the heading, and the form with its fields and buttons."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

Fields = dict[str, str | list[str]]


class Form:
    """A form that is sent with POST."""

    def __init__(self, action: str) -> None:
        self.action = action
        """URL relative to the page; empty for the page itself."""
        self.email: str | None = None
        """The name of the field for an email address."""
        self.password: str | None = None
        """The name of the field for a password."""
        self.buttons: list[tuple[str, str]] = []
        """Names and values of the buttons, in their order. Enter presses the first one."""
        self._fields: list[tuple[str, str, bool]] = []
        """Names, values, and whether it is a checkbox or an option."""

    def filled(self, typed: Mapping[str, str], *, button: str | None = None, unchecked: Collection[str] = ()) -> Fields:
        """Return what a browser sends.

        Args:
            typed: Maps names of fields to what a person typed or selected.
            button: The value of the button that is pressed; None for the first one.
            unchecked: Values of the checkboxes that the person unchecked.
        """
        name, value = next(found for found in self.buttons if button in (None, found[1]))
        fields: Fields = {}
        for field, given, choice in self._fields:
            if not choice:
                fields.setdefault(field, given)
            elif given not in unchecked:
                chosen = fields.setdefault(field, [])
                assert isinstance(chosen, list)
                chosen.append(given)
        return {**fields, **typed, name: value}

    def add_input(self, name: str, kind: str, value: str, *, checked: bool) -> None:
        """Add an input element."""
        if kind == "checkbox":
            if checked:
                self._fields.append((name, value, True))
            return
        self._fields.append((name, value, False))
        if kind == "email":
            self.email = name
        elif kind == "password":
            self.password = name

    def add_option(self, name: str, text: str) -> None:
        """Add an option of a list. The first one is selected from the beginning."""
        self._fields.append((name, text, False))


class Page(HTMLParser):
    """A parsed page: its heading, and the first form that is sent with POST.

    Args:
        url: Its address.
        text: Its HTML.
    """

    def __init__(self, url: str, text: str) -> None:
        super().__init__()
        self.url = url
        self.heading = ""
        self.form: Form | None = None
        self._open_form: Form | None = None
        self._select = ""
        self._in_option = False
        self._in_heading = False
        self.feed(text)
        self.close()
        self.heading = self.heading.strip()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Called by the parser."""
        values = {name: value or "" for name, value in attrs}
        form, name = self._open_form, values.get("name", "")
        if tag == "h1":
            self._in_heading = not self.heading
        elif tag == "form" and values.get("method", "").lower() == "post":
            self._open_form = Form(values.get("action", ""))
        elif tag == "option":
            self._in_option = True
        elif form is None or not name:
            return
        elif tag == "input":
            form.add_input(name, values.get("type", "text"), values.get("value", ""), checked="checked" in values)
        elif tag == "select":
            self._select = name
        elif tag == "button":
            form.buttons.append((name, values.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        """Called by the parser."""
        if tag == "h1":
            self._in_heading = False
        elif tag == "option":
            self._in_option = False
        elif tag == "form":
            self.form = self.form or self._open_form
            self._open_form = None

    def handle_data(self, data: str) -> None:
        """Called by the parser."""
        if self._in_heading:
            self.heading += data
        if self._in_option and self._open_form is not None:
            self._open_form.add_option(self._select, data)
