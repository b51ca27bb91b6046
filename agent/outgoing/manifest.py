"""The list that goes with an export: what each member is, where it lay and why it goes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from agent.outgoing.base import About, Entry
from connectors.base import show_name

MANIFEST = b"MANIFEST.json"
SUMS = b"SHA256SUMS"
_VERSION = 1
_NAMES = "UTF-8; bytes that are no text and control characters are written \\xNN, a backslash is doubled"


def manifest(about: About, items: Sequence[dict[str, object]]) -> bytes:
    """The manifest of these items, each as `describe` gave it; times are in UTC.

    Canonical JSON: one line, sorted keys, no blanks, ASCII, nothing but text and whole numbers.
    """
    said = {
        "version": _VERSION,
        "organisation": about.organisation,
        "recipient": about.recipient,
        "made_at": _say(about.made_at),
        "schedule": {"id": about.schedule_id, "version": about.schedule_version},
        "names": _NAMES,
        "items": items,
    }
    return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode() + b"\n"


def describe(entry: Entry, path: bytes, sha256: bytes) -> dict[str, object]:
    """What the manifest says of an item that is a member of this path and content."""
    folder, _, name = entry.path.rpartition(b"/")
    return {
        "path": show_name(path),
        "size_bytes": entry.size_bytes,
        "sha256": sha256.hex(),
        "share": entry.share,
        "folder": show_name(folder),
        "name": show_name(name),
        "modified_at": _say(entry.modified_at),
        "class": entry.class_id,
        "due_on": entry.due_on.isoformat(),
    }


def sums(of: Sequence[tuple[bytes, bytes]]) -> bytes:
    """Paths and their SHA-256 as `sha256sum -c` reads them. No path may hold a backslash or a control character."""
    return b"".join(sha256.hex().encode() + b"  " + path + b"\n" for path, sha256 in of)


def _say(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
