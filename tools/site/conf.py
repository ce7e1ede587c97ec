"""Settings of Sphinx for the documentation site. `make docs` copies them beside the pages."""

from __future__ import annotations

from loginmachine import __version__

project = "loginmachine"
project_copyright = "the authors of loginmachine"
version = release = __version__
extensions = ["myst_parser"]
html_theme = "furo"
html_title = f"loginmachine {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_copy_source = False
html_show_sourcelink = False
templates_path: list[str] = []
pygments_style = "tango"
pygments_dark_style = "monokai"

# Headings have the anchors that the repository's pages use in their links.
myst_heading_anchors = 4
# The pages have code of many kinds in fences, and shell transcripts without a language.
highlight_language = "text"
