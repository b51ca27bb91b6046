"""What may be told to everybody of the name of a share: that of a mailbox or a OneDrive is its owner's."""

from __future__ import annotations

import re

_MAILBOX = re.compile(r"[^\s/@]+@[^\s/@]+( \([^()]*\))?")
_ONEDRIVE = re.compile(r"^OneDrive/|/personal/", re.IGNORECASE)


def without_person(name: str) -> str:
    """The name of a share, a drive or a mailbox as it may be told to everybody."""
    if _MAILBOX.fullmatch(name):
        return "a mailbox"
    return "a OneDrive" if _ONEDRIVE.search(name) else name
