"""The options that a login is explored with: each world switches rows of the table on or off."""

from __future__ import annotations

from typing import Final, NamedTuple

from loginmachine.sansio import LoginOptions
from tests.sansio.samples import (
    ID_CLAIMS,
    NAMESPACE,
    NONCE,
    OPTIONS,
    OTHER_PROVIDER,
    jwt,
    token_json,
)


class World(NamedTuple):
    """A provider, what the caller wants of the login, and what this provider's answers look like."""

    name: str
    options: LoginOptions
    id_token: str = jwt(ID_CLAIMS)
    """One that passes every check."""
    callback_parameters: str = ""
    """What the provider adds to every callback."""
    any_port: int = 50000
    """The port that the system gives when any will do."""

    @property
    def restricted(self) -> bool:
        return bool(self.options.allowed_workspaces)


_CHATGPT = OPTIONS.provider
_STRICT = OTHER_PROVIDER.__replace__(promises_iss=True, uses_nonce=True, claims_namespace=NAMESPACE)
_STRICT_CLAIMS = {**ID_CLAIMS, "iss": "https://id.example", "aud": "client-1", "nonce": NONCE}

WORLDS: Final = (
    World("default", OPTIONS),
    World("any port", OPTIONS.__replace__(port=0)),
    World("a port of one's own", OPTIONS.__replace__(port=4321)),
    World("no API key", LoginOptions(provider=_CHATGPT.__replace__(exchanges_api_key=False))),
    World("one workspace", OPTIONS.__replace__(allowed_workspaces=("acc-1",))),
    World("no browser", OPTIONS.__replace__(open_browser=False)),
    World("no deadline", OPTIONS.__replace__(deadline=None)),
    World("nothing but the callback", OPTIONS.__replace__(deadline=None, open_browser=False)),
    World(
        "a strict provider",
        LoginOptions(provider=_STRICT),
        id_token=jwt(_STRICT_CLAIMS),
        callback_parameters="&iss=https://id.example",
    ),
)

OTHER_WORKSPACE: Final = jwt({NAMESPACE: {"chatgpt_account_id": "acc-2"}})
FOREIGN: Final = jwt({**ID_CLAIMS, "aud": "another-client"})


def good_tokens(world: World) -> bytes:
    return token_json(id_token=world.id_token)
