"""What remains of an item in its place, by what its class wants: the document without people, or its outcome."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

from agent.anonymisation.base import CannotAnonymise
from agent.catalogue.disposal_rows import Disposal
from agent.catalogue.store import Catalogue
from agent.disposition.remainders import NotDerived
from agent.minimisation.base import OUTCOME_SUFFIX, ItemFacts
from agent.minimisation.note import removal_note
from agent.model.record import Record
from agent.model.schedule import Disposition
from agent.usecases.evaluate import Evaluation, Terms

if TYPE_CHECKING:
    from agent.usecases.anonymise import Anonymiser
    from agent.usecases.minimise import Minimiser


class Deriving:
    """Makes what remains of items: `agent.disposition.remainders.Derive`.

    `anonymiser` and `minimiser` load models, so they are asked for when the first item needs them.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        terms: Terms,
        today: Callable[[], date],
        anonymiser: Callable[[], Anonymiser],
        minimiser: Callable[[], Minimiser],
    ) -> None:
        self._catalogue = catalogue
        self._terms = terms
        self._today = today
        self._make_anonymiser = anonymiser
        self._make_minimiser = minimiser

    @cached_property
    def _anonymiser(self) -> Anonymiser:
        return self._make_anonymiser()

    @cached_property
    def _minimiser(self) -> Minimiser:
        return self._make_minimiser()

    @cached_property
    def _evaluation(self) -> Evaluation:
        return Evaluation(self._catalogue, self._terms, self._today())

    def __call__(self, disposal: Disposal, source: int, target: int) -> str:
        known = self._catalogue.reviews.records([disposal.item_id], self._terms.schedule.captured_types)
        record = known[disposal.item_id]
        if disposal.action is Disposition.ANONYMISE:
            try:
                self._anonymiser.anonymise_file(source, target, record.format)
            except CannotAnonymise:
                raise NotDerived from None
            return ""
        return self._minimised(disposal, record, source, target)

    def _minimised(self, disposal: Disposal, record: Record, source: int, target: int) -> str:
        """The outcome record. If it lacks anything that the class keeps, the document stays: a person must look."""
        schedule = self._terms.schedule
        retention_class = schedule.by_id.get(disposal.account.class_id)
        if retention_class is None:
            raise NotDerived
        events = {event.type: event.on for event in self._evaluation.of(record).events}
        facts = ItemFacts(disposal.account, self._today(), events, references=schedule.references)
        made = self._minimiser.minimise_file(source, record.format, retention_class.keeps, facts)
        if not made.complete:
            raise NotDerived
        with open(target, "wb", closefd=False) as file:
            file.write(made.as_bytes())
        return OUTCOME_SUFFIX

    def note(self, disposal: Disposal) -> bytes:
        """The note that is left where the item was."""
        return removal_note(disposal.account, self._today(), self._terms.schedule.officers)
