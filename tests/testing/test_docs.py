"""The tests in docs/testing.md pass, with pytest or without it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from loginmachine.testing import OUTCOMES
from loginmachine.testing import steps as steps_module

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")


def test_the_tests_of_the_page(tmp_path: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    for number, block in enumerate(blocks):
        (tmp_path / f"test_block_{number}.py").write_text(block, encoding="utf-8")
    shutil.copy(ROOT / "tests" / "traces" / "succeeded.jsonl", tmp_path / "customer.jsonl")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "loginmachine.testing.plugin", "-p", "no:cacheprovider", "-q"],
        cwd=tmp_path, env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True, text=True, check=False, timeout=50,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout
    assert len(blocks) >= 6


def test_the_page_names_the_steps() -> None:
    table = PAGE.partition("| step | what happens |")[2].partition("After the last step")[0]
    named = set(re.findall(r"`(\w+)\(", table))
    assert named == {name for name in steps_module.__all__ if name.islower()}


def test_the_page_explains_the_names_that_are_no_failures() -> None:
    categories = {name for name in OUTCOMES if name.startswith(("succeeded", "waiting")) or "another_login" in name}
    assert {name for name in categories if f"`{name}`" not in PAGE} == set()
