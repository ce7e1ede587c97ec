"""What the command's process loads late or not at all: each in a fresh interpreter, because it cannot be undone."""

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


def test_a_seldom_used_module_is_loaded_when_it_is_used() -> None:
    code = (
        "import sys\n"
        "from loginmachine.cli.startup import load_when_used\n"
        "load_when_used()\n"
        "import inspect, ipaddress, traceback\n"
        "print([name in sys.modules for name in ('ast', 'dis', 'textwrap')])\n"
        "print(inspect.isfunction(load_when_used), ipaddress.ip_address('::1'), traceback.format_exc().strip())\n"
        "print([name in sys.modules for name in ('ast', 'dis', 'textwrap')])\n"
    )
    assert output_of(code).splitlines() == [
        "[False, False, False]",
        "True ::1 NoneType: None",
        "[True, True, True]",
    ]


def test_other_modules_are_loaded_as_ever() -> None:
    code = (
        "import sys\n"
        "from loginmachine.cli.startup import load_when_used\n"
        "load_when_used()\n"
        "import textwrap\n"
        "print(type(textwrap) is type(sys))\n"
    )
    assert output_of(code) == "True"


def test_httpx_works_without_what_it_does_not_need() -> None:
    code = (
        "import sys\n"
        "from loginmachine.cli.startup import do_without_the_unused\n"
        "do_without_the_unused()\n"
        "import httpx\n"
        "with httpx.Client():\n"
        "    print('httpcore' in sys.modules, sys.modules['anyio'], sys.modules['trio'])\n"
        "print([name for name in ('click', 'pygments', 'rich') if name in sys.modules])\n"
    )
    assert output_of(code).splitlines() == ["True None None", "[]"]


def test_a_trio_that_is_there_already_stays() -> None:
    code = (
        "import trio\n"
        "from loginmachine.cli.startup import do_without_the_unused\n"
        "do_without_the_unused()\n"
        "import sys; print(sys.modules['trio'] is trio)\n"
    )
    assert output_of(code) == "True"


def test_nothing_of_it_happens_to_a_host(tmp_path: Path) -> None:
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


def test_the_command_seldom_looks_for_garbage_and_not_at_its_end() -> None:
    code = (
        "import gc, sys\n"
        "from loginmachine.cli import main\n"
        "sys.argv[1:] = ['status', '--home', '/nonexistent']\n"
        "print(main())\n"
        "print(gc.isenabled(), gc.get_threshold()[0], gc.get_freeze_count() > 10_000)\n"
    )
    assert output_of(code).splitlines()[-2:] == ["1", "True 50000 True"]
