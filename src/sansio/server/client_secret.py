"""A client secret that is kept somewhere else: in a file, or where a command finds it."""

from __future__ import annotations

from ..base.secret import Secret


class ExternalSecret(Secret):
    """A client secret that a file holds, or that a command prints. Only the path or the command is stored.

    The value is empty as long as it was not read. `is_read` says whether it was.

    Args:
        value: The secret; empty if it was not read yet.
        file: The path of the file.
        command: The command and its arguments. It prints the secret.

    Raises:
        ValueError: Neither a file nor a command is given, or both are.
    """

    __slots__ = ("command", "file")

    def __init__(self, value: str = "", *, file: str = "", command: tuple[str, ...] = ()) -> None:
        super().__init__(value)
        if bool(file) is bool(command):
            raise ValueError("a client secret is in a file or comes from a command")
        self.file = file
        self.command = command

    @property
    def is_read(self) -> bool:
        """Whether the value is known."""
        return self.reveal() != ""

    @property
    def where(self) -> str:
        """The file, or the program that is called, as text for people. Arguments of the program are left out."""
        return self.file or f"the command {self.command[0]}"

    def with_value(self, value: str) -> ExternalSecret:
        """Return the secret with a value that was read."""
        return ExternalSecret(value, file=self.file, command=self.command)
