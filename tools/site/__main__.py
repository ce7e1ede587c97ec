"""Build the documentation site, and check its links.

1. The pages of docs/ and some of the repository's are copied, with their links and drawings rewritten (`pages.py`).
2. The API reference is written from the package that is installed (`reference.py`).
3. Sphinx makes HTML of them. Each of its warnings is an error.
4. Every link and anchor in the HTML is checked (`links.py`). Addresses elsewhere are not fetched.

The site needs no script, style or font from elsewhere.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from sphinx.cmd.build import build_main

from .links import broken_links
from .pages import stage
from .reference import write_reference

ROOT = Path(__file__).parents[2]


def main() -> int:
    """Build the site.

    Returns:
        The exit code: 1 if Sphinx warns, or if a link leads nowhere.
    """
    parser = argparse.ArgumentParser(description="Build the documentation site.")
    parser.add_argument("folder", type=Path, help="where to; an older site there is removed")
    folder: Path = parser.parse_args().folder
    staged, html = folder / "pages", folder / "html"
    for old in (staged, html):
        shutil.rmtree(old, ignore_errors=True)
    stage(ROOT, staged)
    write_reference(staged)
    shutil.copy(Path(__file__).with_name("conf.py"), staged)
    shutil.copytree(Path(__file__).with_name("static"), staged / "_static")
    code = build_main(
        ["-b", "html", "-W", "--keep-going", "-n", "-q", "-d", str(folder / "cache"), str(staged), str(html)]
    )
    if code:
        return int(code)
    broken = broken_links(html)
    print("\n".join(broken), file=sys.stderr, end="\n" if broken else "")
    print(f"{sum(1 for _ in html.rglob('*.html'))} pages: {html / 'index.html'}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
