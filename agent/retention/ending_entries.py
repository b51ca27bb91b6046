"""How a class ends, beside its clock, read from its entries: exemptions, what is kept, who agrees."""

from __future__ import annotations

from collections.abc import Mapping

from agent.model.schedule import Disposition, Exemption
from agent.retention.clock_entries import field_names, read_event
from agent.retention.conditions import read_free_condition
from agent.retention.entries import Entry
from agent.retention.fields import TRIGGER_FIELDS


def read_exemptions(entry: Entry | None, keys: tuple[str, ...]) -> tuple[Exemption, ...]:
    """What takes an item out of the class: each a condition, or an event about one of the class's keys."""
    items = [] if entry is None else entry.one_or_more() or []
    return tuple(exemption for item in items if (exemption := _exemption(item, keys)))


def _exemption(entry: Entry, keys: tuple[str, ...]) -> Exemption | None:
    if field_names(entry) & {field.name for field in TRIGGER_FIELDS}:
        event = read_event(entry, keys)
        return Exemption(event) if event else None
    condition = read_free_condition(entry)
    return Exemption(condition) if condition else None


def check_ending(outcome: Disposition, fields: Mapping[str, Entry], at_class: Entry) -> None:
    """Notes what does not go together in how a class ends."""
    if outcome is Disposition.MINIMISE and "keep" not in fields:
        at_class.complain(
            'The field "keep" is missing. Say what remains of an item that is minimised, such as: keep: [result].'
        )
    if "otherwise" in fields and "unless" not in fields:
        fields["otherwise"].complain('"otherwise" says where exempt items go and stands only beside "unless".')
    if outcome is not Disposition.MINIMISE and "keep" in fields:
        fields["keep"].complain('"keep" stands only with "outcome: minimise". Take it out, or change the outcome.')
    if outcome is Disposition.RETAIN_PERMANENTLY and "extend_up_to" in fields:
        fields["extend_up_to"].complain("A class that retains permanently needs no extension. Take it out.")
    if "extend_up_to" in fields and fields["extend_up_to"].node.value == "none":
        fields["extend_up_to"].complain("An extension of none is no extension. Take it out, or write a period.")
