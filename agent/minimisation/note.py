"""The note that may lie where an item was, so that nobody searches for it in vain."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from agent.model.disposal import Account
from agent.model.schedule import Officer


def removal_note(account: Account, removed_on: date, officers: Sequence[Officer]) -> bytes:
    """The note as UTF-8 text: under which class an item was removed, when, and whom to ask. It tells of no person.

    Officers appear by role and contact.
    """
    lines = [
        "A file was removed from here at the end of its retention period",
        "",
        f"class: {account.class_id}",
        f"removed on: {removed_on.isoformat()}",
        f"rule: {account.rule}",
        "",
        f'It was removed under the class "{account.class_title}" ({account.mandate}).',
        *([f"Ask: {'; '.join(f'{one.role}, {one.contact}' for one in officers)}."] if officers else []),
        "",
    ]
    return "\n".join(lines).encode()
