"""What was found so far: every problem counted, only the first of them kept, so that memory stays flat."""

from __future__ import annotations

from collections import Counter

from agent.fsck.base import MOST_TOLD, Kind, Note, Problem, Standing


class Findings:
    """Collects problems, notes and the standings of items."""

    def __init__(self) -> None:
        self.standings: Counter[Standing] = Counter()
        self.problems: list[Problem] = []
        self.problem_counts: Counter[Kind] = Counter()
        self.notes: list[Note] = []
        self.note_count = 0

    def problem(self, kind: Kind, said: str, item: int | None = None, place: str = "") -> None:
        self.problem_counts[kind] += 1
        if self.problem_counts[kind] <= MOST_TOLD:
            self.problems.append(Problem(kind, said, item, place))

    def note(self, said: str, item: int | None = None, place: str = "") -> None:
        self.note_count += 1
        if self.note_count <= MOST_TOLD:
            self.notes.append(Note(said, item, place))

    def stand(self, standing: Standing, items: int = 1) -> None:
        self.standings[standing] += items


def counted(number: int, singular: str, plural: str = "") -> str:
    """`1 item`, `2,000 items`."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def shown(*parts: bytes) -> str:
    """A path for people: what is no printable text is escaped."""
    text = b"/".join(filter(None, parts)).decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
