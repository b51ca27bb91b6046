from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import jsonschema
import pytest
import yaml

from agent.retention.loader import load_schedule
from agent.retention.problems import ScheduleError
from agent.retention.schema import json_schema
from tests.retention.test_loader import BAD_CONDITIONS, BAD_FIELDS, GOOD, changed

CONFIG = Path(__file__).parents[2] / "config"
SCHEMA_FILE = CONFIG / "schedule.schema.json"


def as_json(value: object) -> object:
    """As an editor sees it: days are text."""
    match value:
        case dict():
            return {str(name): as_json(inner) for name, inner in value.items()}
        case list():
            return [as_json(inner) for inner in value]
        case date():
            return value.isoformat()
        case _:
            return value


def accepted(text: str) -> bool:
    return not list(jsonschema.Draft202012Validator(json_schema()).iter_errors(as_json(yaml.safe_load(text))))


def test_the_schema_file_is_the_one_that_the_code_generates(golden_update: bool) -> None:
    generated = json.dumps(json_schema(), indent=2) + "\n"
    if golden_update:
        SCHEMA_FILE.write_text(generated)
    assert SCHEMA_FILE.read_text() == generated, "run pytest tests/retention --golden-update"


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize("path", sorted((CONFIG / "policies").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_schedule_is_valid_by_schema_and_loader(path: Path) -> None:
    assert accepted(path.read_text())
    assert load_schedule(path.read_text(), path.name).id == path.stem


# What belongs together is for the loader alone to know; the schema knows shapes.
OF_MEANING = (
    "Europe", "etc/passwd", "P0D", "P5000Y", "P9999", "none", "outcome: destroy\n", "  - id: payroll\n", 'title: " "',
    "{event: left, key: person}", "{age: 18, key: person}", "keys: [person]", "{year}", "!!python", "path", "not",
)  # fmt: skip
OF_SHAPE = [
    *[(old, new) for old, new, _ in BAD_FIELDS if not any(word in new for word in OF_MEANING)],
    *[('path: "**/payroll/**"', new) for new, _ in BAD_CONDITIONS if not new.startswith(OF_MEANING)],
]


@pytest.mark.parametrize(("old", "new"), OF_SHAPE)
def test_the_schema_refuses_what_the_loader_refuses_for_its_shape(old: str, new: str) -> None:
    assert not accepted(changed(old, new))


def test_what_the_schema_accepts_without_a_period_the_loader_refuses_too() -> None:
    text = changed("    period: P6Y\n", "")
    assert not accepted(text)
    with pytest.raises(ScheduleError):
        load_schedule(text, "s.yaml")


def test_the_schema_accepts_a_good_schedule() -> None:
    assert accepted(GOOD)
