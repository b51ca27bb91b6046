"""Path patterns as regular expressions that no file name can make slow.

A wildcard pattern never gains from going back to an earlier `**` or `*`: the leftmost place where the text between
two of them fits is as good as any later one. Each such stretch is therefore an atomic group, and matching stays
quadratic in the length of the path at worst, whoever chose the file's name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from agent.model.condition import CAPTURE, PathPattern
from agent.model.key import normalise_key

_FOLDERS = r"(?:[^/]+/)*?"
_NOT_LITERAL = re.compile(r"/?\*\*/?|\*|\?|\{[a-z0-9_]+\}")
_TOKEN = re.compile(r"\*|\?|" + CAPTURE.pattern)


def fold(path: str) -> str:
    """The form in which paths and patterns are compared: composed characters, case folded."""
    return path.lower() if path.isascii() else unicodedata.normalize("NFC", path).casefold()


@dataclass(frozen=True, slots=True)
class CompiledPattern:
    """A pattern ready to be matched. `literal` stands in every folded path that can match."""

    text: str
    literal: str
    expression: re.Pattern[str]
    captures: tuple[str, ...]

    def match(self, folded_path: str) -> Mapping[str, str] | None:
        """The keys captured from a path that matches, or none if it does not. A key of white space is none."""
        if self.literal not in folded_path:
            return None
        found = self.expression.fullmatch(folded_path)
        if found is None:
            return None
        if not self.captures:
            return {}
        return {name: key for name, value in found.groupdict().items() if (key := normalise_key(value))}


def compile_pattern(pattern: PathPattern) -> CompiledPattern:
    """The pattern as an expression over folded paths."""
    folded = fold(pattern.text)
    literal = max(_NOT_LITERAL.split(folded), key=len)
    return CompiledPattern(pattern.text, literal, re.compile(_expression(folded), re.DOTALL), pattern.captures)


def _expression(folded: str) -> str:
    """Stretches of components between `**`, each found at its leftmost place; the last one reaches the end."""
    components = folded.split("/")
    below = components[-1] == "**"
    if below:
        components.pop()
    stretches: list[list[str]] = [[]]
    for component in components:
        if component == "**":
            stretches.append([])
        else:
            stretches[-1].append(_component(component))
    first, *others = ["".join(part + "/" for part in stretch) for stretch in stretches]
    if below:
        return first + "".join(f"(?>{_FOLDERS}{stretch})" for stretch in others) + ".+"
    if not others:
        return first.removesuffix("/")
    *found, last = others
    return first + "".join(f"(?>{_FOLDERS}{stretch})" for stretch in found) + _FOLDERS + last.removesuffix("/")


def _component(component: str) -> str:
    """One component: like the path, each stretch between wildcards at its leftmost place, the last one at the end."""
    stretches: list[tuple[str, str]] = [("", "")]
    position = 0
    for token in _TOKEN.finditer(component):
        wildcard, text = stretches[-1]
        stretches[-1] = (wildcard, text + re.escape(component[position : token.start()]))
        position = token.end()
        if token.group() == "?":
            stretches[-1] = (stretches[-1][0], stretches[-1][1] + "[^/]")
        elif token.group() == "*":
            stretches.append(("[^/]*?", ""))
        else:
            stretches.append((f"(?P<{token.group(1)}>[^/]+?)", ""))
    wildcard, text = stretches[-1]
    stretches[-1] = (wildcard, text + re.escape(component[position:]))
    *found, (wildcard, text) = stretches
    return "".join(f"(?>{wildcard}{text})" for wildcard, text in found) + f"{wildcard}{text}"
