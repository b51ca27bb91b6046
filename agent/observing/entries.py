"""What of an event may be told: fields that are listed here, as far as they look as they should, and nothing else.

The log is read by more people than the files are. So a value that somebody adds to an event, or that a library puts
into the text of an exception, stays out until it is listed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from agent.model.share_name import without_person

_EVENT = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
_WORD = re.compile(r"[a-z][a-z0-9_-]*(\([a-z0-9_-]*\))?")
_MODULE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")
_LINE_OF_CODE = _MODULE.pattern + r":[0-9]+"
_LINES_OF_CODE = re.compile(f"{_LINE_OF_CODE}( < {_LINE_OF_CODE})*")
_KIND = re.compile(r"[A-Z][A-Za-z0-9]*(Error|Exception|Warning)")
_LONGEST = 120
_LONGEST_PLACE = 2_000
_LONGEST_ITEM = 4_096
UNNAMED = "log.unnamed"  # an event whose name is a sentence, which may say anything

Field = str | int | float | bool


def _word(value: object) -> Field | None:
    text = str(value)
    return text if len(text) <= _LONGEST and _WORD.fullmatch(text) else None


def _name(value: object) -> Field | None:
    return value[:_LONGEST] if isinstance(value, str) and value.isprintable() else None


def _number(value: object) -> Field | None:
    return value if isinstance(value, int | float) else None


def _class(value: object) -> Field | None:
    kind = value if isinstance(value, type) else type(value)
    return kind.__qualname__ if issubclass(kind, BaseException) else None  # a text may be that of the exception


def _module(value: object) -> Field | None:
    text = str(value)
    return text if len(text) <= _LONGEST and _MODULE.fullmatch(text) else None


def _lines_of_code(value: object) -> Field | None:
    text = str(value)
    return text if len(text) <= _LONGEST_PLACE and _LINES_OF_CODE.fullmatch(text) else None


def _kind(value: object) -> Field | None:
    text = str(value)
    return text if len(text) <= _LONGEST and _KIND.fullmatch(text) else _word(value)


def _place(value: object) -> Field | None:
    """The name of a share, of which that of a drive or mailbox may be a person's."""
    name = _name(value)
    return name if name is None else without_person(str(name))


_WORDS = "role reason outcome result state before why doing signal action security storage"
_NAMES = "tenant job loops retention_class version"
_NUMBERS = (
    "number seen scanned skipped failed missing tombstoned unreached count items folders watches dirty due waiting "
    "overdue bytes seconds pid attempt attempts entries size lost exit_code limit reconciles resumed complete "
    "reviewers sent undelivered holds quarantined destroyed erased restored sound faults errno status opened kept "
    "whole survivors finished put_back unsettled again_in_seconds nice"
)
FIELDS: Mapping[str, Callable[[object], Field | None]] = {
    **dict.fromkeys(_WORDS.split(), _word),
    **dict.fromkeys(_NAMES.split(), _name),
    **dict.fromkeys(_NUMBERS.split(), _number),
    "share": _place,
    "error": _class,
    "logger": _module,
    "where": _lines_of_code,
    "kind": _kind,
}

# Events that tell of what an administrator must mend, in our own words: these name settings, the state directory and
# shares, and never a file of a share.
_IN_OUR_WORDS = frozenset({"service.trouble", "settings.refused", "share.condition", "place.unreachable"})
_OUR_WORDS = frozenset({"what", "why"})
_LONGEST_SENTENCE = 1_000


@dataclass(frozen=True, slots=True)
class Entry:
    """An event as it is told. `fields` are in the order in which they were given."""

    event: str
    level: str
    fields: Mapping[str, Field] = field(default_factory=dict)


def entry_of(event: Mapping[str, Any], *, item_names: bool = False) -> Entry:
    """What may be told of an event of structlog. The `item`, and the person whose drive or mailbox a share is, are only
    told with `item_names`.

    Of an exception its class and the place in the code are told, never its text.
    """
    name = event.get("event")
    told: dict[str, Field] = {}
    for key, value in event.items():
        if key in FIELDS and value is not None and (fit := FIELDS[key](value)) is not None:
            told[key] = fit
    if name in _IN_OUR_WORDS:
        told |= {key: " ".join(str(event[key]).split())[:_LONGEST_SENTENCE] for key in _OUR_WORDS & event.keys()}
    if item_names and "item" in event:
        told["item"] = str(event["item"])[:_LONGEST_ITEM]
    if item_names and (share := _name(event.get("share"))) is not None:
        told["share"] = share
    told |= _exception(event.get("exc_info"))
    known = isinstance(name, str) and len(name) <= _LONGEST and _EVENT.fullmatch(name)
    return Entry(str(name) if known else UNNAMED, str(event.get("level", "info")), told)


def _exception(given: object) -> dict[str, Field]:
    if isinstance(given, tuple) and len(given) == 3:
        given = given[1]
    if not isinstance(given, BaseException):
        return {}
    told: dict[str, Field] = {"error": type(given).__qualname__}
    if isinstance(given, OSError) and given.errno is not None:
        told["errno"] = given.errno
    if (place := place_of(given.__traceback__)) is not None:
        told["where"] = place
    return told


def place_of(trace: TracebackType | None) -> str | None:
    """The innermost place of our own code that an exception came through, as `module:line`; else the innermost one."""
    ours = place = None
    while trace is not None:
        module = str(trace.tb_frame.f_globals.get("__name__", ""))
        place = f"{module}:{trace.tb_lineno}"
        if module.partition(".")[0] in ("agent", "connectors"):
            ours = place
        trace = trace.tb_next
    return ours or place
