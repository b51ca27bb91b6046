"""Wrappers add one rule each and change nothing else."""

from __future__ import annotations

from connectors.base import KnowsNothing
from connectors.memory import MemoryConnector
from connectors.pace import Pace
from connectors.testing import found
from connectors.wrappers import Paced, ReadOnly


def test_read_only_answers_changing_calls_with_a_receipt_and_changes_nothing() -> None:
    memory = MemoryConnector()
    memory.put(b"HR/file", b"content")
    connector = ReadOnly(memory)
    (scope,) = connector.scopes()
    (item,) = found(connector.changes(scope, KnowsNothing()))
    for receipt in (
        connector.label(scope, item.ref, item.version, "payroll"),
        connector.delete(scope, item.ref, item.version),
    ):
        assert not receipt.done
        assert receipt.note.startswith("read-only: would ")
    assert found(connector.changes(scope, KnowsNothing())) == [item]
    with connector.open(scope, item) as content:
        assert content.still_current()


def test_rate_limited_spreads_openings_evenly_and_lets_an_idle_source_begin_at_once() -> None:
    memory = MemoryConnector()
    memory.put(b"file", b"content")
    now = [100.0]
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(round(seconds, 3))
        now[0] += seconds

    connector = Paced(memory, Pace(files_per_second=4.0, clock=lambda: now[0], sleep=sleep))
    (scope,) = connector.scopes()
    (item,) = found(connector.changes(scope, KnowsNothing()))
    for _ in range(3):
        connector.open(scope, item).close()
    assert slept == [0.25, 0.25]
    now[0] += 60
    connector.open(scope, item).close()
    assert slept == [0.25, 0.25]
