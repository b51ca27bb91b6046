"""What remains of an item in its place, by what its class wants: the document without people, or its outcome."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from agent.anonymisation.base import CannotAnonymise
from agent.catalogue.disposal_rows import Disposal
from agent.catalogue.store import Catalogue
from agent.disposition.remainders import NotDerived
from agent.model.schedule import Disposition, RetentionSchedule

if TYPE_CHECKING:
    from agent.usecases.anonymise import Anonymiser
    from agent.usecases.minimise import Minimiser

OUTCOME_SUFFIX = ".outcome.txt"


class Deriving:
    """Makes what remains of items: `agent.disposition.remainders.Derive`.

    `anonymiser` and `minimiser` load models, so they are asked for when the first item needs them.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        schedule: RetentionSchedule,
        anonymiser: Callable[[], Anonymiser],
        minimiser: Callable[[], Minimiser],
    ) -> None:
        self._catalogue = catalogue
        self._schedule = schedule
        self._make_anonymiser = anonymiser
        self._make_minimiser = minimiser

    @cached_property
    def _anonymiser(self) -> Anonymiser:
        return self._make_anonymiser()

    @cached_property
    def _minimiser(self) -> Minimiser:
        return self._make_minimiser()

    def __call__(self, disposal: Disposal, source: int, target: int) -> str:
        format = self._catalogue.reviews.records([disposal.item_id])[disposal.item_id].format
        if disposal.action is Disposition.ANONYMISE:
            try:
                self._anonymiser.anonymise_file(source, target, format)
            except CannotAnonymise:
                raise NotDerived from None
            return ""
        return self._minimised(disposal, source, target, format)

    def _minimised(self, disposal: Disposal, source: int, target: int, format: str) -> str:
        retention_class = self._schedule.by_id.get(disposal.account.class_id)
        if retention_class is None:
            raise NotDerived
        record = self._minimiser.minimise_file(source, format, retention_class, disposal.account)
        if not record.complete:
            raise NotDerived
        with open(target, "wb", closefd=False) as file:
            file.write(record.as_bytes())
        return OUTCOME_SUFFIX
