"""The pages that the browser shows.

They are constants of this module, so that no file is read. They have no script and load nothing. They work in dark
mode, on a phone and with a screen reader. This module escapes every value that it inserts.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode

from ..base.records import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_ENTITIES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"})
_STYLE: Final = (
    ":root{color-scheme:light dark;--ink:#1c2024;--soft:#5b636b;--ground:#f4f5f7;--card:#fff;--line:#dfe3e8;"
    "--good:#12794a;--bad:#b3261e}"
    "@media(prefers-color-scheme:dark){:root{--ink:#eceef0;--soft:#a6aeb6;--ground:#101214;--card:#1a1d20;"
    "--line:#2f3439;--good:#5fd39b;--bad:#ff9a90}}"
    "*{box-sizing:border-box}"
    "body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1.5rem;background:var(--ground);"
    "color:var(--ink);font:1rem/1.55 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}"
    "main{width:100%;max-width:34rem;padding:2.25rem;background:var(--card);border:1px solid var(--line);"
    "border-radius:14px;overflow-wrap:anywhere}"
    "@media(max-width:30rem){main{padding:1.5rem}}"
    "svg{display:block;width:3rem;height:3rem;margin-bottom:1.1rem;fill:none;stroke:currentColor;stroke-width:2;"
    "stroke-linecap:round;stroke-linejoin:round}"
    ".good svg{color:var(--good)}.bad svg{color:var(--bad)}"
    "h1{margin:0 0 .6rem;font-size:1.5rem;line-height:1.25}"
    "p{margin:.5rem 0}a{color:inherit}"
    ".action{display:inline-block;margin-top:.9rem;padding:.55rem 1rem;border:1px solid currentColor;"
    "border-radius:8px;text-decoration:none}"
    ".details{margin-top:1.4rem;padding-top:1rem;border-top:1px solid var(--line);color:var(--soft);"
    "font-size:.875rem}code{font-family:ui-monospace,Menlo,Consolas,monospace}"
)
STYLE_HASH: Final = "sha256-" + b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode("ascii")
"""The hash of the style, for the Content-Security-Policy, which allows nothing else."""

_YOUR_PROGRAM: Final = "your program"
_PLACEHOLDER: Final = re.compile(r"\{(email|app_name)\}")
_TICK: Final = '<circle cx="12" cy="12" r="10"/><path d="m7.5 12.5 3 3 6-6.5"/>'
_CROSS: Final = '<circle cx="12" cy="12" r="10"/><path d="M12 7v6M12 16.5v.01"/>'


def success(*, email: str | None, plan: str | None, setup_url: str | None, app_name: str | None = None) -> str:
    """Return the page after a successful login.

    Args:
        email: The person's address, if known.
        plan: The person's plan, if known.
        setup_url: The page where an organisation is set up. It carries the id token, which that endpoint requires
            (docs/design/wire.md).
        app_name: The name of the program; None for "your program".
    """
    body = f"<p>You can close this tab and go back to {_name(app_name)}.</p>"
    if email:
        who = f"<strong>{_escape(email)}</strong>"
        body = f"<p>Signed in as {who}{f' ({_escape(plan)})' if plan else ''}.</p>{body}"
    if setup_url:
        body += (
            "<p>Your organisation is not set up yet for API use.</p>"
            f'<p><a class="action" rel="noreferrer" href="{_escape(setup_url)}">Finish the setup</a></p>'
        )
    return _page("good", "You are signed in", _TICK, body)


def own_success(page: str, *, email: str | None, app_name: str | None) -> str:
    """Return the success page of an embedding program, with its placeholders replaced.

    Args:
        page: The HTML. ``{email}`` and ``{app_name}`` stand for the other arguments.
        email: The person's address; empty in the page if it is not known.
        app_name: The name of the program; None for "your program".
    """
    values = {"email": _escape(email or ""), "app_name": _name(app_name)}
    return _PLACEHOLDER.sub(lambda found: values[found[1]], page)


class Explanation(Record):
    """What the page of a failure says."""

    title: str
    """What happened, in a few words."""
    hint: str
    """One concrete thing to do."""
    message: str
    """The details, as clean text."""
    category: str
    """The category of the failure, for support."""
    help_url: str | None
    """A page of the provider that may help, if there is one."""


def failure(explanation: Explanation) -> str:
    """Return the page for a login that failed, or for a callback that was refused."""
    body = f"<p>{_escape(explanation.hint)}</p>"
    if explanation.help_url:
        body += f'<p><a rel="noreferrer" href="{_escape(explanation.help_url)}">Help with signing in</a></p>'
    body += f'<p class="details">{_escape(explanation.message)}<br><code>{_escape(explanation.category)}</code></p>'
    return _page("bad", explanation.title, _CROSS, body)


def over(app_name: str | None) -> str:
    """Return the page of a login that has ended without success.

    Args:
        app_name: The name of the program; None for "your program".
    """
    return notice("This sign-in is over", f"Start a new one in {app_name or _YOUR_PROGRAM}, and close this tab.")


def notice(title: str, text: str) -> str:
    """Return a short page about something that is neither a success nor a failure of the login."""
    return _page("bad", title, _CROSS, f"<p>{_escape(text)}</p>")


def _page(mood: str, title: str, icon: str, body: str) -> str:
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{_escape(title)}</title><style>{_STYLE}</style></head>"
        f'<body class="{mood}"><main><svg viewBox="0 0 24 24" aria-hidden="true">{icon}</svg>'
        f"<h1>{_escape(title)}</h1>{body}</main></body></html>\n"
    )


def _name(app_name: str | None) -> str:
    return _escape(app_name or _YOUR_PROGRAM)


def _escape(text: str) -> str:
    # `html.escape` does the same, but a module that has to be loaded cannot be if no descriptor is left.
    return text.translate(_ENTITIES)
