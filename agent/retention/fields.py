"""What a field of a schedule is, and the shapes that many of them have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agent.model.categories import ENTITY_CATEGORIES
from agent.model.finding import DataCategory

ID = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
NAME = r"^[a-z][a-z0-9_]*$"
NO_PERIOD = "none"
FINDINGS = frozenset(ENTITY_CATEGORIES) | frozenset(DataCategory)

Json = Mapping[str, Any]
TEXT: Json = {"type": "string", "minLength": 1}
ID_TEXT: Json = {"type": "string", "pattern": ID}
NAME_TEXT: Json = {"type": "string", "pattern": NAME}


@dataclass(frozen=True, slots=True)
class Field:
    """One field that people may write, what it means, and the JSON Schema of its value."""

    name: str
    meaning: str
    shape: Json
    required: bool = True


def one_or_more(shape: Json) -> Json:
    return {"anyOf": [shape, {"type": "array", "items": shape, "minItems": 1}]}


def list_of(definition: str, at_least: int = 1) -> Json:
    return {"type": "array", "items": {"$ref": f"#/$defs/{definition}"}, "minItems": at_least}


CONDITION: Json = {"$ref": "#/$defs/condition"}

TRIGGER_FIELDS = (
    Field(
        "event",
        "The type of event that starts the clock, for example employment_ended.",
        NAME_TEXT,
    ),
    Field(
        "key",
        "The key that says whom or what the event is about; one of the class's keys.",
        NAME_TEXT,
    ),
)
