"""The log tells how every item stands, and where it contradicts itself."""

from __future__ import annotations

from agent.audit.leaf import AuditKind
from agent.audit.log import AuditLog
from agent.audit.replay import Transition, follow, replay
from agent.audit.verify import Finding, Trouble
from agent.catalogue.database import Database
from tests.audit.entries import NAMES, a_leaf

ONE, TWO = NAMES.item(b"1"), NAMES.item(b"2")
STORY = [
    a_leaf(item=ONE),
    a_leaf(kind=AuditKind.HOLD_PLACED, item=None, before="", after=""),
    a_leaf(item=TWO),
    a_leaf(kind=AuditKind.VIEWED, item=ONE, before="", after=""),
    a_leaf(kind=AuditKind.ITEM_RESTORED, item=TWO, before="vaulted", after="live"),
    a_leaf(kind=AuditKind.ITEM_DESTROYED, item=ONE, before="vaulted", after="destroyed"),
]


def test_every_change_of_state_is_told_in_its_order(database: Database, log: AuditLog) -> None:
    with database.transaction() as connection:
        log.extend(connection, STORY)
    assert list(replay(log.entries())) == [
        Transition(0, AuditKind.ITEM_QUARANTINED, ONE, "due", "vaulted"),
        Transition(2, AuditKind.ITEM_QUARANTINED, TWO, "due", "vaulted"),
        Transition(4, AuditKind.ITEM_RESTORED, TWO, "vaulted", "live"),
        Transition(5, AuditKind.ITEM_DESTROYED, ONE, "vaulted", "destroyed"),
    ]


def test_the_last_states_remain_for_the_caller_to_compare() -> None:
    states: dict[bytes, str] = {}
    assert list(follow(replay(enumerate(STORY)), states)) == []
    assert states == {ONE: "destroyed", TWO: "live"}


def test_a_change_that_does_not_begin_where_the_item_stood_is_told() -> None:
    states: dict[bytes, str] = {}
    wrong = a_leaf(kind=AuditKind.ITEM_DESTROYED, item=TWO, before="vaulted", after="destroyed")
    assert list(follow(replay(enumerate([*STORY, wrong])), states)) == [
        Finding(Trouble.MISMATCH, 6, "Entry 6 says that an item was vaulted; the log had left it live.")
    ]
    assert states[TWO] == "destroyed"
