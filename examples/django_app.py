"""Sign in, and use a session, in the asynchronous views of a Django program on this machine.

Needs the packages django and uvicorn. Run it with the issuer as argument, or without for Codex's provider.
"""

import asyncio
import socket
import sys
import tempfile

import uvicorn
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.http import require_GET

from loginmachine import (
    AsyncioSession,
    FileStore,
    LoginFailed,
    LoginOptions,
    Provider,
    SignInRequired,
    asyncio_open_login,
)

issuer = sys.argv[1] if sys.argv[1:] else "https://auth.openai.com"
options = LoginOptions(provider=Provider.codex(issuer=issuer), port=0, open_browser=False, deadline=120)
store = FileStore(tempfile.mkdtemp())
session = AsyncioSession(store, options.provider)
logins: set[asyncio.Task[None]] = set()
"""The event loop has only weak references to its tasks."""


async def sign_in(request: HttpRequest) -> HttpResponse:
    """Send the browser to the provider. The login continues in a task of its own, at most until its deadline."""
    if request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
        return HttpResponse("for this program's own pages only", status=403)
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(run_login(ready))
    logins.add(task)
    task.add_done_callback(logins.discard)
    try:
        address = await ready
    except LoginFailed as error:
        return HttpResponse(str(error), status=503)
    return HttpResponse(status=302, headers={"Location": address})


async def run_login(ready: asyncio.Future[str]) -> None:
    """Run a login, and give its address to the view."""
    try:
        async with asyncio_open_login(options, store=store) as login:
            ready.set_result(login.auth_url)
            await login.wait()
    except LoginFailed as error:
        if ready.done():
            print(f"{error.category}: {error.message}", file=sys.stderr)
        else:
            ready.set_exception(error)


@require_GET
async def account(_: HttpRequest) -> JsonResponse:
    """Who is signed in. A session may be used by views in any event loop, so also without ASGI."""
    try:
        credentials = await session.credentials()
    except SignInRequired as error:
        return JsonResponse({"error": error.message}, status=401)
    return JsonResponse({"account": credentials.tokens and credentials.tokens.account_id})


urlpatterns = [path("sign-in/", require_GET(sign_in)), path("account/", account)]

if __name__ == "__main__":
    settings.configure(ALLOWED_HOSTS=["127.0.0.1"], ROOT_URLCONF=__name__, SECRET_KEY=tempfile.mkdtemp())
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(f"http://127.0.0.1:{listener.getsockname()[1]}/", flush=True)
        uvicorn.Server(uvicorn.Config(get_asgi_application(), lifespan="off", log_level="warning")).run(
            sockets=[listener]
        )
