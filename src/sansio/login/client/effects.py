"""The effects for a provider that issues a client in the callback of the first login. See `login.effects`.

The client is stored before the code is exchanged: if the exchange fails, the next login uses it, and the person does
not find a second program in their account. The client of a later login is stored again, which notes that it still
works.
"""

from __future__ import annotations

from ...oauth import token_requests
from .. import actions, progress
from ..effects import accept_code, fail

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..interpretation import ConfirmedClient, Interpretation, Problem
    from ..state import LoginData


def save_client(login: LoginData, meaning: ConfirmedClient) -> None:
    """Store the client that the callback has confirmed, while the browser and the code wait."""
    accept_code(login, meaning)
    provider = login.options.provider.registered(meaning.registration)
    login.options = login.options.__replace__(provider=provider)
    login.out.append(actions.SaveRegistration(registration=meaning.registration))


def exchange_code_of_client(login: LoginData, _: Interpretation) -> None:
    """Exchange the authorization code for tokens, as the client that is stored."""
    login.report(progress.ExchangingCode())
    login.send(token_requests.code_exchange(login.options, login.secrets, login.port, login.code))


def doubt_client(login: LoginData, meaning: Problem) -> None:
    """End the login with a failure, and note that the provider does not accept the client."""
    from ...server.registration import Registration  # noqa: PLC0415 - not for the default provider

    provider = login.options.provider
    registration = Registration(issuer=provider.origin, client_id=provider.client_id, is_refused=True)
    login.out.append(actions.SaveRegistration(registration=registration))
    fail(login, meaning)
