"""Shows the address to sign in at."""

from __future__ import annotations

from ...drivers.system.choice import opens_nothing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..terminal.display import Terminal


def show_address(terminal: Terminal, url: str, *, is_opened: bool, at_chatgpt: bool) -> None:
    """Show the address of a sign-in.

    Args:
        terminal: Where to show it.
        url: The address.
        is_opened: Whether the browser is opened, too.
        at_chatgpt: Whether it is "Sign in with ChatGPT", which has a name of its own.
    """
    if at_chatgpt:
        terminal.line("Continue with ChatGPT", "strong")
    if is_opened:
        terminal.line("Opening your browser to sign in. If it does not appear, open this address yourself:")
    elif opens_nothing():
        terminal.line("No browser is opened, because BROWSER is none. To sign in, open this address yourself:")
    else:
        terminal.line("To sign in, open this address in a browser:")
    terminal.line()
    terminal.line(url, "strong", link=url)
    terminal.line()
