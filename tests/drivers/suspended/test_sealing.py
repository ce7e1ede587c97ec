"""A suspended login as bytes: only the holder of the keys can read or change them, for a limited time."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loginmachine import LoginMachine, LoginOptions, SealingKeys, Secret, SuspendedLoginRefused, SuspensionProblem
from loginmachine.drivers import OpenedLogin, open_sealed, seal_login
from loginmachine.drivers.suspended import sealing
from loginmachine.sansio import events
from loginmachine.sansio.suspended import to_plain
from tests.sansio.samples import CANARIES, NOW, OPTIONS, PATHS, SECRETS, machine_in
from tests.sansio.server_samples import OPENID, SERVER_PATHS, server_machine_in

if TYPE_CHECKING:
    from collections.abc import Callable

APP = "https://app.example/auth/callback"
HOSTED = OPENID.__replace__(
    provider=OPENID.provider.__replace__(
        authorization_endpoint="https://id.example/authorize", token_endpoint="https://id.example/token"
    ),
    redirect_uri=APP,
)
KEY, OTHER_KEY = bytes(range(32)), bytes(range(32, 64))
KEYS = SealingKeys(KEY)
END = NOW + 600
HEADER = 49
"""Bytes of the header, before the content."""


def suspended() -> LoginMachine:
    login = LoginMachine(HOSTED, SECRETS)
    login.handle(events.Started())
    assert login.state == "awaiting_callback"
    return login


SEALED = seal_login(suspended(), SECRETS, KEYS, expires_at=END)


def opened(
    data: bytes = SEALED, options: LoginOptions = HOSTED, keys: SealingKeys = KEYS, now: float = NOW
) -> OpenedLogin:
    return open_sealed(data, options, keys, now=now)


def refused(
    data: bytes = SEALED, options: LoginOptions = HOSTED, keys: SealingKeys = KEYS, now: float = NOW
) -> SuspendedLoginRefused:
    """Return why bytes are refused. Nothing of the login is shown."""
    with pytest.raises(SuspendedLoginRefused) as caught:
        opened(data, options, keys, now)
    error = caught.value
    assert error.__context__ is None
    assert not [canary for canary in CANARIES if canary in str(error)]
    return error


def test_a_login_comes_back_as_it_was() -> None:
    login = opened()
    assert login.machine.snapshot() == suspended().snapshot()
    assert login.machine.auth_url == suspended().auth_url
    assert login.expires_at == END


@pytest.mark.parametrize("state", PATHS)
def test_every_state_can_be_suspended(state: str) -> None:
    data = seal_login(machine_in(state), SECRETS, KEYS, expires_at=END)
    assert opened(data, OPTIONS).machine.snapshot() == machine_in(state).snapshot()


@pytest.mark.parametrize("state", SERVER_PATHS)
def test_every_state_at_a_provider_with_metadata_can_be_suspended(state: str) -> None:
    login = server_machine_in(state)
    data = seal_login(login, SECRETS, KEYS, expires_at=END)
    assert opened(data, SERVER_PATHS[state][0]).machine.snapshot() == login.snapshot()


def test_the_host_has_the_client_secret() -> None:
    provider = HOSTED.provider.__replace__(
        client_secret=Secret("canary-client-secret"), token_endpoint_auth_method="client_secret_basic"
    )
    options = HOSTED.__replace__(provider=provider)
    login = LoginMachine(options, SECRETS)
    data = seal_login(login, SECRETS, KEYS, expires_at=END)
    assert opened(data, options).machine.provider.client_secret is provider.client_secret
    error = refused(data)
    assert (error.problem, error.detail) == (
        SuspensionProblem.OTHER_VERSION,
        "options.provider.client_secret is the client secret of the host, and the options have none",
    )


# Nothing is in clear


@pytest.mark.parametrize("state", PATHS)
def test_no_secret_is_in_clear(state: str) -> None:
    data = seal_login(machine_in(state), SECRETS, KEYS, expires_at=END)
    assert not [canary for canary in CANARIES if canary.encode() in data]
    assert KEY not in data


def test_the_same_login_gives_other_bytes_each_time() -> None:
    """And the same mark, so that it is resumed once however often it was sealed."""
    other = seal_login(suspended(), SECRETS, KEYS, expires_at=END)
    assert other[HEADER:] != SEALED[HEADER:]
    assert opened(other).mark == opened().mark
    assert len(opened().mark) == 64
    assert int(opened().mark, 16)


def test_another_login_has_another_mark() -> None:
    secrets = SECRETS.__replace__(state="another")
    other = seal_login(LoginMachine(HOSTED, secrets), secrets, KEYS, expires_at=END)
    assert opened(other).mark != opened().mark


def test_keys_and_logins_show_nothing() -> None:
    assert repr(SealingKeys(KEY, OTHER_KEY)) == "<SealingKeys 2>"
    shown = repr(opened())
    assert not [canary for canary in CANARIES if canary in shown]


# Bytes that are refused


@pytest.mark.parametrize("position", range(0, len(SEALED), 7))
def test_a_changed_byte_is_noticed(position: int) -> None:
    data = bytearray(SEALED)
    data[position] ^= 1
    expected = {
        **dict.fromkeys(range(4), SuspensionProblem.NOT_SEALED),
        4: SuspensionProblem.OTHER_VERSION,
        **dict.fromkeys(range(5, 13), SuspensionProblem.UNKNOWN_KEY),
        **dict.fromkeys(range(13, 29), SuspensionProblem.OTHER_PROVIDER),
    }.get(position, SuspensionProblem.CHANGED)
    assert refused(bytes(data)).problem is expected


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[:-1],
        lambda data: data + b"\0",
        lambda data: data[:HEADER] + data[HEADER + 1 :],
        lambda data: data[:HEADER] + data[HEADER:][::-1],
        lambda data: seal_login(suspended(), SECRETS, KEYS, expires_at=END)[:HEADER] + data[HEADER:],
    ],
)
def test_bytes_that_are_cut_longer_or_mixed_are_noticed(change: Callable[[bytes], bytes]) -> None:
    assert refused(change(SEALED)).problem is SuspensionProblem.CHANGED


def test_the_end_cannot_be_moved() -> None:
    position = 29
    data = SEALED[:position] + (int(END) + 9999).to_bytes(8, "big") + SEALED[position + 8 :]
    assert refused(data).problem is SuspensionProblem.CHANGED
    assert refused(data, now=END + 5).problem is SuspensionProblem.CHANGED


@pytest.mark.parametrize(
    "data",
    [b"", b"LMSL", SEALED[:65], b"x" * 500, SEALED[1:], SEALED + bytes(4 * 1024 * 1024)],
    ids=["nothing", "a beginning", "a header", "something else", "without a beginning", "too long"],
)
def test_other_bytes_are_refused(data: bytes) -> None:
    error = refused(data)
    assert error.problem is SuspensionProblem.NOT_SEALED
    assert "pass what `begin` has returned" in str(error)


def test_another_version_is_refused() -> None:
    error = refused(SEALED[:4] + b"\x02" + SEALED[5:])
    assert error.problem is SuspensionProblem.OTHER_VERSION
    assert str(error) == "another version has suspended this login; the person has to sign in again"


@pytest.mark.parametrize(
    "options",
    [
        HOSTED.__replace__(redirect_uri="https://other.example/auth/callback"),
        HOSTED.__replace__(provider=HOSTED.provider.__replace__(client_id="other")),
        HOSTED.__replace__(provider=HOSTED.provider.__replace__(issuer="https://other.example")),
        OPENID,
    ],
)
def test_a_login_of_another_provider_is_refused(options: LoginOptions) -> None:
    error = refused(options=options)
    assert error.problem is SuspensionProblem.OTHER_PROVIDER
    assert "resume it with those with which it began" in str(error)


def test_the_origin_in_the_header_is_not_all_that_binds_a_login() -> None:
    """The origin itself is authenticated: a header with the digest of another one does not help."""
    other = HOSTED.__replace__(redirect_uri="https://other.example/auth/callback")
    theirs = seal_login(LoginMachine(other, SECRETS), SECRETS, KEYS, expires_at=END)
    assert refused(SEALED[:13] + theirs[13:29] + SEALED[29:], other).problem is SuspensionProblem.CHANGED


@pytest.mark.parametrize(("seconds", "is_over"), [(0, False), (599, False), (600, True), (10_000, True)])
def test_a_login_has_its_time(seconds: float, is_over: bool) -> None:  # noqa: FBT001
    if is_over:
        assert refused(now=NOW + seconds).problem is SuspensionProblem.EXPIRED
    else:
        assert opened(now=NOW + seconds).expires_at == END


@pytest.mark.parametrize("end", [0, -1, float("nan"), float("inf"), 1e12])
def test_the_end_is_a_time(end: float) -> None:
    with pytest.raises(ValueError, match="seconds since 1970"):
        seal_login(suspended(), SECRETS, KEYS, expires_at=end)


def test_a_structure_that_this_version_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = {**to_plain(SECRETS, suspended().snapshot()), "version": 9}
    monkeypatch.setattr(sealing, "to_plain", lambda *_: plain)
    error = refused(seal_login(suspended(), SECRETS, KEYS, expires_at=END))
    assert (error.problem, error.detail) == (SuspensionProblem.OTHER_VERSION, "it is of another version than 1")


def test_content_that_is_no_object(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "to_plain", lambda *_: [])
    error = refused(seal_login(suspended(), SECRETS, KEYS, expires_at=END))
    assert (error.problem, error.detail) == (SuspensionProblem.OTHER_VERSION, "not a JSON object")


@given(st.binary(max_size=200) | st.binary(max_size=200).map(lambda rest: SEALED[:49] + rest))
def test_whatever_comes_it_is_refused(data: bytes) -> None:
    assert refused(data).problem in SuspensionProblem


# Keys


def test_a_key_is_replaced_without_losing_a_login() -> None:
    """All replicas first get the new key behind the old one, then in front of it, then alone."""
    first, second, third = SealingKeys(KEY, OTHER_KEY), SealingKeys(OTHER_KEY, KEY), SealingKeys(OTHER_KEY)
    old = seal_login(suspended(), SECRETS, first, expires_at=END)
    new = seal_login(suspended(), SECRETS, second, expires_at=END)
    for keys in (first, second):
        assert opened(old, keys=keys).mark == opened(new, keys=keys).mark
    assert opened(new, keys=third).mark == opened(old).mark
    error = refused(old, keys=third)
    assert error.problem is SuspensionProblem.UNKNOWN_KEY
    assert "give every replica the same keys, and keep the previous key" in str(error)


@pytest.mark.parametrize("keys", [(), (b"short",), (KEY, KEY[:31]), (KEY * 2,)])
def test_keys_have_32_bytes(keys: tuple[bytes, ...]) -> None:
    with pytest.raises(ValueError, match="a sealing key has 32 bytes") as caught:
        SealingKeys(*keys)
    assert "short" not in str(caught.value)


def test_new_keys_are_random() -> None:
    one, other = SealingKeys.generate(), SealingKeys.generate()
    assert len(one) == len(other) == 32
    assert one != other


# The exception


def test_the_exception_can_be_pickled() -> None:
    error = pickle.loads(pickle.dumps(SuspendedLoginRefused(SuspensionProblem.OTHER_VERSION, "x")))
    assert (error.problem, error.detail) == (SuspensionProblem.OTHER_VERSION, "x")
    assert str(error).endswith("the person has to sign in again (x)")


@pytest.mark.parametrize("problem", SuspensionProblem)
def test_each_problem_says_what_to_do(problem: SuspensionProblem) -> None:
    assert "; " in str(SuspendedLoginRefused(problem))
