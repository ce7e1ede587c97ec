"""A person's way through a real browser: the provider's form, the callback, the last page."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

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


@contextmanager
def command(home: Path, issuer: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`loginmachine login` as a child, and the URL that it gives to its parent."""
    arguments = ["login", "--no-browser", "--json", "--port", "0", "--home", str(home), "--issuer", issuer]
    with subprocess.Popen(
        [sys.executable, "-m", "loginmachine", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as child:
        assert child.stdout is not None
        try:
            line = {"event": ""}
            while line["event"] != "listening":
                line = json.loads(child.stdout.readline())
            yield child, line["url"]
        finally:
            child.kill()


@pytest.fixture
def issuer() -> Iterator[str]:
    from loginmachine.demo.server import DemoProvider

    with DemoProvider() as provider:
        yield provider.issuer


@pytest.mark.timeout(120)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_signing_in_ends_on_the_success_page(issuer: str, tmp_path: Path, scheme: str) -> None:
    with command(tmp_path, issuer) as (child, url), browser_page(color_scheme=scheme) as page:
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.goto(url)
        page.get_by_label("Email").fill("ada@example.com")
        page.get_by_label("Password").fill("any")
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/success")

        assert page.get_by_role("heading").text_content() == "You are signed in"
        assert "ada@example.com" in (page.locator("main").text_content() or "")
        # The style is allowed by its hash, and there is nothing else that the policy would have to refuse.
        assert page.evaluate("getComputedStyle(document.querySelector('main')).borderRadius") == "14px"
        assert [text for text in complaints if "Content Security Policy" in text] == []
        assert page.evaluate("history.length") < 10
        assert child.wait(20) == 0
    stored = json.loads((tmp_path / "auth.json").read_text())
    assert list(stored) == ["auth_mode", "OPENAI_API_KEY", "tokens", "last_refresh"]
    assert stored["OPENAI_API_KEY"].startswith("sk-demo-")


@pytest.mark.timeout(120)
def test_refusing_ends_on_the_error_page(issuer: str, tmp_path: Path) -> None:
    with command(tmp_path, issuer) as (child, url), browser_page(viewport={"width": 360, "height": 700}) as page:
        page.goto(url)
        with page.expect_navigation(url="**/auth/callback*") as navigation:
            page.get_by_role("button", name="Refuse").click()

        assert navigation.value is not None
        assert navigation.value.status == 403
        assert page.get_by_role("heading").text_content() == "The provider did not sign you in"
        # On a phone nothing is cut off.
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert child.wait(20) == 1
    assert not (tmp_path / "auth.json").exists()
