"""What a person can do if their browser is on another machine than the login."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

_IN_USER_NAMES: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-")
_SSH_PORT: Final = "22"


def ways(
    reason: str | None,
    port: int,
    paste: str,
    *,
    has_device_codes: bool,
    can_be_published: bool,
) -> list[str]:
    """Return the lines that explain how to sign in with a browser on another machine.

    Args:
        reason: What this place looks like, as `why_no_browser` says it; None if a browser could not be opened.
        port: The port at which the login waits.
        paste: Where an address can be pasted: "here", or the command for it.
        has_device_codes: Whether a device code may be another way.
        can_be_published: Whether the same command could listen at a chosen port of another address than loopback.
    """
    pasting = f"It ends on a page that cannot be reached: paste that page's address {paste}."
    found = [[f"- Open the address there. {pasting}"]]
    tunnel = tunnel_command(port)
    if tunnel is not None:
        words = "- Run this on your own machine (with the name that this host has there), then open the address there:"
        found.append([words, f"  {tunnel}"])
    if reason == "a container" and can_be_published:
        found.append(
            [
                "- Publish the port of the container, and add two options to the same command. Then open the address:",
                f"  docker run -p 127.0.0.1:{port}:{port} ...",
                f"  --port {port} --listen-address 0.0.0.0",
            ]
        )
    if has_device_codes:
        found.append(["- Stop this (Ctrl-C), and run the same command with --device-code added."])
    begin = f"{'' if reason is None else f'This looks like {reason}. '}A browser on another machine works, too"
    if len(found) == 1:
        return [f"{begin}. {pasting}"]
    return [f"{begin}, in one of {len(found)} ways:", *(line for way in found for line in way)]


def about_listening(address: str, port: int) -> str:
    """Return a warning, without a full stop, about an address beyond loopback.

    Args:
        address: The address at which the login listens.
        port: The port.
    """
    return (
        f"the sign-in listens at {address}, where other machines may reach it until it is over. If you publish the port"
        f" of a container, publish it for this machine only: -p 127.0.0.1:{port}:{port}"
    )


def tunnel_command(port: int, environment: Mapping[str, str] = os.environ) -> str | None:
    """Return the command that leads a port of the person's machine to this one, in a session over SSH.

    Returns:
        None without such a session, or if it does not say where this machine is.
    """
    parts = environment.get("SSH_CONNECTION", "").split()
    if len(parts) != 4 or not parts[3].isdecimal():
        return None
    import ipaddress  # noqa: PLC0415 - over SSH only

    try:
        address = ipaddress.ip_address(parts[2].partition("%")[0])
    except ValueError:
        return None
    user = environment.get("USER") or environment.get("LOGNAME") or ""
    is_plain = _IN_USER_NAMES.issuperset(user) and user[:1] not in ("", "-")
    host = f"{user}@{address}" if is_plain else str(address)
    other_port = "" if parts[3] == _SSH_PORT else f" -p {parts[3]}"
    return f"ssh{other_port} -L {port}:127.0.0.1:{port} {host}"
