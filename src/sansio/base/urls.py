"""Which URLs of a provider are safe: for requests with secrets, and for a browser's launcher."""

from __future__ import annotations

from urllib.parse import urlsplit

from ..base.text import is_visible_ascii

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, TypeGuard

_LONGEST_SHOWN_URL: Final = 2048
_LOOPBACK_HOSTS: Final = frozenset({"127.0.0.1", "::1", "localhost"})
# Characters that some browser launcher, shell or terminal interprets (CVE-2025-6514).
_NOT_IN_URL: Final = frozenset("\"'`\\^|<>")


def check_endpoint(url: str) -> None:
    """Check that the URL of an endpoint is safe. It may have a query (RFC 6749 sections 3.1 and 3.2).

    Raises:
        ValueError: The URL is not safe. The message names the rule, not the URL, which may hold a password.
    """
    _check_shown_url(url)


def check_provider_url(url: str) -> None:
    """Check that an issuer, or another URL without a query, is safe for a browser's launcher and for requests.

    Raises:
        ValueError: The URL is not safe. The message names the rule, not the URL, which may hold a password.
    """
    _check_shown_url(url)
    if "?" in url:
        raise ValueError("the provider's URL must not have a user name, a query or a fragment")


def is_verification_url(url: object) -> TypeGuard[str]:
    """Return whether a person may be asked to open a URL. In contrast to an endpoint, it may have a query."""
    try:
        if isinstance(url, str) and len(url) <= _LONGEST_SHOWN_URL:
            _check_shown_url(url)
            return True
    except ValueError:
        pass
    return False


def _check_shown_url(url: str) -> None:
    if not is_visible_ascii(url) or not _NOT_IN_URL.isdisjoint(url):
        raise ValueError("the provider's URL is empty or holds a character that is not allowed in it")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if not host:
        raise ValueError("the provider's URL has no valid host")
    if "@" in parts.netloc or "#" in url:
        raise ValueError("the provider's URL must not have a user name or a fragment")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _LOOPBACK_HOSTS):
        raise ValueError("the provider's URL must be https (http only on loopback)")
