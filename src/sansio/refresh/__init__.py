"""The refresh of an access token: a state machine of the same kind as that of a login."""

from .machine import RefreshMachine

__all__ = ["RefreshMachine"]
