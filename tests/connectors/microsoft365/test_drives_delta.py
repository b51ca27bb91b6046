"""How a drive's change feed becomes changes, one case at a time."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import pytest

from connectors.base import FolderFound, FolderGone, Found, Gone, ItemRef, KnowsNothing, Met, Swept
from connectors.microsoft365 import recall
from tests.connectors.microsoft365.callers import Caller
from tests.connectors.microsoft365.drives import Library, library, paths_of, reading, told


@pytest.fixture
def there() -> Iterator[Library]:
    """One entry a page, so that everything that can come between two entries does."""
    with library(page_items=1) as made:
        yield made


def test_an_enumeration_ends_with_the_sweep_and_a_later_run_has_none(there: Library) -> None:
    for number in range(5):
        there.put(b"%d.txt" % number, b"x")
    caller = Caller(there.drive)
    pages = there.run(caller)
    assert [isinstance(change, Swept) for change in told(pages)].count(True) == 1
    assert pages[-1].changes[-1] == Swept(1)

    there.put(b"5.txt", b"x")
    assert told(there.run(caller), Swept) == []


def test_every_enumeration_has_a_higher_number_than_anything_recorded(there: Library) -> None:
    there.put(b"a.txt", b"x")
    caller = reading(there)
    caller.cursor = None
    there.run(caller)
    assert caller.generation() == 2
    assert [change.generation for change in caller.told if isinstance(change, Met)] == [2]


def test_an_interrupted_enumeration_is_gone_on_with_under_its_number(there: Library) -> None:
    for number in range(6):
        there.put(b"%d.txt" % number, b"x")
    caller = Caller(there.drive)
    there.run(caller, stop_after=2)
    pages = there.run(caller)
    assert pages[-1].changes[-1] == Swept(1)
    assert caller.paths == paths_of(there.drive)


def test_after_so_many_days_a_drive_is_enumerated_anew(there: Library) -> None:
    there.put(b"a.txt", b"x")
    caller = reading(there)
    there.emulator.clock.advance(6.9 * 86_400)
    assert told(there.run(caller), Swept) == []
    there.emulator.clock.advance(0.2 * 86_400)
    assert told(there.run(caller), Swept) == [Swept(2)]
    assert caller.read == []
    there.emulator.clock.advance(6.9 * 86_400)
    assert told(there.run(caller), Swept) == [], "the days are counted from the last enumeration"


def test_a_folder_that_was_renamed_is_told_once_and_its_items_are_not(there: Library) -> None:
    for number in range(3):
        there.put(b"Staff/Leavers/%d.txt" % number, b"x")
    caller = reading(there)
    there.move(b"Staff/Leavers", b"Staff/Former staff")
    pages = there.run(caller)
    (moved,) = told(pages, FolderFound)
    assert moved.folder == b"Staff/Former staff"
    assert told(pages, Found, Met) == []
    assert caller.paths == paths_of(there.drive)


def test_two_folders_that_change_places_do_not_mix_what_is_in_them(there: Library) -> None:
    there.put(b"A/one.txt", b"one")
    there.put(b"B/two.txt", b"two")
    caller = reading(there)
    one, other = there.drive.id_of("A"), there.drive.id_of("B")
    there.drive.rename(one, "C")
    there.drive.rename(other, "A")
    there.drive.rename(one, "B")
    there.run(caller)
    assert caller.paths == ["A/two.txt", "B/one.txt"]
    assert caller.read == []


def test_folders_that_change_their_order_in_the_tree_are_sorted_out(there: Library) -> None:
    """While pages come in, what is known may put two folders into one another."""
    there.drive.quirks.tells_parents = False
    there.put(b"A/B/x.txt", b"x")
    there.put(b"A/B/y.txt", b"y")
    caller = reading(there)
    outer, inner = there.drive.id_of("A"), there.drive.id_of("A/B")
    there.drive.move(inner, "B")
    there.drive.move(outer, "B/A")
    there.drive.touch(there.drive.id_of("B/x.txt"))
    there.drive.rename(inner, "B2")
    there.run(caller)
    assert caller.paths == paths_of(there.drive) == ["B2/x.txt", "B2/y.txt"]


def test_what_was_moved_out_of_a_folder_before_it_was_deleted_is_not_lost(there: Library) -> None:
    """The deletion comes first in the feed, in a page of its own, and what was moved comes after it."""
    there.put(b"Old/Keep/1.txt", b"one")
    there.put(b"Old/2.txt", b"two")
    there.put(b"Old/3.txt", b"three")
    caller = reading(there)
    kept, two = there.drive.id_of("Old/Keep"), there.drive.id_of("Old/2.txt")
    old = there.drive.id_of("Old")
    there.drive.move(kept, "Keep")
    there.drive.move(two, "2.txt")
    there.drive.remove(old)
    there.drive.rename(kept, "Kept")
    there.drive.rename(two, "two.txt")
    pages = there.run(caller)
    assert [isinstance(change, FolderGone) for change in pages[-1].changes].count(True) == 1
    assert caller.paths == ["Kept/1.txt", "two.txt"]
    assert caller.read == []


def test_a_deleted_folder_is_not_forgotten_when_the_run_dies_before_its_end(there: Library) -> None:
    there.put(b"Old/1.txt", b"one")
    there.put(b"2.txt", b"two")
    caller = reading(there)
    there.remove(b"Old")
    for number in range(4):
        there.put(b"new %d.txt" % number, b"x")
    pages = there.run(caller, stop_after=1)
    assert told(pages, FolderGone) == []
    there.run(caller)
    assert caller.paths == paths_of(there.drive)


def test_a_folder_that_comes_back_from_the_recycle_bin_in_the_same_run_is_not_told_to_be_gone(there: Library) -> None:
    folder_id = there.drive.folder("Old")
    there.put(b"Old/1.txt", b"one")
    caller = reading(there)
    there.drive.remove(folder_id)
    there.put(b"2.txt", b"two")
    changes = there.connector.changes(there.scope, caller, caller.cursor)
    caller.take(next(changes))
    there.drive.restore(folder_id)
    for page in changes:
        caller.take(page)
    there.run(caller)
    assert caller.paths == ["2.txt", "Old/1.txt"]


def test_an_item_that_comes_back_in_the_same_run_is_read_although_the_caller_still_has_it(there: Library) -> None:
    """It has not stored yet that the item was gone; when it has, it no longer knows what was in it."""
    item_id = there.put(b"a.txt", b"x")
    caller = reading(there)
    caller.lag = 100
    there.drive.remove(item_id)
    there.put(b"b.txt", b"y")
    changes = there.connector.changes(there.scope, caller, caller.cursor)
    caller.take(next(changes))
    there.drive.restore(item_id)
    for page in changes:
        caller.take(page)
    caller.finish()
    assert caller.paths == ["a.txt", "b.txt"]
    assert item_id in caller.read


def test_an_item_that_gets_its_old_content_back_in_the_same_run_is_read(there: Library) -> None:
    """What the caller has stored is of the same content, but it is about to store another."""
    item_id = there.put(b"a.txt", b"x")
    caller = reading(there)
    caller.lag = 100
    there.put(b"a.txt", b"y")
    there.put(b"b.txt", b"z")
    changes = there.connector.changes(there.scope, caller, caller.cursor)
    caller.take(next(changes))
    there.put(b"a.txt", b"x")
    for page in changes:
        caller.take(page)
    caller.finish()
    assert caller.contents()[item_id] == b"x"


def test_a_folder_made_anew_under_the_same_name_is_another_one(there: Library) -> None:
    there.drive.quirks.loses_recreated = True
    there.put(b"Cases/old.txt", b"old")
    caller = reading(there)
    there.remove(b"Cases")
    there.put(b"Cases/new.txt", b"new")
    there.run(caller)
    assert "Cases/new.txt" in caller.paths
    there.emulator.clock.advance(8 * 86_400)
    there.run(caller)
    assert caller.paths == ["Cases/new.txt"], "the deletion was never told; the sweep finds it"


def test_an_item_told_twice_is_taken_as_it_was_told_last() -> None:
    with library() as there:
        there.drive.quirks.tells_twice = 1
        there.put(b"a.txt", b"now")
        caller = Caller(there.drive)
        (page,) = there.run(caller)
        assert page.seen == 1
        assert caller.paths == ["a.txt"]
        assert caller.at("a.txt").content == b"now"


def test_a_write_of_our_own_that_was_recorded_is_not_read_again(there: Library) -> None:
    """Whoever labels or marks an item records its new version; the feed tells that very version then."""
    there.put(b"a.txt", b"x")
    caller = reading(there)
    there.drive.touch(there.drive.id_of("a.txt"))
    caller.at("a.txt").version = there.item("a.txt").version
    pages = there.run(caller)
    assert told(pages, Found) == []
    assert [change.ref.name for change in told(pages, Met)] == [b"a.txt"]


def test_a_change_of_facts_alone_is_not_read_again(there: Library) -> None:
    item_id = there.put(b"a.txt", b"x")
    caller = reading(there)
    there.drive.touch(item_id)
    (change,) = told(there.run(caller), Found)
    assert change.same_content
    assert caller.read == []


def test_an_office_file_that_was_just_changed_is_read_although_its_hash_is_the_same(there: Library) -> None:
    """The service takes its time with the hashes of such files."""
    item_id = there.put(b"a.docx", b"first")
    hash_then = there.drive.at("a.docx").hash
    caller = reading(there)
    there.put(b"a.docx", b"other")
    there.drive.claim(item_id, hash=hash_then)
    there.run(caller)
    assert caller.read == [item_id]
    assert caller.contents()[item_id] == b"other"

    caller.read.clear()
    there.emulator.clock.advance(2 * 3600)
    there.drive.touch(item_id)
    (change,) = told(there.run(caller), Found)
    assert change.same_content


def test_without_hashes_a_new_version_is_read_again() -> None:
    with library() as there:
        there.drive.quirks.hashes = False
        item_id = there.put(b"a.txt", b"x")
        caller = reading(there)
        assert told(there.run(caller), Found) == []
        there.drive.touch(item_id)
        there.run(caller)
        assert caller.read == [item_id]


def test_hashes_that_the_feed_leaves_out_are_asked_for_item_by_item() -> None:
    with library() as there:
        there.drive.quirks.delta_hashes = False
        ids = [there.put(b"%d.txt" % number, b"x") for number in range(25)]
        caller = reading(there)
        assert [call.method for call in there.calls("/$batch", "POST")] == ["POST", "POST"]
        there.drive.touch(ids[0])
        (change,) = told(there.run(caller), Found)
        assert change.same_content
        caller.cursor = None
        there.run(caller)
        assert len(there.calls("/$batch", "POST")) == 2, "what is met is not asked about"


def test_what_the_caller_wants_to_read_again_is_looked_up_by_its_id(there: Library) -> None:
    first, second = there.put(b"Staff/1.txt", b"one"), there.put(b"Staff/2.txt", b"two")
    there.put(b"3.txt", b"three")
    caller = reading(there)
    caller.require_again("Staff/1.txt")
    caller.require_again("Staff/2.txt")
    there.run(caller)
    assert caller.read == [first, second]
    assert there.run(caller)[-1].changes == ()


def test_what_is_to_be_read_again_is_told_to_be_read_whatever_version_is_recorded(there: Library) -> None:
    item_id = there.put(b"1.txt", b"one")

    class Doubting(Caller):
        def outdated(self) -> Iterator[tuple[ItemRef, bytes]]:
            return iter([(ItemRef(b"", b"1.txt"), item_id.encode())])

    caller = Doubting(there.drive)
    there.run(caller)
    caller.read.clear()
    there.run(caller)
    assert caller.read == [item_id]


def test_what_is_to_be_read_again_and_is_gone_is_told_to_be_gone(there: Library) -> None:
    item_id = there.put(b"1.txt", b"one")
    caller = reading(there)
    caller.require_again("1.txt")
    changes = there.connector.changes(there.scope, caller, caller.cursor)
    caller.take(next(changes))
    there.drive.remove(item_id)
    assert [type(change) for page in changes for change in page.changes] == [Gone]


def test_what_was_told_in_this_run_is_not_looked_up_again_before_it_is_stored(there: Library) -> None:
    there.put(b"1.txt", b"one")
    caller = reading(there)
    caller.require_again("1.txt")
    there.drive.put("1.txt", b"more")
    caller.lag = 100
    there.run(caller)
    assert len(caller.read) == 1


def test_the_drive_is_asked_by_ids_and_never_by_paths(there: Library) -> None:
    there.put(b"Staff/1.txt", b"one")
    caller = reading(there)
    caller.require_again("Staff/1.txt")
    there.run(caller)
    there.read(there.item("Staff/1.txt"))
    assert [call.path for call in there.emulator.log if "Staff" in call.path or "1.txt" in call.path] == []


def test_a_large_drive_needs_memory_for_its_folders_only() -> None:
    with library(check=False, page_items=250) as there:
        there.drive.fill(2_000)
        tracemalloc.start()
        try:
            for page in there.connector.changes(there.scope, KnowsNothing()):
                del page
            held = tracemalloc.get_traced_memory()[0]
            one_page = next(there.connector.changes(there.scope, KnowsNothing()))
        finally:
            tracemalloc.stop()
        assert len(one_page.changes) > 200
        assert held < 2 << 20, "items are kept that were told long ago"


def test_a_folder_in_whose_place_another_one_was_made_is_asked_for_before_its_items_are_told() -> None:
    """Told by path, the item would land in the new folder: where the old one is now comes later in the feed."""
    with library(page_items=2) as there:
        there.drive.quirks.tells_parents = False
        there.put(b"A/x.txt", b"x")
        there.put(b"A/y.txt", b"y")
        caller = reading(there)
        there.drive.rename(there.drive.id_of("A"), "B")
        there.drive.folder("A")
        there.drive.touch(there.drive.id_of("B/x.txt"))
        there.drive.rename(there.drive.id_of("B"), "C")
        first, _ = there.run(caller)
        assert [str(change.item.ref) for change in told([first], Found)] == ["C/x.txt"]
        assert caller.paths == ["C/x.txt", "C/y.txt"]
        assert caller.read == []


def test_a_folder_whose_place_is_taken_while_pages_come_in_is_asked_for_again(there: Library) -> None:
    there.drive.quirks.tells_parents = False
    there.put(b"A/x.txt", b"x")
    there.put(b"A/y.txt", b"y")
    caller = reading(there)
    old = there.drive.id_of("A")
    there.drive.touch(there.drive.id_of("A/x.txt"))
    there.drive.rename(old, "B")
    there.drive.folder("A")
    there.drive.touch(there.drive.id_of("B/y.txt"))
    there.drive.rename(old, "C")
    there.run(caller)
    assert caller.paths == ["C/x.txt", "C/y.txt"]


def test_a_folder_that_the_caller_has_set_aside_is_asked_for(there: Library) -> None:
    """Its name is not its name then."""
    there.drive.quirks.tells_parents = False
    there.put(b"A/x.txt", b"x")
    caller = reading(there)
    old = there.drive.id_of("A")
    there.drive.rename(old, "B")
    there.drive.folder("A")
    there.drive.touch(there.drive.id_of("B/x.txt"))
    there.drive.rename(old, "C")
    there.run(caller, stop_after=1)
    aside = caller.folder_of(old.encode())
    assert aside is not None
    assert b"\0" in aside.name
    there.run(caller)
    assert caller.paths == ["C/x.txt"]


def test_a_folder_in_the_place_of_a_deleted_one_stays_when_that_is_told(there: Library) -> None:
    there.put(b"A/old.txt", b"x")
    caller = reading(there)
    there.remove(b"A")
    there.put(b"A/new.txt", b"y")
    pages = there.run(caller)
    (gone,) = told(pages, FolderGone)
    assert gone.folder != b"A", "by its path, the new folder would be lost"
    assert caller.paths == ["A/new.txt"]


def test_of_items_told_long_ago_it_is_not_asked_whether_they_were_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recall, "_MOST_UNDER_WAY", 3)
    told_of = recall.Recall(KnowsNothing())
    for number in range(5):
        told_of.tell(str(number), ItemRef(b"", b"%d" % number), b"version")
    assert [told_of.is_under_way(str(number)) for number in range(5)] == [False, False, True, True, True]
    assert told_of.item("1") is None
    last = told_of.item("4")
    assert last is not None
    assert not last.settled
