"""Build the TLS context, including a configured CA bundle."""

from __future__ import annotations

import binascii
import contextlib
import errno
import functools
import os
import stat
import sys

from ..errors import TrustError
from ..files import BINARY, NONBLOCK

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl
    from typing import Final

_VARIABLES: Final = ("CODEX_CA_CERTIFICATE", "SSL_CERT_FILE")
"""The environment variables that name a bundle. The first one that is set and not empty is used."""
_NOT_USED: Final = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
"""The variables with which other programs find a bundle."""
_BEGIN: Final = b"CERTIFICATE-----"
_END: Final = b"-----END "
_DER_SEQUENCE: Final = b"\x30"
_MAX_BUNDLE: Final = 16 * 1024 * 1024


def check_bundle() -> None:
    """Check the configured bundle without loading any TLS code, which would slow the start down.

    Raises:
        TrustError: The bundle cannot be read, or holds no certificate.
    """
    bundle = used_bundle()
    if bundle is None:
        return
    variable, path = bundle
    problem = ""
    try:
        if not _holds_certificate(_read(path)):
            problem = "it holds no PEM certificate"
    except OSError as error:
        problem = error.strerror or "it cannot be read"
    if problem:
        raise _trust_error(variable, path, problem)


def _read(path: str) -> bytes:
    # A pipe without a writer would block, and a device may have no end.
    descriptor = os.open(path, os.O_RDONLY | NONBLOCK | BINARY)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        return os.read(descriptor, _MAX_BUNDLE)
    finally:
        os.close(descriptor)


def _holds_certificate(data: bytes) -> bool:
    """Return whether the first certificate has the right form. The whole check needs TLS code, and comes later."""
    _, begin, rest = data.partition(_BEGIN)
    body, end, _ = rest.partition(_END)
    try:
        return bool(begin and end) and binascii.a2b_base64(body).startswith(_DER_SEQUENCE)
    except binascii.Error:
        return False


def tls_context() -> ssl.SSLContext:
    """Return the TLS context: certifi's roots, those of the system, and the configured bundle.

    Verification cannot be switched off.

    Raises:
        TrustError: The configured bundle cannot be read.
    """
    bundle = used_bundle()
    changed = 0
    if bundle is not None:
        with contextlib.suppress(OSError):
            changed = os.stat(bundle[1]).st_mtime_ns  # noqa: PTH116 - as above
    return _make_context(bundle, changed, os.environ.get("SSL_CERT_DIR") or "")


@functools.lru_cache(maxsize=4)
def _make_context(bundle: tuple[str, str] | None, _changed: int, folder: str) -> ssl.SSLContext:
    """Make a context, which takes 50 ms and 1 MB. The logins of one program share it until the bundle changes."""
    import ssl  # noqa: PLC0415 - not needed before the URL is shown

    import certifi  # noqa: PLC0415

    unusable = ""
    try:
        context = ssl.create_default_context(cafile=certifi.where())
        _load_system_roots(context, folder)
    except OSError as error:
        # The cause is SSLKEYLOGFILE, or certifi's own file.
        unusable = error.strerror or "an unreadable file"
    if unusable:
        raise TrustError(f"TLS cannot be set up on this machine: {unusable}")
    if bundle is not None or folder:
        # Python 3.13 checks strictly what RFC 5280 asks of a certificate, and refuses those of many devices that
        # inspect TLS. The flag is for the whole context. Signature, dates and name are checked without it, as on 3.11.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
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


def _load_system_roots(context: ssl.SSLContext, folder: str) -> None:
    """Add the roots of this machine's OpenSSL, or of Windows.

    When OpenSSL loads its defaults, it reads ``SSL_CERT_FILE``. It would then trust that bundle although
    ``CODEX_CA_CERTIFICATE`` names another one, and skip the machine's own roots. Therefore the paths are passed to it.
    """
    import ssl  # noqa: PLC0415

    if sys.platform == "win32":
        context.load_default_certs()
        return
    paths = ssl.get_default_verify_paths()
    for roots in ({"cafile": paths.openssl_cafile}, {"capath": folder or paths.openssl_capath}):
        # Missing files are no error, as with OpenSSL's defaults. The roots of certifi remain.
        with contextlib.suppress(OSError):
            context.load_verify_locations(**roots)


def trust_advice() -> str:
    """Return where the trusted authorities come from, to follow the problem of a certificate in a message."""
    used = used_bundle()
    first, second = _VARIABLES
    if used is None:
        advice = f"{first} or {second} can name a file with more authorities"
    else:
        advice = f"{first}, or else {second}, names a file with more authorities: {used[0]} is used"
    ignored = ignored_variables()
    if not ignored:
        return advice
    *others, last = ignored
    names = f"{', '.join(others)} and {last}" if others else last
    return f"{advice}; {names} {'are' if others else 'is'} set and not used"


def ignored_variables() -> list[str]:
    """Return the variables that are set and name a bundle for other programs only."""
    return [name for name in _NOT_USED if os.environ.get(name)]


def used_bundle() -> tuple[str, str] | None:
    """Return the variable that names the configured bundle, and the path; None without one."""
    return next(((name, os.environ[name]) for name in _VARIABLES if os.environ.get(name)), None)


def _trust_error(variable: str, path: str, problem: str) -> TrustError:
    return TrustError(f"the certificate bundle that {variable} names, {path}, cannot be used: {problem}")
