"""Acts out of a JSON file, as a console or a script writes them: read strictly, every problem told at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from agent.errors import UsageError
from agent.model.review import ActKind
from agent.usecases.review_rules import Wish

MOST_ACTS = 10_000
_TEXTS = ("kind", "path", "reason", "until", "class", "to", "seen")
_SHOWN = 20


def read_wishes(name: str, data: bytes, default: Wish | None, number_of: Callable[[str], int]) -> tuple[Wish, ...]:
    """The wishes in the file: a list of objects with `item` (a number) or `path`, and what else the act needs.

    What an entry leaves out is taken from `default`; the kinds of acts must then all be the default's. `number_of`
    gives the number of the item at a path. Raises `UsageError` that names every entry at fault, counted from 1.
    """
    try:
        entries = json.loads(data)
    except ValueError:
        raise UsageError(f"{name}: this is not valid JSON.") from None
    if isinstance(entries, dict):
        entries = entries.get("acts")
    if not isinstance(entries, list) or not entries:
        raise UsageError(
            f"{name}: write a list of acts, such as " + '[{"item": 17, "kind": "approve", "reason": "…"}].'
        )
    if len(entries) > MOST_ACTS:
        raise UsageError(f"{name}: {len(entries):,} acts are too many for one file; {MOST_ACTS:,} are the most.")
    wishes, problems = [], []
    for position, entry in enumerate(entries, start=1):
        try:
            wishes.append(_wish(entry, default, number_of))
        except UsageError as error:
            problems.append(f"{name}: act {position}: {error}")
    if problems:
        more = [f"… and {len(problems) - _SHOWN:,} more."] if len(problems) > _SHOWN else []
        raise UsageError("\n".join([*problems[:_SHOWN], *more, "Nothing was recorded."]))
    return tuple(wishes)


def _wish(entry: object, default: Wish | None, number_of: Callable[[str], int]) -> Wish:
    if not isinstance(entry, dict):
        raise UsageError("an act must be an object.")
    unknown = sorted(str(key) for key in entry.keys() - {"item", *_TEXTS})
    if unknown:
        raise UsageError(f'there is no field "{unknown[0]}". Known are: item, {", ".join(_TEXTS)}.')
    for key in _TEXTS:
        if not isinstance(entry.get(key, ""), str):
            raise UsageError(f'"{key}" must be text.')
    wish = default or Wish(0, _kind(entry.get("kind", "")), "")
    if default and "kind" in entry and _kind(entry["kind"]) is not default.kind:
        raise UsageError(f'its kind is another one than "{default.kind}". Use: retentiond review record --from FILE')
    given: dict[str, Any] = {
        field: entry[key]
        for field, key in (("reason", "reason"), ("class_id", "class"), ("to", "to"), ("seen", "seen"))
        if key in entry
    }
    if "until" in entry:
        given["until"] = _day(entry["until"])
    return replace(wish, item_id=_number(entry, number_of), **given)


def _number(entry: Mapping[str, Any], number_of: Callable[[str], int]) -> int:
    if ("item" in entry) == ("path" in entry):
        raise UsageError('name the item either by its number ("item") or by its path ("path").')
    if "path" in entry:
        return number_of(entry["path"])
    number = entry["item"]
    if type(number) is not int or not 0 < number < 2**63:
        raise UsageError('"item" must be the number of an item.')
    return number


def _kind(word: str) -> ActKind:
    try:
        return ActKind(word)
    except ValueError:
        raise UsageError(f'"kind" must be one of: {", ".join(ActKind)}.') from None


def _day(word: str) -> date:
    try:
        return date.fromisoformat(word)
    except ValueError:
        raise UsageError('"until" must be a day, written as YYYY-MM-DD.') from None
