"""Request the provider's keys, and verify id tokens with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...oauth.keys import KeyUnknown, SignatureRefused, keys_request, verify_signature

if TYPE_CHECKING:
    from ...base.secret import Secret
    from ...oauth.keys import KeySet
    from ..state import LoginData


def request_keys(login: LoginData, *, ahead: bool = True) -> None:
    """Request the provider's keys.

    Args:
        login: The login. No other request is outstanding.
        ahead: Whether the tokens are not there yet. Another request may then abort this one.
    """
    assert login.options.provider.jwks_uri is not None
    login.send(keys_request(login.options.provider.jwks_uri))
    login.keys_id = login.exchange_id if ahead else None


def signature_problem(id_token: Secret, login: LoginData, keys: KeySet | None, *, is_last: bool) -> str | None:
    """Return what is wrong with the signature of an id token.

    Args:
        id_token: The id token.
        login: The login.
        keys: The provider's keys; None if they are not there yet.
        is_last: Whether the keys were just fetched for this token.

    Returns:
        The problem, after "the id token was refused"; empty if there is none, and None if the keys must be fetched.
    """
    if keys is None:
        return None
    try:
        verify_signature(id_token, keys, login.options.provider.id_token_signing_alg_values_supported)
    except SignatureRefused as error:
        return str(error)
    except KeyUnknown as error:
        # The provider may have changed its keys since.
        return str(error) if is_last else None
    return ""
