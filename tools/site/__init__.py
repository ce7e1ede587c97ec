"""Build the documentation site from docs/: `python -m tools.site FOLDER`, or `make docs`."""
