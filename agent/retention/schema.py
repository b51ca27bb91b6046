"""The fields of a schedule, written down once: the loader checks against them, editors get them as JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agent.model.categories import ENTITY_CATEGORIES
from agent.model.condition import FileKind, StorageKind
from agent.model.finding import JUDGED_CATEGORIES, DataCategory
from agent.model.record_kind import RecordKind
from agent.model.schedule import Combination, CutOff, Disposition, RecordDate

ID = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
NAME = r"^[a-z][a-z0-9_]*$"
NO_PERIOD = "none"
FINDINGS = frozenset(ENTITY_CATEGORIES) | frozenset(DataCategory)

_Json = Mapping[str, Any]
_TEXT: _Json = {"type": "string", "minLength": 1}
_ID: _Json = {"type": "string", "pattern": ID}
_NAME: _Json = {"type": "string", "pattern": NAME}


@dataclass(frozen=True, slots=True)
class Field:
    """One field that people may write, what it means, and the JSON Schema of its value."""

    name: str
    meaning: str
    shape: _Json
    required: bool = True


def _one_or_more(shape: _Json) -> _Json:
    return {"anyOf": [shape, {"type": "array", "items": shape, "minItems": 1}]}


def _list_of(definition: str, at_least: int = 1) -> _Json:
    return {"type": "array", "items": {"$ref": f"#/$defs/{definition}"}, "minItems": at_least}


_CONDITION: _Json = {"$ref": "#/$defs/condition"}

OFFICER_FIELDS = (
    Field("role", "The post, for example: Data protection officer.", _TEXT),
    Field("name", "Who holds the post.", _TEXT),
    Field("contact", "How to reach them.", _TEXT),
)

TRIGGER_FIELDS = (
    Field(
        "event",
        "The type of event that starts the clock, for example employment_ended.",
        _NAME,
    ),
    Field(
        "key",
        "The key that says whom or what the event is about; one of the class's keys.",
        _NAME,
    ),
)

AGE_FIELDS = (
    Field(
        "age",
        "The age that a person reaches, in years; the birth is the event born.",
        {"type": "integer", "minimum": 1, "maximum": 150},
    ),
    Field("key", "The key that names the person; one of the class's keys.", _NAME),
)

_DATE: _Json = {"enum": [str(which) for which in RecordDate]}
_PERIOD = r"P(?=[0-9])([0-9]+Y)?([0-9]+M)?([0-9]+W)?([0-9]+D)?"
_PERIOD_FIELD = Field(
    "period",
    'How long after the trigger: P6Y is six years, P6M six months, P6Y1M both, P2W two weeks; "none" for at once. '
    "Left out with retain_permanently.",
    {
        "anyOf": [
            {"const": NO_PERIOD},
            {"type": "string", "pattern": rf"^{_PERIOD}( ?\+ ?{_PERIOD})?$"},
        ]
    },
    required=False,
)
_CUT_OFF_FIELD = Field(
    "cut_off",
    "Where the period runs from the end of the month or year in which the trigger falls.",
    {"enum": [str(cut_off) for cut_off in CutOff]},
    required=False,
)

COUNTDOWN_FIELDS = (
    Field(
        "trigger",
        "What starts the clock: a date of the item's own, an event, or an age.",
        {"anyOf": [_DATE, {"$ref": "#/$defs/event"}, {"$ref": "#/$defs/age"}]},
    ),
    Field("period", 'How long after it; "none" for at once.', _PERIOD_FIELD.shape),
    _CUT_OFF_FIELD,
)
COMBINED_FIELDS = (
    Field(
        Combination.FIRST_OF,
        "The item goes by the first of these that lets it go.",
        _list_of("countdown", at_least=2),
        required=False,
    ),
    Field(
        Combination.LAST_OF,
        "The item goes by the last of these that have begun.",
        _list_of("countdown", at_least=2),
        required=False,
    ),
    Field(
        Combination.ALL_OF,
        "All of these must have begun, and the item goes by the last.",
        _list_of("countdown", at_least=2),
        required=False,
    ),
)

CONDITION_FIELDS = (
    Field("path", "The item's path in its share matches one of these patterns.", _one_or_more(_TEXT), required=False),
    Field("share", "The item lies in one of these shares.", _one_or_more(_TEXT), required=False),
    Field(
        "stored_in",
        "The item lies in a share that the settings say is one of these sorts of place.",
        _one_or_more({"enum": [str(kind) for kind in StorageKind]}),
        required=False,
    ),
    Field("label", "The item bears one of these labels at its source.", _one_or_more(_TEXT), required=False),
    Field(
        "same_content_as",
        "An item with the same content lies at a path that matches one of these patterns.",
        _one_or_more(_TEXT),
        required=False,
    ),
    Field(
        "file_kind",
        "The item is a file of one of these kinds.",
        _one_or_more({"enum": [str(kind) for kind in FileKind]}),
        required=False,
    ),
    Field(
        "content",
        "The item's text looks like a record of one of these kinds.",
        _one_or_more({"enum": [str(kind) for kind in RecordKind]}),
        required=False,
    ),
    Field(
        "finding",
        "Values of this entity type or data category were found in the item.",
        {"enum": sorted(FINDINGS)},
        required=False,
    ),
    Field(
        "all_of",
        "Every one of these conditions holds.",
        _list_of("condition"),
        required=False,
    ),
    Field(
        "any_of",
        "At least one of these conditions holds.",
        _list_of("condition"),
        required=False,
    ),
    Field("not", "This condition does not hold.", _CONDITION, required=False),
)
EXEMPTION_FIELDS = (*CONDITION_FIELDS, *TRIGGER_FIELDS)
AT_LEAST = Field(
    "at_least",
    "How many distinct values there must be; 1 if left out.",
    {"type": "integer", "minimum": 1},
    required=False,
)

CLASS_FIELDS = (
    Field("id", "The class's name for machines: small letters, digits and hyphens.", _ID),
    Field("title", "The class's name for people.", _TEXT),
    Field("mandate", "The law or instrument that gives authority to keep or destroy.", _TEXT),
    Field("scope_notes", "How to apply the class: what belongs in it and what does not.", _TEXT),
    Field("applies_when", "The condition under which an item belongs to the class.", _CONDITION),
    Field(
        "keys",
        "The names in braces of the path patterns that events refer to.",
        {"type": "array", "items": _NAME, "minItems": 1},
        required=False,
    ),
    Field(
        "trigger",
        "What starts the clock: a date of the item's own, or an event. Left out with retain_permanently.",
        {
            "anyOf": [
                _DATE,
                {"$ref": "#/$defs/event"},
                {"$ref": "#/$defs/age"},
                {"$ref": "#/$defs/combined"},
            ]
        },
        required=False,
    ),
    _PERIOD_FIELD,
    _CUT_OFF_FIELD,
    Field("outcome", "What happens at the end.", {"enum": [str(outcome) for outcome in Disposition]}),
    Field(
        "rows",
        "The lines of your own policy that this class carries out, by the names they have there.",
        {"type": "array", "items": _TEXT, "minItems": 1},
        required=False,
    ),
    Field(
        "keep",
        "What remains of an item that is minimised: names of fields, such as result or checked_on.",
        {"type": "array", "items": _NAME, "minItems": 1},
        required=False,
    ),
    Field(
        "unless",
        "What takes an item out of this class after all: conditions, or events about one of its keys.",
        _one_or_more({"anyOf": [_CONDITION, {"$ref": "#/$defs/event"}]}),
        required=False,
    ),
    Field(
        "otherwise",
        "The class that an item belongs to instead where one of unless takes it out.",
        _ID,
        required=False,
    ),
    Field(
        "extend_up_to",
        "How much longer a review may let an item stay, at the most.",
        _PERIOD_FIELD.shape,
        required=False,
    ),
    Field(
        "stages",
        "The roles that must agree before an item goes, in their order.",
        {"type": "array", "items": _TEXT, "minItems": 1},
        required=False,
    ),
    Field(
        "examples",
        "Items as you imagine them, and how they must stand on certain days; retentiond schedule test tries them.",
        _list_of("example"),
        required=False,
    ),
)
_DAY: _Json = {"type": "string", "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}

EXAMPLE_ITEM_FIELDS = (
    Field("path", "The item's path in its share.", _TEXT),
    Field("share", 'The share\'s name; "share" if left out.', _TEXT, required=False),
    Field("modified", "The day of its last modification; 2 January 2020 if left out.", _DAY, required=False),
    Field("created", "The day of its creation; that of its last modification if left out.", _DAY, required=False),
    Field("found", "The day on which a scan first saw it; the day of creation if left out.", _DAY, required=False),
    Field(
        "findings",
        "What was found in it: entity types or data categories.",
        {"type": "array", "items": {"enum": sorted(FINDINGS)}, "minItems": 1},
        required=False,
    ),
    Field("content", "What its text looks like.", {"enum": [str(kind) for kind in RecordKind]}, required=False),
    Field(
        "stored_in",
        "What sorts of place its share is.",
        {"type": "array", "items": {"enum": [str(kind) for kind in StorageKind]}, "minItems": 1},
        required=False,
    ),
    Field("labels", "Labels that it bears.", {"type": "array", "items": _TEXT, "minItems": 1}, required=False),
    Field(
        "copies",
        "Paths of other items with the same content.",
        {"type": "array", "items": _TEXT, "minItems": 1},
        required=False,
    ),
)
EXAMPLE_EVENT_FIELDS = (
    *TRIGGER_FIELDS,
    Field("value", "Which person, case or other matter the event is about.", _TEXT),
    Field("date", "The day on which it happened.", _DAY),
)
STATES = ("keep", "waiting", "due", "blocked", "unclassified")
EXAMPLE_FIELDS = (
    Field("item", "The item.", {"$ref": "#/$defs/example_item"}),
    Field("events", "What has happened.", _list_of("example_event"), required=False),
    Field(
        "states",
        "Days, and how the item stands on each: keep, waiting, due, blocked or unclassified.",
        {
            "type": "object",
            "propertyNames": {"pattern": _DAY["pattern"]},
            "additionalProperties": {"enum": list(STATES)},
            "minProperties": 1,
        },
    ),
)

PLACEMENT_FIELDS = (
    Field("id", "The rule's name for machines: small letters, digits and hyphens.", _ID),
    Field("title", "The rule's name for people.", _TEXT),
    Field("mandate", "The law, contract or policy that forbids it.", _TEXT),
    Field("applies_when", "The condition under which an item lies where it must not.", _CONDITION),
    Field(
        "then",
        "What follows: report, or quarantine to have it moved out of reach as well.",
        {"enum": ["report", "quarantine"]},
    ),
    Field(
        "rows",
        "The lines of your own policy that this rule carries out.",
        {"type": "array", "items": _TEXT, "minItems": 1},
        required=False,
    ),
)
RECIPIENT_FIELDS = (
    Field("name", "Who gets data.", _TEXT),
    Field("contact", "How to reach them.", _TEXT),
    Field("receives", "The classes whose data they get.", {"type": "array", "items": _ID, "minItems": 1}),
)
AUTHORITY_FIELDS = (
    Field("name", "Whose name it is.", _TEXT),
    Field("contact", "How to reach it.", _TEXT),
)

CLOCK_FIELDS = ("trigger", "period", "cut_off")

SCHEDULE_FIELDS = (
    Field("id", "The schedule's name for machines: small letters, digits and hyphens.", _ID),
    Field("title", "The schedule's name for people.", _TEXT),
    Field("version", 'The version that was approved, as text in quotes: "1" or "2026-04".', _TEXT),
    Field("organisation", "Whose schedule this is.", _TEXT),
    Field("officers", "Who answers for it.", _list_of("officer"), required=False),
    Field("time_zone", "The time zone in which a time becomes a date, for example Europe/London.", _TEXT),
    Field(
        "personal_keys",
        "The keys whose values name persons; they are kept as keyed hashes. person if left out.",
        {"type": "array", "items": _NAME, "minItems": 1},
        required=False,
    ),
    Field(
        "special_categories",
        "The data categories treated as special; those of UK GDPR Article 9 if left out.",
        {"type": "array", "items": {"enum": sorted(JUDGED_CATEGORIES)}, "minItems": 1},
        required=False,
    ),
    Field("supervisory_authority", "To whom breaches are reported.", {"$ref": "#/$defs/authority"}, required=False),
    Field("recipients", "Who outside gets data and must be told of its end.", _list_of("recipient"), required=False),
    Field("placement", "What must not lie where.", _list_of("placement_rule"), required=False),
    Field("classes", "The retention classes.", _list_of("class")),
)


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a schedule, for editors. What it accepts may still be refused by `load_schedule`,
    which also knows what belongs together."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "retentiond retention schedule",
        **_object(SCHEDULE_FIELDS),
        "$defs": {
            "officer": _object(OFFICER_FIELDS),
            "event": _object(TRIGGER_FIELDS),
            "age": _object(AGE_FIELDS),
            "authority": _object(AUTHORITY_FIELDS),
            "recipient": _object(RECIPIENT_FIELDS),
            "placement_rule": _object(PLACEMENT_FIELDS),
            "example": _object(EXAMPLE_FIELDS),
            "example_item": _object(EXAMPLE_ITEM_FIELDS),
            "example_event": _object(EXAMPLE_EVENT_FIELDS),
            "countdown": _object(COUNTDOWN_FIELDS),
            "combined": {
                **_object(COMBINED_FIELDS),
                "oneOf": [{"required": [field.name]} for field in COMBINED_FIELDS],
            },
            "class": {
                **_object(CLASS_FIELDS),
                "if": {"properties": {"outcome": {"const": str(Disposition.RETAIN_PERMANENTLY)}}},
                "then": {"not": {"anyOf": [{"required": [name]} for name in (*CLOCK_FIELDS, "extend_up_to")]}},
                "else": {
                    "required": ["trigger"],
                    "if": {"properties": {"trigger": {"$ref": "#/$defs/combined"}}},
                    "then": {"not": {"anyOf": [{"required": ["period"]}, {"required": ["cut_off"]}]}},
                    "else": {"required": ["period"]},
                },
            },
            "condition": {
                **_object((*CONDITION_FIELDS, AT_LEAST)),
                "oneOf": [{"required": [field.name]} for field in CONDITION_FIELDS],
                "dependentRequired": {AT_LEAST.name: ["finding"]},
            },
        },
    }


def _object(fields: tuple[Field, ...]) -> dict[str, Any]:
    needed = [field.name for field in fields if field.required]
    return {
        "type": "object",
        "properties": {field.name: {"description": field.meaning, **field.shape} for field in fields},
        **({"required": needed} if needed else {}),
        "additionalProperties": False,
    }
