"""What is told of folders and messages that people move, read, edit and delete."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from connectors.base import (
    FolderFailed,
    FolderFound,
    FolderSkipped,
    Found,
    Gone,
    KnowsNothing,
    Skipped,
    SkipReason,
    Swept,
)
from connectors.errors import ScopeUnavailable
from tests.connectors.microsoft365.mail_callers import (
    MAIL,
    Caller,
    caller_of,
    filled_mailbox,
    ids_in,
    item_of,
    true_places,
)
from tests.connectors.microsoft365.mailbox_source import ADDRESS, MailboxSource
from tests.emulator import Fault

STEP = 1 if "RETENTIOND_TEST_LONG" in os.environ else 3  # odd, so that it still goes both ways


@pytest.fixture
def source() -> Iterator[MailboxSource]:
    with filled_mailbox() as made:
        yield made


@pytest.fixture
def caller(source: MailboxSource) -> Caller:
    return caller_of(source)


# Folders


def test_a_moved_folder_takes_its_messages_along(source: MailboxSource, caller: Caller) -> None:
    source.mailbox.move_folder("HR", "Archive/Human resources")
    caller.run()
    assert caller.places == true_places(source)
    assert [change for change in caller.differences() if isinstance(change, Found)] == []
    assert "Archive/Human resources/Leavers" in caller.places.values()


def test_a_deleted_folder_is_gone_with_what_is_in_it(source: MailboxSource, caller: Caller) -> None:
    source.mailbox.remove_folder("HR")
    caller.run()
    assert caller.places == true_places(source)
    assert "HR/Leavers" not in caller.places.values()


def test_what_was_carried_out_of_a_folder_before_it_was_deleted_stays_and_is_not_read_again(
    source: MailboxSource, caller: Caller
) -> None:
    (saved, _) = ids_in(source, "HR/Leavers")
    source.mailbox.move(saved, "Inbox")
    source.mailbox.remove_folder("HR")
    reads = list(caller.reads)
    caller.run()
    assert caller.places == true_places(source)
    assert caller.places[saved] == "Inbox"
    assert caller.reads == reads


def test_a_folder_in_deleted_items_is_left_out_and_comes_back_with_the_folders_in_it(
    source: MailboxSource, caller: Caller
) -> None:
    source.mailbox.move_folder("HR", "Deleted Items/HR")
    caller.run()
    assert caller.places == true_places(source)
    assert all(not folder.startswith("HR") for folder in caller.places.values())
    source.mailbox.move_folder("Deleted Items/HR", "HR")
    caller.run()
    assert caller.places == true_places(source)
    assert "HR/Leavers" in caller.places.values()


def test_deleted_items_and_quarantine_are_told_to_be_left_out(source: MailboxSource) -> None:
    source.mailbox.folder(".retentiond quarantine", hidden=True)
    pages = list(source.plain.changes(source.scope, KnowsNothing()))
    skipped = {change.folder for page in pages for change in page.changes if isinstance(change, FolderSkipped)}
    assert skipped == {b"Deleted Items", b".retentiond quarantine"}


def test_a_folder_of_the_name_of_our_quarantine_that_people_see_is_read(source: MailboxSource) -> None:
    id = source.mailbox.deliver(".retentiond quarantine", MAIL)
    assert item_of(source, id).ref.folder == b".retentiond quarantine"


@pytest.mark.parametrize("told", [True, False])
def test_what_lies_in_quarantine_is_told_to_be_ours(source: MailboxSource, told: bool) -> None:
    source.mailbox.quirks.tells_hidden_folders = told
    source.mailbox.folder(".retentiond quarantine", hidden=True)
    caller = Caller(source)
    caller.run()
    id = ids_in(source, "Archive")[0]
    source.mailbox.move(id, ".retentiond quarantine")
    for run in (caller.run, lambda: [*source.plain.changes(source.scope, caller)]):
        changes = [change for page in run() for change in page.changes]
        ours = [change for change in changes if isinstance(change, Skipped)]
        assert [(change.item.file_id.decode(), change.reason) for change in ours] == [(id, SkipReason.OWN_QUARANTINE)]


def test_a_slash_in_the_name_of_a_folder_parts_nothing(source: MailboxSource) -> None:
    id = source.mailbox.deliver("Odd", MAIL)
    source.mailbox.rename_folder("Odd", "and/or")
    assert item_of(source, id).ref.folder == "and\N{DIVISION SLASH}or".encode()


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_a_folder_without_a_usable_name_has_one_in_paths(source: MailboxSource, name: str) -> None:
    id = source.mailbox.deliver("Odd", MAIL)
    source.mailbox.rename_folder("Odd", name)
    assert item_of(source, id).ref.folder == f"({name})".encode()


def test_a_folder_that_is_told_to_be_gone_and_then_to_be_there_is_there(source: MailboxSource, caller: Caller) -> None:
    hr = source.mailbox.folder("HR")
    source.mailbox.rename_folder("HR", "People")
    removed = {"id": hr, "@removed": {"reason": "deleted"}}
    source.emulator.faults.add(Fault(path="mailFolders/delta", edit=lambda body: body["value"].insert(0, removed)))
    caller.run()
    assert caller.places == true_places(source)
    assert "People/Leavers" in caller.places.values()


def test_a_folder_that_vanishes_while_it_is_looked_into_is_gone_in_the_next_run(
    source: MailboxSource, caller: Caller
) -> None:
    source.mailbox.deliver("New/One", MAIL)
    source.emulator.on_request("GET", "childFolders", lambda _: source.mailbox.remove_folder("New"))
    caller.run()
    caller.run()
    assert caller.places == true_places(source)


@pytest.mark.parametrize("status", [400, 403])
def test_a_folder_that_is_refused_is_told_to_have_failed_and_nothing_is_taken_for_gone(
    source: MailboxSource, caller: Caller, status: int
) -> None:
    path = f"{source.mailbox.folder('HR/Leavers')}/messages/delta"
    source.emulator.faults.add(Fault(path=path, status=status, code="ErrorAccessDenied", times=None))
    caller.run(b"from the start")
    failed = [change for change in caller.told if isinstance(change, FolderFailed)]
    assert {change.folder for change in failed} == {b"HR/Leavers"}
    assert [change for change in caller.told if isinstance(change, Swept)] == []
    assert caller.places == true_places(source)
    source.emulator.faults.clear()
    caller.run(b"from the start")
    assert [change for change in caller.told if isinstance(change, Swept)] != []
    assert caller.places == true_places(source)


def test_a_list_of_what_lies_elsewhere_is_no_folder(source: MailboxSource) -> None:
    found = {
        "id": "s",
        "displayName": "Unread",
        "parentFolderId": "x",
        "@odata.type": "#microsoft.graph.mailSearchFolder",
    }
    source.emulator.faults.add(Fault(path="mailFolders/delta", edit=lambda body: body["value"].append(found)))
    caller = Caller(source)
    caller.run()
    assert b"Unread" not in {change.folder for change in caller.told if isinstance(change, FolderFound)}


def test_folders_that_lie_in_one_another_make_the_mailbox_unavailable(source: MailboxSource, caller: Caller) -> None:
    one, other = source.mailbox.folder("HR"), source.mailbox.folder("Archive")
    circle = [
        {"id": one, "displayName": "One", "parentFolderId": other},
        {"id": other, "displayName": "Other", "parentFolderId": one},
    ]
    source.emulator.faults.add(Fault(path="mailFolders/delta", edit=lambda body: body["value"].extend(circle)))
    with pytest.raises(ScopeUnavailable):
        caller.run()
    caller.run(b"from the start")
    assert caller.places == true_places(source)


def test_a_folder_is_told_below_one_that_is_told_later(source: MailboxSource) -> None:
    source.mailbox.deliver("A/B/C", MAIL)
    source.emulator.faults.add(Fault(path="mailFolders/delta", edit=lambda body: body["value"].reverse(), times=None))
    caller = Caller(source)
    caller.run()
    assert caller.places == true_places(source)


# Messages


def test_a_message_that_was_read_is_told_at_a_new_version_and_not_read_again(
    source: MailboxSource, caller: Caller
) -> None:
    id = ids_in(source, "Archive")[0]
    source.mailbox.read(id)
    caller.run()
    (change,) = caller.differences()
    assert isinstance(change, Found)
    assert change.same_content


@pytest.mark.parametrize("deed", ["edit", "categorise"])
def test_what_may_have_changed_the_content_is_read_again(source: MailboxSource, caller: Caller, deed: str) -> None:
    id = ids_in(source, "Archive")[0]
    source.emulator.clock.advance(2)  # dates are told to the second
    if deed == "edit":
        source.mailbox.edit(id, MAIL.replace(b"ill", b"fit"))
    else:
        source.mailbox.categorise(id, "Personal")
    caller.run()
    (change,) = caller.differences()
    assert isinstance(change, Found)
    assert not change.same_content


def test_a_message_that_was_moved_and_edited_is_read_again(source: MailboxSource, caller: Caller) -> None:
    id = ids_in(source, "Archive")[0]
    source.mailbox.move(id, "Inbox")
    source.mailbox.edit(id, MAIL + b"More.\r\n")
    caller.run()
    assert caller.read[id] == source.mailbox.content(id)
    assert caller.places == true_places(source)


def test_a_draft_that_is_written_on_is_read_again_even_if_it_was_moved_too(source: MailboxSource) -> None:
    id = source.mailbox.deliver("Drafts", MAIL, is_draft=True)
    caller = Caller(source)
    caller.run()
    source.emulator.clock.advance(2)
    source.mailbox.edit(id, MAIL.replace(b"ill", b"fit"))
    source.mailbox.move(id, "Archive")
    caller.run()
    assert caller.read[id] == source.mailbox.content(id)


@pytest.mark.parametrize("deed", ["remove", "remove out of sight", "throw away"])
def test_a_deleted_message_is_gone(source: MailboxSource, caller: Caller, deed: str) -> None:
    source.mailbox.quirks.dumpster_is_visible = deed == "remove"
    id = ids_in(source, "Archive")[0]
    if deed.startswith("remove"):
        source.mailbox.remove(id)
    else:
        source.mailbox.move(id, "Deleted Items")
    caller.run()
    assert [type(change) for change in caller.differences()] == [Gone]
    assert id not in caller.places


def test_a_message_in_a_folder_that_is_nowhere_is_gone(source: MailboxSource, caller: Caller) -> None:
    id = ids_in(source, "Archive")[0]
    source.mailbox.remove(id)
    source.emulator.faults.add(Fault(path=f"/messages/{id}", edit=lambda body: body.update(parentFolderId="nowhere")))
    caller.run()
    assert [type(change) for change in caller.differences()] == [Gone]


def test_a_message_that_is_taken_out_of_deleted_items_is_found(source: MailboxSource, caller: Caller) -> None:
    id = ids_in(source, "Archive")[0]
    source.mailbox.move(id, "Deleted Items")
    caller.run()
    source.mailbox.move(id, "Inbox")
    caller.run()
    assert caller.places == true_places(source)


@pytest.mark.parametrize("loses", [False, True])
def test_a_message_that_went_and_came_back_is_not_gone(source: MailboxSource, caller: Caller, loses: bool) -> None:
    source.mailbox.quirks.loses_arrivals = loses
    id = ids_in(source, "Archive")[0]
    source.mailbox.move(id, "Inbox")
    source.mailbox.move(id, "Archive")
    caller.run()
    assert caller.places == true_places(source)


@pytest.mark.parametrize("loses", [False, True])
def test_a_message_that_went_to_another_folder_is_found_there(
    source: MailboxSource, caller: Caller, loses: bool
) -> None:
    source.mailbox.quirks.loses_arrivals = loses
    id = ids_in(source, "Archive")[0]
    source.mailbox.move(id, "New/Folder")
    reads = list(caller.reads)
    caller.run()
    assert caller.places == true_places(source)
    assert caller.reads == reads


@pytest.mark.parametrize(("first", "then"), [("Archive", "Inbox"), ("Inbox", "Archive"), ("Inbox", "New/Folder")])
def test_a_message_that_moves_while_everything_is_enumerated_is_not_taken_for_gone(
    source: MailboxSource, caller: Caller, first: str, then: str
) -> None:
    """From a folder that was not listed yet into one that was, or the other way about."""
    id = ids_in(source, first)[0]
    for number in range(1, 12, STEP):
        before, after = (first, then) if number % 2 else (then, first)
        for seen, page in enumerate(source.plain.changes(source.scope, caller), 1):
            caller.take(page)
            if seen == number:
                source.mailbox.move(id, after)
        assert id in caller.places, f"lost when it moved from {before} to {after} behind page {number}"
        caller.run()
        assert caller.places == true_places(source), f"behind page {number}"


def test_dates_and_marks_are_the_mailboxs_and_nothing_anybody_wrote_is_told(source: MailboxSource) -> None:
    received, sent = datetime(2024, 5, 6, 9, 31, tzinfo=UTC), datetime(2024, 5, 6, 9, 30, tzinfo=UTC)
    came = source.mailbox.deliver("Inbox/Projects", MAIL, received_at=received, sent_at=sent)
    went = source.mailbox.deliver("Sent Items", MAIL, received_at=received, sent_at=sent)
    item = item_of(source, came)
    assert item.ref.name == f"2024-05-06 0931 {came[-12:]}.eml".encode()
    assert (item.created_at, item.modified_at, item.owner) == (received, received, ADDRESS)
    assert item.marks == {"mail_folder": "inbox", "has_attachments": "no"}
    assert item_of(source, went).created_at == sent
    told = repr([*source.plain.changes(source.scope, KnowsNothing())])
    assert "Sick" not in told
    assert "bob" not in told


def test_a_private_message_is_marked(source: MailboxSource) -> None:
    id = source.mailbox.deliver("Inbox", MAIL)
    message = source.mailbox.message(id)
    assert message is not None
    source.mailbox.update(message, {"Integer 0x0036": "2"}, None)
    assert item_of(source, id).marks["sensitivity"] == "private"


def test_a_mailbox_that_will_not_tell_sizes_of_what_changed_is_read_all_the_same(source: MailboxSource) -> None:
    source.mailbox.quirks.expands = False
    caller = Caller(source)
    caller.run()
    assert caller.places == true_places(source)
    id = ids_in(source, "Archive")[0]
    item = item_of(source, id)
    with source.plain.open(source.scope, item) as content:
        assert os.pread(content.fileno(), 1000, 0) == MAIL
    source.mailbox.move(id, "Inbox")
    source.mailbox.read(id)
    caller.run()
    assert caller.places == true_places(source)
