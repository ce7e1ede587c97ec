"""Public names are loaded when they are first used, and their types when a tool asks for them."""

from __future__ import annotations

import sys
import typing
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

import pytest

import loginmachine.sansio
from loginmachine.sansio.base.public import load, make_hints_work
from loginmachine.sansio.base.records import Annotations
from loginmachine.sansio.login import progress
from loginmachine.sansio.login.machine import LoginMachine
from loginmachine.sansio.model.options import LoginOptions

if TYPE_CHECKING:
    from fractions import Fraction

HOMES = {"login.machine": ("LoginMachine",), "login": ("progress",)}
SANSIO = "loginmachine.sansio"


def of_ours(value: Any) -> Any:
    """A function or class that looks as if it were the package's."""
    value.__module__ = SANSIO
    return value


def test_a_name_is_kept_in_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(loginmachine.sansio, "LoginMachine", raising=False)
    assert load(SANSIO, HOMES, "LoginMachine") is LoginMachine
    assert vars(loginmachine.sansio)["LoginMachine"] is LoginMachine


def test_a_module_may_be_a_public_name(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(SANSIO, HOMES, "progress") is progress
    monkeypatch.delattr(loginmachine.sansio.login, "progress")
    assert load(SANSIO, HOMES, "progress") is progress


def test_no_other_name() -> None:
    with pytest.raises(AttributeError, match=r"^module 'loginmachine.sansio' has no attribute 'LoginOptions'$"):
        load(SANSIO, HOMES, "LoginOptions")


def test_each_public_name_of_the_core_can_be_listed_and_loaded() -> None:
    assert dir(loginmachine.sansio) == sorted(loginmachine.sansio.__all__)
    for name in dir(loginmachine.sansio):
        assert getattr(loginmachine.sansio, name) is not None


def test_the_types_of_methods_are_found() -> None:
    class Plain:
        share: Fraction

        def method(self) -> Fraction:
            raise NotImplementedError

        @classmethod
        def of_the_class(cls) -> Fraction:
            raise NotImplementedError

        @property
        def given(self) -> Fraction:
            raise NotImplementedError

        nothing = property()

    from fractions import Fraction

    for function in (Plain.method, Plain.of_the_class.__func__, Plain.given.fget):  # type: ignore[attr-defined]
        function.__module__ = __name__
    make_hints_work(of_ours(Plain))
    make_hints_work(Plain)
    for method in (Plain.method, Plain.of_the_class, Plain.given.fget):  # type: ignore[attr-defined]
        assert isinstance(method.__annotations__, Annotations)
        assert typing.get_type_hints(method) == {"return": Fraction}
    assert isinstance(vars(Plain)["__annotations__"], Annotations)
    assert typing.get_type_hints(LoginOptions.check_method)["return"] is type(None)


def test_the_types_of_a_module_are_found() -> None:
    def function() -> Fraction:
        raise NotImplementedError

    def foreign() -> Fraction:
        raise NotImplementedError

    module = ModuleType("made_up")
    function.__module__ = "made_up"
    vars(module).update(function=function, foreign=foreign, number=1)
    make_hints_work(module)
    assert isinstance(function, FunctionType)
    assert isinstance(function.__annotations__, Annotations)
    assert not isinstance(foreign.__annotations__, Annotations)


def test_other_values_are_left_alone() -> None:
    make_hints_work(1)
    make_hints_work(int)
    assert "fractions" in sys.modules
