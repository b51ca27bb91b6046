"""Which line of a policy became which class, and which files show it: `docs/reference/policies.md`.

python -m tests.policies.table            prints the table
python -m tests.policies.table --write    writes it into the docs
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml

from agent.model.schedule import RetentionSchedule
from agent.reports.words import say
from agent.retention.loader import load_schedule
from agent.retention.wording import say_clock
from tests.policies.scenario import GOLDEN, POLICIES

TARGET = Path(__file__).parents[2] / "docs" / "reference" / "policies.md"
_INTRODUCTION = """\
# Five policies, rule by rule

Five real policies are the yardstick of this software.
Each line of their retention schedules is carried out by a class or a placement rule of a shipped schedule.
How, is shown on the files of a small office over ten years.
`retentiond schedule show NAME` prints a schedule.
`tests/policies/scenarios/NAME.yaml` is its office, `tests/policies/golden/NAME.yaml` the life of each of its files.

Made by `python -m tests.policies.table --write`.
"""


def packs() -> list[RetentionSchedule]:
    """The shipped schedules that carry out a policy, by name."""
    schedules = [load_schedule(path.read_text(encoding="utf-8"), path.name) for path in sorted(POLICIES.glob("*.yaml"))]
    return [schedule for schedule in schedules if any(one.rows for one in schedule.classes)]


def table() -> str:
    """The whole page."""
    parts = [_INTRODUCTION]
    for schedule in packs():
        parts.append(f"\n## {schedule.id}: {schedule.title}\n")
        parts.append("| row | class or rule | goes | then | may be extended by a review | files in the scenario |")
        parts.append("|---|---|---|---|---|---|")
        parts += sorted(_lines(schedule), key=_by_row)
    return "\n".join(parts) + "\n"


def _lines(schedule: RetentionSchedule) -> Iterator[str]:
    from agent.retention.periods import say_period

    golden = GOLDEN / f"{schedule.id}.yaml"
    lives = yaml.safe_load(golden.read_text(encoding="utf-8")) if golden.exists() else {}
    for one in schedule.classes:
        files = sum(any(f"class {one.id}" in life["stands"] for life in days.values()) for days in lives.values())
        longer = say_period(one.extension) if one.extension else ""
        for row in one.rows:
            yield f"| {row} | `{one.id}` | {say_clock(one)} | {say(one.outcome)} | {longer} | {files} |"
    for rule in schedule.placement:
        files = sum(
            any(f'"{rule.id}"' in reason for life in days.values() for reason in life["because"])
            for days in lives.values()
        )
        then = "move to quarantine and alert" if rule.quarantine else "report"
        for row in rule.rows:
            yield f"| {row} | `{rule.id}` (placement) | at once where it is found | {then} |  | {files} |"


def _by_row(line: str) -> list[object]:
    row = line.split("|")[1].strip()
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", row)]


if __name__ == "__main__":
    if "--write" in sys.argv:
        TARGET.write_text(table(), encoding="utf-8")
    else:
        sys.stdout.write(table())
