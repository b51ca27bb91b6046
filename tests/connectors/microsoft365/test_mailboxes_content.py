"""Messages are given out whole or not at all, from the mailboxes that are wanted."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from connectors.base import Item, KnowsNothing
from connectors.errors import ItemChanged, ItemNotFound, NoRoom, ScopeUnavailable, SourceFault, Sparse
from connectors.microsoft365.mailboxes import MailboxConnector, WantedMailboxes
from tests.connectors.microsoft365.asking import asking, gate_of
from tests.connectors.microsoft365.mail_callers import (
    MAIL,
    Caller,
    caller_of,
    filled_mailbox,
    ids_in,
    item_of,
    true_places,
)
from tests.connectors.microsoft365.mailbox_source import ADDRESS, READER, MailboxSource
from tests.emulator import Emulator, Fault


@pytest.fixture
def source() -> Iterator[MailboxSource]:
    with filled_mailbox() as made:
        yield made


@pytest.fixture
def caller(source: MailboxSource) -> Caller:
    return caller_of(source)


# Content


def test_a_message_that_breaks_off_is_fetched_anew(source: MailboxSource) -> None:
    big = MAIL + b"x" * 500_000
    id = source.mailbox.deliver("Inbox", big)
    item = item_of(source, id)
    source.emulator.faults.add(Fault(path=r"\$value", cut_at=100_000, times=2))
    with source.plain.open(source.scope, item) as content:
        assert os.pread(content.fileno(), 1 << 20, 0) == big
        assert os.lseek(content.fileno(), 0, os.SEEK_CUR) == 0


def test_a_message_that_always_breaks_off_is_a_fault(source: MailboxSource) -> None:
    id = source.mailbox.deliver("Inbox", MAIL + b"x" * 500_000)
    item = item_of(source, id)
    source.emulator.faults.add(Fault(path=r"\$value", cut_at=100_000, times=None))
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(SourceFault):
        source.plain.open(source.scope, item)
    assert len(os.listdir("/proc/self/fd")) <= before + 1


@pytest.mark.parametrize("told_size", [0, 10])
def test_a_message_larger_than_we_take_is_refused(source: MailboxSource, told_size: int) -> None:
    source.mailbox.quirks.extra_bytes = told_size - 500_000 if told_size else 0
    id = source.mailbox.deliver("Inbox", MAIL + b"x" * 500_000)
    item = item_of(source, id)
    connector = MailboxConnector(source.graph, WantedMailboxes((ADDRESS,)), largest_bytes=100_000)
    with pytest.raises(Sparse):
        connector.open(source.scope, item)


def test_a_large_message_does_not_stay_in_memory(source: MailboxSource, tmp_path: object) -> None:
    big = MAIL + b"x" * 500_000
    id = source.mailbox.deliver("Inbox", big)
    connector = MailboxConnector(
        source.graph,
        WantedMailboxes((ADDRESS,)),
        spool_bytes=100_000,
        spool_directory=tmp_path,  # type: ignore[arg-type]
    )
    with connector.open(source.scope, item_of(source, id)) as content:
        assert os.pread(content.fileno(), 1 << 20, 0) == big
        assert str(tmp_path) in os.readlink(f"/proc/self/fd/{content.fileno()}")


def test_a_message_that_somebody_reads_meanwhile_is_still_the_same(source: MailboxSource) -> None:
    id = ids_in(source, "Archive")[0]
    item = item_of(source, id)
    source.mailbox.read(id)
    with source.plain.open(source.scope, item) as content:
        source.mailbox.read(id, False)
        assert content.still_current()


def test_a_message_that_is_moved_is_read_and_one_that_is_deleted_is_not(source: MailboxSource) -> None:
    id = ids_in(source, "Archive")[0]
    item = item_of(source, id)
    source.mailbox.move(id, "Inbox")
    source.plain.open(source.scope, item).close()
    source.mailbox.move(id, "Deleted Items")
    with pytest.raises(ItemNotFound):
        source.plain.open(source.scope, item)


def test_what_cannot_be_asked_is_not_said_to_be_the_same(source: MailboxSource) -> None:
    item = item_of(source, ids_in(source, "Archive")[0])
    with source.plain.open(source.scope, item) as content:
        source.emulator.faults.add(Fault(path="messages", status=500, times=None))
        assert not content.still_current()


def test_a_version_of_another_kind_is_no_version(source: MailboxSource) -> None:
    item = item_of(source, ids_in(source, "Archive")[0])
    for version in (b"", b"[]", b'["d1","a","b","c"]', b"\xff", b'["m1",1,2,3,4,5]'):
        with pytest.raises(ItemChanged):
            source.plain.open(source.scope, replace(item, version=version))


def test_no_more_than_four_requests_are_under_way_at_once(source: MailboxSource) -> None:
    items = [item_of(source, id) for id in true_places(source)]
    source.emulator.faults.add(Fault(path=r"\$value", delay_seconds=0.05, times=None))
    failed: list[BaseException] = []

    def read(item: Item) -> None:
        try:
            source.plain.open(source.scope, item).close()
        except BaseException as error:  # noqa: BLE001 — told below
            failed.append(error)

    threads = [threading.Thread(target=read, args=(item,)) for item in items * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert [call.path for call in source.emulator.log if call.status == 429] == []


def test_a_disk_that_is_full_is_told(source: MailboxSource, monkeypatch: pytest.MonkeyPatch) -> None:
    item = item_of(source, ids_in(source, "Archive")[0])

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr("connectors.microsoft365.mailboxes.os.write", full)
    with pytest.raises(NoRoom):
        source.plain.open(source.scope, item)


def test_a_mailbox_without_deleted_items_has_nothing_deleted_in_them(source: MailboxSource) -> None:
    id = ids_in(source, "Archive")[0]
    item = item_of(source, id)
    source.mailbox.move(id, "Inbox")
    source.emulator.faults.add(Fault(path="mailFolders/deleteditems", status=404, code="ErrorItemNotFound"))
    source.plain.open(source.scope, item).close()


def test_a_mailbox_that_we_may_not_read_is_left_out_with_the_reason(source: MailboxSource) -> None:
    source.emulator.faults.add(Fault(path="mailFolders/msgfolderroot", status=403, code="ErrorAccessDenied"))
    assert source.plain.scopes() == ()
    assert [one.name for one in source.plain.unreachable] == [ADDRESS]


def test_the_clock_is_the_systems_where_no_other_is_given(source: MailboxSource) -> None:
    connector = MailboxConnector(source.graph, WantedMailboxes((ADDRESS,)))
    assert len([*connector.changes(source.scope, KnowsNothing())]) > 1


# Which mailboxes


def test_a_person_without_a_mailbox_is_left_out_with_the_reason(source: MailboxSource) -> None:
    source.emulator.tenant.add_user("bob@contoso.example", drive=False, mailbox=False)
    wanted = WantedMailboxes((ADDRESS, "bob@contoso.example", "nobody@contoso.example"))
    connector = MailboxConnector(source.graph, wanted)
    assert [scope.name for scope in connector.scopes()] == [ADDRESS]
    assert [one.name for one in connector.unreachable] == ["bob@contoso.example", "nobody@contoso.example"]


def test_everybodys_mailboxes_are_found_and_who_has_none_is_no_news() -> None:
    with Emulator() as emulator:
        for name in ("ann", "bob", "cid"):
            emulator.tenant.add_user(f"{name}@contoso.example", drive=False, mailbox=name != "bob")
        with asking(emulator, READER | {"User.Read.All"}, gate=gate_of(emulator, most_at_once=4)) as graph:
            connector = MailboxConnector(graph, WantedMailboxes("all"))
            assert [scope.name for scope in connector.scopes()] == ["ann@contoso.example", "cid@contoso.example"]
            assert connector.unreachable == ()


def test_a_mailbox_may_be_named_by_the_id_of_its_owner() -> None:
    with Emulator() as emulator:
        user = emulator.tenant.add_user(ADDRESS, drive=False)
        with asking(emulator, READER | {"User.Read.All"}, gate=gate_of(emulator)) as graph:
            (scope,) = MailboxConnector(graph, WantedMailboxes((user.id,))).scopes()
            assert scope.name == ADDRESS
        with asking(emulator, READER, gate=gate_of(emulator)) as graph:
            (scope,) = MailboxConnector(graph, WantedMailboxes((user.id,))).scopes()
            assert scope.name == user.id


def test_another_mailbox_under_the_same_address_is_not_taken_for_the_first(
    source: MailboxSource, caller: Caller
) -> None:
    scope = source.scope
    user = source.emulator.tenant.user(ADDRESS)
    assert user is not None
    user.give_mailbox()
    with pytest.raises(ScopeUnavailable, match="another mailbox"):
        list(source.plain.changes(scope, caller, caller.cursor))


def test_a_mailbox_that_was_taken_away_is_unavailable(source: MailboxSource, caller: Caller) -> None:
    scope = source.scope
    user = source.emulator.tenant.user(ADDRESS)
    assert user is not None
    source.emulator.tenant.remove_user(user)
    with pytest.raises(ScopeUnavailable):
        list(source.plain.changes(scope, caller, caller.cursor))
