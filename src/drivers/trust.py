"""Whom we trust: one TLS context, with the person's own certificate authorities added to the usual ones."""

from __future__ import annotations

import contextlib
import functools
import os
from typing import TYPE_CHECKING, Final

from .errors import TrustError

if TYPE_CHECKING:
    import ssl

_VARIABLES: Final = ("CODEX_CA_CERTIFICATE", "SSL_CERT_FILE")
"""Where a bundle can be named; the first that is set and not empty counts."""
_MARKER: Final = b"-----BEGIN "


def check_bundle() -> None:
    """Look at the configured bundle without loading any TLS code, so that it costs nothing at start-up.

    Raises:
        TrustError: It cannot be read, or holds no certificate.
    """
    bundle = _bundle()
    if bundle is None:
        return
    variable, path = bundle
    problem = ""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - pathlib costs 5 ms at start-up
            if _MARKER not in file.read():
                problem = "it holds no PEM certificate"
    except OSError as error:
        problem = error.strerror or "it cannot be read"
    if problem:
        raise _trust_error(variable, path, problem)


def tls_context() -> ssl.SSLContext:
    """The context for the token endpoint: certifi's roots, the system's, and the configured bundle.

    Verification cannot be switched off.

    Raises:
        TrustError: The configured bundle cannot be read.
    """
    bundle = _bundle()
    changed = 0
    if bundle is not None:
        with contextlib.suppress(OSError):
            changed = os.stat(bundle[1]).st_mtime_ns  # noqa: PTH116 - as above
    return _make_context(bundle, changed)


@functools.lru_cache(maxsize=4)
def _make_context(bundle: tuple[str, str] | None, _changed: int) -> ssl.SSLContext:
    """A context takes 50 ms and 1 MB: many logins in one program share it, until the bundle changes."""
    import ssl  # noqa: PLC0415 - not needed before the URL is shown

    import certifi  # noqa: PLC0415

    context = ssl.create_default_context(cafile=certifi.where())
    context.load_default_certs()
    if bundle is None:
        return context
    variable, path = bundle
    problem = ""
    try:
        context.load_verify_locations(cafile=path)
    except ssl.SSLError:
        problem = "it is not a bundle of PEM certificates"
    except OSError as error:
        problem = error.strerror or "it cannot be read"
    if problem:
        raise _trust_error(variable, path, problem)
    return context


def _bundle() -> tuple[str, str] | None:
    return next(((name, os.environ[name]) for name in _VARIABLES if os.environ.get(name)), None)


def _trust_error(variable: str, path: str, problem: str) -> TrustError:
    return TrustError(f"the certificate bundle that {variable} names, {path}, cannot be used: {problem}")
