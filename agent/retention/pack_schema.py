"""The fields of what stands beside a schedule's classes, or beside one class: examples, placement, recipients."""

from __future__ import annotations

from agent.model.categories import ENTITY_CATEGORIES
from agent.model.condition import StorageKind
from agent.model.record_kind import RecordKind
from agent.retention.fields import CONDITION, FINDINGS, ID_TEXT, NAME_TEXT, TEXT, TRIGGER_FIELDS, Field, Json, list_of

CAPTURE_FIELDS = (
    Field("key", "The key, one of the class's keys.", NAME_TEXT),
    Field(
        "finding",
        "The entity type of which the item must hold just one value. Left out, the key is read from the item's mark "
        "user.retentiond.key.NAME.",
        {"enum": sorted(ENTITY_CATEGORIES)},
        required=False,
    ),
)
_DAY: Json = {"type": "string", "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}

EXAMPLE_ITEM_FIELDS = (
    Field("path", "The item's path in its share.", TEXT),
    Field("share", 'The share\'s name; "share" if left out.', TEXT, required=False),
    Field("modified", "The day of its last modification; 2 January 2020 if left out.", _DAY, required=False),
    Field("created", "The day of its creation; that of its last modification if left out.", _DAY, required=False),
    Field("found", "The day on which a scan first saw it; the day of creation if left out.", _DAY, required=False),
    Field(
        "findings",
        "What was found in it: entity types or data categories, each time one value.",
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
    Field("labels", "Labels that it bears.", {"type": "array", "items": TEXT, "minItems": 1}, required=False),
    Field(
        "copies",
        "Paths of other items with the same content.",
        {"type": "array", "items": TEXT, "minItems": 1},
        required=False,
    ),
)
EXAMPLE_EVENT_FIELDS = (
    *TRIGGER_FIELDS,
    Field("value", "Which person, case or other matter the event is about.", TEXT),
    Field("date", "The day on which it happened.", _DAY),
)
STATES = ("keep", "waiting", "due", "blocked", "unclassified")
EXAMPLE_FIELDS = (
    Field("item", "The item.", {"$ref": "#/$defs/example_item"}),
    Field("events", "What has happened.", list_of("example_event"), required=False),
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
    Field("id", "The rule's name for machines: small letters, digits and hyphens.", ID_TEXT),
    Field("title", "The rule's name for people.", TEXT),
    Field("mandate", "The law, contract or policy that forbids it.", TEXT),
    Field("applies_when", "The condition under which an item lies where it must not.", CONDITION),
    Field(
        "then",
        "What follows: report, or quarantine to have it moved out of reach as well.",
        {"enum": ["report", "quarantine"]},
    ),
    Field(
        "rows",
        "The lines of your own policy that this rule carries out.",
        {"type": "array", "items": TEXT, "minItems": 1},
        required=False,
    ),
)
REFERENCE_TYPES = ("EMPLOYEE_ID", "CASE_REFERENCE")
REFERENCE_FIELDS = (
    Field("type", "What it is a number of.", {"enum": list(REFERENCE_TYPES)}),
    Field("pattern", "A regular expression for the number.", TEXT),
    Field("context", "A regular expression for what must stand before it.", TEXT, required=False),
)
RECIPIENT_FIELDS = (
    Field("name", "Who gets data.", TEXT),
    Field("contact", "How to reach them.", TEXT),
    Field("receives", "The classes whose data they get.", {"type": "array", "items": ID_TEXT, "minItems": 1}),
)
AUTHORITY_FIELDS = (
    Field("name", "Whose name it is.", TEXT),
    Field("contact", "How to reach it.", TEXT),
)
