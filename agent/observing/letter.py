"""A mail before it is one, and how its sending can go wrong."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Letter:
    """What one address is told. `subjects` are what it is about, by which it is remembered that this was told.

    `title` is one line, `text` plain text. Neither names a file or holds a value found in one.
    """

    kind: str
    recipient: str
    subjects: tuple[str, ...]
    title: str
    text: str


class Why(StrEnum):
    """Why a letter did not get through."""

    SERVER_AWAY = "server_away"
    NOT_ENCRYPTED = "not_encrypted"  # the server offers no TLS, or its certificate is not to be trusted
    NOT_LOGGED_IN = "not_logged_in"
    REFUSED = "refused"
    REFUSED_RECIPIENT = "refused_recipient"
    NO_PASSWORD = "no_password"  # noqa: S105 — a word for what went wrong


_ONE_ALONE = frozenset({Why.REFUSED, Why.REFUSED_RECIPIENT})


class Undelivered(Exception):
    """A letter did not get through; temporary as far as anybody can tell, so that it is sent again later."""

    def __init__(self, why: Why) -> None:
        super().__init__(why.value)
        self.why = why

    @property
    def others_too(self) -> bool:
        """Whether the next letter would fare the same."""
        return self.why not in _ONE_ALONE
