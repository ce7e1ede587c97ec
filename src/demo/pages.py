"""HTML pages of the demo provider.

The pages contain no scripts and load nothing from elsewhere. They work in dark mode, on phones and with screen readers.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from html import escape
from typing import Final

_STYLE: Final = (
    ":root{color-scheme:light dark;--ink:#1c2024;--soft:#565e66;--ground:#f4f5f7;--card:#fff;--line:#dfe3e8;"
    "--edge:#7d858d;--act:#0b5cad;--on-act:#fff;--bad:#b3261e;--note:#fff5d6;--note-ink:#5c4400}"
    "@media(prefers-color-scheme:dark){:root{--ink:#eceef0;--soft:#a6aeb6;--ground:#101214;--card:#1a1d20;"
    "--line:#2f3439;--edge:#868e96;--act:#79b8ff;--on-act:#08121d;--bad:#ff9a90;--note:#352c10;--note-ink:#f3d98b}}"
    "*{box-sizing:border-box}"
    "body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1rem;background:var(--ground);"
    "color:var(--ink);font:1rem/1.5 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}"
    "main{width:100%;max-width:28rem;padding:1.75rem 2rem;background:var(--card);border:1px solid var(--line);"
    "border-radius:14px;overflow-wrap:anywhere}"
    "h1{margin:0 0 .5rem;font-size:1.4rem;line-height:1.25}"
    "p{margin:.5rem 0}label{display:block;margin:1rem 0 .3rem;font-weight:600}"
    "input,select{width:100%;padding:.6rem .7rem;font:inherit;color:inherit;background:transparent;"
    "border:1px solid var(--edge);border-radius:8px}"
    "input[type=checkbox]{width:auto;margin:0 .5rem 0 0}.choice{margin:.5rem 0;font-weight:400}"
    "fieldset{margin:1rem 0 0;padding:.3rem .9rem .5rem;border:1px solid var(--line);border-radius:8px}"
    "legend{padding:0 .3rem;font-weight:600}"
    "button{width:100%;margin-top:.75rem;padding:.65rem 1rem;font:inherit;font-weight:600;color:inherit;"
    "background:transparent;border:1px solid var(--edge);border-radius:8px;cursor:pointer}"
    ".act{margin-top:1.5rem;color:var(--on-act);background:var(--act);border-color:var(--act)}"
    ":focus-visible{outline:3px solid var(--act);outline-offset:2px}"
    ".note{margin:1rem 0;padding:.7rem .9rem;color:var(--note-ink);background:var(--note);border-radius:8px;"
    "font-size:.925rem}.soft{color:var(--soft);font-size:.875rem}.bad{color:var(--bad);font-weight:600}"
    "@media(max-width:30rem){body{padding:.75rem}main{padding:1.4rem}}"
)
_STYLE_HASH: Final = b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode("ascii")
CONTENT_SECURITY_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; frame-ancestors 'none'; "
    # Chromium applies form-action also to the redirect after the form, which leads to the callback listener.
    "form-action 'self' http://127.0.0.1:* http://localhost:*"
)

# A source cannot name [::1], so the callbacks of the OpenID provider need the whole scheme.
OPENID_CONTENT_SECURITY_POLICY: Final = CONTENT_SECURITY_POLICY.replace(
    "http://127.0.0.1:* http://localhost:*", "http:"
)


def login_form(*, csrf_token: str, callback: str, email: str = "", problem: str | None = None) -> str:
    """Return the login form. It is submitted to its own URL.

    Args:
        csrf_token: The CSRF token of the browser's session.
        callback: Host and port of the callback, shown to the person.
        email: The email address that was submitted before.
        problem: What was wrong with the submitted form.
    """
    alert, described = alert_of(problem)
    return page_of(
        "Sign in to the demonstration",
        f"<p>A program on this computer ({escape(callback)}) asks to know who you are.</p>"
        '<p class="note"><strong>This is a demonstration.</strong> It runs on this computer only and forgets '
        "everything when it ends. Any email address and any password will do; do not type a real password.</p>"
        f'{alert}<form method="post" autocomplete="off">'
        f'<input type="hidden" name="csrf_token" value="{escape(csrf_token)}">'
        '<label for="email">Email address</label>'
        f'<input id="email" name="email" type="email" value="{escape(email)}" maxlength="200" required autofocus'
        f' spellcheck="false" autocapitalize="none"{described}>'
        '<label for="password">Password</label>'
        '<input id="password" name="password" type="password" maxlength="200" autocomplete="off" required>'
        '<button class="act" name="decision" value="sign-in">Sign in</button>'
        '<button name="decision" value="refuse" formnovalidate>Refuse</button></form>'
        '<p class="soft">Refuse sends you back to the program without signing in.</p>',
    )


def device_form(*, problem: str | None = None) -> str:
    """Return the form for a device code.

    Args:
        problem: What was wrong with the code that was entered before.
    """
    alert, described = alert_of(problem)
    return page_of(
        "Enter your code",
        "<p>Enter the code that your program shows you.</p>"
        '<p class="note"><strong>Never enter a code that someone else gave you.</strong> They would be signed in as '
        f'you.</p>{alert}<form method="get" autocomplete="off"><label for="user_code">Code</label>'
        '<input id="user_code" name="user_code" maxlength="20" required autofocus spellcheck="false"'
        f' autocapitalize="characters"{described}><button class="act">Go on</button></form>',
    )


def done(*, accepted: bool) -> str:
    """Return the last page of a sign-in with a device code."""
    if accepted:
        return page_of("You are signed in", "<p>Your program knows. You can close this page.</p>")
    return page_of("You have refused", "<p>Your program is not signed in. You can close this page.</p>")


def unusable(text: str) -> str:
    """Return the page for a request that is not redirected to the callback, because the callback is not trusted.

    Args:
        text: What is wrong with the request.
    """
    return page_of(
        "This sign-in cannot go on",
        f'<p>{escape(text)}</p><p class="soft">Go back to your program and start the sign-in again.</p>',
    )


def alert_of(problem: str | None) -> tuple[str, str]:
    """Return an alert, and the attribute that connects it with the field for screen readers."""
    if not problem:
        return "", ""
    return f'<p class="bad" role="alert" id="problem">{escape(problem)}</p>', ' aria-describedby="problem"'


def page_of(title: str, body: str) -> str:
    """Return a page.

    Args:
        title: Its title and heading, not escaped.
        body: Its HTML below the heading.
    """
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{escape(title)}</h1>{body}</main></body></html>\n"
    )
