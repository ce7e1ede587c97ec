"""Checks of the port, the proxy, the certificates, and with ``--online`` of the provider and the clock."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ...drivers.callback.listeners import open_listeners
from ...drivers.errors import ProxyError, TrustError
from ...drivers.http.proxies import proxy_for
from ...drivers.http.tls import check_bundle, ignored_variables, tls_context, used_bundle
from ...sansio.base.http import header_values, read_date
from ...sansio.base.text import clean_text, safe_url
from ...sansio.login.events import BindFailed, BindProblem
from ..providers.metadata import fetch_metadata
from .findings import Finding, ok, problem, sentence, warning

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

    from ...sansio.base.http import HttpResponse
    from ...sansio.model.provider import Provider

_TOLERATED: Final = 60
"""Seconds by which the clock may differ. Tokens are accepted with a little more."""
_WRONG: Final = 300
"""Seconds from which on id tokens are refused."""


def check_port(port: int, fallback: int | None) -> Iterator[Finding]:
    """Find out whether the callback port is free. It is opened for a moment. No other program is asked to stop.

    Args:
        port: The port; 0 for any.
        fallback: The second port; None for none.
    """
    shown = f"port {port}" if port else "a port"
    failed = _why_not(port)
    if failed is None:
        yield ok("port", f"{sentence(shown)[:-1]} is free.")
        return
    free = fallback is not None and _why_not(fallback) is None
    if failed.kind is BindProblem.IN_USE:
        words = f"Port {port} is in use, perhaps by a sign-in that waits."
    else:
        words = f"{sentence(shown)[:-1]} cannot be opened: {clean_text(failed.message)}."
    if free:
        yield warning("port", words, f"A sign-in asks an earlier sign-in to stop, or else uses port {fallback}.")
    else:
        advice = "Close the program that uses it, or choose with --port a free one that the provider accepts."
        yield problem("port", words, advice)


def _why_not(port: int) -> BindFailed | None:
    opened = open_listeners(port, "127.0.0.1")
    if isinstance(opened, BindFailed):
        return opened
    for listener in opened:
        listener.close()
    return None


def check_proxy(provider: Provider) -> Iterator[Finding]:
    """Find out which proxy is used for requests to the provider."""
    url = provider.token_endpoint or provider.origin
    try:
        proxy = proxy_for(url)
    except ProxyError as error:
        yield problem("proxy", sentence(str(error)), "Correct it, or name the provider's host in NO_PROXY.")
        return
    host = safe_url(url).partition("://")[2].partition("/")[0]
    if proxy is None:
        yield ok("proxy", f"No proxy is used for {host}.")
    else:
        yield ok("proxy", f"For {host}, {proxy} is used.")


def check_certificates() -> Iterator[Finding]:
    """Find out whether certificates can be checked, and with which authorities."""
    try:
        check_bundle()
        tls_context()
    except TrustError as error:
        yield problem("certificates", sentence(str(error)), "Correct the file, or unset the variable.")
        return
    bundle = used_bundle()
    more = f", and those in the file that {bundle[0]} names" if bundle else ""
    yield ok("certificates", f"The certificate authorities of certifi and of the system are trusted{more}.")
    ignored = ignored_variables()
    if ignored:
        words = f"These environment variables are set, but are not used here: {', '.join(ignored)}."
        yield warning("certificates", words, "If your network needs them, name the file in SSL_CERT_FILE.")


def check_provider(provider: Provider) -> Iterator[Finding]:
    """Ask the provider for its metadata, and compare the clocks. Nothing else is sent."""
    if provider.issuer is None:
        yield ok("provider", "The provider has no issuer, so that there is no metadata to ask for.")
        return
    start = time.monotonic()
    found = fetch_metadata(provider)
    took = time.monotonic() - start
    if found.response is None:
        advice = "Check the network, the proxy and the certificates above."
        yield problem("provider", f"{found.url} does not answer: {clean_text(found.problem)}.", advice)
        return
    if found.problem and provider.needs_discovery:
        advice = "Check --issuer. It must be exactly the one that the provider names."
        yield problem("provider", f"{found.url}: {clean_text(found.problem)}.", advice)
    elif found.problem:
        words = f"{found.url} answers, but not with metadata, which this provider does not need"
        yield ok("provider", f"{words} ({took:.1f} s).")
    else:
        yield ok("provider", f"{found.url} has the provider's metadata ({took:.1f} s).")
    yield from _check_clock(found.response)


def _check_clock(response: HttpResponse) -> Iterator[Finding]:
    values = header_values(response.headers, b"date")
    theirs = read_date(values[0]) if values else None
    if theirs is None:
        yield ok("clock", "The provider's answer has no date to compare this clock with.")
        return
    difference = round(response.received_at - theirs)
    words = f"This clock is {abs(difference)} s {'ahead of' if difference > 0 else 'behind'} the provider's."
    advice = "Set the clock, with NTP for example. Tokens and certificates have times."
    if abs(difference) <= _TOLERATED:
        yield ok("clock", f"This clock agrees with the provider's ({abs(difference)} s).")
    elif abs(difference) < _WRONG:
        yield warning("clock", words, advice)
    else:
        yield problem("clock", words, advice)
