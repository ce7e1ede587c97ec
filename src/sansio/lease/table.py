"""The transitions of a lease, and their effects. `loginmachine.sansio.login.table` explains how to read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from ..base import engine
from .actions import RenewLease, ReturnLease, TakeLease, Wait
from .states import LeaseState, LeaseTrigger

if TYPE_CHECKING:
    from .events import LeaseEvent, LeaseGranted, LeaseWanted
    from .state import LeaseData


def may_wait(lease: LeaseData, event: LeaseEvent) -> bool:
    """The worker still wants to wait for the one that has the lease."""
    return event.at < lease.deadline


def lasts(lease: LeaseData, event: LeaseEvent) -> bool:
    """The answer came while the lease is valid, counted from before the server was asked."""
    return event.at < lease.asked_at + lease.times.usable


def begin(lease: LeaseData, event: LeaseWanted) -> None:
    """Ask for the lease, for as long as the worker has patience."""
    lease.deadline = event.at + event.patience
    take(lease, event)


def take(lease: LeaseData, event: LeaseEvent) -> None:
    """Ask for the lease."""
    lease.asked_at = event.at
    lease.out.append(TakeLease(timeout=lease.times.timeout))


def wait(lease: LeaseData, _: LeaseEvent) -> None:
    """Wait a moment before the next attempt."""
    lease.out.append(Wait(seconds=lease.times.pause))


def hold(lease: LeaseData, event: LeaseGranted) -> None:
    """The worker may refresh the tokens now. Renew the lease soon, in case that takes long."""
    lease.fence = event.fence
    extend(lease, event)


def extend(lease: LeaseData, _: LeaseEvent) -> None:
    """The lease is valid for longer. Renew it again soon."""
    lease.valid_until = lease.asked_at + lease.times.usable
    lease.out.append(Wait(seconds=lease.times.renewal))


def renew_late(lease: LeaseData, event: LeaseGranted) -> None:
    """Renew the lease before it is used: its answer came too late to rely on."""
    lease.fence = event.fence
    renew(lease, event)


def renew(lease: LeaseData, event: LeaseEvent) -> None:
    """Renew the lease."""
    lease.asked_at = event.at
    lease.out.append(RenewLease(fence=lease.fence, timeout=lease.times.timeout))


def give_back(lease: LeaseData, _: LeaseEvent) -> None:
    """Let others have the lease at once."""
    end(lease, _)
    lease.out.append(ReturnLease(fence=lease.fence))


def end(lease: LeaseData, _: LeaseEvent) -> None:
    """The worker must not use the refresh token, or not any more."""
    lease.valid_until = float("-inf")


LeaseRow: TypeAlias = engine.Row[LeaseState, LeaseTrigger, "LeaseData"]
"""A transition of a lease."""
S, T, Row = LeaseState, LeaseTrigger, LeaseRow
_BEFORE: Final = (S.IDLE, S.TAKING, S.WAITING)

# fmt: off
LEASE_ROWS: Final[tuple[LeaseRow, ...]] = (
    Row(T.LEASE_WANTED,     (S.IDLE,),             S.TAKING,      begin),
    Row(T.LEASE_GRANTED,    (S.TAKING,),           S.HELD,        hold,       lasts),
    Row(T.LEASE_GRANTED,    (S.TAKING,),           S.RENEWING,    renew_late),
    Row(T.LEASE_REFUSED,    (S.TAKING,),           S.WAITING,     wait,       may_wait),
    Row(T.LEASE_REFUSED,    (S.TAKING,),           S.BUSY,        end),
    Row(T.NO_ANSWER,        (S.TAKING,),           S.UNREACHABLE, end),
    Row(T.WAIT_OVER,        (S.WAITING,),          S.TAKING,      take),
    Row(T.LEASE_UNWANTED,   _BEFORE,               S.RETURNED,    end),

    # While the tokens are refreshed
    Row(T.WAIT_OVER,        (S.HELD,),             S.RENEWING,    renew),
    Row(T.LEASE_RENEWED,    (S.RENEWING,),         S.HELD,        extend,     lasts),
    Row(T.LEASE_RENEWED,    (S.RENEWING,),         None,          renew),
    Row(T.NO_ANSWER,        (S.RENEWING,),         S.HELD,        wait),
    Row(T.LEASE_SUPERSEDED, (S.RENEWING,),         S.LOST,        end),
    Row(T.LEASE_UNWANTED,   (S.HELD, S.RENEWING),  S.RETURNED,    give_back),
)
# fmt: on
