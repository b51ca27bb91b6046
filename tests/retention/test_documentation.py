"""Every example of the how-to works as it stands, and fails with the words printed under it where it is wrong."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

from agent.model.condition import FileKind, StorageKind
from agent.model.finding import DataCategory
from agent.model.schedule import Combination, CutOff, Disposition, RecordDate
from agent.retention.loader import load_schedule
from agent.retention.problems import ScheduleError
from agent.usecases.examples import try_examples
from tests.retention.test_loader import CLASS, HEAD

TEXT = (Path(__file__).parents[2] / "docs" / "how-to" / "write-a-schedule.md").read_text()
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
WRONG = re.findall(r"^```yaml wrong\n(.*?)^```$\n\n^```text\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)


def whole(example: str) -> str:
    """A condition is put into a class, and a class into a schedule."""
    if example.startswith("applies_when:"):
        condition = textwrap.indent(example, "    ")
        return HEAD + CLASS.replace('    applies_when:\n      path: "**/payroll/**"\n', condition)
    if example.startswith("classes:"):
        return HEAD.removesuffix("classes:\n") + example
    if example.startswith(("placement:", "supervisory_authority:", "references:")):
        return HEAD.removesuffix("classes:\n") + example + "classes:\n" + CLASS
    if "classes:" not in example:
        return HEAD + textwrap.indent("- " + textwrap.indent(example, "  ").lstrip(), "  ")
    return example


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_loads(example: str) -> None:
    assert load_schedule(whole(example), "schedule.yaml").classes


@pytest.mark.parametrize("example", [example for example in EXAMPLES if "examples:" in example])
def test_every_example_of_examples_comes_out_as_it_says(example: str) -> None:
    tried = list(try_examples(load_schedule(whole(example), "schedule.yaml")))
    assert tried
    assert all(one.right for one in tried)


@pytest.mark.parametrize(("example", "said"), WRONG)
def test_every_wrong_example_says_what_is_printed_under_it(example: str, said: str) -> None:
    with pytest.raises(ScheduleError) as caught:
        load_schedule(whole(example), "schedule.yaml")
    assert str(caught.value) == said.strip()


def test_every_fenced_example_is_among_those_tested() -> None:
    assert len(EXAMPLES) >= 8
    assert len(WRONG) == 1
    assert TEXT.count("```yaml") == len(EXAMPLES) + len(WRONG)


@pytest.mark.parametrize(
    "word", [*FileKind, *Disposition, *DataCategory, *StorageKind, *RecordDate, *CutOff, *Combination]
)
def test_every_word_of_the_language_is_explained(word: str) -> None:
    assert f"`{word}`" in TEXT
