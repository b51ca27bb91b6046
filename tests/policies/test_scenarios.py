"""Every policy at work: the decisions of ten years, file by file, as the golden files have them."""

from __future__ import annotations

import pytest
import yaml

from agent.retention.doubts import doubts
from agent.retention.loader import load_schedule
from agent.usecases.examples import try_examples
from tests.policies.scenario import GOLDEN, NAMES, POLICIES, Play, told
from tests.policies.table import TARGET, packs, table


@pytest.mark.parametrize("name", NAMES)
def test_every_file_stands_as_the_golden_file_says_on_every_day(name: str, play: Play, golden_update: bool) -> None:
    _, played = play(name)
    golden = GOLDEN / f"{name}.yaml"
    if golden_update:
        golden.write_text(yaml.safe_dump(told(played), sort_keys=False, allow_unicode=True, width=10_000))
    expected = yaml.safe_load(golden.read_text())
    assert told(played) == expected, "if this is meant, run pytest tests/policies --golden-update and read what changed"


@pytest.mark.parametrize("name", NAMES)
def test_every_class_and_placement_rule_decides_on_some_file_both_ways(name: str, play: Play) -> None:
    """A day on which it lets something go (or has it moved), and one on which it does not yet."""
    office, played = play(name)
    let_go, kept = set(), set()
    for decisions in played.values():
        for decision in decisions.values():
            ruling = {decision.placement} if decision.placement else {decision.class_id}
            ruling |= {reason.class_id for reason in decision.reasons if reason.class_id and not decision.placement}
            (let_go if decision.state == "due" else kept).update(ruling)
    permanent = {one.id for one in office.schedule.classes if one.trigger is None}
    wanted = {one.id for one in office.schedule.classes} - permanent
    wanted |= {rule.id for rule in office.schedule.placement if rule.quarantine}
    assert wanted <= let_go, f"nothing is ever let go by: {sorted(wanted - let_go)}"
    assert permanent | {one.id for one in office.schedule.classes} <= kept


def test_every_pack_has_a_scenario() -> None:
    assert {path.stem for path in POLICIES.glob("*.yaml")} - {"uk-default"} == set(NAMES)


def test_the_table_of_rows_in_the_docs_is_the_one_that_the_command_makes() -> None:
    assert TARGET.read_text(encoding="utf-8") == table(), "run python -m tests.policies.table --write"


def test_every_row_of_the_five_policies_has_a_class_with_files() -> None:
    rows = {row for schedule in packs() for one in (*schedule.classes, *schedule.placement) for row in one.rows}
    wanted = {f"S{policy}-{row}" for policy, last in enumerate((4, 7, 2, 10, 2)) for row in range(1, last + 1)}
    assert wanted <= rows
    without = [line for line in table().splitlines() if line.startswith("| S") and line.endswith("| 0 |")]
    assert without == []


@pytest.mark.parametrize("name", NAMES)
def test_the_examples_beside_the_classes_come_out_as_they_say(name: str) -> None:
    schedule = load_schedule((POLICIES / f"{name}.yaml").read_text(encoding="utf-8"), name)
    assert [one for one in try_examples(schedule) if not one.right] == []
    assert doubts(schedule) == ()
