"""Real authorization servers, started here and signed in to. README.md describes it."""
