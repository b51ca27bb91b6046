"""What others do to a quarantine, and to a mailbox, in the very moments in which we act."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.base import ItemRef
from connectors.errors import HoldUnavailable, ItemChanged, ScopeUnavailable
from connectors.keeping import Target
from connectors.microsoft365.restricted import QUARANTINE_NAME
from connectors.testing_kept import CONTRACT, ID, README
from tests.connectors.microsoft365.kept_drive import (
    RECORD,
    KeptDrive,
    a_kept_drive,
    delete,
    give_back,
    is_in_its_place,
)
from tests.connectors.microsoft365.kept_drive import keep as keep_file
from tests.connectors.microsoft365.kept_mailbox import (
    PATH,
    TEXT,
    KeptMailbox,
    is_in_place,
    is_kept,
    keep,
    kept_mailbox,
)
from tests.connectors.microsoft365.mailbox_source import ADDRESS
from tests.emulator import Emulator, Fault

OTHER_ID = "f" * 32


@pytest.fixture(scope="module")
def graph() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def kept(graph: Emulator) -> Iterator[KeptDrive]:
    yield from a_kept_drive(graph)


@pytest.fixture
def source() -> Iterator[KeptMailbox]:
    with kept_mailbox() as made:
        made.put(PATH, TEXT)
        yield made


@pytest.fixture
def target(source: KeptMailbox) -> Target:
    return source.item(PATH)


# The quarantine of a drive


def carried_off(kept: KeptDrive, how: str) -> None:
    folder = kept.drive.id_of(QUARANTINE_NAME)
    if how == "renamed":
        kept.drive.rename(folder, "Kept for the audit")
    else:
        kept.drive.move(folder, f"Open to all/{QUARANTINE_NAME}")


@pytest.mark.parametrize("how", ["renamed", "moved"])
def test_what_lies_in_a_quarantine_that_was_carried_off_meanwhile_is_not_deleted(kept: KeptDrive, how: str) -> None:
    first, second = keep_file(kept), keep_file(kept, README, OTHER_ID)
    delete(kept, first)
    carried_off(kept, how)
    with pytest.raises(ItemChanged):
        delete(kept, second)
    assert kept.content(second.file_id) == b"at the top"


def test_nothing_is_put_into_a_quarantine_whose_label_would_make_a_record_of_it(kept: KeptDrive) -> None:
    """By a label that it gets there nobody could take it back to where it was."""
    there = keep_file(kept, README, OTHER_ID)
    kept.drive.label(kept.drive.id_of(QUARANTINE_NAME), RECORD)
    id = kept.drive.id_of(CONTRACT.decode())
    kept.restart()
    with pytest.raises(HoldUnavailable):
        keep_file(kept)
    assert is_in_its_place(kept, id)
    assert kept.drive.label_of(id) is None
    assert there.file_id.decode() in kept.in_quarantine().values()


def test_a_folder_of_a_like_name_is_not_taken_for_the_one_that_is_missing(kept: KeptDrive) -> None:
    kept.put("Straße/contract.txt".encode(), TEXT)
    there = keep_file(kept, "Straße/contract.txt".encode())
    kept.drive.rename(kept.drive.id_of("Straße"), "Moved away")
    kept.drive.folder("Strasse")
    given = give_back(kept, there.file_id.decode(), "Straße/contract.txt".encode())
    assert given.ref.folder.decode() == "Straße"
    assert kept.drive.path_of(there.file_id.decode()) == "Straße/contract.txt"


# A mailbox


def test_a_mailbox_that_is_not_reached_any_more_says_nothing_of_its_messages(
    source: KeptMailbox, target: Target
) -> None:
    there, scope = keep(source, target), source.scope
    user = source.emulator.tenant.user(ADDRESS)
    assert user is not None
    mailbox, user._mailbox = user._mailbox, None  # its licence was taken away
    with pytest.raises(ScopeUnavailable):
        source.keeping.delete(scope, target.file_id, ID, there.version)
    with pytest.raises(ScopeUnavailable):
        source.keeping.kept(scope, target.file_id, ID)
    user._mailbox = mailbox
    assert source.restart().kept(source.scope, target.file_id, ID) == there


def test_another_mailbox_under_the_same_address_says_nothing_of_the_messages_of_the_first(
    source: KeptMailbox, target: Target
) -> None:
    there, scope = keep(source, target), source.scope
    user = source.emulator.tenant.user(ADDRESS)
    assert user is not None
    mailbox = user._mailbox
    user.give_mailbox()
    with pytest.raises(ScopeUnavailable):
        source.keeping.delete(scope, target.file_id, ID, there.version)
    user._mailbox = mailbox
    assert source.restart().kept(source.scope, target.file_id, ID) == there


LIKE_IT = TEXT.replace(b"agreed", b"denied")  # as long


@pytest.mark.parametrize("answered", [False, True], ids=["before it is moved", "after it is moved"])
def test_an_edit_of_the_same_length_is_an_edit(source: KeptMailbox, target: Target, answered: bool) -> None:
    id = target.file_id.decode()
    assert len(LIKE_IT) == len(TEXT)
    source.mailbox.quirks.conditions_on_moves = not answered  # else nothing tells of an edit before the move
    moment = "after" if answered else "before"
    source.emulator.on_request("POST", "/move", lambda _: source.mailbox.edit(id, LIKE_IT), moment=moment)
    with pytest.raises(ItemChanged):
        keep(source, target)
    assert is_in_place(source, target, LIKE_IT)


@pytest.mark.parametrize("is_final", [False, True], ids=["and can be brought back", "and cannot be brought back"])
def test_what_is_edited_in_the_moment_in_which_it_is_deleted_does_not_count_as_deleted(
    source: KeptMailbox, target: Target, is_final: bool
) -> None:
    there = keep(source, target)
    id = target.file_id.decode()
    source.emulator.on_request("POST", "/permanentDelete", lambda _: source.mailbox.edit(id, TEXT + b"!"))
    if is_final:
        source.emulator.faults.add(Fault(method="POST", path="/move", status=403, code="ErrorAccessDenied"))
    with pytest.raises(ItemChanged):
        source.keeping.delete(source.scope, target.file_id, ID, there.version)
    assert source.mailbox.content(id) == TEXT + b"!"
    if not is_final:
        assert is_kept(source, target, TEXT + b"!")
        now = source.keeping.kept(source.scope, target.file_id, ID)
        assert now is not None
        assert now.version != there.version


def test_the_quarantine_that_its_owner_has_carried_off_is_none(source: KeptMailbox, target: Target) -> None:
    there = keep(source, target)
    folder = source.mailbox.folder_of(source.mailbox.message(target.file_id.decode()).folder_id)
    folder.hidden = False
    with pytest.raises(ItemChanged):
        source.keeping.delete(source.scope, target.file_id, ID, there.version)


def test_a_folder_whose_name_is_written_otherwise_by_now_is_the_same_folder(
    source: KeptMailbox, target: Target
) -> None:
    keep(source, target)
    source.mailbox.rename_folder("HR", "hr")
    given = source.keeping.give_back(source.scope, target.file_id, ID, target.ref, b"")
    assert given.ref == ItemRef(b"hr", target.ref.name)
    assert source.mailbox.where(target.file_id.decode()) == "hr"


# Back


def test_an_edit_in_the_moment_after_a_file_was_given_back_is_not_taken_for_ours(kept: KeptDrive) -> None:
    """Its version would be on record as one that has been read."""
    there = keep_file(kept)
    id = there.file_id.decode()
    kept.meanwhile("PATCH", f"items/{id}", lambda: kept.drive.put(CONTRACT.decode(), b"edited"), answered=True)
    given = give_back(kept, id)
    assert (given.version, kept.content(there.file_id)) == (b"", b"edited")


def test_an_edit_in_the_moment_after_a_message_was_given_back_is_not_taken_for_ours(
    source: KeptMailbox, target: Target
) -> None:
    keep(source, target)
    id = target.file_id.decode()
    source.emulator.on_request("POST", "/move", lambda _: source.mailbox.edit(id, LIKE_IT), moment="after")
    given = source.keeping.give_back(source.scope, target.file_id, ID, target.ref, target.folder_id)
    assert (given.version, given.given) == (b"", True)
    assert is_in_place(source, target, LIKE_IT)
