"""Facts of an item, and records made of lines of text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date

from agent.minimisation.base import ItemFacts, OutcomeRecord
from agent.minimisation.record import outcome_record
from agent.model.disposal import Account
from agent.model.schedule import ReferenceForm

ACCOUNT = Account(
    schedule_id="training-provider",
    schedule_version="1",
    class_id="criminal-record-certificate",
    class_title="Criminal-record certificates",
    mandate="Code of practice under the Police Act 1997 s.122",
    rule='at once on the event "criminal_record_checked" of the check',
    clock="The event happened on 20 April 2017.",
    due_on=date(2017, 4, 20),
)
CASES = ReferenceForm("CASE_REFERENCE", r"[A-Z]{2}/\d{4}/\d{3}")


def facts(
    events: Mapping[str, date] | None = None,
    known: Mapping[str, str] | None = None,
    references: tuple[ReferenceForm, ...] = (CASES,),
) -> ItemFacts:
    return ItemFacts(ACCOUNT, date(2019, 4, 21), events or {}, known or {}, references)


def record(
    text: str,
    *keeps: str,
    of: ItemFacts | None = None,
    clean: Callable[[str], bool] = lambda value: True,
) -> OutcomeRecord:
    """The record for a text file."""
    lines = [(f"line={number}", line) for number, line in enumerate(text.split("\n"), 1)]
    return outcome_record(lines, keeps, of or facts(), clean)


def told(made: OutcomeRecord) -> dict[str, str]:
    """Each field with its value, or why it is lacking."""
    return {
        **{one.field: one.value for one in made.fields},
        **{one.field: f"<{one.why}>" for one in made.lacking},
    }


def value(text: str, field: str = "outcome", of: ItemFacts | None = None) -> str:
    """What is said of one field of a text file."""
    return told(record(text, field, of=of))[field]


def rows(lines: Sequence[tuple[str, str]], *keeps: str) -> dict[str, str]:
    """What is said of the fields of a document whose lines lie at these locations."""
    return told(outcome_record(lines, keeps, facts(), lambda value: True))
