"""Which retention classes an item belongs to, with the keys read from it and the evidence in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from agent.classification.file_kinds import file_kind_of
from agent.classification.paths import compile_pattern, fold
from agent.model.categories import ENTITY_CATEGORIES
from agent.model.condition import (
    AllOf,
    AnyOf,
    Condition,
    ContentIs,
    FileKindIs,
    FindingPresent,
    LabelIs,
    MarkIs,
    Not,
    PathMatches,
    PathPattern,
    SameContentAs,
    ShareIs,
    StorageKind,
    StoredIn,
    captures_of,
)
from agent.model.decision import CLASS_MARK, KEY_MARK, REMAINDER_MARK, Assignment, Misplacement, labels_of
from agent.model.finding import DataCategory
from agent.model.key import hidden
from agent.model.record import Record
from agent.model.schedule import Disposition, EventTrigger, RetentionClass, RetentionSchedule

# How far each sort of evidence is to be trusted. A mark is a statement; a folder name is a habit of the whole office,
# and so is where the same document lies a second time; the likeness of a text is a model's guess, as sure as the model
# says but never surer than this; findings tell what an item speaks of, not what it is for; share and file kind hardly
# tell anything.
BY_MARK = 1.0
BY_COPY = 0.9
BY_PATH = 0.9
BY_CONTENT = 0.8
BY_FINDING = 0.7
BY_KIND = 0.5
_LEAVES_SOMETHING = frozenset({Disposition.ANONYMISE, Disposition.MINIMISE})


@dataclass(frozen=True, slots=True)
class _Evidence:
    """Why a condition holds, and the keys captured on the way."""

    words: str
    keys: Mapping[str, str]
    confidence: float


@dataclass(frozen=True, slots=True)
class _Subject:
    """A record and its folded path, so that folding is done once for all classes; what sort of place it lies in."""

    record: Record
    folded_path: str
    stored_in: frozenset[StorageKind] = frozenset()


_Test = Callable[[_Subject], _Evidence | None]


class Classifier:
    """The conditions of one schedule, compiled once for many records.

    `storage` says what sort of place each share is, by its name in small letters.
    """

    def __init__(
        self, schedule: RetentionSchedule, storage: Mapping[str, frozenset[StorageKind]] = MappingProxyType({})
    ) -> None:
        self._storage = storage
        self._tests = [
            (retention_class, _compile(retention_class.applies_when), _exemptions(retention_class))
            for retention_class in schedule.classes
        ]
        self._placement = [(rule.id, _compile(rule.applies_when)) for rule in schedule.placement]

    def classify(self, record: Record) -> tuple[Assignment, ...]:
        """Every class the record belongs to, what its mark says first, then in the order of the schedule.

        A mark `user.retentiond.class` that names a class of the schedule assigns it explicitly; the conditions then
        only add the keys. Classes whose conditions hold stand beside it: which of them rules is for the decision.
        A class that an exemption takes the record out of is told with the exemption in `exempt`.
        """
        subject = self._subject(record)
        marked = record.marks.get(CLASS_MARK, "").strip().casefold()
        explicit: list[Assignment] = []
        implicit: list[Assignment] = []
        for retention_class, test, exemptions in self._tests:
            evidence = test(subject)
            by_mark = retention_class.id == marked
            if evidence is None and not by_mark:
                continue
            exempt = next((found.words for exemption in exemptions if (found := exemption(subject)) is not None), "")
            if record.marks.get(REMAINDER_MARK) and retention_class.outcome in _LEAVES_SOMETHING:
                exempt = "it is what remains of a record that was anonymised or minimised"
            into = explicit if by_mark else implicit
            into.append(_assignment(record, retention_class, evidence, exempt, by_mark=by_mark))
        return (*explicit, *implicit)

    def misplaced(self, record: Record) -> tuple[Misplacement, ...]:
        """Every placement rule that the record breaks where it lies."""
        if not self._placement:
            return ()
        subject = self._subject(record)
        return tuple(
            Misplacement(rule_id, evidence.words)
            for rule_id, test in self._placement
            if (evidence := test(subject)) is not None
        )

    def _subject(self, record: Record) -> _Subject:
        return _Subject(record, fold(record.path), _stored_in(record, self._storage))


def classify(record: Record, schedule: RetentionSchedule) -> tuple[Assignment, ...]:
    """The classes of one record; for many, build one `Classifier`."""
    return Classifier(schedule).classify(record)


def condition_test(
    condition: Condition, storage: Mapping[str, frozenset[StorageKind]] = MappingProxyType({})
) -> Callable[[Record], bool]:
    """Whether one condition holds, compiled once for many records; `storage` as for `Classifier`."""
    test = _compile(condition)

    def holds(record: Record) -> bool:
        return test(_Subject(record, fold(record.path), _stored_in(record, storage))) is not None

    return holds


def _stored_in(record: Record, storage: Mapping[str, frozenset[StorageKind]]) -> frozenset[StorageKind]:
    """What sort of place the record lies in, as the settings say, else as its source does."""
    said = storage.get(record.share.casefold())
    return said if said is not None else frozenset(map(StorageKind, record.stored_in))


def _assignment(
    record: Record, retention_class: RetentionClass, evidence: _Evidence | None, exempt: str, *, by_mark: bool
) -> Assignment:
    words = [f'mark "{CLASS_MARK}" at the source'] if by_mark else []
    words += [evidence.words] if evidence else []
    keys = _wanted(evidence.keys, retention_class) if evidence else {}
    if retention_class.captures:
        keys = {**_read_elsewhere(retention_class, record), **keys}
    confidence = BY_MARK if by_mark or evidence is None else evidence.confidence
    return Assignment(retention_class.id, keys, confidence, ", and ".join(words), by_mark, exempt)


def _read_elsewhere(retention_class: RetentionClass, record: Record) -> dict[str, str]:
    """The keys that marks and texts give, as keyed hashes; what was written first in the class comes first."""
    keys: dict[str, str] = {}
    for capture in retention_class.captures:
        if capture.entity_type is None:
            value = record.marks.get(KEY_MARK + capture.key, "")
        else:
            identity = record.identities.get(capture.entity_type)
            value = hidden(identity) if identity else ""
        if value:
            keys.setdefault(capture.key, value)
    return keys


def _exemptions(retention_class: RetentionClass) -> list[_Test]:
    """The exemptions that the item itself can show; whether an event has happened is for the decision."""
    return [
        _compile(exemption.by) for exemption in retention_class.unless if not isinstance(exemption.by, EventTrigger)
    ]


def _wanted(keys: Mapping[str, str], retention_class: RetentionClass) -> Mapping[str, str]:
    return {name: keys[name] for name in retention_class.keys if name in keys} if keys else keys


def _compile(condition: Condition) -> _Test:
    match condition:
        case PathMatches(patterns):
            return _path_test(patterns)
        case SameContentAs(patterns):
            return _copy_test(patterns)
        case ShareIs(names):
            return _share_test(names)
        case StoredIn(kinds):
            return _storage_test(kinds)
        case LabelIs(names):
            return _label_test(names)
        case MarkIs(name, values):
            return _mark_test(name, values)
        case FileKindIs():
            return _kind_test(condition)
        case ContentIs():
            return _content_test(condition)
        case FindingPresent(what, at_least):
            return _finding_test(what, at_least)
        case AllOf(conditions):
            return _all_test([_compile(part) for part in conditions])
        case AnyOf(conditions):
            return _any_test([_compile(part) for part in sorted(conditions, key=lambda part: -len(captures_of(part)))])
        case Not(inner):
            return _not_test(_compile(inner))


def _path_test(patterns: Sequence[PathPattern]) -> _Test:
    """Patterns that capture more are tried first: a key must not be lost because a plainer pattern stood before."""
    compiled = [
        (pattern, _Evidence(f'path pattern "{pattern.text}"', {}, BY_PATH))
        for pattern in map(compile_pattern, sorted(patterns, key=lambda pattern: -len(pattern.captures)))
    ]

    def test(subject: _Subject) -> _Evidence | None:
        path = subject.folded_path
        for pattern, evidence in compiled:
            if pattern.literal in path:
                keys = pattern.match(path)
                if keys is not None:
                    return _Evidence(evidence.words, keys, BY_PATH) if keys else evidence
        return None

    return test


def _copy_test(patterns: Sequence[PathPattern]) -> _Test:
    """As with the item's own path, a pattern that captures more comes first, whichever of the copies it fits."""
    compiled = [compile_pattern(pattern) for pattern in sorted(patterns, key=lambda pattern: -len(pattern.captures))]

    def test(subject: _Subject) -> _Evidence | None:
        copies = [fold(copy) for copy in subject.record.copies]
        for pattern in compiled:
            for copy in copies:
                if (keys := pattern.match(copy)) is not None:
                    return _Evidence(f'the same content as an item at "{pattern.text}"', keys, BY_COPY)
        return None

    return test


