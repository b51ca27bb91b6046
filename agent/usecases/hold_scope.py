"""The scope of a hold, from the words in which people give it to the form in which it is kept."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import yaml

from agent.catalogue.store import Catalogue
from agent.classification.scopes import ScopeTest
from agent.errors import UsageError
from agent.model.categories import ENTITY_CATEGORIES
from agent.model.condition import StorageKind
from agent.model.hold import Hold, HoldScope
from agent.model.key import HIDDEN, NAMED_AS, Identify, KeyForm
from agent.model.schedule import RetentionSchedule
from agent.retention.conditions import parse_condition
from agent.retention.problems import ScheduleError, one_of

_NOT_REPEATED = "What was given is not repeated here, since it may name a person."
_LONGEST_NAME = 6  # words in a name, or parts in which a number is written


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeWords:
    """A scope as people give it. `keys` are KEY=VALUE, `identified` TYPE=VALUE, `query` is a condition in YAML."""

    paths: tuple[str, ...] = ()
    shares: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    keys: tuple[str, ...] = field(default=(), repr=False)
    persons: tuple[str, ...] = field(default=(), repr=False)
    identified: tuple[str, ...] = field(default=(), repr=False)
    query: str = ""
    dated_from: date | None = None
    dated_until: date | None = None


def read_scope(words: ScopeWords, schedule: RetentionSchedule, keys: KeyForm, shares: Collection[str]) -> HoldScope:
    """The scope as it is kept: whoever it names is a keyed hash in it. `shares` are the names of those there are.

    Raises `UsageError`, which repeats no value that may name a person.
    """
    identities = [_person(name, keys.identify) for name in words.persons]
    identities += [_identity(given, keys.identify) for given in words.identified]
    return HoldScope(
        condition=_condition(words.paths, _shares(words.shares, shares), words.query),
        classes=_classes(words.classes, schedule),
        keys=tuple(dict.fromkeys(_key(given, schedule, keys) for given in words.keys)),
        persons=tuple(dict.fromkeys(identities)),
        dated_from=words.dated_from,
        dated_until=words.dated_until,
    )


def scope_test(
    catalogue: Catalogue, hold: Hold, schedule: RetentionSchedule, storage: Mapping[str, frozenset[StorageKind]]
) -> ScopeTest:
    """What tells whether the hold covers an item, as far as the catalogue knows now."""
    scope = hold.scope
    condition = parse_condition(scope.condition, f'hold "{hold.name}"') if scope.condition else None
    items = frozenset(catalogue.holds.items_with(scope.persons))
    return ScopeTest(scope, condition, items, schedule.time_zone, storage)


def names_someone(text: str, scope: HoldScope, identify: Identify) -> bool:
    """Whether somebody whom the scope knows by a keyed hash stands in `text` by name, number or address."""
    known = {*scope.persons}
    known |= {bytes.fromhex(value.removeprefix(HIDDEN)) for _, value in scope.keys if value.startswith(HIDDEN)}
    if not known:
        return False
    return any(identify(kind, stretch) in known for stretch in _stretches(text) for kind in ENTITY_CATEGORIES)


def _stretches(text: str) -> Iterator[str]:
    """Every few words in a row: as they stand between spaces, and with all punctuation taken for spaces."""
    as_they_stand = [word.strip(".,;:!?()[]\"'“”‘’") for word in text.split()]
    for words in (as_they_stand, re.split(r"[\W_]+", text)):
        for start in range(len(words)):
            for end in range(start + 1, min(start + _LONGEST_NAME, len(words)) + 1):
                yield " ".join(words[start:end])


def _condition(paths: Sequence[str], shares: Sequence[str], query: str) -> str:
    """One condition in YAML under which all of these hold; empty if there are none."""
    parts: list[object] = []
    for pattern in paths:
        try:
            parse_condition(json.dumps({"path": pattern}, ensure_ascii=False), "--path")
        except ScheduleError as error:
            raise UsageError(f"--path: {error.problems[0].sentence}") from None
    if paths:
        parts.append({"path": list(paths)})
    if shares:
        parts.append({"share": list(shares)})
    if query.strip():
        try:
            parse_condition(query, "--query")
        except ScheduleError as error:
            raise UsageError(str(error)) from None
        parts.append(yaml.safe_load(query))
    if not parts:
        return ""
    whole = parts[0] if len(parts) == 1 else {"all_of": parts}
    return yaml.safe_dump(whole, allow_unicode=True, sort_keys=False, width=10_000)


def _shares(names: Sequence[str], known: Collection[str]) -> Sequence[str]:
    by_folded = {name.casefold() for name in known}
    for name in names:
        if name.casefold() not in by_folded:
            raise UsageError(
                f'--share: there is no share "{name}". {_one_of(name, known, "No share was scanned yet.")}'
            )
    return names


def _classes(ids: Sequence[str], schedule: RetentionSchedule) -> tuple[str, ...]:
    for class_id in ids:
        if class_id not in schedule.by_id:
            raise UsageError(
                f'--class: the schedule "{schedule.id}" has no class "{class_id}". {one_of(class_id, schedule.by_id)}'
            )
    return tuple(dict.fromkeys(ids))


def _key(given: str, schedule: RetentionSchedule, keys: KeyForm) -> tuple[str, str]:
    name, value = _pair(given, "--key", "KEY=VALUE, for example case=2026-17")
    known = {key for retention_class in schedule.classes for key in retention_class.keys}
    if name not in known:
        advice = _one_of(name, known, "None of its classes has a key.")
        raise UsageError(f'--key: the schedule "{schedule.id}" has no key of this name. {advice} {_NOT_REPEATED}')
    if name in keys.personal and value.startswith(HIDDEN):
        raise UsageError(f"--key: a value that names a person cannot begin with {HIDDEN}. {_NOT_REPEATED}")
    return name, keys.of(name, value)


def _person(name: str, identify: Identify) -> bytes:
    if not name.strip():
        raise UsageError("--person: this is empty. Write the name of a person as it stands in the documents.")
    return identify(NAMED_AS, name)


def _identity(given: str, identify: Identify) -> bytes:
    name, value = _pair(given, "--person-id", "TYPE=VALUE, for example EMAIL_ADDRESS=name@example.org")
    entity_type = name.upper()
    if entity_type not in ENTITY_CATEGORIES:
        raise UsageError(
            f"--person-id: there is no type of this name that could be found. {one_of(name, ENTITY_CATEGORIES)} "
            f"{_NOT_REPEATED}"
        )
    return identify(entity_type, value)


def _pair(given: str, option: str, form: str) -> tuple[str, str]:
    name, _, value = (part.strip() for part in given.partition("="))
    if not name or not value:
        raise UsageError(f"{option}: write {form}. {_NOT_REPEATED}")
    return name, value


def _one_of(given: str, known: Iterable[str], none: str) -> str:
    words = list(known)
    return one_of(given, words) if words else none
