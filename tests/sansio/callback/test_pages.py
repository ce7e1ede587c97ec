"""The pages: escaped, without script, and accessible."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from loginmachine.sansio.callback import pages

HOSTILE = "<script>alert('1')</script>\" onload=x &amp;"
ESCAPED = "&lt;script&gt;alert(&#x27;1&#x27;)&lt;/script&gt;&quot; onload=x &amp;amp;"


def failure_page(message: str = "words", help_url: str | None = "https://help.example/?a=1&b=2") -> str:
    explanation = pages.Explanation(
        title="The provider did not sign you in",
        hint="Read the provider's reason below, then start again.",
        message=message,
        category="provider_callback_error",
        help_url=help_url,
    )
    return pages.failure(explanation)


def success_page(email: str | None = "ada@example.org", plan: str | None = "pro", setup_url: str | None = None) -> str:
    return pages.success(email=email, plan=plan, setup_url=setup_url)


PAGES = [
    success_page(),
    success_page(email=None, plan=None),
    success_page(setup_url="https://platform.openai.com/org-setup?p=a&t=b"),
    failure_page(),
    failure_page(help_url=None),
    failure_page(HOSTILE),
    pages.notice("A title", "A text"),
]


class Outline(HTMLParser):
    """Collects tags and attributes in order, and checks that tags match."""

    VOID = ("meta", "br", "circle", "path")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(f"{tag}.{name}", value) for name, value in attrs]
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self._open.pop() == tag


@pytest.mark.parametrize("page", PAGES)
def test_every_page_is_whole_and_loads_nothing(page: str) -> None:
    outline = Outline(page)
    allowed = {"html", "head", "meta", "title", "style", "body", "main", "svg", "circle", "path", "h1", "p"}
    assert set(outline.tags) <= allowed | {"a", "br", "code", "strong"}
    assert not any(name.partition(".")[2].startswith("on") for name, _ in outline.attributes)
    assert not any(name.endswith((".src", ".style", ".action")) for name, _ in outline.attributes)
    assert "url(" not in page
    assert "@import" not in page


@pytest.mark.parametrize("page", PAGES)
def test_every_page_works_on_a_phone_in_the_dark_and_with_a_screen_reader(page: str) -> None:
    outline = Outline(page)
    assert page.startswith("<!doctype html>\n")
    assert ("html.lang", "en") in outline.attributes
    assert ("meta.charset", "utf-8") in outline.attributes
    assert ("meta.name", "viewport") in outline.attributes
    assert ("meta.content", "width=device-width,initial-scale=1") in outline.attributes
    assert ("svg.aria-hidden", "true") in outline.attributes
    assert [outline.tags.count(tag) for tag in ("title", "main", "h1", "style")] == [1, 1, 1, 1]
    assert "color-scheme:light dark" in page
    assert "prefers-color-scheme:dark" in page


@pytest.mark.parametrize("page", PAGES)
def test_the_title_is_the_heading(page: str) -> None:
    title = page.partition("<title>")[2].partition("</title>")[0]
    assert title
    assert f"<h1>{title}</h1>" in page


def test_a_success_says_who_signed_in() -> None:
    assert "<p>Signed in as <strong>ada@example.org</strong> (pro).</p>" in success_page()
    assert "<p>Signed in as <strong>ada@example.org</strong>.</p>" in success_page(plan=None)
    assert "Signed in as" not in success_page(email=None)
    assert "You can close this tab" in success_page(email=None)


def test_a_success_may_offer_the_setup() -> None:
    page = success_page(setup_url='https://platform.openai.com/org-setup?p="&t=b')
    assert 'href="https://platform.openai.com/org-setup?p=&quot;&amp;t=b"' in page
    assert "Finish the setup" not in success_page()


def test_a_failure_says_what_to_do() -> None:
    page = failure_page()
    assert "<h1>The provider did not sign you in</h1>" in page
    assert "<p>Read the provider&#x27;s reason below, then start again.</p>" in page
    assert '<a rel="noreferrer" href="https://help.example/?a=1&amp;b=2">Help with signing in</a>' in page
    assert '<p class="details">words<br><code>provider_callback_error</code></p>' in page
    assert "<a " not in failure_page(help_url=None)


def test_everything_from_outside_is_escaped() -> None:
    assert ESCAPED in failure_page(HOSTILE)
    assert f"<strong>{ESCAPED}</strong> ({ESCAPED})" in success_page(HOSTILE, HOSTILE)
    assert f"<title>{ESCAPED}</title>" in pages.notice(HOSTILE, HOSTILE)
    for page in (failure_page(HOSTILE), success_page(HOSTILE, HOSTILE), pages.notice(HOSTILE, HOSTILE)):
        assert "script" not in Outline(page).tags
