"""Which client exchanges the code of a callback, where the provider issues clients."""

from __future__ import annotations

import pytest

from loginmachine.sansio import Provider
from loginmachine.sansio.callback.issued_client import is_cut_off, why_not_issued

from ..chatgpt_samples import BOOTSTRAP, ISSUED, PROVIDER

KNOWN = PROVIDER.__replace__(client_id=ISSUED)
STANDARD = Provider.openid("https://id.example", client_id="native")


@pytest.mark.parametrize("client_id", [ISSUED, "oaiapp_x", "another-form.of~client", "x" * 256])
def test_the_first_client_may_have_any_form(client_id: str) -> None:
    assert why_not_issued(client_id, PROVIDER) == ""


@pytest.mark.parametrize("client_id", ["", BOOTSTRAP, "x" * 257, "a b", "a\nb", "caf\u00e9"])
def test_the_first_client_is_there_and_can_be_one(client_id: str) -> None:
    problem = why_not_issued(client_id, PROVIDER)
    assert problem
    assert client_id not in problem or client_id == ""


def test_a_later_client_is_the_same_or_absent() -> None:
    assert why_not_issued("", KNOWN) == why_not_issued(ISSUED, KNOWN) == ""
    assert why_not_issued("oaiapp_other", KNOWN)


@pytest.mark.parametrize("client_id", ["", "anything", BOOTSTRAP])
def test_elsewhere_the_parameter_means_nothing(client_id: str) -> None:
    assert why_not_issued(client_id, STANDARD) == ""
    assert not is_cut_off(client_id, STANDARD)


@pytest.mark.parametrize(
    ("client_id", "is_cut"), [("", True), ("oaiapp", True), ("oaiapp_", True), ("oaiapp_7", False)]
)
def test_a_first_client_that_may_be_cut_off(client_id: str, *, is_cut: bool) -> None:
    assert is_cut_off(client_id, PROVIDER) is is_cut


@pytest.mark.parametrize(("client_id", "is_cut"), [("", False), (ISSUED[:9], True), (ISSUED, False), ("other", False)])
def test_a_later_client_that_may_be_cut_off(client_id: str, *, is_cut: bool) -> None:
    assert is_cut_off(client_id, KNOWN) is is_cut
