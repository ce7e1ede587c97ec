"""Build the files of a release: `python -m tools.release FOLDER`, or `make dist`."""
