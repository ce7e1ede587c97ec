"""The state machine of a lease: one worker among many may refresh the tokens. It is built like that of a refresh."""

from .machine import LeaseMachine

__all__ = ["LeaseMachine"]
