"""Each old name still works, and warns with the new name and the version in which the old one is removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import loginmachine
import loginmachine.sansio
from loginmachine.sansio import LoginFailure, LoginFailureCategory, LoginFailureStep
from loginmachine.sansio.base.deprecation import warn_deprecated
from loginmachine.sansio.base.public import load
from loginmachine.sansio.login.progress import Cancelled, Failed

if TYPE_CHECKING:
    from types import ModuleType

STEP, CATEGORY = LoginFailureStep.EXCHANGE_TOKEN, LoginFailureCategory.TOKEN_EXCHANGE_TIMEOUT


def test_a_warning_names_both_names_the_version_and_the_caller() -> None:
    def old() -> None:
        warn_deprecated("Old.name", "New.name", "0.9")

    words = r"^Old.name is now New.name; the old name is removed in version 0.9$"
    with pytest.warns(DeprecationWarning, match=words) as caught:
        old()
    assert [warning.filename for warning in caught] == [__file__]


def test_a_deprecated_name_of_a_package() -> None:
    homes = {"login.states": ("LoginState",)}
    words = r"^loginmachine.sansio.Old is now loginmachine.sansio.LoginState; the old name is removed in version 0.9$"
    with pytest.warns(DeprecationWarning, match=words):
        value = load("loginmachine.sansio", homes, "Old", {"Old": ("LoginState", "0.9")})
    assert value is loginmachine.sansio.LoginState


@pytest.mark.parametrize(
    "record",
    [
        LoginFailure(step=STEP, category=CATEGORY, message="gone"),
        Failed(step=STEP, category=CATEGORY, message="gone", fatal=True),
        Cancelled(step=STEP, message="gone"),
    ],
)
def test_the_step_under_its_old_name(record: LoginFailure | Failed | Cancelled) -> None:
    name = type(record).__name__
    words = rf"^{name}.phase is now {name}.step; the old name is removed in version 0.3$"
    with pytest.warns(DeprecationWarning, match=words) as caught:
        assert record.phase is STEP
    assert [warning.filename for warning in caught] == [__file__]


@pytest.mark.parametrize("package", [loginmachine, loginmachine.sansio])
def test_the_type_of_a_step_under_its_old_name(package: ModuleType) -> None:
    name = package.__name__
    words = rf"^{name}.LoginFailurePhase is now {name}.LoginFailureStep; the old name is removed in version 0.3$"
    with pytest.warns(DeprecationWarning, match=words) as caught:
        assert package.LoginFailurePhase is LoginFailureStep
    assert [warning.filename for warning in caught] == [__file__]
    assert "LoginFailurePhase" not in dir(package)
