"""$select and $expand: what a caller wants of an entity."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.emulator.http import Problem


@dataclass(frozen=True, slots=True)
class Wish:
    """The properties that are wanted (None: all that are given without asking), and what is to be expanded."""

    select: frozenset[str] | None = None
    expand: dict[str, Wish] = field(default_factory=dict)

    def names(self, name: str) -> bool:
        """Whether the property was asked for by its name."""
        return self.select is not None and name in self.select

    def of(self, told: dict[str, Any], always: Iterable[str] = ()) -> dict[str, Any]:
        """What is wanted of all that could be told. Names that there are not are passed over."""
        if self.select is None:
            return told
        keep = {*self.select, *self.expand, *always}
        return {name: value for name, value in told.items() if name in keep or name.startswith("@odata.")}


def wish(select: str | None, expand: str | None) -> Wish:
    """Raises Problem 400 for brackets that do not match."""
    chosen = None if select is None else frozenset(name.strip() for name in select.split(",") if name.strip())
    return Wish(chosen, dict(map(_expanded, _split(expand or "", ","))))


def _expanded(text: str) -> tuple[str, Wish]:
    name, bracket, rest = text.partition("(")
    if not bracket:
        return name.strip(), Wish()
    if not rest.endswith(")"):
        raise Problem(400, "BadRequest", "Invalid $expand.")
    options = dict(_option(each) for each in _split(rest[:-1], ";"))
    return name.strip(), wish(options.get("$select"), options.get("$expand"))


def _option(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name.strip(), value


def _split(text: str, separator: str) -> list[str]:
    """Split where the separator stands outside of brackets."""
    parts, depth, current = [], 0, ""
    for char in text:
        depth += (char == "(") - (char == ")")
        if depth < 0:
            raise Problem(400, "BadRequest", "Invalid $expand.")
        if char == separator and depth == 0:
            parts.append(current)
            current = ""
        else:
            current += char
    if depth:
        raise Problem(400, "BadRequest", "Invalid $expand.")
    return [part for part in (*parts, current) if part.strip()]
