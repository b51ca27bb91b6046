"""Samples drawn from groups of like items, with all the items they speak for and what was found in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from agent.catalogue.database import Database
from agent.catalogue.reading import moment
from agent.catalogue.recording import microseconds
from agent.catalogue.tables import change_count, review_sample, review_sample_item, review_sample_verdict
from agent.errors import UsageError
from agent.model.review import Group, Sample, SampleVerdict
from agent.model.schedule import Disposition


class ReviewSamples:
    """The samples of one catalogue. Nothing is ever taken out or changed. Every call may raise `CatalogueError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, sample: Sample, marks: Mapping[int, str]) -> Sample:
        """The sample with its number, stored with the marks of the grounds on which it speaks for each item.

        `marks` names every item of the group, those that were drawn included.
        """
        drawn = frozenset(sample.drawn)
        with self._database.transaction() as connection:
            made = connection.execute(review_sample.insert().values(_row(sample)))
            number = int(made.inserted_primary_key[0])  # type: ignore[index]
            connection.exec_driver_sql(
                "INSERT INTO review_sample_item (sample_id, item_id, mark, drawn) VALUES (?, ?, ?, ?)",
                [(number, item_id, mark, item_id in drawn) for item_id, mark in marks.items()],
            )
        found = self.get(number)
        assert found is not None  # noqa: S101 — it was written a moment ago
        return found

    def judge(self, number: int, verdicts: Sequence[SampleVerdict], by: str, at: datetime) -> None:
        """Stores all of these verdicts or none. Raises `UsageError` if an item was judged before."""
        with self._database.transaction() as connection:
            verdict = review_sample_verdict.c
            judged = connection.execute(select(verdict.item_id).where(verdict.sample_id == number)).scalars().all()
            for one in verdicts:
                if one.item_id in judged:
                    raise UsageError(f"Item {one.item_id} of sample {number} was judged already. Nothing was recorded.")
            rows = [
                {
                    "sample_id": number,
                    "item_id": one.item_id,
                    "good": one.good,
                    "judged_by": by,
                    "judged_at": microseconds(at),
                    "reason": one.reason,
                }
                for one in verdicts
            ]
            connection.execute(review_sample_verdict.insert(), rows)
            connection.execute(change_count.update().values(changes=change_count.c.changes + 1))

    def get(self, number: int) -> Sample | None:
        """The sample of that number."""
        return next(iter(self._read(review_sample.c.id == number)), None)

    def of(self, group: Group) -> tuple[Sample, ...]:
        """Every sample drawn from that group, in the order of drawing."""
        return self._read(review_sample.c.group_key == group.key)

    def escalated(self, basis: str) -> frozenset[str]:
        """The keys of the groups in which a sample has found something bad, under that basis."""
        bad = review_sample_verdict.c.good.is_(False)
        query = select(review_sample.c.group_key).join(
            review_sample_verdict, review_sample_verdict.c.sample_id == review_sample.c.id
        )
        with self._database.faults():
            found = self._database.connection.execute(query.where(bad, review_sample.c.basis == basis)).scalars().all()
        return frozenset(found)

    def marks(self, number: int) -> Mapping[int, str]:
        """Every item that the sample speaks for, with the mark of the grounds on which it does."""
        within = review_sample_item.c
        with self._database.faults():
            rows = self._database.connection.execute(
                select(within.item_id, within.mark).where(within.sample_id == number).order_by(within.item_id)
            ).all()
        return {row.item_id: row.mark for row in rows}

    def _read(self, where: Any) -> tuple[Sample, ...]:
        within, verdict = review_sample_item.c, review_sample_verdict.c
        with self._database.faults():
            connection = self._database.connection
            samples = []
            for row in connection.execute(select(review_sample).where(where).order_by(review_sample.c.id)).all():
                drawn = select(within.item_id).where(within.sample_id == row.id, within.drawn.is_(True))
                judged = select(review_sample_verdict).where(verdict.sample_id == row.id).order_by(verdict.item_id)
                samples.append(
                    _sample(
                        row,
                        tuple(connection.execute(drawn.order_by(within.item_id)).scalars()),
                        tuple(
                            SampleVerdict(found.item_id, found.good, found.reason)
                            for found in connection.execute(judged)
                        ),
                    )
                )
        return tuple(samples)


def _row(sample: Sample) -> dict[str, Any]:
    group = sample.group
    return {
        "group_key": group.key,
        "class_id": group.class_id,
        "outcome": group.outcome.value,
        "pattern": group.pattern,
        "format": group.format,
        "basis": sample.basis,
        "seed": sample.seed,
        "population": sample.population,
        "size": len(sample.drawn),
        "at_most": sample.at_most,
        "drawn_by": sample.by,
        "drawn_at": microseconds(sample.at),
    }


def _sample(row: Any, drawn: tuple[int, ...], verdicts: tuple[SampleVerdict, ...]) -> Sample:
    return Sample(
        row.id,
        Group(row.class_id, Disposition(row.outcome), row.pattern, row.format),
        row.basis,
        row.seed,
        row.population,
        row.at_most,
        drawn,
        row.drawn_by,
        moment(row.drawn_at),
        verdicts,
    )
