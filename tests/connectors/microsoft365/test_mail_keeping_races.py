"""What becomes of messages that people change, and answers that are lost, while we act."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from connectors.base import ItemRef
from connectors.errors import (
    ConnectorError,
    ItemChanged,
    ItemNotFound,
    SourceFault,
)
from connectors.keeping import Deleted, Kept, Target
from connectors.microsoft365.mail_facts import MailVersion
from connectors.testing_kept import ID
from tests.connectors.microsoft365.kept_mailbox import (
    MORE,
    PATH,
    TEXT,
    KeptMailbox,
    is_in_place,
    is_kept,
    keep,
    kept_mailbox,
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


# Somebody is quicker


@pytest.mark.parametrize(
    ("method", "path", "moment"),
    [
        ("PATCH", r"/messages/[^/]+$", "before"),
        ("PATCH", r"/messages/[^/]+$", "after"),
        ("POST", "/move", "before"),
    ],
    ids=["before it is signed", "after it is signed", "before it is moved"],
)
@pytest.mark.parametrize("minded", [False, True])
def test_what_is_changed_while_it_is_taken_stays_with_people(
    source: KeptMailbox, target: Target, method: str, path: str, moment: Any, minded: bool
) -> None:
    source.mailbox.quirks.conditions_on_moves = minded
    id = target.file_id.decode()
    source.emulator.on_request(method, path, lambda _: source.mailbox.edit(id, MORE), moment=moment)
    with pytest.raises(ItemChanged):
        keep(source, target)
    assert is_in_place(source, target, MORE)


@pytest.mark.parametrize("path", ["/move", r"/messages/[^/]+$"])
def test_what_is_deleted_while_it_is_taken_is_not_found(source: KeptMailbox, target: Target, path: str) -> None:
    source.mailbox.quirks.dumpster_is_visible = False
    id = target.file_id.decode()
    method = "POST" if path == "/move" else "PATCH"
    source.emulator.on_request(method, path, lambda _: source.mailbox.remove(id))
    with pytest.raises((ItemNotFound, ItemChanged)):
        keep(source, target)
    assert source.mailbox.where(id) == "recoverableitemsdeletions"


def test_what_is_moved_while_it_is_taken_stays_where_it_was_moved(source: KeptMailbox, target: Target) -> None:
    id = target.file_id.decode()
    source.emulator.on_request(
        "PATCH", r"/messages/[^/]+$", lambda _: source.mailbox.move(id, "Archive"), moment="after"
    )
    with pytest.raises(ItemChanged):
        keep(source, target)
    assert source.mailbox.where(id) == "archive"


def test_what_was_read_since_it_was_decided_on_is_at_another_version(source: KeptMailbox, target: Target) -> None:
    source.mailbox.read(target.file_id.decode())
    with pytest.raises(ItemChanged):
        keep(source, target)
    assert is_in_place(source, target)


def test_a_version_told_without_a_size_is_the_same_version(source: KeptMailbox, target: Target) -> None:
    version = MailVersion.decode(target.version)
    assert version is not None
    keep(source, replace(target, version=replace(version, body="").encode()))
    assert is_kept(source, target)


@pytest.mark.parametrize("version", [b"", b"1", b"[]"])
def test_a_version_of_another_kind_is_no_version(source: KeptMailbox, target: Target, version: bytes) -> None:
    with pytest.raises(ItemChanged):
        keep(source, replace(target, version=version))
    kept = keep(source, target)
    with pytest.raises(ItemChanged):
        source.keeping.delete(source.scope, target.file_id, ID, version)
    assert source.keeping.kept(source.scope, target.file_id, ID) == kept


def test_without_the_id_of_its_folder_a_message_is_still_known_by_its_version(
    source: KeptMailbox, target: Target
) -> None:
    keep(source, replace(target, folder_id=b""))
    assert is_kept(source, target)


@pytest.mark.parametrize(
    "wrong", [{"folder_id": b"another"}, {"ref": ItemRef(b"HR", b"2020-01-01 0000 x.eml")}], ids=["folder", "name"]
)
def test_a_message_that_should_lie_elsewhere_is_left_alone(
    source: KeptMailbox, target: Target, wrong: dict[str, Any]
) -> None:
    with pytest.raises(ItemChanged):
        keep(source, replace(target, **wrong))
    assert is_in_place(source, target)


def test_what_is_changed_in_quarantine_before_it_is_deleted_is_not_deleted(source: KeptMailbox, target: Target) -> None:
    kept = keep(source, target)
    source.change(target.file_id, MORE)
    with pytest.raises(ItemChanged):
        source.keeping.delete(source.scope, target.file_id, ID, kept.version)
    assert is_kept(source, target, MORE)


# Answers that are lost


@pytest.mark.parametrize("done", ["before", "after"])
def test_a_lost_answer_to_the_move_is_found_out_by_asking(source: KeptMailbox, target: Target, done: Any) -> None:
    source.emulator.faults.add(Fault(method="POST", path="/move", reset=done))
    with pytest.raises(SourceFault):
        keep(source, target)
    again = source.restart()
    kept = again.kept(source.scope, target.file_id, ID)
    assert (kept is not None) == (done == "after")
    if kept is not None:
        given = again.give_back(source.scope, target.file_id, ID, target.ref, target.folder_id)
        assert given.given
    assert is_in_place(source, target)


@pytest.mark.parametrize("done", ["before", "after"])
def test_a_lost_answer_to_the_signing_moves_nothing(source: KeptMailbox, target: Target, done: Any) -> None:
    source.emulator.faults.add(Fault(method="PATCH", path="/messages", reset=done))
    with pytest.raises(SourceFault):
        keep(source, target)
    assert is_in_place(source, target)
    keep(source, source.item(PATH))
    assert is_kept(source, target)


@pytest.mark.parametrize("done", ["before", "after"])
def test_a_lost_answer_on_the_way_back_is_found_out_by_asking_again(
    source: KeptMailbox, target: Target, done: Any
) -> None:
    keep(source, target)
    source.emulator.faults.add(Fault(method="POST", path="/move", reset=done))
    with pytest.raises(SourceFault):
        source.keeping.give_back(source.scope, target.file_id, ID, target.ref, target.folder_id)
    given = source.restart().give_back(source.scope, target.file_id, ID, target.ref, target.folder_id)
    assert given.given == (done == "before")
    assert is_in_place(source, target)


@pytest.mark.parametrize("done", ["before", "after"])
@pytest.mark.parametrize("visible", [True, False])
@pytest.mark.parametrize("permanently", [True, False])
def test_a_lost_answer_to_the_deletion_is_found_out_by_asking_again(
    source: KeptMailbox, target: Target, done: Any, visible: bool, permanently: bool
) -> None:
    source.mailbox.quirks.dumpster_is_visible = visible
    kept = keep(source, target)
    source.emulator.faults.add(Fault(method="POST" if permanently else "DELETE", path="/messages/", reset=done))
    keeping = source.restart(permanently=permanently)
    with pytest.raises(SourceFault):
        keeping.delete(source.scope, target.file_id, ID, kept.version)
    again = keeping.delete(source.scope, target.file_id, ID, kept.version)
    assert (again.method == "nothing_there") == (done == "after")
    assert source.mailbox.where(target.file_id.decode()).startswith("recoverableitems")


@pytest.mark.parametrize("status", [401, 403, 404, 429])
def test_what_goes_wrong_after_the_act_says_nothing_of_the_act(
    source: KeptMailbox, target: Target, status: int
) -> None:
    """Nobody may take it for undone."""

    def refuse(_: object) -> None:
        source.emulator.faults.add(
            Fault(method="GET", path=f"/messages/{target.file_id.decode()}", status=status, retry_after="7200", times=2)
        )

    source.emulator.on_request("POST", "/move", refuse)
    with pytest.raises(SourceFault):
        keep(source, target)
    source.emulator.faults.clear()
    source.emulator.clock.advance(7200)
    kept = source.restart().kept(source.scope, target.file_id, ID)
    assert kept is not None
    source.emulator.on_request("POST", "/permanentDelete", refuse)
    if status == 404:  # then it is gone
        source.keeping.delete(source.scope, target.file_id, ID, kept.version)
        return
    with pytest.raises(SourceFault):
        source.keeping.delete(source.scope, target.file_id, ID, kept.version)
    source.emulator.faults.clear()
    source.emulator.clock.advance(7200)
    assert source.keeping.delete(source.scope, target.file_id, ID, kept.version).method == "nothing_there"


def test_a_deletion_that_did_nothing_is_a_fault(source: KeptMailbox, target: Target) -> None:
    kept = keep(source, target)
    source.emulator.faults.add(Fault(method="POST", path="/permanentDelete", status=204, body=b""))
    with pytest.raises(SourceFault):
        source.keeping.delete(source.scope, target.file_id, ID, kept.version)
    assert is_kept(source, target)


def test_a_move_that_did_nothing_is_a_fault(source: KeptMailbox, target: Target) -> None:
    source.emulator.faults.add(Fault(method="POST", path="/move", status=201, body={}))
    with pytest.raises(SourceFault):
        keep(source, target)
    assert is_in_place(source, target)
    keep(source, source.item(PATH))
    source.emulator.faults.add(Fault(method="POST", path="/move", status=201, body={}))
    with pytest.raises(SourceFault):
        source.keeping.give_back(source.scope, target.file_id, ID, target.ref, target.folder_id)
    assert is_kept(source, target)


def test_what_somebody_else_deletes_first_is_gone_too(source: KeptMailbox, target: Target) -> None:
    source.mailbox.quirks.dumpster_is_visible = False
    kept = keep(source, target)
    source.emulator.on_request("POST", "/permanentDelete", lambda _: source.mailbox.remove(target.file_id.decode()))
    source.keeping.delete(source.scope, target.file_id, ID, kept.version)
    assert source.keeping.kept(source.scope, target.file_id, ID) is None


def test_a_change_that_cannot_be_undone_is_told_all_the_same(source: KeptMailbox, target: Target) -> None:
    id = target.file_id.decode()
    source.emulator.on_request("POST", "/move", lambda _: source.mailbox.edit(id, MORE))
    source.emulator.faults.add(Fault(method="POST", path="/move", status=403, skip=1))
    with pytest.raises(ItemChanged):
        keep(source, target)
    assert is_kept(source, target, MORE)


# Whatever happens


@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_deleted_that_was_not_decided_on_and_nothing_is_lost(source: KeptMailbox, seed: int) -> None:
    """People edit, move, read and delete between any two requests of ours."""
    chance = random.Random(seed)
    for number in range(25):
        folder = chance.choice(["HR", "Inbox", "Archive"])
        path = f"{folder}/{number}".encode()
        source.put(path, TEXT + b"%d" % number)
        target = source.item(path)
        id = target.file_id.decode()
        people = _People(source, id, chance)
        source.emulator.on_request(None, f"messages/{id}", people, times=chance.randrange(12))
        act_id = f"{number:032x}"
        kept = _tried(lambda t=target, a=act_id: keep(source, t, a))
        if kept is None:
            kept = source.keeping.kept(source.scope, target.file_id, act_id)
        if isinstance(kept, Kept) and chance.random() < 0.3:
            _tried(lambda t=target, a=act_id: source.keeping.give_back(source.scope, t.file_id, a, t.ref, t.folder_id))
        deleted = None
        if isinstance(kept, Kept):
            decided = source.content(target.file_id)
            deleted = _tried(
                lambda t=target, a=act_id, k=kept: source.keeping.delete(source.scope, t.file_id, a, k.version)
            )
            if isinstance(deleted, Deleted) and deleted.method == "deleted_permanently":
                assert source.content(target.file_id) == decided, f"message {number} was changed and deleted"
                continue
        where = source.mailbox.where(id)
        if where.startswith("recoverableitems"):
            assert people.removed, f"message {number} is gone, and nobody has deleted it: {people.deeds}"
        elif where == QUARANTINE:
            assert source.keeping.kept(source.scope, target.file_id, act_id), f"message {number} lies there unknown"
        assert source.content(target.file_id) == people.content, f"message {number}"


class _People:
    """Do something to the message, sometimes."""

    def __init__(self, source: KeptMailbox, id: str, chance: random.Random) -> None:
        self.content = source.mailbox.content(id)
        self.removed = False
        self.deeds: list[str] = []
        self._source = source
        self._id = id
        self._chance = chance

    def __call__(self, _: object) -> None:
        box, deed = self._source.mailbox, self._chance.choice(["nothing"] * 4 + ["edit", "read", "move", "remove"])
        if self.removed or box.message(self._id) is None:
            return
        if deed == "edit":
            self.content += b"more"
            box.edit(self._id, self.content)
        elif deed == "read":
            box.read(self._id, self._chance.random() < 0.5)
        elif deed == "move":
            box.move(self._id, self._chance.choice(["HR", "Inbox", "Archive"]))
        elif deed == "remove":
            self.removed = True
            box.remove(self._id)
        self.deeds.append(deed)


def _tried(act: Callable[[], Any]) -> Any:
    """What it gives; none if it says that it cannot be done."""
    try:
        return act()
    except ConnectorError:
        return None
