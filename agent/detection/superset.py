"""From a regular expression to a simpler one over bytes that matches wherever the first may match.

Every character is shown to the scanner as one byte: ASCII as itself, all others by what `regex` takes them for. So the
scanner's own idea of Unicode is never asked, and offsets are those of the text. What is left out (look-around, edges,
upper bounds of repetitions, letters behind a back reference) can only add matches.
"""

from __future__ import annotations

import codecs
import importlib
import re
import warnings
from collections.abc import Iterator
from typing import Any

import regex

LETTER, DIGIT, SPACE, SIGN = 0x80, 0x81, 0x82, 0x83  # what stands for characters beyond ASCII
_BEYOND = frozenset({LETTER, DIGIT, SPACE, SIGN})
_ALL = frozenset(range(128)) | _BEYOND
_UNDERSTOOD = int(regex.IGNORECASE | regex.MULTILINE | regex.DOTALL | regex.UNICODE | regex.V0)
_KEPT_BOUND = 4  # repetitions up to so often keep their bound; a larger one costs the scanner more than it saves
# `regex` knows fuzzy matching, `re` reads it as plain letters.
_FUZZY = re.compile(r"\{\s*(?:\d+\s*<=?\s*)?\d*\s*[eids]\s*[<}+,:]")

# The standard library knows no properties: letters and numbers of any kind are read as these private characters.
_PROPERTIES = {"L": "\uf8f0", "N": "\uf8f1"}
_PROPERTY = re.compile(r"(?<!\\)((?:\\\\)*)\\p\{([LN])[ultd]?\}")


class NotSimpler(Exception):
    """The expression cannot be read here."""


def _class_byte(char: str) -> int:
    if regex.match(r"\d", char):
        return DIGIT
    if regex.match(r"\s", char):
        return SPACE
    return LETTER if regex.match(r"\w", char) else SIGN


def _ascii(category: str) -> frozenset[int]:
    return frozenset(number for number in range(128) if regex.match(category, chr(number)))


_CATEGORIES = {
    "CATEGORY_DIGIT": _ascii(r"\d") | {DIGIT},
    "CATEGORY_SPACE": _ascii(r"\s") | {SPACE},
    "CATEGORY_WORD": _ascii(r"\w") | {LETTER, DIGIT},
    "CATEGORY_NOT_DIGIT": _ascii(r"\D") | {LETTER, SPACE, SIGN},
    "CATEGORY_NOT_SPACE": _ascii(r"\S") | {LETTER, DIGIT, SIGN},
    "CATEGORY_NOT_WORD": _ascii(r"\W") | {SPACE, SIGN},
}
_MEMBERS_OF_PROPERTY = {
    ord(_PROPERTIES["L"]): _ascii("[A-Za-z]") | {LETTER},
    ord(_PROPERTIES["N"]): _ascii("[0-9]") | {LETTER, DIGIT, SIGN},
}


def parsed(expression: str, flags: int) -> Any:
    """The expression as the standard library reads it. Raises `NotSimpler` if that may differ from `regex`."""
    if flags & ~_UNDERSTOOD or _FUZZY.search(expression) or any(char in expression for char in _PROPERTIES.values()):
        raise NotSimpler
    expression = _PROPERTY.sub(lambda found: found[1] + _PROPERTIES[found[2]], expression)
    parser: Any = importlib.import_module("re._parser")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return parser.parse(expression, flags & (re.IGNORECASE | re.MULTILINE | re.DOTALL))
        except (re.error, Warning, RecursionError, OverflowError) as error:
            raise NotSimpler from error


def superset(expression: str, flags: int) -> bytes:
    """A byte expression for Hyperscan (with DOTALL) that matches in the shown text wherever the expression does. Raises
    `NotSimpler`.
    """
    tree = parsed(expression, flags)
    return _Writer().sequence(tree, int(tree.state.flags) | flags).encode("ascii")


def conditions(expression: str, flags: int, before: int) -> list[bytes]:
    """Byte expressions that match, too, wherever the expression does: of what it looks at ahead, from the beginning of
    a match on, and behind, at most `before` characters. What stands before something ahead is a part of it there.
    Raises `NotSimpler`.
    """
    tree = parsed(expression, flags)
    return [written.encode("ascii") for written in _looked_at(tree, int(tree.state.flags) | flags, before) if written]


def _looked_at(tree: Any, flags: int, before: int) -> Iterator[str]:
    for operation, argument in tree:
        match str(operation):
            case "SUBPATTERN":
                _, added, removed, body = argument
                yield from _looked_at(body, (flags | added) & ~removed, before)
            case "ASSERT" if argument[0] > 0 or argument[1].getwidth()[1] <= before:
                try:
                    yield _Writer(before).sequence(argument[1], flags, leading=True)
                except NotSimpler:  # such as a reference to a group before it
                    continue


