"""Build the source archive and the wheel of the commit that is checked out, twice, and compare.

    python -m tools.release dist [--repository ADDRESS]

1. The files of the commit are exported. What is not committed is not in a release.
2. With the address of the repository, the README's links become absolute and the project gets its addresses. Without
   one, the links become words: the source does not know where it is hosted.
3. The archive is built, and the wheel from the archive. Every file has the time of the commit (``SOURCE_DATE_EPOCH``).
4. Both are built once more, in another folder, and must be the same to the byte.
5. The archive must hold every file of the commit.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from .archives import names_in, normalise
from .readme import for_index

ROOT = Path(__file__).parents[2]
NOT_RELEASED = {".gitattributes", ".gitignore"}
PLACES = (
    ("Source", ""),
    ("Documentation", "/tree/v{version}/docs"),
    ("Changelog", "/blob/v{version}/CHANGELOG.md"),
    ("Issues", "/issues"),
)
"""The project's addresses, below that of the repository."""


def output_of(*command: str) -> str:
    """Return what a program prints about the repository."""
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def export(folder: Path) -> None:
    """Write the files of the commit into a folder."""
    done = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, check=True, capture_output=True)
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")


def address_files(folder: Path, repository: str | None, version: str) -> None:
    """Write the repository's address into the exported files, or take out what needs one."""
    readme = folder / "README.md"
    base = None if repository is None else f"{repository}/blob/v{version}/"
    readme.write_text(for_index(readme.read_text(encoding="utf-8"), base), encoding="utf-8")
    if repository is None:
        return
    project = folder / "pyproject.toml"
    lines = [f'{name} = "{repository}{path.format(version=version)}"' for name, path in PLACES]
    text = project.read_text(encoding="utf-8")
    mark = "[project.optional-dependencies]\n"
    urls = "\n".join(["[project.urls]", *lines])
    project.write_text(text.replace(mark, f"{urls}\n\n{mark}", 1), encoding="utf-8")


def build(folder: Path, repository: str | None, version: str, seconds: int) -> None:
    """Build both files into a folder, in a folder of their own."""
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(seconds)}
    with tempfile.TemporaryDirectory() as name:
        source = Path(name) / "source"
        source.mkdir()
        export(source)
        address_files(source, repository, version)
        command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder)]
        subprocess.run([*command, "--sdist", str(source)], check=True, env=environment, stdout=subprocess.DEVNULL)
        (archive,) = folder.glob("*.tar.gz")
        normalise(archive, seconds)
        unpacked = Path(name) / "unpacked"
        with tarfile.open(archive) as opened:
            opened.extractall(unpacked, filter="data")
        (inner,) = unpacked.iterdir()
        subprocess.run([*command, "--wheel", str(inner)], check=True, env=environment, stdout=subprocess.DEVNULL)


def digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 digest of each file in a folder."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def main() -> int:
    """Build, and compare.

    Returns:
        The exit code: 1 if the two builds differ, or if the archive lacks a file of the commit.
    """
    parser = argparse.ArgumentParser(description="Build the files of a release.")
    parser.add_argument("folder", type=Path, help="where to; older files there are removed")
    parser.add_argument(
        "--repository", metavar="ADDRESS", help="https address of the repository, without a slash at its end"
    )
    options = parser.parse_args()
    version = output_of(sys.executable, "-c", "import loginmachine; print(loginmachine.__version__)")
    seconds = int(output_of("git", "log", "-1", "--format=%ct"))
    shutil.rmtree(options.folder, ignore_errors=True)
    options.folder.mkdir(parents=True)
    folder = options.folder.resolve()
    build(folder, options.repository, version, seconds)
    with tempfile.TemporaryDirectory() as again:
        build(Path(again), options.repository, version, seconds)
        first, second = digests(folder), digests(Path(again))
    if first != second:
        print(f"The two builds differ: {first} and {second}", file=sys.stderr)
        return 1
    (archive,) = folder.glob("*.tar.gz")
    missing = (
        set(output_of("git", "ls-tree", "-r", "--name-only", "HEAD").splitlines()) - names_in(archive) - NOT_RELEASED
    )
    if missing:
        print(f"The archive lacks: {', '.join(sorted(missing))}", file=sys.stderr)
        return 1
    for name, digest in first.items():
        print(f"{digest}  {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
