"""The fields of a schedule, written down once: the loader checks against them, editors get them as JSON Schema."""

from __future__ import annotations

from typing import Any

from agent.model.condition import FileKind, StorageKind
from agent.model.finding import JUDGED_CATEGORIES
from agent.model.record_kind import RecordKind
from agent.model.schedule import Combination, CutOff, Disposition, RecordDate
from agent.retention.fields import (
    CONDITION,
    FINDINGS,
    ID_TEXT,
    NAME_TEXT,
    NO_PERIOD,
    TEXT,
    TRIGGER_FIELDS,
    Field,
    Json,
    list_of,
    one_or_more,
)
from agent.retention.pack_schema import (
    AUTHORITY_FIELDS,
    CAPTURE_FIELDS,
    EXAMPLE_EVENT_FIELDS,
    EXAMPLE_FIELDS,
    EXAMPLE_ITEM_FIELDS,
    PLACEMENT_FIELDS,
    RECIPIENT_FIELDS,
    REFERENCE_FIELDS,
)

OFFICER_FIELDS = (
    Field("role", "The post, for example: Data protection officer.", TEXT),
    Field("name", "Who holds the post.", TEXT),
    Field("contact", "How to reach them.", TEXT),
)

AGE_FIELDS = (
    Field(
        "age",
        "The age that a person reaches, in years; the birth is the event born.",
        {"type": "integer", "minimum": 1, "maximum": 150},
    ),
    Field("key", "The key that names the person; one of the class's keys.", NAME_TEXT),
)

_DATE: Json = {"enum": [str(which) for which in RecordDate]}
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
        list_of("countdown", at_least=2),
        required=False,
    ),
    Field(
        Combination.LAST_OF,
        "The item goes by the last of these that have begun.",
        list_of("countdown", at_least=2),
        required=False,
    ),
    Field(
        Combination.ALL_OF,
        "All of these must have begun, and the item goes by the last.",
        list_of("countdown", at_least=2),
        required=False,
    ),
)

CONDITION_FIELDS = (
    Field("path", "The item's path in its share matches one of these patterns.", one_or_more(TEXT), required=False),
    Field("share", "The item lies in one of these shares.", one_or_more(TEXT), required=False),
    Field(
        "stored_in",
        "The item lies in a share that the settings say is one of these sorts of place.",
        one_or_more({"enum": [str(kind) for kind in StorageKind]}),
        required=False,
    ),
    Field("label", "The item bears one of these labels at its source.", one_or_more(TEXT), required=False),
    Field("mark", "The item bears the mark of this name at its source, such as sharing.", TEXT, required=False),
    Field(
        "same_content_as",
        "An item with the same content lies at a path that matches one of these patterns.",
        one_or_more(TEXT),
        required=False,
    ),
    Field(
        "file_kind",
        "The item is a file of one of these kinds.",
        one_or_more({"enum": [str(kind) for kind in FileKind]}),
        required=False,
    ),
    Field(
        "content",
        "The item's text looks like a record of one of these kinds.",
        one_or_more({"enum": [str(kind) for kind in RecordKind]}),
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
        list_of("condition"),
        required=False,
    ),
    Field(
        "any_of",
        "At least one of these conditions holds.",
        list_of("condition"),
        required=False,
    ),
    Field("not", "This condition does not hold.", CONDITION, required=False),
)
AT_LEAST = Field(
    "at_least",
    "How many distinct values there must be; 1 if left out.",
    {"type": "integer", "minimum": 1},
    required=False,
)
MARK_VALUES = Field("is", "The values that the mark may have; any if left out.", one_or_more(TEXT), required=False)

CLASS_FIELDS = (
    Field("id", "The class's name for machines: small letters, digits and hyphens.", ID_TEXT),
    Field("title", "The class's name for people.", TEXT),
    Field("mandate", "The law or instrument that gives authority to keep or destroy.", TEXT),
    Field("scope_notes", "How to apply the class: what belongs in it and what does not.", TEXT),
    Field("applies_when", "The condition under which an item belongs to the class.", CONDITION),
    Field(
        "keys",
        "The names in braces of the path patterns that events refer to.",
        {"type": "array", "items": NAME_TEXT, "minItems": 1},
        required=False,
    ),
    Field(
        "captures",
        "Where keys are read from if the path does not give them.",
        list_of("capture"),
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
        {"type": "array", "items": TEXT, "minItems": 1},
        required=False,
    ),
    Field(
        "keep",
        "What remains of an item that is minimised: names of fields, such as result or checked_on.",
        {"type": "array", "items": NAME_TEXT, "minItems": 1},
        required=False,
    ),
    Field(
        "unless",
        "What takes an item out of this class after all: conditions, or events about one of its keys.",
        one_or_more({"anyOf": [CONDITION, {"$ref": "#/$defs/event"}]}),
        required=False,
    ),
    Field(
        "otherwise",
        "The class that an item belongs to instead where one of unless takes it out.",
        ID_TEXT,
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
        {"type": "array", "items": TEXT, "minItems": 1},
        required=False,
    ),
    Field(
        "examples",
        "Items as you imagine them, and how they must stand on certain days; retentiond schedule test tries them.",
        list_of("example"),
        required=False,
    ),
)
CLOCK_FIELDS = ("trigger", "period", "cut_off")

SCHEDULE_FIELDS = (
    Field("id", "The schedule's name for machines: small letters, digits and hyphens.", ID_TEXT),
    Field("title", "The schedule's name for people.", TEXT),
    Field("version", 'The version that was approved, as text in quotes: "1" or "2026-04".', TEXT),
    Field("organisation", "Whose schedule this is.", TEXT),
    Field("officers", "Who answers for it.", list_of("officer"), required=False),
    Field("time_zone", "The time zone in which a time becomes a date, for example Europe/London.", TEXT),
    Field(
        "personal_keys",
        "The keys whose values name persons; they are kept as keyed hashes. person if left out.",
        {"type": "array", "items": NAME_TEXT, "minItems": 1},
        required=False,
    ),
    Field(
        "special_categories",
        "The data categories treated as special; those of UK GDPR Article 9 if left out.",
        {"type": "array", "items": {"enum": sorted(JUDGED_CATEGORIES)}, "minItems": 1},
        required=False,
    ),
    Field("supervisory_authority", "To whom breaches are reported.", {"$ref": "#/$defs/authority"}, required=False),
    Field("recipients", "Who outside gets data and must be told of its end.", list_of("recipient"), required=False),
    Field("references", "How your staff and case numbers look.", list_of("reference"), required=False),
    Field("placement", "What must not lie where.", list_of("placement_rule"), required=False),
    Field("classes", "The retention classes.", list_of("class")),
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
            "reference": _object(REFERENCE_FIELDS),
            "placement_rule": _object(PLACEMENT_FIELDS),
            "example": _object(EXAMPLE_FIELDS),
            "example_item": _object(EXAMPLE_ITEM_FIELDS),
            "example_event": _object(EXAMPLE_EVENT_FIELDS),
            "capture": _object(CAPTURE_FIELDS),
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
                **_object((*CONDITION_FIELDS, AT_LEAST, MARK_VALUES)),
                "oneOf": [{"required": [field.name]} for field in CONDITION_FIELDS],
                "dependentRequired": {AT_LEAST.name: ["finding"], MARK_VALUES.name: ["mark"]},
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