class _Writer:
    """Writes a sequence of steps. What is looked at behind a `leading` one, up to `before` characters, is kept."""

    def __init__(self, before: int = 0) -> None:
        self._before = before
        self._groups: dict[int, str] = {}

    def sequence(self, tree: Any, flags: int, *, leading: bool = False) -> str:
        written = ""
        for operation, argument in tree:
            written += self._step(str(operation), argument, flags, leading=leading and not written)
        return written

    def _step(self, operation: str, argument: Any, flags: int, *, leading: bool) -> str:
        match operation:
            case "LITERAL" | "NOT_LITERAL" | "IN" | "ANY":
                return _written(_members(operation, argument, flags))
            case "ASSERT" if leading and argument[0] < 0 and argument[1].getwidth()[1] <= self._before:
                return self.sequence(argument[1], flags)
            case "AT" if str(argument) == "AT_END_STRING":
                return r"\z"
            case "BRANCH":
                return "(?:" + "|".join(self.sequence(branch, flags, leading=leading) for branch in argument[1]) + ")"
            case "SUBPATTERN":
                group, added, removed, body = argument
                inside = f"(?:{self.sequence(body, (flags | added) & ~removed, leading=leading)})"
                if group is not None:
                    self._groups[group] = inside
                return inside
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                return _whole(self.sequence(argument[2], flags)) + _times(int(argument[0]), int(argument[1]))
            case "ATOMIC_GROUP":
                return f"(?:{self.sequence(argument, flags)})"
            case "ASSERT" | "ASSERT_NOT" | "AT":
                return ""
            case "GROUPREF" if argument in self._groups:
                return self._groups[argument]
        raise NotSimpler


def _whole(written: str) -> str:
    """As one thing that a number of times may follow."""
    one = re.fullmatch(r"\[[^\]]*\]|\\x..|.|\(\?:[^()]*\)", written, re.DOTALL)
    return written if one else f"(?:{written})"


def _times(fewest: int, most: int) -> str:
    if fewest == 0 and most == 1:
        return "?"
    if most <= _KEPT_BOUND or most == fewest:
        return f"{{{fewest},{most}}}" if most > fewest else f"{{{fewest}}}"
    return {0: "*", 1: "+"}.get(fewest, f"{{{fewest},}}")


def _members(operation: str, argument: Any, flags: int) -> frozenset[int]:
    """The bytes of all characters that may match."""
    if operation == "ANY":
        return _ALL if flags & re.DOTALL else _ALL - {ord("\n")}
    if operation == "LITERAL":
        return _any_case(_range(argument, argument), flags)
    if operation == "NOT_LITERAL":
        return _ALL if argument >= 128 else _ALL - {argument}
    items = [(str(kind), value) for kind, value in argument]
    if items[0][0] == "NEGATE":
        items = [(kind, value) for kind, value in items if kind != "LITERAL" or value not in _MEMBERS_OF_PROPERTY]
        # A byte beyond ASCII stands for many characters: only a whole class shuts it out.
        out = frozenset[int]().union(*(_item(kind, value) - _BEYOND for kind, value in items[1:]))
        out |= frozenset[int]().union(*(_CATEGORIES[str(value)] for kind, value in items[1:] if kind == "CATEGORY"))
        return _ALL - out
    return _any_case(frozenset[int]().union(*(_item(kind, value) for kind, value in items)), flags)


def _item(kind: str, value: Any) -> frozenset[int]:
    if kind == "LITERAL":
        return _range(value, value)
    if kind == "RANGE":
        return _range(value[0], value[1])
    if kind == "CATEGORY" and str(value) in _CATEGORIES:
        return _CATEGORIES[str(value)]
    raise NotSimpler


def _range(first: int, last: int) -> frozenset[int]:
    found = frozenset(range(first, min(last, 127) + 1))
    if last < 128:
        return found
    if first == last and first in _MEMBERS_OF_PROPERTY:
        return _MEMBERS_OF_PROPERTY[first]
    return found | (_BEYOND if first != last else {_class_byte(chr(first))})


def _any_case(members: frozenset[int], flags: int) -> frozenset[int]:
    """With case ignored, ASCII letters in both cases; some letters beyond ASCII are cases of one (the Kelvin sign)."""
    if not flags & re.IGNORECASE:
        return members
    letters = {number for number in members if number < 128 and chr(number).isalpha()}
    both = {ord(case) for number in letters for case in (chr(number).lower(), chr(number).upper())}
    if LETTER in members:
        both |= {ord(char) for char in "iIkKsS"}
    return members | both | ({LETTER} if letters else set())


def _written(members: frozenset[int]) -> str:
    if not members:
        raise NotSimpler
    if members == _ALL:
        return "."
    ranges: list[list[int]] = []
    for number in sorted(members):
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    written = "".join(_char(first) + (f"-{_char(last)}" if last > first else "") for first, last in ranges)
    return written if len(members) == 1 else f"[{written}]"


def _char(number: int) -> str:
    return chr(number) if number < 128 and chr(number).isalnum() else f"\\x{number:02x}"


_MOST_REMEMBERED = 50_000
_known: dict[str, int] = {}


def _show(error: UnicodeError) -> tuple[bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    if len(_known) > _MOST_REMEMBERED:
        _known.clear()
    shown = bytearray()
    for char in error.object[error.start : error.end]:
        byte = _known.get(char)
        if byte is None:
            byte = _known[char] = _class_byte(char)
        shown.append(byte)
    return bytes(shown), error.end


codecs.register_error("retentiond-shown", _show)


def shown(text: str) -> bytes:
    """The text as the scanner sees it, one byte for each character; lone surrogates are signs."""
    return text.encode("ascii", "retentiond-shown")
