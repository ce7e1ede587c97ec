"""Secrets are not shown, unless `reveal` is called."""

from __future__ import annotations

import copy
import json
import pickle

import pytest

from loginmachine.sansio.base.secret import Secret, same_secret

CANARY = "canary-secret"
SECRET = Secret(CANARY)


@pytest.mark.parametrize(
    "shown",
    [
        repr(SECRET),
        str(SECRET),
        f"{SECRET}",
        f"{SECRET:>40}",
        f"{SECRET!r:5}",
        f"{[SECRET]} {(SECRET,)} { {'a': SECRET} }",
        "%s %r" % (SECRET, SECRET),  # noqa: UP031 - the old way must be safe too
        "{} {!s} {!a}".format(SECRET, SECRET, SECRET),  # noqa: UP032 - the same
        ascii(SECRET),
    ],
)
def test_no_kind_of_printing_shows_a_secret(shown: str) -> None:
    assert CANARY not in shown
    assert "Secret('...')" in shown


def test_a_secret_is_shown_when_asked_by_name() -> None:
    assert SECRET.reveal() == CANARY


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_secret_cannot_be_pickled(protocol: int) -> None:
    with pytest.raises(TypeError, match=r"^a Secret cannot be pickled$"):
        pickle.dumps(SECRET, protocol)


def test_a_secret_cannot_be_written_as_json() -> None:
    with pytest.raises(TypeError) as caught:
        json.dumps({"a": SECRET})
    assert CANARY not in str(caught.value)


def test_secrets_are_compared_by_value_and_with_secrets_only() -> None:
    assert Secret(CANARY) == SECRET
    assert Secret("other") != SECRET
    assert Secret("\u00e9\ud800") == Secret("\u00e9\ud800")
    assert SECRET != CANARY
    assert len({SECRET, Secret(CANARY), Secret("other")}) == 2


def test_a_copy_of_a_secret_is_the_secret() -> None:
    assert copy.copy(SECRET) is SECRET
    assert copy.deepcopy([SECRET])[0] is SECRET


def test_a_secret_has_no_attributes_to_look_into() -> None:
    assert not hasattr(SECRET, "__dict__")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("a", "a", True),
        ("a", "b", False),
        ("", "", True),
        ("a", "", False),
        ("\u00e9", "\u00e9", True),
        ("\ud800", "e", False),
    ],
)
def test_comparing_works_on_any_string(one: str, other: str, *, same: bool) -> None:
    assert same_secret(one, other) is same
