"""What is due on a day, today or later, from how items stand."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from agent.catalogue.standing import Standing
from agent.catalogue.store import Catalogue
from agent.model.decision import DecisionState
from agent.usecases.evaluate import Evaluation, Terms
from agent.usecases.standing import Advance, bring_up_to_date


@dataclass(frozen=True, slots=True)
class DueList:
    """How many items stand how on the day asked about, and those that are due, longest due first.

    `due` may be gone through once; memory is bounded but for items with which something else happens until that day.
    """

    counts: Mapping[str, int]
    due: Iterator[Standing]


def due_list(catalogue: Catalogue, terms: Terms, today: date, day: date, advance: Advance | None = None) -> DueList:
    """The due list of `day`, which is today or later. Items about which something has changed are decided on first.

    Time alone makes an item due. Where more happens until that day (an event or a hold that is known ahead), the item
    is decided on as of that day.
    """
    bring_up_to_date(catalogue, terms, today, advance)
    counts = Counter(catalogue.standings.counts(day))
    otherwise: dict[int, Standing] = {}
    if day > today:
        evaluation = Evaluation(catalogue, terms, day)
        for standing, record in catalogue.turning(day, terms.schedule.captured_types):
            decision = evaluation.of(record).decision
            counts[_state_on(day, standing.state, standing.due_on)] -= 1
            counts[decision.state] += 1
            otherwise[standing.item_id] = Standing(
                standing.share,
                standing.ref,
                standing.item_id,
                decision.state,
                decision.class_id,
                decision.outcome,
                decision.due_on,
                standing.size_bytes,
            )
    kept = (one for one in catalogue.standings.due(day) if one.item_id not in otherwise)
    turned = sorted((one for one in otherwise.values() if one.state is DecisionState.DUE), key=_order)
    return DueList(
        {state: count for state, count in sorted(counts.items()) if count}, heapq.merge(kept, turned, key=_order)
    )


def _order(standing: Standing) -> tuple[date, int]:
    return standing.due_on or date.max, standing.item_id


def _state_on(day: date, state: DecisionState, due_on: date | None) -> DecisionState:
    """How an item that stands so counts on that day, if nothing but time passes."""
    if due_on is None or state not in (DecisionState.DUE, DecisionState.KEEP):
        return state
    return DecisionState.DUE if due_on <= day else DecisionState.KEEP
