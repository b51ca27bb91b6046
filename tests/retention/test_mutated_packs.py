"""However a shipped schedule is cut about, what comes of it is a schedule or a list of problems in plain words."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.retention.doubts import doubts
from agent.retention.loader import load_schedule
from agent.retention.problems import ScheduleError
from agent.retention.wording import say_clock

TEXT = "tag:yaml.org,2002:str"
PACKS = sorted((Path(__file__).parents[2] / "config" / "policies").glob("*.yaml"))
ODD = [
    "", "none", "7", "2026-02-31", "true", "~", "{}", "[]", "[x]", "{a: b}", "{? [a] : b}", "{? {a: b} : c}", "'*'",
    "{event: e, key: person}", "{path: '{case}/**'}", "P0D", "-P1Y", "P1Y+P1M", "{age: 18, key: person}", "!!binary x",
    "{first_of: [modified, created]}", "{all_of: []}", "retain_permanently", "minimise", "{not: {not: {path: '**'}}}",
]  # fmt: skip


@functools.cache
def pack(path: Path) -> yaml.Node:
    return yaml.compose(path.read_text(), Loader=yaml.SafeLoader)


def places(node: yaml.Node) -> Iterator[tuple[list[object], int]]:
    """Every place at which a node stands: in which list of a collection, and where in it."""
    for number, entry in enumerate(node.value if isinstance(node, yaml.CollectionNode) else []):
        yield node.value, number
        for part in entry if isinstance(entry, tuple) else (entry,):
            yield from places(part)


def copied(part: Any) -> Any:
    """A copy of a node, or of a name with its node, that remembers no place."""
    match part:
        case tuple():
            return tuple(map(copied, part))
        case yaml.CollectionNode():
            return type(part)(part.tag, list(map(copied, part.value)))
        case _:
            return yaml.ScalarNode(part.tag, part.value)


def of_few_classes(draw: st.DrawFn) -> yaml.Node:
    """A shipped schedule of which only two classes are left, so that reading it takes no time."""
    whole = pack(draw(st.sampled_from(PACKS)))
    few = []
    for name, value in whole.value:
        if name.value == "classes":
            first = draw(st.integers(0, len(value.value) - 2))
            few.append((name, yaml.SequenceNode(value.tag, value.value[first : first + 2])))
        else:
            few.append((name, value))
    root: yaml.Node = copied(yaml.MappingNode(whole.tag, few))
    return root


@st.composite
def mutated(draw: st.DrawFn) -> str:
    root = of_few_classes(draw)
    for _ in range(draw(st.integers(1, 4))):
        where, number = draw(st.sampled_from(list(places(root))))
        match draw(st.sampled_from(["delete", "double", "replace", "move"])):
            case "delete":
                del where[number]
            case "double":
                where.append(copied(where[number]))
            case "move":
                others, other = draw(st.sampled_from(list(places(root))))
                where[number] = copied(others[other])
            case _:
                odd = yaml.compose(draw(st.sampled_from(ODD)), Loader=yaml.SafeLoader) or yaml.ScalarNode(TEXT, "")
                entry = where[number]
                where[number] = (entry[0], odd) if isinstance(entry, tuple) and draw(st.booleans()) else odd
    put_right(root)
    return yaml.serialize(root, Dumper=yaml.SafeDumper)


def put_right(node: yaml.Node) -> None:
    """A pair that has come into a list loses its name, and what has come into a group alone gets one."""
    if isinstance(node, yaml.SequenceNode):
        node.value = [part[1] if isinstance(part, tuple) else part for part in node.value]
    elif isinstance(node, yaml.MappingNode):
        node.value = [part if isinstance(part, tuple) else (yaml.ScalarNode(TEXT, "x"), part) for part in node.value]
    for part in node.value if isinstance(node, yaml.CollectionNode) else []:
        for one in part if isinstance(part, tuple) else (part,):
            put_right(one)


@given(mutated())
@settings(max_examples=40 if "RETENTIOND_TEST_LONG" in os.environ else 15, deadline=None)
def test_a_schedule_that_is_cut_about_is_read_or_refused_in_plain_words(text: str) -> None:
    try:
        schedule = load_schedule(text, "s.yaml")
    except ScheduleError as error:
        assert error.problems
        for problem in error.problems:
            assert problem.line >= 1
            assert re.fullmatch(r"\S.*[.?]", problem.sentence)
            assert not re.search(r"Node\(|<|object at|\bNone\b", problem.field + problem.sentence)
    else:
        assert schedule.classes
        for doubt in doubts(schedule):
            assert doubt.sentence.endswith(".")
        assert all(say_clock(one) for one in schedule.classes)
