"""Where an item can lie."""

from __future__ import annotations

from connectors.base import ItemRef
from connectors.errors import NoPlace

_NO_NAMES = (b"", b".", b"..")


def check_place(ref: ItemRef) -> None:
    """Raises `NoPlace` if a step of the way is no name: empty, `.` or `..`, or with a NUL or, in the last, a slash."""
    steps = [*(ref.folder.split(b"/") if ref.folder else []), ref.name]
    if b"/" in ref.name or any(step in _NO_NAMES or b"\0" in step for step in steps):
        raise NoPlace("a part of the way there is empty, `.` or `..`, or has a character that no name can have")
