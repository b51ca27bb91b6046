"""The columns of an emulated library, and what may be written to them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.emulator.http import Problem

_TYPES: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "choice": (str,),
    "dateTime": (str,),
    "number": (int, float),
    "boolean": (bool,),
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a library; `kind` is the name of its facet."""

    name: str
    kind: str = "text"
    required: bool = False
    read_only: bool = False
    hidden: bool = False
    choices: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        facet: dict[str, Any] = {"choices": list(self.choices)} if self.kind == "choice" else {}
        return {
            "id": str(uuid.uuid5(uuid.NAMESPACE_OID, self.name)),
            "name": self.name,
            "displayName": self.name.strip("_"),
            "required": self.required,
            "readOnly": self.read_only,
            "hidden": self.hidden,
            "indexed": False,
            "enforceUniqueValues": False,
            self.kind: facet,
        }


_FIRST = (
    Column("Title"),
    Column("FileLeafRef"),
    Column("Created", "dateTime", read_only=True),
    Column("Modified", "dateTime", read_only=True),
    Column("_ComplianceTag", read_only=True),
    Column("_UIVersionString", read_only=True),
)


class Columns:
    """All columns of one library."""

    def __init__(self) -> None:
        self._columns = {each.name: each for each in _FIRST}

    def __iter__(self) -> Iterator[Column]:
        return iter(list(self._columns.values()))

    def add(
        self,
        name: str,
        kind: str = "text",
        *,
        required: bool = False,
        read_only: bool = False,
        choices: tuple[str, ...] = (),
    ) -> Column:
        """A new column, or another definition of one that is there."""
        self._columns[name] = Column(name, kind, required, read_only, choices=choices)
        return self._columns[name]

    def remove(self, name: str) -> None:
        del self._columns[name]

    def check(self, values: dict[str, Any]) -> None:
        """Raises the Problem that Graph answers where these values cannot be written."""
        for name, value in values.items():
            if name.startswith("@odata.") or "@odata." in name:
                continue
            column = self._columns.get(name)
            if column is None:
                raise Problem(400, "invalidRequest", f"Field '{name}' is not recognized")
            if column.read_only:
                raise Problem(400, "invalidRequest", f"Field '{name}' is read-only")
            if value in (None, "") and column.required:
                raise Problem(400, "invalidRequest", f"Field '{name}' is required")
            if value is not None and not _fits(column, value):
                raise Problem(400, "invalidRequest", f"Field '{name}' was given a value of the wrong type")

    def missing(self, values: dict[str, Any]) -> list[str]:
        """The required columns that have no value in these."""
        return [each.name for each in self if each.required and values.get(each.name) in (None, "")]


def _fits(column: Column, value: Any) -> bool:
    if isinstance(value, bool) and column.kind != "boolean":
        return False
    if column.kind == "choice":
        return value in column.choices
    return isinstance(value, _TYPES[column.kind])
