"""References of cases: kept only in the form that the schedule gives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import regex

from agent.minimisation.base import Kept, Lacking, Why
from agent.minimisation.layout import Layout
from agent.minimisation.vocabulary import FieldForm
from agent.model.schedule import ReferenceForm

_CASE = "CASE_REFERENCE"
_LONGEST = 40  # characters
_REACH = 60  # characters before a number in which its context must stand
_SECONDS = 0.5  # for the expressions of a schedule on one paragraph


def read_number(name: str, form: FieldForm, layout: Layout, references: Sequence[ReferenceForm]) -> Kept | Lacking:
    """The one reference at the field's labels, else the only one in the whole document."""
    forms = [one for one in references if one.entity_type == _CASE]
    labelled = [(one.value, one.location) for one in layout.passages if one.label in form.labels]
    anywhere = [(one.text, one.location) for one in layout.paragraphs]
    try:
        found = dict(_found(labelled, forms, labelled=True)) or dict(_found(anywhere, forms, labelled=False))
    except TimeoutError:
        return Lacking(name, Why.UNCLEAR)
    if len({_compact(value) for value in found}) > 1:
        return Lacking(name, Why.UNCLEAR, tuple(dict.fromkeys(found.values())))
    if not found:
        return Lacking(name, Why.MISSING)
    value, location = next(iter(found.items()))
    return Kept(name, value, location)


def _found(
    texts: Sequence[tuple[str, str]], forms: Sequence[ReferenceForm], *, labelled: bool
) -> Iterator[tuple[str, str]]:
    for form in forms:
        number = regex.compile(rf"(?<!\w)(?:{form.pattern})(?!\w)")
        context = regex.compile(form.context, regex.IGNORECASE)
        for text, location in texts:
            for match in number.finditer(text, timeout=_SECONDS):
                start = match.start()
                if labelled or context.search(text, max(0, start - _REACH), start, timeout=_SECONDS):
                    value = " ".join(match[0].split())
                    if len(value) <= _LONGEST and any(map(str.isdigit, value)):
                        yield value, location


def _compact(value: str) -> str:
    return "".join(filter(str.isalnum, value)).casefold()
