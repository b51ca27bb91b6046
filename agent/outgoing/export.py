"""Makes an export: a tar of the items with a manifest and checksums, encrypted for its recipients as it is written.

    age -d -i officer.key export.age | tar x && sha256sum -c SHA256SUMS

is all that a recipient needs to open it and to see that it is whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import BinaryIO

from agent.age.stream import Target, Writer
from agent.outgoing.base import About, Entry, Exported, ExportFailed
from agent.outgoing.manifest import MANIFEST, SUMS, describe, manifest, sums
from agent.outgoing.names import Names
from agent.outgoing.tape import Tape


def export(target: BinaryIO, recipients: Sequence[str], entries: Iterable[Entry], about: About) -> Exported:
    """Writes the entries into `target` as a file that each of the recipients (`age1…`) can open alone.

    The items lie below `items/`; `MANIFEST.json` and `SHA256SUMS` come last. Memory does not grow with the size of the
    items, but by some two kilobytes with each. The caller makes `target` durable.

    Raises `UsageError` for a recipient that cannot be used, before any entry is asked for; `ExportFailed` if an item
    is not as long as it was said to be, or there is none; and whatever an entry's `write` or the target raises. If it
    raises, the target must be thrown away: it cannot be taken for a whole file.
    """
    counted = _Counted(target)
    writer = Writer(counted, recipients)
    tape = Tape(writer)
    names = Names()
    items: list[dict[str, object]] = []
    listed: list[tuple[bytes, bytes]] = []
    for entry in entries:
        path = names.place(entry.path)
        sha256 = tape.add(path, entry.size_bytes, entry.modified_at, entry.write)
        items.append(describe(entry, path, sha256))
        listed.append((path, sha256))
    if not items:
        raise ExportFailed("There is nothing to export. Name at least one item.")
    listed.append((MANIFEST, _add(tape, MANIFEST, manifest(about, items), about.made_at)))
    _add(tape, SUMS, sums(listed), about.made_at)
    tape.finish()
    writer.finish()
    return Exported(counted.digest.digest(), counted.size_bytes, len(items))


def _add(tape: Tape, path: bytes, content: bytes, made_at: datetime) -> bytes:
    def write(stream: BinaryIO) -> None:
        stream.write(content)

    return tape.add(path, len(content), made_at, write)


class _Counted:
    """Passes bytes on to the target, counted and hashed as far as it took them."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self.size_bytes = 0
        self.digest = hashlib.sha256()

    def write(self, data: bytes | memoryview) -> int:
        taken = self._target.write(data)
        self.digest.update(memoryview(data)[:taken])
        self.size_bytes += taken
        return taken
