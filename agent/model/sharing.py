"""How widely an item is shared by itself at its source, as its marks tell."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

SHARING_MARK = "sharing"


class Sharing(StrEnum):
    """With whom an item is shared beyond those who reach its folder: the widest that holds."""

    ANONYMOUS = "anonymous"  # with whoever has the link, unasked who they are
    EXTERNAL = "external"  # with guests, or by invitation to an address elsewhere
    ORGANISATION = "organisation"
    PEOPLE = "people"


# Who gets at such an item is beyond what the organisation can see to.
OUTSIDE = (Sharing.ANONYMOUS, Sharing.EXTERNAL)


def sharing_in(marks: Mapping[str, str]) -> Sharing | None:
    """How widely an item with these marks is shared; none if it is not, or if its source does not tell."""
    told = marks.get(SHARING_MARK, "")
    return Sharing(told) if told in set(Sharing) else None
