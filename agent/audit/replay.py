"""The states of items as the log tells them, so that a caller can hold the catalogue against them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableMapping
from dataclasses import dataclass

from agent.audit.leaf import AuditKind, Leaf
from agent.audit.verify import Finding, Trouble


@dataclass(frozen=True, slots=True)
class Transition:
    """That an item, by its keyed hash, went from one state to another, and which entry says so."""

    position: int
    kind: AuditKind
    item: bytes
    before: str
    after: str


def replay(entries: Iterable[tuple[int, Leaf]]) -> Iterator[Transition]:
    """Every change of an item's state, in the order in which it happened."""
    for position, leaf in entries:
        if leaf.item is not None and leaf.after:
            yield Transition(position, leaf.kind, leaf.item, leaf.before, leaf.after)


def follow(transitions: Iterable[Transition], states: MutableMapping[bytes, str]) -> Iterator[Finding]:
    """Leaves in `states` how each item stands at the end. Gives those changes that do not begin where the item stood.

    For logs of many items, `states` may be a mapping that lives on the disk.
    """
    for change in transitions:
        stood = states.get(change.item, change.before)
        if stood != change.before:
            said = f"Entry {change.position} says that an item was {change.before}; the log had left it {stood}."
            yield Finding(Trouble.MISMATCH, change.position, said)
        states[change.item] = change.after
