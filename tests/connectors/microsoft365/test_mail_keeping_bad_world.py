"""What remains of messages, where they are kept and given back to, and who may ask."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from connectors.base import ItemRef, Scope
from connectors.errors import (
    HeldAtSource,
    HoldUnavailable,
    ItemChanged,
    NoPlace,
    PermissionDenied,
    PlaceTaken,
    ScopeUnavailable,
    SourceFault,
    Unsupported,
)
from connectors.keeping import Deleted, Remains, Target
from connectors.testing_kept import ID, OTHER_ID
from tests.connectors.microsoft365.kept_mailbox import (
    ON_HOLD,
    PATH,
    TEXT,
    KeptMailbox,
    acts,
    is_in_place,
    is_kept,
    keep,
    kept_mailbox,
    message_of,
)
from tests.emulator import Fault

QUARANTINE = ".retentiond quarantine"


@pytest.fixture
def source() -> Iterator[KeptMailbox]:
    with kept_mailbox() as made:
        made.put(PATH, TEXT)
        yield made


@pytest.fixture
def target(source: KeptMailbox) -> Target:
    return source.item(PATH)


# What remains


def _deleted(source: KeptMailbox, target: Target, **terms: Any) -> Deleted:
    kept = keep(source, target)
    return source.restart(**terms).delete(source.scope, target.file_id, ID, kept.version)


@pytest.mark.parametrize(
    ("terms", "method", "days"),
    [
        ({}, "deleted_permanently", 14),
        ({"recoverable_days": 30}, "deleted_permanently", 30),
        ({"recoverable_days": None}, "deleted_permanently", None),
        ({"permanently": False}, "recycled", 14),
    ],
)
def test_what_remains_is_told(
    source: KeptMailbox, target: Target, terms: dict[str, Any], method: str, days: int | None
) -> None:
    assert _deleted(source, target, **terms) == Deleted(method, {Remains.RECOVERABLE_ITEMS: days})


def test_of_a_mailbox_on_hold_nobody_can_say_how_long_it_keeps_what_is_deleted(
    source: KeptMailbox, target: Target
) -> None:
    source.mailbox.hold()
    deleted = _deleted(source, target)
    assert deleted == Deleted("deleted_permanently", {Remains.RECOVERABLE_ITEMS: None})
    assert source.mailbox.content(target.file_id.decode()) == TEXT


def test_nothing_is_left_where_people_keep_what_they_have_deleted(source: KeptMailbox, target: Target) -> None:
    source.mailbox.quirks.deletes_into = "deleteditems"
    assert _deleted(source, target, permanently=False).method == "recycled"
    assert source.mailbox.where(target.file_id.decode()) == "recoverableitemsdeletions"


def test_what_nothing_keeps_is_deleted_as_well(source: KeptMailbox, target: Target) -> None:
    source.mailbox.quirks.single_item_recovery = False
    assert _deleted(source, target).method == "deleted_permanently"
    assert source.mailbox.message(target.file_id.decode()) is None


def test_what_the_service_holds_is_neither_taken_nor_deleted(source: KeptMailbox, target: Target) -> None:
    kept = keep(source, target)
    source.emulator.on_request(
        "POST", "/permanentDelete", lambda _: source.mailbox.protect(target.file_id.decode(), ON_HOLD)
    )
    with pytest.raises(HeldAtSource):
        source.keeping.delete(source.scope, target.file_id, ID, kept.version)
    assert is_kept(source, target)


# The quarantine


def test_a_folder_of_that_name_that_people_see_is_not_used(source: KeptMailbox, target: Target) -> None:
    source.mailbox.folder(QUARANTINE)
    with pytest.raises(HoldUnavailable):
        keep(source, target)
    assert is_in_place(source, target)


def test_a_quarantine_that_is_made_at_the_same_moment_is_used(source: KeptMailbox, target: Target) -> None:
    source.emulator.on_request("POST", "/mailFolders$", lambda _: source.mailbox.folder(QUARANTINE, hidden=True))
    keep(source, target)
    assert is_kept(source, target)


def test_a_quarantine_that_vanishes_is_made_anew(source: KeptMailbox, target: Target) -> None:
    source.put(b"HR/other", TEXT)
    keep(source, target)
    source.mailbox.remove_folder(QUARANTINE)
    assert source.keeping.kept(source.scope, target.file_id, ID) is None
    with pytest.raises(SourceFault):
        keep(source, source.item(b"HR/other"), OTHER_ID)
    other = source.item(b"HR/other")
    keep(source, other, OTHER_ID)
    assert [*source.keeping.in_quarantine(source.scope)] == [(OTHER_ID, other.file_id)]


def test_the_quarantine_is_hidden_and_there_is_one(source: KeptMailbox, target: Target) -> None:
    source.put(b"HR/other", TEXT)
    keep(source, target)
    source.restart().keep(source.scope, source.item(b"HR/other"), OTHER_ID)
    found = [one for one in source.mailbox.children(source.mailbox.root.id) if one.name == QUARANTINE]
    assert [one.hidden for one in found] == [True]


def test_what_is_foreign_in_the_quarantine_is_left_out_and_stays(source: KeptMailbox, target: Target) -> None:
    keep(source, target)
    foreign = source.mailbox.deliver(QUARANTINE, TEXT)
    badly_signed = source.mailbox.deliver(QUARANTINE, TEXT)
    message = source.mailbox.message(badly_signed)
    assert message is not None
    (name,) = message_of(source, target).properties
    source.mailbox.update(message, {name: "no id of ours"}, None)
    assert [*source.keeping.in_quarantine(source.scope)] == [(ID, target.file_id)]
    assert source.keeping.kept(source.scope, foreign.encode(), ID) is None
    with pytest.raises(ItemChanged):
        source.keeping.delete(source.scope, foreign.encode(), ID, source.target(foreign).version)


def test_an_id_in_use_is_known_after_a_restart(source: KeptMailbox, target: Target) -> None:
    source.put(b"HR/other", TEXT)
    keep(source, target)
    with pytest.raises(PlaceTaken):
        source.restart().keep(source.scope, source.item(b"HR/other"), ID)
    assert source.reach(source.item(b"HR/other").file_id) is not None


def test_where_the_quarantine_cannot_be_made_nothing_is_taken(source: KeptMailbox, target: Target) -> None:
    source.emulator.faults.add(Fault(method="POST", path="/mailFolders$", status=403, code="ErrorAccessDenied"))
    with pytest.raises(PermissionDenied):
        keep(source, target)
    assert is_in_place(source, target)


# Back


def test_a_folder_that_was_thrown_away_is_made_anew(source: KeptMailbox, target: Target) -> None:
    keep(source, target)
    source.mailbox.move_folder("HR", "Deleted Items/HR")
    source.keeping.give_back(source.scope, target.file_id, ID, target.ref, target.folder_id)
    assert is_in_place(source, target)


def test_the_top_of_the_mailbox_is_a_place_too(source: KeptMailbox) -> None:
    source.put(b"loose", TEXT)
    target = source.item(b"loose")
    keep(source, target)
    source.keeping.give_back(source.scope, target.file_id, ID, target.ref, target.folder_id)
    assert source.reach(target.file_id) == target.ref
    assert target.ref.folder == b""


@pytest.mark.parametrize("name", [b"\xff", b"n" * 300])
def test_a_folder_that_there_cannot_be_is_no_place(source: KeptMailbox, target: Target, name: bytes) -> None:
    keep(source, target)
    with pytest.raises(NoPlace):
        source.keeping.give_back(source.scope, target.file_id, ID, ItemRef(name, target.ref.name), b"")
    assert is_kept(source, target)


def test_a_hidden_folder_of_the_right_name_is_no_place_for_people(source: KeptMailbox, target: Target) -> None:
    keep(source, target)
    source.mailbox.folder("Returned", hidden=True)
    with pytest.raises(NoPlace):
        source.keeping.give_back(source.scope, target.file_id, ID, ItemRef(b"Returned", target.ref.name), b"")
    assert is_kept(source, target)


def test_a_new_folder_is_made_in_one_that_is_there(source: KeptMailbox, target: Target) -> None:
    keep(source, target)
    source.keeping.give_back(source.scope, target.file_id, ID, ItemRef(b"Archive/New", target.ref.name), b"")
    assert source.reach(target.file_id) == ItemRef(b"Archive/New", target.ref.name)
    assert source.mailbox.where(target.file_id.decode()) == "New"


def test_a_folder_that_vanishes_on_the_way_back_keeps_the_message_in_quarantine(
    source: KeptMailbox, target: Target
) -> None:
    keep(source, target)
    source.emulator.on_request("POST", "/move", lambda _: source.mailbox.remove_folder("HR"))
    with pytest.raises(SourceFault):
        source.keeping.give_back(source.scope, target.file_id, ID, target.ref, target.folder_id)
    assert is_kept(source, target)


# Whoever asks


def test_the_mailbox_is_looked_at_again_after_a_minute(source: KeptMailbox, target: Target) -> None:
    keep(source, target)
    scope = source.scope
    user = source.emulator.tenant.user(scope.name)
    assert user is not None
    before = user.mailbox
    user.give_mailbox()
    source.emulator.clock.advance(61)
    with pytest.raises(ScopeUnavailable):
        source.keeping.kept(scope, target.file_id, ID)
    assert before.content(target.file_id.decode()) == TEXT


def test_what_is_known_of_the_quarantine_outlives_the_minute(source: KeptMailbox, target: Target) -> None:
    keep(source, target)
    source.emulator.clock.advance(61)
    source.put(b"HR/other", TEXT)
    with pytest.raises(PlaceTaken):
        keep(source, source.item(b"HR/other"), ID)


def test_a_scope_that_is_no_mailbox_is_unavailable(source: KeptMailbox, target: Target) -> None:
    for scope in (Scope(source.scope.name, ""), Scope("nobody@contoso.example", source.scope.identity)):
        with pytest.raises(ScopeUnavailable):
            source.keeping.kept(scope, target.file_id, ID)


@pytest.mark.parametrize("id", ["", "x" * 32, ID.upper(), ID + "0"])
def test_an_id_of_another_form_is_refused(source: KeptMailbox, target: Target, id: str) -> None:
    with pytest.raises(ValueError, match="hexadecimal"):
        keep(source, target, id)


def test_messages_are_neither_labelled_nor_marked(source: KeptMailbox, target: Target) -> None:
    with pytest.raises(Unsupported):
        source.keeping.label(source.scope, target, "Keep 7 years")
    with pytest.raises(Unsupported):
        source.keeping.mark(source.scope, target, {"state": "due"})
    assert acts(source) == []


def test_every_act_carries_the_change_key_that_was_seen_right_before(source: KeptMailbox, target: Target) -> None:
    kept = keep(source, target)
    source.keeping.give_back(source.scope, target.file_id, ID, target.ref, target.folder_id)
    kept = keep(source, source.item(PATH))
    source.keeping.delete(source.scope, target.file_id, ID, kept.version)
    log = [call for call in source.emulator.log if f"/messages/{target.file_id.decode()}" in call.path]
    for before, call in itertools.pairwise(log):
        if call.method != "GET":
            assert before.method == "GET", f"{call.method} {call.path} came without a look"
            assert call.headers.get("If-Match", "").startswith('W/"'), f"{call.method} {call.path}"
    assert [call.method for call in acts(source)] == ["PATCH", "POST", "POST", "POST", "POST"]


def test_when_many_are_asked_to_wait_nothing_is_done_twice(source: KeptMailbox, target: Target) -> None:
    source.emulator.faults.add(Fault(status=429, retry_after="3", probability=0.5, times=8))
    kept = keep(source, target)
    source.keeping.delete(source.scope, target.file_id, ID, kept.version)
    assert source.emulator.early_calls == []
    done = [call for call in acts(source) if call.status in (200, 201, 204)]
    assert [call.method for call in done] == ["PATCH", "POST", "POST"]
