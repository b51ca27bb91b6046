"""Cursors that lead nowhere, and sources that forget where we were."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from connectors.base import FolderGone, Found, Gone, Swept
from connectors.errors import ScopeUnavailable
from connectors.microsoft365.drive_cursor import Cursor
from tests.connectors.microsoft365.callers import Caller
from tests.connectors.microsoft365.drives import Library, careful_library, paths_of, reading, told, unavailable
from tests.emulator import Fault


@pytest.fixture
def there() -> Iterator[Library]:
    with careful_library() as made:
        yield made


# Cursors, and a source that forgets


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("code", ["resyncChangesApplyDifferences", "resyncChangesUploadDifferences"])
def test_a_source_that_forgot_where_we_were_is_enumerated_anew(there: Library, code: str, nested: bool) -> None:
    there.drive.quirks.resync_code, there.drive.quirks.resync_nested = code, nested
    there.put(b"a.txt", b"x")
    gone = there.put(b"b.txt", b"y")
    caller = reading(there)
    there.drive.remove(gone)
    there.drive.expire_tokens()
    pages = there.run(caller)
    assert told(pages, Swept) == [Swept(2)]
    assert caller.paths == ["a.txt"]
    assert caller.read == []


def test_a_source_that_forgets_in_the_middle_of_an_enumeration_begins_it_anew(there: Library) -> None:
    for number in range(8):
        there.put(b"%d.txt" % number, b"x")
    caller = Caller(there.drive)
    changes = there.connector.changes(there.scope, caller)
    caller.take(next(changes))
    there.drive.expire_tokens()
    for page in changes:
        caller.take(page)
    assert caller.paths == paths_of(there.drive)
    assert caller.told[-1] == Swept(2)


def test_a_source_that_forgets_again_and_again_is_unavailable(there: Library) -> None:
    there.put(b"a.txt", b"x")
    caller = reading(there)
    there.emulator.faults.add(Fault(path="/root/delta", status=410, code="resyncRequired", times=None))
    assert "forgetting" in unavailable(there, caller)


def test_a_resync_that_leads_to_another_host_is_begun_at_ours(there: Library) -> None:
    there.put(b"a.txt", b"x")
    caller = reading(there)
    elsewhere = {"Location": f"{there.emulator.evil_url}/v1.0/drives/x/root/delta?token=1"}
    there.emulator.faults.add(Fault(path="/root/delta", status=410, code="resyncRequired", headers=elsewhere))
    assert told(there.run(caller), Swept) == [Swept(2)]
    assert [call for call in there.emulator.log if call.host == "evil"] == []


def test_a_link_that_leads_to_another_host_is_not_followed(there: Library) -> None:
    there.put(b"a.txt", b"x")
    caller = reading(there)
    there.emulator.faults.add(
        Fault(path="/root/delta", next_link=f"{there.emulator.evil_url}/v1.0/drives/x/root/delta?token=1")
    )
    unavailable(there, caller)
    assert [call for call in there.emulator.log if call.host == "evil"] == []
    assert told(there.run(caller), Found) == [], "the run after that goes on as if nothing had been"


@pytest.mark.parametrize("broken", ["garbage", "drive", "host", "form", "token", "types", "number", "deep"])
def test_a_cursor_that_is_none_of_ours_begins_an_enumeration(there: Library, broken: str) -> None:
    there.put(b"a.txt", b"x")
    caller = reading(there)
    assert caller.cursor is not None
    cursor = Cursor.decode(caller.cursor)
    assert cursor is not None
    foreign = f"{there.emulator.evil_url}/v1.0/drives/x/root/delta?token=1"
    caller.cursor = {
        "garbage": b"\xff{",
        "drive": replace(cursor, drive_id="b!other").encode(),
        "host": replace(cursor, link=foreign).encode(),
        "form": caller.cursor.replace(b"drive-1", b"drive-0"),
        "token": replace(cursor, link=cursor.link.partition("token=")[0] + "token=AAAA").encode(),
        "types": caller.cursor.replace(b'"enumerates":false', b'"enumerates":"no"'),
        "number": caller.cursor.replace(b'"generation":1', b'"generation":-1'),
        "deep": b"[" * 100_000,
    }[broken]
    pages = there.run(caller)
    assert told(pages, Swept) == [Swept(2)]
    assert caller.read == []
    assert [call for call in there.emulator.log if call.host == "evil"] == []


def test_a_cursor_from_the_future_is_not_kept_for_ever(there: Library) -> None:
    there.put(b"a.txt", b"x")
    caller = reading(there)
    cursor = Cursor.decode(caller.cursor or b"")
    assert cursor is not None
    caller.cursor = replace(cursor, began=cursor.began + timedelta(days=400)).encode()
    assert told(there.run(caller), Swept) == [Swept(2)]


def test_nothing_is_taken_for_gone_before_the_feed_has_come_to_its_end(there: Library) -> None:
    for number in range(6):
        there.put(b"%d.txt" % number, b"x")
    caller = reading(there)
    caller.cursor = None
    there.emulator.faults.add(Fault(path="/root/delta", status=500, times=None, skip=2))
    with pytest.raises(ScopeUnavailable):
        there.run(caller)
    assert told([], Gone, Swept) == [one for one in caller.told if isinstance(one, Gone | FolderGone | Swept)] == []
    assert caller.paths == paths_of(there.drive)


def test_a_feed_without_an_end_is_unavailable(there: Library) -> None:
    there.put(b"a.txt", b"x")
    caller = reading(there)

    def without_end(body: dict[str, Any]) -> None:
        body.pop("@odata.deltaLink", None)

    there.emulator.faults.add(Fault(path="/root/delta", edit=without_end, times=None))
    unavailable(there, caller)


def test_a_feed_that_goes_round_in_a_circle_is_unavailable(there: Library) -> None:
    there.put(b"a.txt", b"x")
    caller = reading(there)
    cursor = Cursor.decode(caller.cursor or b"")
    assert cursor is not None
    links = [f"{cursor.link}&$count={number % 3}" for number in range(100)]

    def circle(body: dict[str, Any]) -> None:
        body.pop("@odata.deltaLink", None)
        body["@odata.nextLink"] = links.pop(0)

    there.emulator.faults.add(Fault(path="/root/delta", edit=circle, times=None))
    unavailable(there, caller)
    assert len(links) > 90
