"""Whole decisions, sentence by sentence: inputs are written by hand, what follows from them is written by
`pytest tests/retention --golden-update` and read by a person before it is kept."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.classification.classify import classify
from agent.model.decision import Decision
from agent.model.event import Event
from agent.retention.decide import decide
from agent.retention.loader import load_schedule
from tests.retention.factories import a_record

FOLDER = Path(__file__).with_name("golden")
POLICIES = Path(__file__).parents[2] / "config" / "policies"
MARKER = "--- # expected; written by pytest --golden-update\n"


def decide_case(case: dict[str, Any]) -> dict[str, Any]:
    schedule_text = (POLICIES / f"{case['schedule']}.yaml").read_text()
    schedule = load_schedule(schedule_text, case["schedule"])
    item = dict(case["item"])
    for moment in ("modified_at", "created_at"):
        item[moment] = moment_of(item[moment]) if item.get(moment) else None
    record = a_record(**item)
    events = [Event(**event) for event in case.get("events", [])]
    return shown(decide(record, classify(record, schedule), schedule, events, case["today"]))


def moment_of(written: date | datetime) -> datetime:
    if isinstance(written, datetime):
        return written
    return datetime(written.year, written.month, written.day, 12, tzinfo=UTC)


def shown(decision: Decision) -> dict[str, Any]:
    return {
        "state": str(decision.state),
        "class": decision.class_id,
        "outcome": str(decision.outcome) if decision.outcome else None,
        "due_on": decision.due_on,
        "reasons": [f"{reason.code}: {reason.sentence}" for reason in decision.reasons],
        "competing": [
            f"{claim.class_id}: {claim.state}, {claim.outcome}, {claim.due_on}" for claim in decision.competing
        ],
    }


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_decisions_are_those_of_the_golden_file(path: Path, golden_update: bool) -> None:
    inputs, _, expected = path.read_text().partition(MARKER)
    decided = {name: decide_case(case) for name, case in yaml.safe_load(inputs).items()}
    if golden_update:
        path.write_text(inputs + MARKER + yaml.safe_dump(decided, sort_keys=False, allow_unicode=True, width=10_000))
        return
    assert decided == yaml.safe_load(expected)


def test_there_are_golden_files() -> None:
    assert len(list(FOLDER.glob("*.yaml"))) >= 3
