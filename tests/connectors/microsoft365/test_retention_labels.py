"""What labels at the source let us do; what is not said is not allowed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from connectors.errors import HeldAtSource, LabelledByOthers, RecordAtSource
from connectors.microsoft365.retention_labels import (
    AppliedLabel,
    check_may_be_labelled,
    check_may_be_marked,
    check_may_go,
    read_label,
)

GO, LABEL, MARK = check_may_go, check_may_be_labelled, check_may_be_marked
FREE, RETAIN = "doNotRetain", "retain"


def _label(behaviour: Any, **flags: Any) -> AppliedLabel | None:
    """One that came to the item from its folder, so that nobody has set it there."""
    settings = {"behaviorDuringRetentionPeriod": behaviour, **flags}
    return read_label({"name": "L", "isLabelAppliedExplicitly": False, "retentionSettings": settings})


@pytest.mark.parametrize("check", [GO, LABEL, MARK])
def test_without_a_label_everything_may_be_done(check: Callable[[AppliedLabel | None], None]) -> None:
    check(None)


@pytest.mark.parametrize(
    "behaviour",
    ["retainAsRecord", "retainAsRegulatoryRecord", "unknownFutureValue", "Retain", "", None, 7, [], {}],
)
@pytest.mark.parametrize("check", [GO, LABEL, MARK])
def test_records_and_labels_of_unknown_behaviour_are_left_alone_whatever_they_allow(
    check: Callable[[AppliedLabel | None], None], behaviour: Any
) -> None:
    allowed = {"isDeleteAllowed": True, "isLabelUpdateAllowed": True, "isMetadataUpdateAllowed": True}
    with pytest.raises(RecordAtSource):
        check(_label(behaviour, isRecordLocked=False, **allowed))


@pytest.mark.parametrize(
    ("check", "flag", "behaviour", "value", "allowed"),
    [
        (GO, "isDeleteAllowed", FREE, True, True),
        (GO, "isDeleteAllowed", FREE, None, True),
        (GO, "isDeleteAllowed", FREE, "false", True),
        (GO, "isDeleteAllowed", FREE, False, False),
        (GO, "isDeleteAllowed", RETAIN, True, True),
        (GO, "isDeleteAllowed", RETAIN, None, False),
        (GO, "isDeleteAllowed", RETAIN, "true", False),
        (GO, "isDeleteAllowed", RETAIN, 1, False),
        (GO, "isDeleteAllowed", RETAIN, False, False),
        (LABEL, "isLabelUpdateAllowed", FREE, None, True),
        (LABEL, "isLabelUpdateAllowed", FREE, False, False),
        (LABEL, "isLabelUpdateAllowed", RETAIN, True, True),
        (LABEL, "isLabelUpdateAllowed", RETAIN, None, False),
        (LABEL, "isLabelUpdateAllowed", RETAIN, False, False),
        (MARK, "isMetadataUpdateAllowed", FREE, None, True),
        (MARK, "isMetadataUpdateAllowed", RETAIN, None, True),
        (MARK, "isMetadataUpdateAllowed", RETAIN, False, False),
        (MARK, "isMetadataUpdateAllowed", FREE, False, False),
    ],
)
def test_what_a_label_says_is_followed(
    check: Callable[[AppliedLabel | None], None], flag: str, behaviour: str, value: Any, allowed: bool
) -> None:
    label = _label(behaviour, **{flag: value})
    if allowed:
        check(label)
    else:
        with pytest.raises(HeldAtSource) as refusal:
            check(label)
        assert refusal.type is HeldAtSource


@pytest.mark.parametrize("answer", [None, "", [], {}, {"name": None, "retentionSettings": None}, {"name": ""}, "x"])
def test_nothing_said_is_no_label(answer: Any) -> None:
    assert read_label(answer) is None


@pytest.mark.parametrize(
    "answer",
    [
        {"name": "L"},
        {"name": "L", "retentionSettings": "x"},
        {"name": "L", "retentionSettings": {}},
        {"name": 7, "retentionSettings": {"isDeleteAllowed": True}},
    ],
)
def test_a_label_that_does_not_say_what_it_does_is_not_settled(answer: Any) -> None:
    label = read_label(answer)
    assert label is not None
    assert not label.settled
    with pytest.raises(RecordAtSource):
        check_may_go(label)


@pytest.mark.parametrize(("value", "explicit"), [(True, True), (None, True), ("x", True), (False, False)])
def test_whether_it_was_set_on_the_item_itself_is_told(value: Any, explicit: bool) -> None:
    label = read_label({"name": "L", "isLabelAppliedExplicitly": value, "retentionSettings": {}})
    assert label is not None
    assert label.explicit is explicit


def test_the_name_of_a_label_is_not_shown() -> None:
    assert "L'" not in repr(_label(FREE))


@pytest.mark.parametrize(
    ("by", "ours", "allowed"),
    [
        ({"application": {"id": "us"}, "user": {"displayName": "SharePoint App"}}, "us", True),
        ({"application": {"id": "another"}}, "us", False),
        ({"application": {"id": ""}}, "", False),
        ({"application": "us"}, "us", False),
        ({"user": {"id": "us"}}, "us", False),
        (None, "us", False),
        ("us", "us", False),
    ],
)
def test_of_labels_that_were_set_on_the_item_itself_only_our_own_are_replaced(
    by: Any, ours: str, allowed: bool
) -> None:
    label = read_label(
        {"name": "L", "labelAppliedBy": by, "retentionSettings": {"behaviorDuringRetentionPeriod": FREE}}
    )
    if allowed:
        check_may_be_labelled(label, ours)
    else:
        with pytest.raises(LabelledByOthers):
            check_may_be_labelled(label, ours)
