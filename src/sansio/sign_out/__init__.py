"""The state machine of a sign-out. It is built like that of a login."""

from .machine import SignOutMachine

__all__ = ["SignOutMachine"]
