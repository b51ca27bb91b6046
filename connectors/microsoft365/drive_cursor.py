"""Where a run over a drive's change feed has come to, as the bytes that a caller keeps with what it has stored."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

_FORM = "drive-1"


@dataclass(frozen=True, slots=True)
class Cursor:
    """`link` leads on behind the page; it names items, and gives access to whoever holds a token.

    `generation` numbers the newest enumeration, which began at `began`; it is still under way if `enumerates`. `gone`
    are folders that were told to be deleted in this run: what was in them may be told to lie elsewhere until its end.
    """

    drive_id: str
    link: str = field(repr=False)
    generation: int
    began: datetime
    enumerates: bool
    root_id: str = ""
    gone: tuple[str, ...] = field(default=(), repr=False)

    def encode(self) -> bytes:
        parts = {
            "form": _FORM,
            "drive": self.drive_id,
            "link": self.link,
            "generation": self.generation,
            "began": self.began.isoformat(),
            "enumerates": self.enumerates,
            "root": self.root_id,
            "gone": self.gone,
        }
        return json.dumps(parts, separators=(",", ":")).encode("ascii")

    @classmethod
    def decode(cls, recorded: bytes) -> Self | None:
        """The cursor that `encode` gave these bytes for, none if they are anything else."""
        try:
            parts = json.loads(recorded)
            if parts["form"] != _FORM:
                return None
            return cls(
                _of(str, parts["drive"]),
                _of(str, parts["link"]),
                _number(parts["generation"]),
                datetime.fromisoformat(parts["began"]).astimezone(UTC),
                _of(bool, parts["enumerates"]),
                _of(str, parts["root"]),
                tuple(_of(str, folder_id) for folder_id in _of(list, parts["gone"])),
            )
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
            return None


def _of(kind: type[Any], value: object) -> Any:
    if not isinstance(value, kind):
        raise TypeError
    return value


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError
    return value
