"""Choose the one proxy for an endpoint, from the environment.

httpx reads every proxy variable and every entry of ``NO_PROXY`` when a client is made, and fails if it cannot use one
of them. Here only the proxy that applies to the endpoint has to be usable, and that is checked before the URL is shown.
"""

from __future__ import annotations

import os
import sys
from urllib.parse import unquote, urlsplit

from ...sansio.base.records import Record, hidden
from ..errors import ProxyError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final
    from urllib.parse import SplitResult

_PORTS: Final[Mapping[str, int]] = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
"""The supported kinds of proxies, and the port of each if the variable names none."""
_OTHER_NAMES: Final[Mapping[str, str]] = {"socks": "socks5"}
"""Names that desktops write for a supported kind."""
_HOST_CHARACTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-_:")
_SYSTEM: Final = "the system's settings"


class Proxy(Record):
    """The proxy that applies to an endpoint."""

    variable: str
    """The environment variable that names the proxy."""
    url: str
    """The proxy's address, without user name and password."""
    user: str | None = hidden(default=None)
    """The user name; None if the variable has no user name and no password."""
    password: str = hidden(default="")

    def __str__(self) -> str:
        return f"the proxy {self.url} ({self.variable})"


def proxy_for(url: str) -> Proxy | None:
    """Return the proxy for a URL. Loads no TLS or HTTP code, which would slow the start down.

    ``https_proxy`` applies to https URLs, ``http_proxy`` to http URLs, and ``all_proxy`` to both if the other one is
    not set. Names are in lower or upper case; lower case comes first. An endpoint on this machine never has a proxy.

    Args:
        url: The endpoint's URL.

    Returns:
        The proxy. None if the request is sent without one.

    Raises:
        ProxyError: The proxy that applies cannot be used. The message names its variable, and does not show its value.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    setting = None if is_this_machine(host) else _setting(parts.scheme)
    if setting is None or _is_exempt(parts, host):
        return None
    return _read(*setting)


def is_this_machine(host: str) -> bool:
    """Return whether a host in a URL is this machine: a loopback address or a name of one, whatever a resolver says.

    Args:
        host: In lower case, without square brackets.
    """
    if ":" in host:
        import ipaddress  # noqa: PLC0415 - slow to load, and needed for few hosts

        try:
            address = ipaddress.IPv6Address(host)
        except ValueError:
            return False
        address_or_mapped = address.ipv4_mapped or address
        return address_or_mapped.is_loopback or address_or_mapped.is_unspecified
    if host.replace(".", "").isdecimal():
        return host.startswith("127.") or host == "0.0.0.0"  # noqa: S104 - compared, not bound
    return host == "localhost" or host.endswith(".localhost")


def _setting(scheme: str) -> tuple[str, str] | None:
    """Return the variable that names the proxy for a scheme, and its value."""
    return _variable(f"{scheme}_proxy") or _variable("all_proxy") or _system_setting(scheme)


def _variable(name: str) -> tuple[str, str] | None:
    """Return the first variable with this name, in any case, that is not empty.

    A variable in lower case comes first. If it is empty, it switches off those in upper case, as in curl and urllib.
    """
    variables = (name,) if name in os.environ else tuple(found for found in os.environ if found.lower() == name)
    return next(((found, os.environ[found].strip()) for found in variables if os.environ[found].strip()), None)


def _system_setting(scheme: str) -> tuple[str, str] | None:
    """Return the proxy in the settings of Windows or macOS, which apply if no variable does."""
    if sys.platform not in ("win32", "darwin"):
        return None
    if any(name.lower().endswith("_proxy") and value for name, value in os.environ.items()):
        return None
    from urllib.request import getproxies  # noqa: PLC0415 - slow to load

    found = getproxies()
    value = found.get(scheme) or found.get("all")
    return (_SYSTEM, value) if value else None


def _read(variable: str, value: str) -> Proxy:
    """Read the address of a proxy.

    Raises:
        ProxyError: It cannot be used.
    """
    problem, proxy = _parse(variable, value if "://" in value else f"http://{value}")
    if proxy is None:
        raise ProxyError(f"the proxy that {variable} names cannot be used: {problem}")
    return proxy


def _parse(variable: str, value: str) -> tuple[str, Proxy | None]:
    try:
        parts = urlsplit(value)
        host, port = (parts.hostname or "").lower(), parts.port
        user, password = (None if part is None else unquote(part) for part in (parts.username, parts.password))
        f"{user}{password}".encode()
    except ValueError:
        return "its address cannot be read", None
    scheme = _OTHER_NAMES.get(parts.scheme, parts.scheme)
    if scheme not in _PORTS:
        return "it is neither an http, https nor socks5 proxy", None
    if not host or not _HOST_CHARACTERS.issuperset(host):
        return "its address has no valid host", None
    if scheme.startswith("socks") and not _can_use_socks():
        return 'SOCKS needs one more package: install "loginmachine[socks]"', None
    shown = f"[{host}]" if ":" in host else host
    has_user = user is not None or password is not None
    return "", Proxy(
        variable=variable,
        url=f"{scheme}://{shown}:{_PORTS[scheme] if port is None else port}",
        user=user or "" if has_user else None,
        password=password or "",
    )


def _can_use_socks() -> bool:
    from importlib.util import find_spec  # noqa: PLC0415 - few machines have such a proxy

    return find_spec("socksio") is not None


# NO_PROXY


def _is_exempt(url: SplitResult, host: str) -> bool:
    """Return whether ``NO_PROXY`` has an entry for a URL. What cannot be read in it is ignored.

    Entries are separated by commas or spaces. An entry is ``*``, or a domain for it and its subdomains, or an address
    or a network. A scheme before it and a port behind it restrict it.
    """
    variable = _variable("no_proxy")
    entries = variable[1].lower().replace(",", " ").split() if variable else []
    return any(entry == "*" or _matches(entry, url, host) for entry in entries)


def _matches(entry: str, url: SplitResult, host: str) -> bool:
    scheme, separator, rest = entry.rpartition("://")
    if separator and scheme not in (url.scheme, "all"):
        return False
    entry, port = _split_port(rest)
    if port and port != str(url.port or _PORTS.get(url.scheme)):
        return False
    if ":" in host or host.replace(".", "").isdecimal():
        return _contains(entry, host)
    if entry.startswith("*."):
        return host.endswith(entry[1:].rstrip("."))
    domain = entry.strip(".")
    return domain != "" and (host == domain or host.endswith(f".{domain}"))


def _split_port(entry: str) -> tuple[str, str]:
    """Return an entry without its port and without the square brackets of an IPv6 address, and the port."""
    if entry.startswith("["):
        address, _, rest = entry[1:].partition("]")
        return (address, rest[1:]) if rest.startswith(":") else (f"{address}{rest}", "")
    if entry.count(":") == 1:
        host, _, port = entry.partition(":")
        return host, port
    return entry, ""


def _contains(network: str, host: str) -> bool:
    import ipaddress  # noqa: PLC0415 - as above

    try:
        address = ipaddress.ip_address(host)
        mapped = getattr(address, "ipv4_mapped", None)
        return (mapped or address) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False
