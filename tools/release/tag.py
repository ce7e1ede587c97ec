"""Check that a tag, the version, the changelog and CITATION.cff name the same release.

python -m tools.release.tag v0.2.0
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def versions(root: Path) -> dict[str, tuple[str, str]]:
    """Return the version and the date that each file names. The date is empty if the file names none."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    package = re.search(
        r'^__version__ = "(.*)"$', (root / "src" / "__init__.py").read_text(encoding="utf-8"), re.MULTILINE
    )
    released = re.search(r"^## (\d\S*) - (\S+)$", (root / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    citation = (root / "CITATION.cff").read_text(encoding="utf-8")
    cited = {
        name: re.search(rf'^{name}: "?([^"\n]*)"?$', citation, re.MULTILINE) for name in ("version", "date-released")
    }
    return {
        "pyproject.toml": (project, ""),
        "src/__init__.py": (package[1] if package else "", ""),
        "CHANGELOG.md": (released[1], released[2]) if released else ("", ""),
        "CITATION.cff": tuple(match[1] if match else "" for match in cited.values()),  # type: ignore[dict-item]
    }


def problems(root: Path, tag: str | None = None) -> list[str]:
    """Return what does not agree, one line each.

    Args:
        root: The folder of the repository.
        tag: The tag, such as ``v0.2.0``; None for none.
    """
    found = versions(root)
    wanted = found["pyproject.toml"][0]
    wrong = [
        f"{name} has the version {version or '(none)'}, and pyproject.toml {wanted}"
        for name, (version, _) in found.items()
        if version != wanted
    ]
    if found["CHANGELOG.md"][1] != found["CITATION.cff"][1]:
        wrong.append(
            f"CHANGELOG.md has the date {found['CHANGELOG.md'][1]}, and CITATION.cff {found['CITATION.cff'][1]}"
        )
    if tag is not None and tag != f"v{wanted}":
        wrong.append(f"the tag is {tag}, and not v{wanted}")
    return wrong


def main() -> int:
    """Check the tag that is given, if one is, and the files.

    Returns:
        The exit code: 1 if something does not agree.
    """
    wrong = problems(ROOT, sys.argv[1] if len(sys.argv) > 1 else None)
    print("\n".join(wrong), end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
