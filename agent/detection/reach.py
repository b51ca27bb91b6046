"""How far a regular expression reaches: what must be known to run it on a part of a text and find the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from agent.detection.superset import NotSimpler, parsed

_WHITE_SPACE = " \t\n\r\v\f"
_MANY = 1_000_000


@dataclass(frozen=True, slots=True)
class Reach:
    """`length` bounds the characters that a match and the look-ahead behind it take, None if nothing bounds them.

    `one_word` says that a match holds no ASCII white space; then `beyond` bounds what is looked at behind the match.
    """

    length: int | None
    one_word: bool = False
    beyond: int = 0


UNKNOWN = Reach(None)


def reach_of(pattern: str, flags: int = 0) -> Reach:
    """The reach of a pattern of `regex`, `UNKNOWN` for what cannot be read. `flags` are those of `regex`."""
    try:
        tree = parsed(pattern, flags)
    except NotSimpler:
        return UNKNOWN
    groups: dict[int, tuple[int, bool]] = {}
    taken, beyond, spaced = _walk(tree, groups)
    length = taken + beyond
    return Reach(length if length < _MANY else None, one_word=not spaced and beyond < _MANY, beyond=min(beyond, _MANY))


def _walk(tree: Any, groups: dict[int, tuple[int, bool]]) -> tuple[int, int, bool]:
    """The most characters that are taken, the most that are only looked at, and whether white space may be taken."""
    taken = beyond = 0
    spaced = False
    for operation, argument in tree:
        more, further, space = _step(str(operation), argument, groups)
        taken, beyond, spaced = taken + more, beyond + further, spaced or space
    return min(taken, _MANY), min(beyond, _MANY), spaced


def _looked_at(tree: Any, groups: dict[int, tuple[int, bool]]) -> int:
    """The most characters that a look-ahead has to see: of a repetition at its end, the fewest are enough."""
    steps = list(tree)
    if not steps:
        return 0
    operation, argument = str(steps[-1][0]), steps[-1][1]
    before = sum(_walk(steps[:-1], groups)[:2])
    if operation in ("MAX_REPEAT", "MIN_REPEAT"):
        return min(before + sum(_walk(argument[2], groups)[:2]) * int(argument[0]), _MANY)
    if operation == "BRANCH":
        return before + max(_looked_at(branch, groups) for branch in argument[1])
    return before + sum(_walk(steps[-1:], groups)[:2])


def _step(operation: str, argument: Any, groups: dict[int, tuple[int, bool]]) -> tuple[int, int, bool]:
    if operation == "LITERAL":
        return 1, 0, chr(argument) in _WHITE_SPACE
    if operation == "IN":
        return 1, 0, _set_holds_white_space(argument)
    if operation == "BRANCH":
        found = [_walk(branch, groups) for branch in argument[1]]
        return max(f[0] for f in found), max(f[1] for f in found), any(f[2] for f in found)
    if operation == "SUBPATTERN":
        inside = _walk(argument[3], groups)
        if argument[0] is not None:
            groups[argument[0]] = (inside[0], inside[2])
        return inside
    if operation in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        taken, beyond, spaced = _walk(argument[2], groups)
        times = int(argument[1])
        return min(taken * times, _MANY), min(beyond * times, _MANY), spaced
    if operation == "ATOMIC_GROUP":
        return _walk(argument, groups)
    if operation in ("ASSERT", "ASSERT_NOT"):
        direction, body = argument
        return 0, _looked_at(body, groups) if direction > 0 else _walk(body, groups)[1], False
    if operation == "AT":
        return 0, 1, False
    if operation == "GROUPREF":
        taken, spaced = groups.get(argument, (_MANY, True))
        return taken, 0, spaced
    if operation in ("ANY", "NOT_LITERAL"):
        return 1, 0, True
    return _MANY, _MANY, True


def _set_holds_white_space(items: Any) -> bool:
    """Whether a character class may match ASCII white space; for a negated one, whether it fails to shut it out."""
    negated = False
    found: set[str] = set()
    for operation, argument in items:
        kind = str(operation)
        if kind == "NEGATE":
            negated = True
        elif kind == "LITERAL":
            found.update(char for char in _WHITE_SPACE if ord(char) == argument)
        elif kind == "RANGE":
            found.update(char for char in _WHITE_SPACE if argument[0] <= ord(char) <= argument[1])
        elif str(argument) in ("CATEGORY_SPACE", "CATEGORY_NOT_DIGIT", "CATEGORY_NOT_WORD"):
            found.update(_WHITE_SPACE)
    return len(found) < len(_WHITE_SPACE) if negated else bool(found)
