"""What a login loads while the person is in the browser."""

from __future__ import annotations


def load_for_callback() -> None:
    """Load what is needed from the first connection to the end of the login.

    A module that is loaded later makes the browser wait. And if the system has no descriptor left to read a module, the
    authorization code would be lost.

    Raises:
        OSError, ImportError: The system has no descriptor left.
    """
    import datetime as dt  # noqa: F401, PLC0415 - all for the effect of loading them
    import hmac  # noqa: F401, PLC0415
    import json  # noqa: F401, PLC0415

    from ...sansio.base import echoes  # noqa: F401, PLC0415
    from ...sansio.login import interpret_tokens  # noqa: F401, PLC0415
    from ...sansio.oauth import revocation  # noqa: F401, PLC0415
    from ..callback import http11, peers  # noqa: F401, PLC0415
    from ..http import client  # noqa: F401, PLC0415
    from ..stores import protocols  # noqa: F401, PLC0415
