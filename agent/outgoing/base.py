"""What an export is made of, and what it came to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import BinaryIO

from agent.errors import AgentError


class ExportFailed(AgentError):
    """The export is not whole: what was written of it must be thrown away."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One item of an export. `path` is where it lay in its share, folder and name; `modified_at` is aware.

    `write` puts exactly `size_bytes` bytes of content into the stream that it is given, in order, before it returns.
    Whatever it raises ends the export.
    """

    share: str
    path: bytes = field(repr=False)
    size_bytes: int
    modified_at: datetime
    class_id: str
    due_on: date
    write: Callable[[BinaryIO], None] = field(repr=False)


@dataclass(frozen=True, slots=True)
class About:
    """What the manifest says for all items: who hands what back to whom, when, and by which schedule."""

    organisation: str
    recipient: str
    made_at: datetime
    schedule_id: str
    schedule_version: str


@dataclass(frozen=True, slots=True)
class Exported:
    """A whole export. `sha256` and `size_bytes` are those of the encrypted file, `items` counts entries."""

    sha256: bytes
    size_bytes: int
    items: int
