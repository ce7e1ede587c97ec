"""The exceptions of the drivers' public functions."""

from __future__ import annotations

import pickle

import pytest

from loginmachine import (
    LoginCancelled,
    LoginError,
    LoginFailed,
    LoginFailure,
    LoginFailureCategory,
    LoginFailureStep,
    LoginTimedOut,
    StoreError,
    TrustError,
)
from loginmachine.drivers.errors import error_for
from loginmachine.sansio.login.outcome import LoginCancellation, LoginSuccess
from loginmachine.sansio.model.credentials import Credentials

TIMED_OUT = LoginFailure(
    step=LoginFailureStep.WAIT_FOR_CALLBACK,
    category=LoginFailureCategory.LOGIN_TIMED_OUT,
    message="no callback came within 600 seconds",
)
CANCELLED = LoginFailure(
    step=LoginFailureStep.EXCHANGE_TOKEN, category=LoginFailureCategory.LOGIN_CANCELLED, message="why"
)
FAILED = LoginFailure(
    step=LoginFailureStep.PERSIST_CREDENTIALS,
    category=LoginFailureCategory.PERSIST_FAILED,
    message="No space left on device",
    help_url="https://help.example/",
)
OUTCOMES = [(TIMED_OUT, LoginTimedOut), (LoginCancellation(failure=CANCELLED), LoginCancelled), (FAILED, LoginFailed)]


def test_a_success_has_no_exception() -> None:
    from loginmachine.sansio.model.account import Account

    assert error_for(LoginSuccess(credentials=Credentials(), account=Account())) is None


@pytest.mark.parametrize(("outcome", "kind"), OUTCOMES)
def test_each_outcome_has_its_exception(outcome: LoginFailure | LoginCancellation, kind: type[LoginFailed]) -> None:
    error = error_for(outcome)
    assert type(error) is kind
    assert isinstance(error, LoginError)


def test_the_text_of_an_exception() -> None:
    error = LoginFailed(FAILED)
    assert (error.step, error.category, error.message) == (
        "persist_credentials",
        "persist_failed",
        "No space left on device",
    )
    assert str(error) == (
        "The credentials could not be stored.\n"
        "This happened while storing the credentials. "
        "Check that the folder exists, is writable and has space left, then start again.\n"
        "Help: https://help.example/\n"
        "Details: persist_failed - No space left on device"
    )


@pytest.mark.parametrize(("outcome", "kind"), OUTCOMES)
def test_login_errors_pickle(outcome: LoginFailure | LoginCancellation, kind: type[LoginFailed]) -> None:
    error = error_for(outcome)
    assert error is not None
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert again.failure == error.failure
    assert str(again) == str(error)


@pytest.mark.parametrize("kind", [TrustError, StoreError])
def test_other_errors_pickle(kind: type[LoginError]) -> None:
    again = pickle.loads(pickle.dumps(kind("words")))
    assert (type(again), str(again)) == (kind, "words")


def test_the_step_under_its_old_name() -> None:
    error = LoginFailed(FAILED)
    words = r"^LoginFailed.phase is now LoginFailed.step; the old name is removed in version 0.3$"
    with pytest.warns(DeprecationWarning, match=words) as caught:
        assert error.phase is LoginFailureStep.PERSIST_CREDENTIALS
    assert [warning.filename for warning in caught] == [__file__]
