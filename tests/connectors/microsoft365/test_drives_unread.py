"""Names of every kind, and items that are never opened."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from connectors.base import FolderSkipped, Found, ItemRef, KnowsNothing, Skipped, SkipReason
from tests.connectors.microsoft365.callers import Caller
from tests.connectors.microsoft365.drives import Library, careful_library, reading, told


@pytest.fixture
def there() -> Iterator[Library]:
    with careful_library() as made:
        yield made


# Names


NAMES = (
    "a#b.txt",
    "50%.txt",
    "50%25.txt",
    "a+b.txt",
    "it's.txt",
    "R&D.txt",
    "trailing dot.txt.",
    " space.txt ",
    "smile \N{SLIGHTLY SMILING FACE}.txt",
    "caf\u00e9.txt",
    "cafe\u0301.txt",
    "x" * 200 + ".txt",
    'quote".txt',
    "tab\t.txt",
    "back\\slash.txt",
    "?.txt",
)


def test_names_of_every_kind_are_told_and_read(there: Library) -> None:
    for name in NAMES:
        there.put(f"Folder {name}/{name}".encode(), name.encode())
    items = [change.item for change in told(there.pages(KnowsNothing()), Found)]
    assert sorted(item.ref.path.decode() for item in items) == sorted(f"Folder {name}/{name}" for name in NAMES)
    for item in items:
        assert ItemRef.parse(str(item.ref)) == item.ref
        assert there.read(item).decode() == item.ref.name.decode()


def test_a_long_path_is_told_whole(there: Library) -> None:
    path = "/".join(["deep"] * 80) + "/a.txt"
    there.put(path.encode(), b"x")
    assert there.item(path).ref.path.decode() == path


def test_a_name_that_changes_in_case_only_is_a_new_name(there: Library) -> None:
    item_id = there.put(b"Staff/a.txt", b"x")
    caller = reading(there)
    there.drive.rename(item_id, "A.TXT")
    there.drive.rename(there.drive.id_of("Staff"), "STAFF")
    there.run(caller)
    assert caller.paths == ["STAFF/A.TXT"]
    assert caller.read == []


# What is left unread


def test_a_notebook_is_one_item_that_is_skipped_and_its_parts_are_none(there: Library) -> None:
    there.drive.package("Staff/Notes")
    there.put(b"Staff/Notes/Section group/more.one", b"x")
    there.put(b"Staff/a.txt", b"x")
    pages = there.pages(KnowsNothing())
    assert [(str(one.item.ref), one.reason) for one in told(pages, Skipped)] == [("Staff/Notes", SkipReason.PACKAGE)]
    assert [str(one.item.ref) for one in told(pages, Found)] == ["Staff/a.txt"]
    assert sum(page.seen for page in pages) == 2


def test_a_part_of_a_notebook_that_changes_later_is_still_no_item(there: Library) -> None:
    there.drive.quirks.tells_parents = False
    there.drive.package("Notes")
    caller = reading(there)
    there.drive.put("Notes/Meetings.one", b"more")
    assert told(there.run(caller), Found, Skipped) == []


def test_a_shortcut_is_skipped_and_not_followed(there: Library) -> None:
    other = there.drive.site.add_library("Elsewhere")
    folder_id = other.folder("Shared")
    other.put("Shared/secret.txt", b"x")
    there.drive.shortcut("Shared", (other, folder_id))
    pages = there.pages(KnowsNothing())
    assert [(str(one.item.ref), one.reason) for one in told(pages, Skipped)] == [("Shared", SkipReason.SHORTCUT)]
    assert told(pages, Found) == []


def test_what_was_never_checked_in_is_skipped_until_it_is(there: Library) -> None:
    item_id = there.drive.put("draft.txt", b"x", checked_in=False)
    caller = Caller(there.drive)
    there.run(caller)
    assert caller.at("draft.txt").skipped == SkipReason.NO_CONTENT
    there.drive.check_in(item_id)
    there.run(caller)
    assert caller.read == [item_id]
    assert caller.at("draft.txt").content == b"x"


def test_what_somebody_has_checked_out_is_read_and_marked(there: Library) -> None:
    item_id = there.put(b"a.txt", b"x")
    there.drive.check_out(item_id, "bob@contoso.example")
    item = there.item("a.txt")
    assert item.marks["checked_out"] == "yes"
    assert "bob" not in json.dumps({key: value for key, value in item.marks.items() if key != "editor"})
    assert there.read(item) == b"x"


def test_malware_is_skipped(there: Library) -> None:
    there.drive.malware(there.put(b"a.exe", b"bad"))
    (skipped,) = told(there.pages(KnowsNothing()), Skipped)
    assert skipped.reason is SkipReason.MALWARE


QUARANTINE = ".retentiond quarantine"


def test_our_quarantine_is_left_out_with_all_that_is_in_it(there: Library) -> None:
    there.put(f"{QUARANTINE}/0123__a.txt".encode(), b"x")
    there.put(b"b.txt", b"y")
    pages = there.pages(KnowsNothing())
    assert [one.folder.decode() for one in told(pages, FolderSkipped)] == [QUARANTINE]
    assert [(str(one.item.ref), one.reason) for one in told(pages, Skipped)] == [
        (f"{QUARANTINE}/0123__a.txt", SkipReason.OWN_QUARANTINE)
    ]
    assert [str(one.item.ref) for one in told(pages, Found)] == ["b.txt"]


def test_a_folder_of_that_name_that_is_not_at_the_top_is_like_any_other(there: Library) -> None:
    there.put(f"Staff/{QUARANTINE}/a.txt".encode(), b"x")
    assert told(there.pages(KnowsNothing()), Skipped, FolderSkipped) == []


def test_what_is_taken_into_quarantine_and_given_back_is_not_read_in_there(there: Library) -> None:
    item_id = there.put(b"a.txt", b"x")
    caller = reading(there)
    there.drive.move(item_id, f"{QUARANTINE}/0123__a.txt")
    there.run(caller)
    assert caller.read == []
    assert caller.at(f"{QUARANTINE}/0123__a.txt").skipped == SkipReason.OWN_QUARANTINE
    there.drive.move(item_id, "a.txt")
    there.run(caller)
    assert caller.at("a.txt").content == b"x"


def test_what_was_skipped_in_quarantine_is_read_when_its_folder_is_renamed(there: Library) -> None:
    """Its version is the same all the time, but nobody has ever read it."""
    there.put(f"{QUARANTINE}/a.txt".encode(), b"x")
    caller = reading(there)
    there.drive.rename(there.drive.id_of(QUARANTINE), "Not so secret")
    caller.cursor = None
    there.run(caller)
    assert caller.at("Not so secret/a.txt").content == b"x"