def _storage_test(kinds: Sequence[StorageKind]) -> _Test:
    def test(subject: _Subject) -> _Evidence | None:
        for kind in kinds:
            if kind in subject.stored_in:
                return _Evidence(f"stored in: {kind.replace('_', ' ')}", {}, BY_KIND)
        return None

    return test


def _label_test(names: Sequence[str]) -> _Test:
    wanted = {name.casefold(): name for name in names}

    def test(subject: _Subject) -> _Evidence | None:
        for label in labels_of(subject.record.marks):
            if (name := wanted.get(label.casefold())) is not None:
                return _Evidence(f'label "{name}" at the source', {}, BY_MARK)
        return None

    return test


def _mark_test(name: str, values: Sequence[str]) -> _Test:
    """The value is told only where the schedule names it: what else stands in a mark is the item's own."""
    wanted = {value.casefold(): f'mark "{name}" at the source: "{value}"' for value in values}
    key = name.casefold()

    def test(subject: _Subject) -> _Evidence | None:
        for borne, value in subject.record.marks.items():
            if borne.casefold() == key and (not wanted or value.strip().casefold() in wanted):
                words = wanted.get(value.strip().casefold(), f'mark "{name}" at the source')
                return _Evidence(words, {}, BY_MARK)
        return None

    return test


