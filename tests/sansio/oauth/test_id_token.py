"""The checks of an ID token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from loginmachine.sansio import IdTokenPolicy, Provider
from loginmachine.sansio.model.claims import ClaimError
from loginmachine.sansio.oauth.id_token import check_id_token

from ..samples import ID_CLAIMS, NONCE, NOW

if TYPE_CHECKING:
    from loginmachine.sansio.base.http import Headers


CHATGPT = Provider.codex()
STRICT = CHATGPT.__replace__(id_token_policy=IdTokenPolicy.STRICT)
WITH_NONCE = STRICT.__replace__(uses_nonce=True)
CLIENT = "app_EMoamEEZ73f0CkXaXp7hrann"
EXPIRY = 1_795_003_600


def check(
    claims: dict[str, Any], provider: Provider = CHATGPT, *, received_at: float = NOW, headers: Headers = ()
) -> str:
    """Return the problem of an ID token; empty if there is none."""
    try:
        nonce = NONCE if provider.uses_nonce else None
        check_id_token(claims, provider, nonce=nonce, headers=headers, received_at=received_at)
    except ClaimError as error:
        return str(error)
    return ""


def changed(**changes: Any) -> dict[str, Any]:
    return {**ID_CLAIMS, **changes}


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in ID_CLAIMS.items() if key != name}


@pytest.mark.parametrize("provider", [CHATGPT, STRICT])
def test_a_good_id_token(provider: Provider) -> None:
    assert check(ID_CLAIMS, provider) == ""


@pytest.mark.parametrize("name", ["iss", "sub", "aud", "exp", "iat"])
def test_an_absent_claim_is_refused_in_strict_and_accepted_in_compat(name: str) -> None:
    assert check(without(name), STRICT) == f"it has no {name}"
    assert check(without(name), CHATGPT) == ""


def test_compat_accepts_an_id_token_without_any_claim() -> None:
    assert check({}, CHATGPT) == ""


@pytest.mark.parametrize("provider", [CHATGPT, STRICT])
@pytest.mark.parametrize("issuer", ["https://evil.example", "https://auth.openai.com/", "", None, 1, [CHATGPT.issuer]])
def test_another_issuer(provider: Provider, issuer: object) -> None:
    assert check(changed(iss=issuer), provider) == "its issuer (iss) is another provider"


@pytest.mark.parametrize("audience", [CLIENT, [CLIENT], ["other", CLIENT]])
def test_our_audience(audience: object) -> None:
    assert check(changed(aud=audience)) == ""


@pytest.mark.parametrize("provider", [CHATGPT, STRICT])
@pytest.mark.parametrize(
    "audience", ["other", f"{CLIENT}x", f"x {CLIENT}", "", [], ["other"], [[CLIENT]], None, 1, {CLIENT: 1}]
)
def test_another_audience(provider: Provider, audience: object) -> None:
    assert check(changed(aud=audience), provider) == "it was made for another client (aud)"


def test_our_authorized_party() -> None:
    assert check(changed(azp=CLIENT)) == ""


@pytest.mark.parametrize("party", ["other", "", None, [CLIENT]])
def test_another_authorized_party(party: object) -> None:
    assert check(changed(azp=party)) == "it was given to another client (azp)"


@pytest.mark.parametrize("late", [0, 1, 299, 300])
def test_an_expiry_within_the_tolerance(late: float) -> None:
    assert check(ID_CLAIMS, received_at=EXPIRY + late) == ""


@pytest.mark.parametrize("expiry", [NOW + 1.5, 10**11])
def test_expiries_that_are_numbers(expiry: float) -> None:
    assert check(changed(exp=expiry)) == ""


@pytest.mark.parametrize("late", [300.1, 301, 1e6])
def test_an_expiry_beyond_the_tolerance(late: float) -> None:
    assert check(ID_CLAIMS, received_at=EXPIRY + late) == "it has expired (exp)"


@pytest.mark.parametrize("expiry", [True, False, "1795003600", None, [], 10**400, -(10**400), 1e12])
def test_an_expiry_that_is_no_number(expiry: object) -> None:
    assert check(changed(exp=expiry)) == "its expiry (exp) is not a number"


def test_an_expiry_in_the_distant_past() -> None:
    assert check(changed(exp=0)) == check(changed(exp=-(10**11))) == "it has expired (exp)"


# Our clock is a year ahead


def with_date(*dates: bytes) -> str:
    headers = tuple((b"date", date) for date in dates)
    return check(ID_CLAIMS, received_at=NOW + 31_536_000, headers=((b"Server", b"x"), *headers))


@pytest.mark.parametrize(
    "date",
    [
        b"Wed, 18 Nov 2026 11:06:40 GMT",
        b" Wed, 18 Nov 2026 12:11:40 GMT ",
        b"Wed, 18 Nov 2026 11:06:60 GMT",
        b"Sat, 29 Feb 2020 00:00:00 GMT",
    ],
)
def test_the_servers_date_shows_that_our_clock_is_wrong(date: bytes) -> None:
    assert with_date(date) == ""


@pytest.mark.parametrize(
    "date",
    [
        b"Wed, 18 Nov 2026 12:11:41 GMT",
        b"Thu, 18 Nov 2027 11:06:40 GMT",
        b"Wed, 18 Nov 2026 11:06:40 +0000",
        b"Wed, 18 nov 2026 11:06:40 GMT",
        b"Wed, 18 Foo 2026 11:06:40 GMT",
        b"Wed, 32 Nov 2026 11:06:40 GMT",
        b"Wed, 29 Feb 2023 11:06:40 GMT",
        b"Wed, 18 Nov 2026 25:06:40 GMT",
        b"Wed, 18 Nov 0000 11:06:40 GMT",
        b"Wednesday, 18-Nov-26 11:06:40 GMT",
        b"Wed Nov 18 11:06:40 2026",
        b"",
        b"\xff",
    ],
)
def test_a_date_that_does_not_excuse_an_expired_token(date: bytes) -> None:
    assert with_date(date) == "it has expired (exp)"


MONTHS = (
    *((b"Jan", 1768435200), (b"Feb", 1771113600), (b"Mar", 1773532800), (b"Apr", 1776211200)),
    *((b"May", 1778803200), (b"Jun", 1781481600), (b"Jul", 1784073600), (b"Aug", 1786752000)),
    *((b"Sep", 1789430400), (b"Oct", 1792022400), (b"Nov", 1794700800), (b"Dec", 1797292800)),
)
"""Each month of 2026, with the beginning of its 15th day."""


@pytest.mark.parametrize(("month", "begins"), MONTHS)
def test_each_month_of_a_date(month: bytes, begins: int) -> None:
    for time, problem in ((b"00:05:00", ""), (b"00:05:01", "it has expired (exp)")):
        headers = ((b"date", b"Thu, 15 %b 2026 %b GMT" % (month, time)),)
        assert check(changed(exp=begins), received_at=NOW + 31_536_000, headers=headers) == problem


def test_without_a_date_an_expired_token_is_refused() -> None:
    assert with_date() == "it has expired (exp)"


# Nonce


def test_our_nonce() -> None:
    assert check(changed(nonce=NONCE), WITH_NONCE) == ""


@pytest.mark.parametrize("nonce", ["other", "", None, 1, [NONCE], "\u00e9", "\ud800"])
@pytest.mark.parametrize("policy", IdTokenPolicy)
def test_another_nonce(policy: IdTokenPolicy, nonce: object) -> None:
    provider = WITH_NONCE.__replace__(id_token_policy=policy)
    assert check(changed(nonce=nonce), provider) == "it belongs to another sign-in (nonce)"


def test_a_missing_nonce_is_refused_in_strict_and_accepted_in_compat() -> None:
    assert check(ID_CLAIMS, WITH_NONCE) == "it belongs to another sign-in (nonce)"
    assert check(ID_CLAIMS, WITH_NONCE.__replace__(id_token_policy=IdTokenPolicy.COMPAT)) == ""


def test_a_nonce_that_we_did_not_send_is_ignored() -> None:
    assert check(changed(nonce="whatever"), STRICT) == ""
