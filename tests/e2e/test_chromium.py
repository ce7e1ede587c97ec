"""A login in a real browser: the provider's form, the callback, and the last page."""

from __future__ import annotations

import json
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from ..cli.conftest import called, login
from ..traces.record import FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Page

CHROMIUM = shutil.which("chromium")
if CHROMIUM is None:
    pytest.skip("Debian's chromium is not installed", allow_module_level=True)

QUIET = ("background-networking", "component-update", "sync", "gpu", "quic", "extensions")


@contextmanager
def browser_page(**settings: object) -> Iterator[Page]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--no-first-run", *(f"--disable-{name}" for name in QUIET)],
        )
        try:
            yield browser.new_page(**settings)  # type: ignore[arg-type]
        finally:
            browser.close()


@pytest.fixture
def issuer() -> Iterator[str]:
    from loginmachine.demo.server import DemoProvider

    with DemoProvider() as provider:
        yield provider.issuer


@pytest.mark.timeout(120)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_signing_in_ends_on_the_success_page(issuer: str, tmp_path: Path, scheme: str) -> None:
    with login(tmp_path, issuer) as command, browser_page(color_scheme=scheme) as page:
        errors: list[str] = []
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.goto(command.event("listening")["url"])
        page.get_by_label("Email").fill("ada@example.com")
        page.get_by_label("Password").fill("any")
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/success/*")

        assert page.get_by_role("heading").text_content() == "You are signed in"
        assert "ada@example.com" in (page.locator("main").text_content() or "")
        # The content security policy allows the style by its hash, and has refused nothing.
        assert page.evaluate("getComputedStyle(document.querySelector('main')).borderRadius") == "14px"
        assert [text for text in errors if "Content Security Policy" in text] == []
        assert page.evaluate("history.length") < 10
        assert command.end()[0] == 0
    stored = json.loads((tmp_path / "auth.json").read_text())
    assert list(stored) == ["auth_mode", "OPENAI_API_KEY", "tokens", "last_refresh"]
    assert stored["OPENAI_API_KEY"].startswith("sk-demo-")


@pytest.mark.timeout(120)
def test_refusing_ends_on_the_error_page(issuer: str, tmp_path: Path) -> None:
    with login(tmp_path, issuer) as command, browser_page(viewport={"width": 360, "height": 700}) as page:
        page.goto(command.event("listening")["url"])
        with page.expect_navigation(url="**/auth/callback*") as navigation:
            page.get_by_role("button", name="Refuse").click()

        assert navigation.value is not None
        assert navigation.value.status == 403
        assert page.get_by_role("heading").text_content() == "The provider did not sign you in"
        # Nothing is cut off on a phone.
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert command.end()[0] == 1
    assert not (tmp_path / "auth.json").exists()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    assert called("replay", str(FOLDER), "--report", str(path))[0] == 0
    return path


@pytest.mark.timeout(120)
@pytest.mark.parametrize("width", [380, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_report_of_many_traces(report: Path, scheme: str, width: int) -> None:
    with browser_page(color_scheme=scheme, viewport={"width": width, "height": 900}) as page:
        noticed: list[str] = []
        page.on("console", lambda message: noticed.append(message.text))
        page.on("request", lambda request: noticed.append(request.url))
        page.goto(report.as_uri())
        assert noticed == [report.as_uri()]
        # Wide tables and drawings scroll in their own frames.
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        back = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert back == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 24, 31)"}[scheme]
        # All of a wide drawing fits into a wide window.
        inner, outer = page.evaluate(
            "(() => { const box = document.querySelector('.drawing'); return [box.scrollWidth, box.clientWidth] })()"
        )
        assert (inner <= outer) is (width == 1280)
        assert page.locator(".drawing svg .arrow").count() > 20