def _share_test(names: Sequence[str]) -> _Test:
    evidence_of = {name.casefold(): _Evidence(f'share "{name}"', {}, BY_KIND) for name in names}
    return lambda subject: evidence_of.get(subject.record.share.casefold())


def _kind_test(condition: FileKindIs) -> _Test:
    evidence_of = {kind: _Evidence(f"file kind {kind}", {}, BY_KIND) for kind in condition.kinds}
    return lambda subject: evidence_of.get(file_kind_of(subject.record))


def _content_test(condition: ContentIs) -> _Test:
    kinds = frozenset(str(kind) for kind in condition.kinds)

    def test(subject: _Subject) -> _Evidence | None:
        for kind, confidence in subject.record.verdict.kinds[:1]:
            if kind in kinds:
                return _Evidence(f"text like that of {kind} ({confidence:.0%} sure)", {}, min(confidence, BY_CONTENT))
        return None

    return test


def _finding_test(what: str | DataCategory, at_least: int) -> _Test:
    if isinstance(what, DataCategory):
        types = frozenset(entity_type for entity_type, category in ENTITY_CATEGORIES.items() if category is what)
        name = f'of the data category "{what}"'
    else:
        types = frozenset({what})
        name = f"of type {what}"

    def test(subject: _Subject) -> _Evidence | None:
        found = subject.record.findings
        count = sum(number for entity_type, number in found.items() if entity_type in types) if found else 0
        if not count and what in {judged.category for judged in subject.record.verdict.categories}:
            count = 1  # the document reveals it as a whole
        if count < at_least:
            return None
        return _Evidence(f"{count} {'finding' if count == 1 else 'findings'} {name}", {}, BY_FINDING)

    return test


def _all_test(tests: Sequence[_Test]) -> _Test:
    """As sure as the surest part: the others only narrow it. What the first part captures, a later one keeps."""

    def test(subject: _Subject) -> _Evidence | None:
        parts = []
        for part in tests:
            evidence = part(subject)
            if evidence is None:
                return None
            parts.append(evidence)
        keys = {name: key for evidence in reversed(parts) for name, key in evidence.keys.items()}
        words = " and ".join(evidence.words for evidence in parts)
        return _Evidence(words, keys, max(evidence.confidence for evidence in parts))

    return test


def _any_test(tests: Sequence[_Test]) -> _Test:
    def test(subject: _Subject) -> _Evidence | None:
        for part in tests:
            evidence = part(subject)
            if evidence is not None:
                return evidence
        return None

    return test


def _not_test(inner: _Test) -> _Test:
    evidence = _Evidence("no exception applies", {}, BY_KIND)
    return lambda subject: None if inner(subject) is not None else evidence
