"""What goes wrong with drives: nothing is lost, nothing is taken for gone, and nobody else hears of anything."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from connectors.base import FolderFound, FolderGone, Found, Gone, Item, ItemRef, KnowsNothing, Met, Skipped
from connectors.errors import ConnectorError, LockedAtSource, ScopeUnavailable, Unsupported
from connectors.microsoft365.drive_cursor import Cursor
from tests.connectors.microsoft365.callers import Caller
from tests.connectors.microsoft365.drives import (
    Library,
    careful_library,
    graph_of,
    paths_of,
    reading,
    told,
    unavailable,
)
from tests.emulator import Fault


@pytest.fixture
def there() -> Iterator[Library]:
    with careful_library() as made:
        yield made


# Answers that are no answers


def entry_of(there: Library, **changed: Any) -> Callable[[dict[str, Any]], None]:
    """Changes the entry of `a.txt` in a page of the feed."""

    def edit(body: dict[str, Any]) -> None:
        for entry in body["value"]:
            if entry.get("name") == "a.txt":
                for key, value in changed.items():
                    if value is None:
                        entry.pop(key, None)
                    else:
                        entry[key] = value

    return edit


@pytest.mark.parametrize("bad", [None, "", 7, [], "..", "\x00", "x" * 5000])
def test_a_change_of_nothing_in_particular_makes_the_whole_answer_worthless(there: Library, bad: Any) -> None:
    there.put(b"b.txt", b"y")
    caller = reading(there)
    there.put(b"a.txt", b"x")
    there.emulator.faults.add(Fault(path="/root/delta", edit=entry_of(there, id=bad), times=None))
    unavailable(there, caller)


@pytest.mark.parametrize("bad", ["a/b.txt", "..", ".", "", "a\0b", 7, None, {"x": 1}])
def test_an_item_whose_name_could_be_none_is_called_by_its_id(there: Library, bad: Any) -> None:
    item_id = there.put(b"a.txt", b"x")
    there.emulator.faults.add(Fault(path="/root/delta", edit=entry_of(there, name=bad), times=None))
    (change,) = told(there.pages(KnowsNothing()), Found)
    assert change.item.ref == ItemRef(b"", item_id.encode())
    assert there.read(change.item) == b"x"


@pytest.mark.parametrize("bad", ["x", -1, True, 1 << 80, [], {"a": 1}, None])
@pytest.mark.parametrize(
    "what",
    ["size", "createdBy", "fileSystemInfo", "createdDateTime", "shared", "listItem", "retentionLabel", "publication"],
)
def test_facts_of_another_shape_are_passed_over(there: Library, what: str, bad: Any) -> None:
    there.put(b"a.txt", b"x")
    there.emulator.faults.add(Fault(path="/root/delta", edit=entry_of(there, **{what: bad}), times=None))
    (change,) = told(there.pages(KnowsNothing()), Found)
    assert change.item.ref.name == b"a.txt"
    assert isinstance(change.item, Item)


@pytest.mark.parametrize("garbled", [b"NaN", b"[1", b"", b"<html>", b'{"value": {}}', b'{"value": [], "value": []}'])
def test_an_answer_that_is_no_proper_json_is_none(there: Library, garbled: bytes) -> None:
    there.put(b"a.txt", b"x")
    caller = reading(there)
    there.emulator.faults.add(Fault(path="/root/delta", garble=lambda _: garbled, times=None))
    unavailable(there, caller)


def test_folders_that_are_said_to_lie_in_one_another_are_given_up(there: Library) -> None:
    there.put(b"A/a.txt", b"x")
    there.put(b"B/b.txt", b"y")
    ids = {there.drive.id_of("A"): there.drive.id_of("B"), there.drive.id_of("B"): there.drive.id_of("A")}

    def into_one_another(body: dict[str, Any]) -> None:
        for entry in body.get("value", [body]):
            if entry.get("id") in ids:
                entry["parentReference"]["id"] = ids[entry["id"]]

    there.emulator.faults.add(Fault(path=r"/root/delta|/items/", edit=into_one_another, times=None))
    assert "faster than we can follow" in unavailable(there, Caller(there.drive))


def test_folders_that_lay_in_one_another_and_are_gone_are_not_placed_anywhere(there: Library) -> None:
    there.put(b"A/B/b.txt", b"y")
    outer, inner = there.drive.id_of("A"), there.drive.id_of("A/B")

    def into_one_another(body: dict[str, Any]) -> None:
        for entry in body["value"]:
            if entry["id"] == outer:
                entry["parentReference"]["id"] = inner

    there.emulator.faults.add(Fault(path=r"/root/delta", edit=into_one_another, times=None))
    there.emulator.faults.add(Fault(path=rf"/items/{outer}", status=404, code="itemNotFound", times=None))
    pages = there.pages(KnowsNothing())
    assert told(pages, Found) == []
    assert [one.folder for one in told(pages, FolderFound)] == [b""]


def test_a_source_that_tells_nothing_of_items_is_unavailable(there: Library) -> None:
    there.drive.quirks.delta_hashes = False
    there.put(b"a.txt", b"x")
    there.emulator.faults.add(Fault(path=r"/items/", status=400, code="invalidRequest", times=None))
    unavailable(there, Caller(there.drive))


def test_an_item_whose_folder_is_not_there_any_more_is_not_placed_anywhere(there: Library) -> None:
    there.put(b"a.txt", b"x")
    lost = {"driveId": there.drive.id, "id": "01NOTHING"}
    there.emulator.faults.add(Fault(path="/root/delta", edit=entry_of(there, parentReference=lost), times=None))
    pages = there.pages(KnowsNothing())
    assert told(pages, Found, Skipped, Met) == []
    assert len(there.calls("01NOTHING")) == 1, "what is not there is asked for once a page"


def test_an_item_that_is_told_elsewhere_at_the_same_version_lies_there_now(there: Library) -> None:
    there.put(b"a.txt", b"x")
    caller = reading(there)
    caller.cursor = None
    there.emulator.faults.add(Fault(path="/root/delta", edit=entry_of(there, name="b.txt"), times=None))
    there.run(caller)
    assert caller.paths == ["b.txt"]
    assert caller.read == []


def test_an_item_without_a_version_is_asked_for_by_itself(there: Library) -> None:
    there.put(b"a.txt", b"x")
    there.emulator.faults.add(Fault(path="/root/delta", edit=entry_of(there, eTag=None), times=None))
    (change,) = told(there.pages(KnowsNothing()), Found)
    assert there.read(change.item) == b"x"


# A tenant that refuses


def test_a_token_that_expires_between_pages_is_renewed(there: Library) -> None:
    for number in range(6):
        there.put(b"%d.txt" % number, b"x")
    caller = Caller(there.drive)
    for page in there.connector.changes(there.scope, caller):
        caller.take(page)
        there.emulator.revoke_tokens()
    assert caller.paths == paths_of(there.drive)


def test_a_role_that_is_taken_away_makes_the_drive_unavailable(there: Library) -> None:
    there.put(b"a.txt", b"x")
    caller = reading(there)
    there.app.roles.clear()
    there.emulator.revoke_tokens()
    assert "not allowed" in unavailable(there, caller)


def test_credentials_that_are_not_taken_end_the_run_and_not_one_item_after_the_other(there: Library) -> None:
    there.put(b"a.txt", b"x")
    item = there.item("a.txt")
    there.emulator.faults.add(Fault(status=401, code="InvalidAuthenticationToken", times=None))
    with pytest.raises(ScopeUnavailable):
        there.connector.open(there.scope, item)
    assert "credentials" in unavailable(there, Caller(there.drive))


@pytest.mark.parametrize(
    ("state", "status", "code"),
    [
        ("locked", 423, "resourceLocked"),
        ("locked", 403, "accessDenied"),
        ("archived", 423, "resourceLocked"),
        ("archived", 403, "accessDenied"),
        ("deleted", 404, "itemNotFound"),
    ],
)
def test_a_site_that_is_closed_is_unavailable_and_nothing_in_it_is_gone(
    there: Library, state: str, status: int, code: str
) -> None:
    there.put(b"a.txt", b"x")
    caller = reading(there)
    there.drive.site.become(state, status=status, code=code)
    words = unavailable(there, caller)
    assert ("no such site" if state == "deleted" else "locked or archived") in words
    there.drive.site.become("open")
    assert told(there.run(caller), Found, Gone) == []


def test_what_made_a_drive_unavailable_can_be_asked(there: Library) -> None:
    there.drive.site.become("locked")
    with pytest.raises(ScopeUnavailable) as failed:
        there.pages(KnowsNothing())
    assert isinstance(failed.value.__cause__, LockedAtSource)


def test_a_site_that_is_deleted_while_items_are_looked_up_takes_none_of_them_along(there: Library) -> None:
    there.put(b"a.txt", b"x")
    there.put(b"b.txt", b"y")
    caller = reading(there)
    caller.require_again("a.txt")
    caller.require_again("b.txt")
    changes = there.connector.changes(there.scope, caller, caller.cursor)
    caller.take(next(changes))
    there.drive.site.become("deleted")
    with pytest.raises(ScopeUnavailable):
        for page in changes:
            caller.take(page)
    assert caller.paths == ["a.txt", "b.txt"]


def test_a_tenant_that_throttles_is_waited_for(there: Library) -> None:
    for number in range(6):
        there.put(b"%d.txt" % number, b"x")
    there.emulator.faults.add(
        Fault(path="/root/delta", status=429, code="activityLimitReached", retry_after="30", times=3)
    )
    caller = Caller(there.drive)
    there.run(caller)
    assert caller.paths == paths_of(there.drive)


def test_a_tenant_that_asks_for_more_patience_than_we_have_is_left_for_later(there: Library) -> None:
    there.put(b"a.txt", b"x")
    caller = reading(there)
    there.emulator.faults.add(
        Fault(path="/root/delta", status=429, code="activityLimitReached", retry_after="7200", times=None)
    )
    assert "wait" in unavailable(there, caller)


@pytest.mark.parametrize(
    ("headers", "seconds"), [({"Retry-After": "20"}, 20), ({"Retry-After": "soon"}, 1), ({}, 1), (None, 1)]
)
def test_what_is_throttled_within_a_batch_is_asked_for_again_in_time(
    there: Library, headers: dict[str, str] | None, seconds: int
) -> None:
    there.drive.quirks.delta_expands = "refused"
    for number in range(4):
        there.put(b"%d.txt" % number, b"x")

    def throttle(body: dict[str, Any]) -> None:
        body["responses"][0] = {
            "id": body["responses"][0]["id"],
            "status": 429,
            "body": {"error": {"code": "activityLimitReached", "message": ""}},
        }
        if headers is not None:
            body["responses"][0]["headers"] = {"Content-Type": "application/json", **headers}

    there.emulator.faults.add(Fault(path=r"\$batch", edit=throttle, times=1))
    before = there.emulator.clock.now()
    caller = Caller(there.drive)
    there.run(caller)
    assert caller.paths == paths_of(there.drive)
    assert there.emulator.clock.now() - before >= timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(path=r"\$batch", status=500, times=None),
        Fault(path=r"\$batch", reset="before", times=None),
        Fault(path=r"\$batch", edit=lambda body: body.update(responses="none"), times=None),
        Fault(path=r"\$batch", edit=lambda body: body["responses"].pop(), times=None),
        Fault(path=r"\$batch", edit=lambda body: body["responses"][0].update(id=7), times=None),
    ],
    ids=["failed", "dropped", "shapeless", "incomplete", "misnumbered"],
)
def test_a_batch_that_goes_wrong_is_asked_for_one_by_one(there: Library, fault: Fault) -> None:
    there.drive.quirks.delta_hashes = False
    for number in range(4):
        there.put(b"%d.txt" % number, b"x")
    there.emulator.faults.add(replace(fault))
    caller = Caller(there.drive)
    there.run(caller)
    assert caller.paths == paths_of(there.drive)


def test_a_source_that_cannot_say_whether_an_item_is_current_counts_as_no(there: Library) -> None:
    there.put(b"a.txt", b"x")
    with there.connector.open(there.scope, there.item("a.txt")) as content:
        there.emulator.faults.add(Fault(path="/items/", status=500, times=None))
        assert not content.still_current()


def test_nothing_is_looked_into_folder_by_folder(there: Library) -> None:
    with pytest.raises(Unsupported):
        there.connector.look(there.scope, KnowsNothing(), [b""])


REFUSALS = (
    (403, "accessDenied"),
    (404, "itemNotFound"),
    (423, "resourceLocked"),
    (400, "invalidRequest"),
    (500, "generalException"),
)


def test_no_name_link_or_token_is_in_logs_errors_or_shown_facts(
    there: Library, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    there.put(b"Secret folder/Ann's sick note.txt", b"content that is secret")
    caller = reading(there)
    item = there.item("Secret folder/Ann's sick note.txt")
    there.read(item)
    shown = [repr(there.connector), repr(Cursor.decode(caller.cursor or b"")), repr(there.scope)]
    for status, code in (
        (403, "accessDenied"),
        (500, "generalException"),
        (423, "resourceLocked"),
        (400, "invalidRequest"),
    ):
        fault = Fault(status=status, code=code, message="Secret folder/Ann's sick note.txt", times=None)
        there.emulator.faults.add(fault)
        for attempt in (lambda: there.run(caller), lambda: there.read(item), there.connector.scopes):
            with pytest.raises(ConnectorError) as failed:
                attempt()
            shown.append(f"{failed.value} {failed.value!r} {failed.value.__cause__!r}")
        there.emulator.faults.clear()
    everything = "\n".join([*shown, caplog.text])
    token = graph_of(there.emulator, there.app)._tokens.callback()["access_token"]
    for secret in ("Secret", "Ann", "sick", "secret", "token=", "tempauth", "Bearer ey", token[:40]):
        assert secret not in everything, f"{secret!r} leaked"


def test_a_drive_in_which_nothing_is_said_of_the_root_is_still_understood(there: Library) -> None:
    """Some pages leave the root out; then it is asked for when a folder lies in it."""
    there.put(b"Staff/a.txt", b"x")
    caller = reading(there)
    cursor = Cursor.decode(caller.cursor or b"")
    assert cursor is not None
    caller.cursor = replace(cursor, root_id="").encode()
    there.drive.quirks.tells_parents = False
    there.put(b"Staff/b.txt", b"y")
    pages = there.run(caller)
    assert [str(one.item.ref) for one in told(pages, Found)] == ["Staff/b.txt"]
    assert [one.folder for one in told(pages, FolderFound)] == []


def test_a_broken_entry_of_a_deleted_item_is_no_deletion_of_another(there: Library) -> None:
    there.put(b"a.txt", b"x")
    caller = reading(there)

    def deleted(body: dict[str, Any]) -> None:
        body["value"].append({"id": "01UNKNOWN", "deleted": {"state": "deleted"}})

    there.emulator.faults.add(Fault(path="/root/delta", edit=deleted))
    assert told(there.run(caller), Gone, FolderGone) == []
    assert caller.paths == ["a.txt"]
