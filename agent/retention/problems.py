"""What is wrong with a schedule, told all at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from agent.errors import ConfigurationError


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing to mend: line and column counted from 1, the field it stands in, and what to do in plain words."""

    line: int
    column: int
    field: str
    sentence: str


class ScheduleError(ConfigurationError):
    """The schedule cannot be followed. The message lists every problem, in the order of the file, one a line."""

    def __init__(self, source: str, problems: Iterable[Problem]) -> None:
        self.source = source
        self.problems = tuple(sorted(set(problems)))
        lines = [
            f"{source}:{problem.line}:{problem.column}: "
            + (f"{problem.field}: " if problem.field else "")
            + problem.sentence
            for problem in self.problems
        ]
        super().__init__("\n".join(lines))


def nearest(given: str, known: Iterable[str]) -> str:
    """A question that names the known word most like the one given, or nothing if none is like it."""
    by_folded = {word.casefold(): word for word in sorted(known)}
    near = get_close_matches(given.casefold(), by_folded, n=1)
    return f'Did you mean "{by_folded[near[0]]}"?' if near else ""


def one_of(given: str, known: Iterable[str]) -> str:
    """What to say after "… is not known": the nearest known word, or all of them, or some of them if they are many."""
    words = sorted(known)
    shown = ", ".join(words[:16]) + (", and others that the schema lists" if len(words) > 16 else "")
    return nearest(given, words) or f"Use one of: {shown}."
