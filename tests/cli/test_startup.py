"""Import and garbage-collector tuning. Each test runs in a fresh interpreter, because it cannot be undone."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from .conftest import environment

if TYPE_CHECKING:
    from pathlib import Path


def output_of(code: str, *arguments: str) -> str:
    run = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=environment(),
        timeout=30,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


def test_deferred_modules_are_loaded_on_first_use() -> None:
    code = (
        "import sys\n"
        "from loginmachine.cli.startup import defer_imports\n"
        "defer_imports()\n"
        "import inspect, ipaddress, traceback\n"
        "print([name in sys.modules for name in ('ast', 'dis', 'textwrap')])\n"
        "print(inspect.isfunction(defer_imports), ipaddress.ip_address('::1'), traceback.format_exc().strip())\n"
        "print([name in sys.modules for name in ('ast', 'dis', 'textwrap')])\n"
    )
    assert output_of(code).splitlines() == [
        "[False, False, False]",
        "True ::1 NoneType: None",
        "[True, True, True]",
    ]


def test_other_modules_are_loaded_on_import() -> None:
    code = (
        "import sys\n"
        "from loginmachine.cli.startup import defer_imports\n"
        "defer_imports()\n"
        "import textwrap\n"
        "print(type(textwrap) is type(sys))\n"
    )
    assert output_of(code) == "True"


def test_httpx_works_without_the_blocked_modules() -> None:
    code = (
        "import sys\n"
        "from loginmachine.cli.startup import block_imports\n"
        "block_imports()\n"
        "import httpx\n"
        "with httpx.Client():\n"
        "    print('httpcore' in sys.modules, sys.modules['anyio'], sys.modules['trio'])\n"
        "print([name for name in ('click', 'pygments', 'rich') if name in sys.modules])\n"
    )
    assert output_of(code).splitlines() == ["True None None", "[]"]


def test_loaded_modules_are_not_blocked() -> None:
    code = (
        "import trio\n"
        "from loginmachine.cli.startup import block_imports\n"
        "block_imports()\n"
        "import sys; print(sys.modules['trio'] is trio)\n"
    )
    assert output_of(code) == "True"


def test_main_with_arguments_changes_nothing_in_the_process(tmp_path: Path) -> None:
    code = (
        "import gc, sys\n"
        "collected_at = gc.get_threshold()\n"
        "from loginmachine.cli import main\n"
        "print(main(['login', '--no-browser', '--port', '0', '--timeout', '0.01', '--home', sys.argv[1]]))\n"
        "print([finder.__module__ for finder in sys.meta_path if finder.__module__.startswith('loginmachine')])\n"
        "print(sys.modules.get('trio', 'not asked for') is None)\n"
        "print(gc.get_threshold() == collected_at, gc.get_freeze_count())\n"
    )
    assert output_of(code, str(tmp_path)).splitlines() == ["1", "[]", "False", "True 0"]


def test_the_garbage_collector_is_tuned_in_the_own_process() -> None:
    code = (
        "import gc, sys\n"
        "from loginmachine.cli import main\n"
        "sys.argv[1:] = ['status', '--home', '/nonexistent']\n"
        "print(main())\n"
        "print(gc.isenabled(), gc.get_threshold()[0], gc.get_freeze_count() > 10_000)\n"
    )
    assert output_of(code).splitlines()[-2:] == ["1", "True 50000 True"]
