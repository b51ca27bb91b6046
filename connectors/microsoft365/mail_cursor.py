"""Where a run over the changes of a mailbox has come to, as the bytes that a caller keeps with what it has stored."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

_FORM = "mail-1"
STAGES = ("folders", "messages", "outdated", "end")


@dataclass(frozen=True, slots=True)
class MailCursor:
    """Where a run is: a mailbox has one change feed for its folders, and one for the messages in each folder.

    `generation` numbers the newest enumeration, which began at `began`; it is still under way if `enumerates`.
    `rounds` is how often all feeds are still read in this run, this time among them: twice where everything is
    enumerated, so that what moves meanwhile from a folder that comes later into one that came before is met. `folders`
    leads on in the feed of folders, `feeds` to what comes later in those of messages, by folder id (empty for one not
    begun), and `page` on in that of the first folder of `waiting`. `gone` are folders that were told to be deleted:
    what was in them may be told to lie elsewhere until the end. `sized` says that messages are told with their sizes,
    `complete` that every folder could be read so far.
    Links begin behind Graph's root, so that none leads to any other host; without a token they give access to nothing.
    """

    root_id: str
    generation: int
    began: datetime
    enumerates: bool
    rounds: int
    stage: str = "folders"
    folders: str = field(default="", repr=False)
    feeds: dict[str, str] = field(default_factory=dict, repr=False)
    waiting: tuple[str, ...] = field(default=(), repr=False)
    page: str = field(default="", repr=False)
    gone: tuple[str, ...] = field(default=(), repr=False)
    sized: bool = True
    complete: bool = True

    def encode(self) -> bytes:
        parts = {
            "form": _FORM,
            "root": self.root_id,
            "generation": self.generation,
            "began": self.began.isoformat(),
            "enumerates": self.enumerates,
            "rounds": self.rounds,
            "stage": self.stage,
            "folders": self.folders,
            "feeds": self.feeds,
            "waiting": self.waiting,
            "page": self.page,
            "gone": self.gone,
            "sized": self.sized,
            "complete": self.complete,
        }
        return json.dumps(parts, separators=(",", ":")).encode("ascii")

    @classmethod
    def decode(cls, recorded: bytes) -> Self | None:
        """The cursor that `encode` gave these bytes for; none if they are anything else, or lead anywhere else."""
        try:
            parts = json.loads(recorded)
            if parts["form"] != _FORM or parts["stage"] not in STAGES:
                return None
            cursor = cls(
                _of(str, parts["root"]),
                _number(parts["generation"]),
                datetime.fromisoformat(parts["began"]).astimezone(UTC),
                _of(bool, parts["enumerates"]),
                _number(parts["rounds"]),
                parts["stage"],
                _link(parts["folders"]),
                {_of(str, id): _link(link) for id, link in _of(dict, parts["feeds"]).items()},
                tuple(_of(str, id) for id in _of(list, parts["waiting"])),
                _link(parts["page"]),
                tuple(_of(str, id) for id in _of(list, parts["gone"])),
                _of(bool, parts["sized"]),
                _of(bool, parts["complete"]),
            )
            return cursor if cursor.waiting or cursor.stage != "messages" else None
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


def _link(value: object) -> str:
    link: str = _of(str, value)
    if link and (not link.startswith("/users") or "//" in link.partition("?")[0]):
        raise ValueError
    return link
