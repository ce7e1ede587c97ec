"""Parts of `make interop` that can be wrong without a server: reading pages, finding tokens, the table."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx
import pytest

from interop import report
from interop.browser import Browser, forms_of
from interop.command import stored_tokens
from interop.trials import STEPS, Result, Skipped, Trial
from interop.ways import device_page

if TYPE_CHECKING:
    from pathlib import Path

PAGE = """
<input name="outside">
<form action="/login?x=1&amp;y=2" method="post">
  <input type="hidden" name="csrf" value="c-1"><input name="user" type="text"><input name="password" type="password">
  <input type="checkbox" name="remember"><input type="checkbox" name="terms" value="yes" checked>
  <input type="radio" name="way" value="first"><input type="radio" name="way" value="second">
  <input name="off" disabled>
  <button name="action" value="deny">No</button><button name="action" value="allow">Yes</button>
</form>
<form><input type="submit"></form>
"""


def test_a_form_as_a_browser_would_send_it() -> None:
    first, second = forms_of(PAGE)
    assert (first.action, first.method) == ("/login?x=1&y=2", "post")
    assert first.fields == {"csrf": "c-1", "terms": "yes", "way": "first"}
    assert first.empty == [("user", "text"), ("password", "password")]
    assert first.buttons == [("action", "deny"), ("action", "allow")]
    assert (second.method, second.fields, second.buttons) == ("get", {}, [("", "")])


def test_the_person_enters_what_is_known_and_allows() -> None:
    sent: list[tuple[str, str, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append((request.method, request.url.path, request.read().decode()))
        if request.url.path == "/login":
            return httpx.Response(303, headers={"Location": "/end"})
        return httpx.Response(200, text=PAGE if request.url.path == "/start" else "done")

    browser = Browser({"user": "ada", "password": "p"})
    browser.client = httpx.Client(transport=httpx.MockTransport(answer))
    assert browser.sign_in("http://127.0.0.1/start").text == "done"
    form = "csrf=c-1&terms=yes&way=first&user=ada&password=p&action=allow"
    assert sent == [("GET", "/start", ""), ("POST", "/login", form), ("GET", "/end", "")]


def test_a_device_code_that_the_address_does_not_hold() -> None:
    assert device_page(None, "https://id.example/device", "AB-CD") == "https://id.example/device#AB-CD"
    assert (
        device_page("https://id.example/device?c=AB", "https://id.example/device", "AB")
        == "https://id.example/device?c=AB"
    )


def test_the_object_that_holds_an_access_token(tmp_path: Path) -> None:
    file = tmp_path / "entry.json"
    file.write_text(
        json.dumps({"a": [{"access_token": "other"}], "tokens": {"access_token": "t", "refresh_token": "r"}})
    )
    assert stored_tokens(file, "t") == {"access_token": "t", "refresh_token": "r"}
    assert stored_tokens(file, "none") == {}


def trial(client: str, way: str, logout: Result, note: str = "") -> Trial:
    results = dict.fromkeys(STEPS, Result.WORKED) | {"logout": logout}
    return Trial("Server", "1.0", client, way, "PyPI", "a redirect URI", results, {"logout": note} if note else {})


def trials() -> list[Trial]:
    refused = [trial("public", way, Result.LIMIT, "no public clients") for way in ("threads", "command")]
    return [*refused, *(trial("confidential", way, Result.WORKED) for way in ("threads", "command"))]


def test_a_row_has_all_trials_of_a_server() -> None:
    lines = report.markdown(trials(), [Skipped("Other", "mvn is not installed")]).splitlines()
    assert (
        lines[2] == "| Server 1.0 (PyPI) | yes | yes | yes | no (public); yes (confidential) | yes | a redirect URI |"
    )
    assert lines[4:] == ["- Server: logout: no public clients (public)", "- skipped: Other: mvn is not installed"]


def test_the_table_replaces_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "providers.md"
    page.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    monkeypatch.setattr(report, "PAGE", page)
    report.write(trials(), [])
    text = page.read_text()
    assert text.startswith(f"before\n{report.BEGIN}\n\n| server |")
    assert text.endswith(f"(public)\n\n{report.END}\nafter\n")
    assert "old" not in text
    page.write_text("nothing")
    with pytest.raises(ValueError, match=r"providers\.md has no place"):
        report.write(trials(), [])
