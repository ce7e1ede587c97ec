"""Sign in from a page of a FastAPI program on this machine. The page shows the progress, by server-sent events.

Needs the packages fastapi and uvicorn. Run it with the issuer as argument, or without for Codex's provider.
"""

import asyncio
import json
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from typing import Annotated

import uvicorn
from fastapi import FastAPI, Header, HTTPException
from fastapi.responses import HTMLResponse, StreamingResponse
from starlette.middleware.trustedhost import TrustedHostMiddleware

from loginmachine import (
    AsyncioSession,
    FileStore,
    LoginFailed,
    LoginOptions,
    Provider,
    SignInRequired,
    asyncio_open_login,
)

PAGE = """<!doctype html>
<title>Sign in</title>
<button>Sign in</button> <button hidden>Cancel</button>
<p><a target="_blank"></a></p><ul></ul>
<script>
  const [start, cancel] = document.querySelectorAll("button"), link = document.querySelector("a");
  start.onclick = () => {
    const events = new EventSource("/sign-in");
    const end = () => { events.close(); cancel.hidden = true; start.hidden = false; };
    [start.hidden, cancel.hidden, cancel.onclick] = [true, false, end];
    events.addEventListener("address", event => { link.href = link.textContent = JSON.parse(event.data); });
    events.addEventListener("phase", event => {
      const item = document.createElement("li");
      item.textContent = JSON.parse(event.data);
      document.querySelector("ul").append(item);
    });
    events.addEventListener("end", end);
  };
</script>
"""

app = FastAPI()
# Another site could give its own name this machine's address, and read what this program sends.
app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1"])
issuer = sys.argv[1] if sys.argv[1:] else "https://auth.openai.com"
options = LoginOptions(provider=Provider.codex(issuer=issuer), port=0, open_browser=False, deadline=120)
store = FileStore(tempfile.mkdtemp())
session = AsyncioSession(store, options.provider)


@app.get("/")
async def page() -> HTMLResponse:
    """The page."""
    return HTMLResponse(PAGE)


@app.get("/sign-in")
async def sign_in(sec_fetch_site: Annotated[str, Header()] = "") -> StreamingResponse:
    """Sign in, and send each phase. When the browser closes the stream, the login is cancelled."""
    if sec_fetch_site not in ("same-origin", "none", ""):
        raise HTTPException(403, "for this program's own page only")
    return StreamingResponse(progress(), media_type="text/event-stream")


async def progress() -> AsyncIterator[str]:
    """Run a login, and yield its progress as server-sent events."""
    phases: asyncio.Queue[str] = asyncio.Queue()
    try:
        async with asyncio_open_login(
            options, store=store, on_progress=lambda phase: phases.put_nowait(event("phase", phase.text))
        ) as login:
            yield event("address", login.auth_url)
            waiting = asyncio.create_task(login.wait())
            waiting.add_done_callback(lambda _: phases.put_nowait(""))
            while phase := await phases.get():
                yield phase
            await waiting
        yield event("end", "")
    except LoginFailed as error:
        yield event("end", error.category)


def event(name: str, data: str) -> str:
    """Return one server-sent event."""
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"


@app.get("/account")
async def account() -> dict[str, str | None]:
    """Who is signed in. Every request of the program uses one session."""
    try:
        credentials = await session.credentials()
    except SignInRequired as error:
        raise HTTPException(401, error.message) from error
    return {"account": credentials.tokens.account_id if credentials.tokens else None}


if __name__ == "__main__":
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(f"http://127.0.0.1:{listener.getsockname()[1]}/", flush=True)
        uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])
