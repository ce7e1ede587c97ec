"""Look for bytes that break the callback listener, guided by the code that they reach: ``make fuzz``.

    python -m tests.fuzz.callback -max_total_time=60 FOLDER...     as libFuzzer
    python -m tests.fuzz.callback FILE                             one input again

The folders hold requests to begin with. In an input, a line of three dashes begins the next connection to one login.
"""

from __future__ import annotations

import sys
from itertools import accumulate
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["loginmachine", "h11"]):
    from tests.drivers.callback.judge import Listener, judge

BETWEEN = b"\n---\n"
DICTIONARY = Path(__file__).parent / "words.dict"


def one_input(data: bytes) -> None:
    """Check one login with the connections of an input, and then each connection alone, also in pieces."""
    visits = [visit for visit in data.split(BETWEEN)[:8] if visit]
    listener = Listener()
    for visit in visits:
        listener.visit([visit])
        # The last bytes of the input determine where it is cut.
        judge(visit, accumulate(visit[-3:]))


def main() -> None:
    """Run until the time is up, or until something breaks."""
    atheris.Setup([*sys.argv, f"-dict={DICTIONARY}", "-max_len=20000"], one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
