"""The state machine that obtains a valid access token. It is built like that of a login."""

from .machine import RefreshMachine

__all__ = ["RefreshMachine"]
