"""Services that forget, break off, refuse and lie, and what a caller then knows of a mailbox."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from connectors.base import (
    Found,
    Gone,
    Page,
    Swept,
)
from connectors.errors import ScopeUnavailable, Throttled
from connectors.testing import differences
from tests.connectors.microsoft365.mail_callers import (
    MAIL,
    Caller,
    caller_of,
    filled_mailbox,
    ids_in,
    item_of,
    true_places,
)
from tests.connectors.microsoft365.mailbox_source import MailboxSource
from tests.emulator import Fault
from tests.emulator.mail_changes import Changes

ROUNDS = 12 if "RETENTIOND_TEST_LONG" in os.environ else 5


@pytest.fixture
def source() -> Iterator[MailboxSource]:
    with filled_mailbox() as made:
        yield made


@pytest.fixture
def caller(source: MailboxSource) -> Caller:
    return caller_of(source)


# What the service does


def test_a_service_that_forgets_where_we_were_is_enumerated_anew(source: MailboxSource, caller: Caller) -> None:
    (gone, stays) = ids_in(source, "HR/Leavers")
    source.mailbox.remove(gone)
    Changes(source.mailbox).forget()
    caller.run()
    assert [change for change in caller.told if isinstance(change, Swept)] == [Swept(2)]
    assert caller.places == true_places(source)
    assert stays in caller.places
    assert [change for change in caller.differences() if isinstance(change, Found)] == []


def test_one_forgotten_folder_costs_nobody_anything(source: MailboxSource, caller: Caller) -> None:
    Changes(source.mailbox).forget(source.mailbox.folder("HR/Leavers"))
    caller.run()
    assert caller.places == true_places(source)
    assert differences([Page(tuple(caller.differences()), 0, 0, b"")]) == []


def test_a_service_that_forgets_in_the_middle_is_enumerated_anew(source: MailboxSource, caller: Caller) -> None:
    caller.told = []
    for number, page in enumerate(source.plain.changes(source.scope, caller), 1):
        caller.take(page)
        if number == 3:
            Changes(source.mailbox).forget()
    assert [change for change in caller.told if isinstance(change, Swept)] == [Swept(3)]
    assert caller.places == true_places(source)


def test_a_service_that_forgets_again_and_again_is_unavailable(source: MailboxSource, caller: Caller) -> None:
    source.emulator.faults.add(Fault(path="messages/delta", status=410, code="SyncStateNotFound", times=None))
    with pytest.raises(ScopeUnavailable):
        caller.run()
    assert caller.places == true_places(source)


def test_an_old_cursor_leads_to_a_new_enumeration(source: MailboxSource, caller: Caller) -> None:
    source.emulator.clock.advance(timedelta(days=8).total_seconds())
    caller.run()
    assert Swept(2) in caller.told
    assert caller.differences() == []


def _of_another_mailbox(cursor: dict[str, object]) -> None:
    cursor["root"] = "another"


def _elsewhere(cursor: dict[str, object]) -> None:
    cursor["folders"] = "https://evil.example/users"


def _beside_the_root(cursor: dict[str, object]) -> None:
    cursor["folders"] = "/users//evil.example/"


def _unheard_of(cursor: dict[str, object]) -> None:
    cursor["stage"] = "elsewhere"


def _wrong(cursor: dict[str, object]) -> None:
    cursor["generation"] = True


@pytest.mark.parametrize("spoil", [_of_another_mailbox, _elsewhere, _beside_the_root, _unheard_of, _wrong])
def test_a_cursor_that_is_not_ours_begins_anew(
    source: MailboxSource, caller: Caller, spoil: Callable[[dict[str, object]], None]
) -> None:
    assert caller.cursor is not None
    cursor = json.loads(caller.cursor)
    spoil(cursor)
    caller.run(json.dumps(cursor).encode())
    assert Swept(2) in caller.told
    assert source.emulator.leaks == []


def test_a_link_to_a_foreign_host_is_not_followed(source: MailboxSource, caller: Caller) -> None:
    evil = f"{source.emulator.evil_url}/v1.0/users/x/messages/delta?$skiptoken=1"
    source.emulator.faults.add(Fault(path="messages/delta", next_link=evil))
    with pytest.raises(ScopeUnavailable):
        caller.run()
    assert [call for call in source.emulator.log if call.host == "evil"] == []
    caller.run()
    assert caller.places == true_places(source)


def test_a_link_to_another_part_of_the_service_is_not_followed(source: MailboxSource, caller: Caller) -> None:
    elsewhere = source.emulator.graph_url.replace("/v1.0", "/beta/users/x/messages/delta?$skiptoken=1")
    source.emulator.faults.add(Fault(path="messages/delta", next_link=elsewhere))
    with pytest.raises(ScopeUnavailable):
        caller.run()
    assert [call for call in source.emulator.log if "beta" in call.path] == []


def test_a_list_without_an_end_is_a_fault(source: MailboxSource, caller: Caller) -> None:
    source.emulator.faults.add(Fault(path="messages/delta", edit=lambda body: body.pop("@odata.deltaLink", None)))
    with pytest.raises(ScopeUnavailable):
        caller.run()
    caller.run()
    assert caller.places == true_places(source)


def test_waiting_is_done_as_long_as_the_service_asks(source: MailboxSource, caller: Caller) -> None:
    source.emulator.faults.add(Fault(path="messages/delta", status=429, retry_after="7", times=3))
    source.emulator.faults.add(Fault(path="mailFolders/delta", status=503, retry_after="4"))
    caller.run()
    assert source.emulator.early_calls == []
    assert caller.places == true_places(source)


def test_tokens_that_run_out_are_renewed_in_between(source: MailboxSource, caller: Caller) -> None:
    item = item_of(source, ids_in(source, "Archive")[0])
    source.emulator.on_request("GET", "messages/delta", lambda _: source.emulator.revoke_tokens())
    caller.run()
    source.emulator.on_request("GET", r"\$value", lambda _: source.emulator.revoke_tokens())
    with source.plain.open(source.scope, item) as content:
        assert os.pread(content.fileno(), 1000, 0) == MAIL
    assert caller.places == true_places(source)


def test_a_role_that_was_taken_away_makes_the_mailbox_unavailable(source: MailboxSource, caller: Caller) -> None:
    scope = source.scope
    for app in source.emulator.tenant.apps:
        app.roles.clear()
    with pytest.raises(ScopeUnavailable):
        list(source.plain.changes(scope, caller, caller.cursor))
    assert caller.places == true_places(source)


# What the caller wants again


def test_what_is_outdated_is_told_at_the_end(source: MailboxSource, caller: Caller) -> None:
    one, gone = ids_in(source, "HR/Leavers")
    for ref in list(caller.items):
        if caller.places[one] == ref.folder.decode():
            caller.items[ref] = b""
    source.emulator.on_request("GET", f"messages/{gone}", lambda _: source.mailbox.remove(gone))
    caller.run()
    kinds = {type(change): change for change in caller.differences()}
    assert set(kinds) == {Found, Gone}
    assert not kinds[Found].same_content  # type: ignore[union-attr]
    assert caller.places == true_places(source)


def test_a_service_that_asks_to_wait_for_hours_ends_the_run(source: MailboxSource, caller: Caller) -> None:
    source.emulator.faults.add(Fault(path="messages/delta", status=429, retry_after="7200"))
    with pytest.raises((ScopeUnavailable, Throttled)):
        caller.run()
    assert caller.places == true_places(source)


def test_much_that_is_outdated_is_told_in_several_pages(
    source: MailboxSource, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.microsoft365.mail_delta._OUTDATED_PER_PAGE", 2)
    for ref in caller.items:
        caller.items[ref] = b""
    pages = caller.run()
    assert max(len(page.changes) for page in pages[-4:]) == 2
    assert sorted(caller.reads) == sorted([*caller.places] * 2)


def test_what_was_just_told_to_be_read_is_not_told_again_for_being_outdated(
    source: MailboxSource, caller: Caller
) -> None:
    for ref in caller.items:
        caller.items[ref] = b""
    pages = list(source.plain.changes(source.scope, caller))
    told = [change.item.file_id for page in pages for change in page.changes if isinstance(change, Found)]
    assert len(told) == len(set(told)) == len(caller.places)


def test_a_service_that_describes_another_message_is_not_believed(source: MailboxSource, caller: Caller) -> None:
    id = ids_in(source, "Archive")[0]
    source.mailbox.remove(id)
    source.emulator.faults.add(Fault(path=f"/messages/{id}", edit=lambda body: body.update(id="another")))
    with pytest.raises(ScopeUnavailable):
        caller.run()
    caller.run()
    assert caller.places == true_places(source)


# Whatever happens


@pytest.mark.parametrize("loses", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_whatever_people_do_between_runs_and_in_them_is_known_in_the_end(
    source: MailboxSource, caller: Caller, seed: int, loses: bool
) -> None:
    source.mailbox.quirks.loses_arrivals = loses
    chance = random.Random(seed)
    deeds: list[str] = []
    for _ in range(ROUNDS):
        for _ in range(chance.randrange(6)):
            deeds.append(_deed(source, chance))
        if chance.random() < 0.2:
            deeds.append("the service forgets")
            Changes(source.mailbox).forget()
        if chance.random() < 0.3:
            deeds.append("meanwhile")
            source.emulator.on_request("GET", "delta", lambda _: deeds.append(_deed(source, chance)), times=2)
        caller.run()
        caller.run()
        if not loses:
            assert caller.places == true_places(source), deeds
    caller.run(b"from the start")
    caller.run()
    assert caller.places == true_places(source), deeds
    for id in caller.places:
        assert caller.read[id] == source.mailbox.content(id), f"{id} was changed and not read again: {deeds}"


def _deed(source: MailboxSource, chance: random.Random) -> str:
    box = source.mailbox
    folders = ["Inbox", "Inbox/Projects", "Archive", "HR", "HR/Leavers", "Deleted Items", "New/One"]
    ids = [id for _, id in box.messages()]
    deed, folder, other = (
        chance.choice(["deliver", "move", "edit", "read", "remove", "folder"]),
        *chance.sample(folders, 2),
    )
    source.emulator.clock.advance(2)
    if deed == "deliver" or not ids:
        box.deliver(folder, MAIL + b"%d" % chance.randrange(1000))
        return f"deliver to {folder}"
    id = chance.choice(ids)
    if deed == "move":
        box.move(id, folder)
    elif deed == "edit":
        box.edit(id, MAIL + b"x" * chance.randrange(1000))
    elif deed == "read":
        box.read(id, chance.random() < 0.5)
    elif deed == "remove":
        box.remove(id)
    elif chance.random() < 0.5 and folder.startswith(("HR", "New")) and not other.startswith(folder):
        box.move_folder(folder, f"{other}/{folder.rpartition('/')[2]} {chance.randrange(1000)}")
    elif folder.startswith(("HR", "New")):
        box.remove_folder(folder)
    return f"{deed} {id[-4:]} {folder} {other}"
