"""Makes the record that stays of a document: each field that its class keeps, found or told to be lacking."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date

from agent.minimisation.base import ItemFacts, Kept, Lacking, OutcomeRecord, Why
from agent.minimisation.dates import DATE, read_date
from agent.minimisation.layout import Layout, lay_out
from agent.minimisation.numbers import read_number
from agent.minimisation.vocabulary import FieldForm, FieldKind, Vocabulary, any_of, shipped
from agent.minimisation.words import WordReader

_WORD = 30  # characters before a label among which the word before it stands


def outcome_record(
    text: Iterable[tuple[str, str]], keeps: Sequence[str], facts: ItemFacts, clean: Callable[[str], bool]
) -> OutcomeRecord:
    """The record for an item of whose document these are the lines, each with its location.

    What is known without the document goes before what stands in it. From the document come only words of our own,
    ISO dates and references in the schedule's own form, and only what it says clearly and in one way. Every value must
    be `clean`, else it is left out and told. Nothing is raised for what a document contains.
    """
    vocabulary = shipped()
    reader = _Reader(lay_out(text, vocabulary.labels(keeps)), facts, vocabulary)
    read = [_checked(reader.read(name), clean) for name in keeps]
    return OutcomeRecord(
        facts,
        tuple(one for one in read if isinstance(one, Kept)),
        tuple(one for one in read if isinstance(one, Lacking)),
    )


def _checked(read: Kept | Lacking, clean: Callable[[str], bool]) -> Kept | Lacking:
    if isinstance(read, Lacking) or clean(read.value):
        return read
    return Lacking(read.field, Why.NOT_CLEAN, (read.location,) if read.location else ())


class _Reader:
    """Reads the fields of one item."""

    def __init__(self, layout: Layout, facts: ItemFacts, vocabulary: Vocabulary) -> None:
        self._layout = layout
        self._facts = facts
        self._vocabulary = vocabulary
        self._words = WordReader(layout, vocabulary)

    def read(self, name: str) -> Kept | Lacking:
        if name in self._facts.known:
            return Kept(name, self._facts.known[name])
        form = self._vocabulary.form(name)
        match form.kind:
            case FieldKind.WORD if form.words is not None:
                return self._words.read(name, form, form.words)
            case FieldKind.DATE:
                return self._recorded(name) or self._date(name, form)
            case FieldKind.NUMBER:
                return read_number(name, form, self._layout, self._facts.references)
            case FieldKind.SUMMARY:
                return self._summary(name, form)
            case FieldKind.DATES:
                return self._dates(name)
            case _:
                return Lacking(name, Why.MISSING)

    def _recorded(self, name: str) -> Kept | Lacking | None:
        """The day of the event that the field is about: `checked_on` is that of `criminal_record_checked`."""
        what = name.removesuffix("_on")
        days = {day for type_, day in self._facts.events.items() if f"_{type_}".endswith(f"_{what}")}
        if len(days) > 1:
            return Lacking(name, Why.UNCLEAR)
        return Kept(name, days.pop().isoformat()) if days else None

    def _date(self, name: str, form: FieldForm) -> Kept | Lacking:
        """The date next to the field's labels, if all of them say the same."""
        found: dict[date, str] = {}
        unclear: list[str] = []
        for match, location in self._dates_at(form.labels):
            day = read_date(match, self._facts.removed_on)
            if day is None:
                unclear.append(location)
            else:
                found.setdefault(day, location)
        if unclear or len(found) > 1:
            return Lacking(name, Why.UNCLEAR, tuple(dict.fromkeys((*unclear, *found.values()))))
        if not found:
            return Lacking(name, Why.MISSING)
        day, location = found.popitem()
        return Kept(name, day.isoformat(), location)

    def _dates_at(self, labels: Sequence[str]) -> Iterator[tuple[re.Match[str], str]]:
        next_to = re.compile(
            rf"(?<![\w-])(?:{any_of(labels)})[\s:=,.-]*(?:(?:on|of|is|was|the)\s+){{0,2}}{DATE.pattern}", re.IGNORECASE
        )
        for passage in self._layout.passages:
            if passage.label in labels and (match := DATE.match(passage.value)):
                yield match, passage.location
        for paragraph in self._layout.paragraphs:
            for match in next_to.finditer(paragraph.text):
                before = paragraph.text[max(0, match.start() - _WORD) : match.start()].split()[-1:]
                if not before or not self._vocabulary.leaving_open.fullmatch(before[0]):
                    yield match, paragraph.location

    def _summary(self, name: str, form: FieldForm) -> Kept | Lacking:
        """What it was about, of the first of the fields that says so, and how it ended, of the last."""
        *topics, ending = form.of
        read = [self.read(topic) for topic in topics]
        about = next((one for one in read if isinstance(one, Kept)), read[-1])
        ended = self.read(ending)
        if isinstance(about, Lacking):
            return replace(about, field=name)
        if isinstance(ended, Lacking):
            return replace(ended, field=name)
        return Kept(name, f"{about.value}: {ended.value}", ended.location)

    def _dates(self, name: str) -> Kept | Lacking:
        read = [self.read(one) for one in self._vocabulary.dates]
        unclear = [
            place for one in read if isinstance(one, Lacking) and one.why is Why.UNCLEAR for place in one.locations
        ]
        kept = [one for one in read if isinstance(one, Kept)]
        if unclear or not kept:
            return Lacking(name, Why.UNCLEAR if unclear else Why.MISSING, tuple(unclear))
        return Kept(name, ", ".join(f"{one.field} {one.value}" for one in kept), kept[0].location)
