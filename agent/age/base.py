"""In which ways an age file can fail to open."""

from __future__ import annotations

from agent.errors import AgentError


class AgeError(AgentError):
    """An age file cannot be opened."""


class Damaged(AgeError):
    """It is cut short or altered, or no age file at all."""

    def __init__(self) -> None:
        super().__init__("This age file is damaged, or is none. Use another copy of it.")


class WrongKey(AgeError):
    """It was made for others."""

    def __init__(self) -> None:
        super().__init__("This age file was not made for this identity. Use that of a recipient.")
