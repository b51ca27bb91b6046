"""The first part of the contract of holdings: into the hold, back, and away."""

from __future__ import annotations

import os

import pytest

from connectors.base import ItemRef
from connectors.errors import ItemChanged, ItemNotFound, NoPlace, PlaceTaken
from connectors.testing_acting import AWKWARD, CONTRACT, ID, NO_PLACES, OTHER_ID, TEXT, Acting, HeldSource


class TakingContract(Acting):
    """Judges `take`, `taken`, `put_back`, `let_go`, `in_hold`."""

    # Into the hold

    def test_a_taken_item_is_out_of_its_place_and_readable(self, filled: HeldSource) -> None:
        item = self._items(filled)[CONTRACT]
        with filled.holding.take(self._scope(filled), CONTRACT, item.version, ID) as content:
            assert (content.taken.id, content.taken.size_bytes) == (ID, len(TEXT))
            assert os.read(content.fileno(), 100) == TEXT
            assert content.still_current()
            assert CONTRACT not in self._items(filled)
            assert [*filled.holding.in_hold(self._scope(filled))] == [ID]

    def test_what_is_held_is_not_found_by_a_scan(self, filled: HeldSource) -> None:
        everything = self._items(filled).keys()
        self._take(filled)
        self._take(filled, AWKWARD, OTHER_ID)
        assert self._items(filled).keys() == everything - {CONTRACT, AWKWARD}
        assert sorted(filled.holding.in_hold(self._scope(filled))) == [ID, OTHER_ID]

    def test_properties_are_never_printed(self, filled: HeldSource) -> None:
        item = self._items(filled)[CONTRACT]
        with filled.holding.take(self._scope(filled), CONTRACT, item.version, ID) as content:
            assert content.taken.properties
            assert "properties" not in repr(content.taken)

    def test_only_the_very_version_is_taken(self, filled: HeldSource) -> None:
        item = self._items(filled)[CONTRACT]
        filled.put(CONTRACT.path, b"agreed otherwise")
        with pytest.raises(ItemChanged):
            filled.holding.take(self._scope(filled), CONTRACT, item.version, ID)
        assert self._content(filled, CONTRACT) == b"agreed otherwise"
        assert [*filled.holding.in_hold(self._scope(filled))] == []

    @pytest.mark.parametrize("gone", [CONTRACT.path, CONTRACT.folder])
    def test_an_item_that_is_gone_is_not_found(self, filled: HeldSource, gone: bytes) -> None:
        item = self._items(filled)[CONTRACT]
        filled.remove(gone)
        with pytest.raises(ItemNotFound):
            filled.holding.take(self._scope(filled), CONTRACT, item.version, ID)

    def test_an_id_is_used_once(self, filled: HeldSource) -> None:
        self._take(filled)
        with pytest.raises(PlaceTaken):
            self._take(filled, AWKWARD)
        assert AWKWARD in self._items(filled)
        assert self._held(filled) == TEXT

    def test_content_may_be_closed_twice(self, filled: HeldSource) -> None:
        item = self._items(filled)[CONTRACT]
        content = filled.holding.take(self._scope(filled), CONTRACT, item.version, ID)
        content.close()
        content.close()
        with pytest.raises(ValueError, match="closed"):
            content.fileno()

    def test_what_lies_in_the_hold_can_be_read_again(self, filled: HeldSource) -> None:
        self._take(filled)
        content = filled.holding.taken(self._scope(filled), ID)
        assert content is not None
        with content:
            assert content.taken.size_bytes == len(TEXT)
            assert os.read(content.fileno(), 100) == TEXT
            assert content.still_current()

    def test_of_what_was_not_taken_nothing_is_there(self, filled: HeldSource) -> None:
        assert filled.holding.taken(self._scope(filled), ID) is None
        assert [*filled.holding.in_hold(self._scope(filled))] == []

    def test_what_was_taken_is_there_after_a_restart(self, filled: HeldSource) -> None:
        self._take(filled)
        again = filled.restart()
        content = again.taken(self._scope(filled), ID)
        assert content is not None
        with content:
            assert os.read(content.fileno(), 100) == TEXT
        assert again.put_back(self._scope(filled), ID, CONTRACT)
        assert self._content(filled, CONTRACT) == TEXT

    # Back

    @pytest.mark.parametrize("ref", [CONTRACT, AWKWARD], ids=["plain", "awkward"])
    def test_an_item_is_put_back_as_it_was(self, filled: HeldSource, ref: ItemRef) -> None:
        before, content = self._items(filled)[ref], self._content(filled, ref)
        self._take(filled, ref)
        assert filled.holding.put_back(self._scope(filled), ID, ref)
        after = self._items(filled)[ref]
        assert self._content(filled, ref) == content
        assert (after.modified_at, after.size_bytes, after.owner) == (
            before.modified_at,
            before.size_bytes,
            before.owner,
        )
        assert [*filled.holding.in_hold(self._scope(filled))] == []

    def test_what_is_put_back_can_be_taken_at_its_new_version_only(self, filled: HeldSource) -> None:
        before = self._items(filled)[CONTRACT]
        self._take(filled)
        filled.holding.put_back(self._scope(filled), ID, CONTRACT)
        with pytest.raises(ItemChanged):
            filled.holding.take(self._scope(filled), CONTRACT, before.version, ID)
        self._take(filled)

    def test_putting_back_twice_tells_that_there_was_nothing(self, filled: HeldSource) -> None:
        self._take(filled)
        assert filled.holding.put_back(self._scope(filled), ID, CONTRACT)
        assert not filled.holding.put_back(self._scope(filled), ID, CONTRACT)
        assert self._content(filled, CONTRACT) == TEXT

    def test_nothing_is_made_of_what_was_not_taken(self, filled: HeldSource) -> None:
        assert not filled.holding.put_back(self._scope(filled), ID, ItemRef(b"New folder", b"new.txt"))
        assert ItemRef(b"New folder", b"new.txt") not in self._items(filled)

    def test_missing_folders_are_made_on_the_way_back(self, filled: HeldSource) -> None:
        self._take(filled)
        filled.remove(b"HR")
        deep = ItemRef(b"HR/Leavers/\xfc", b"contract.txt")
        assert filled.holding.put_back(self._scope(filled), ID, deep)
        assert self._content(filled, deep) == TEXT

    def test_nothing_is_replaced_on_the_way_back(self, filled: HeldSource) -> None:
        self._take(filled)
        filled.put(CONTRACT.path, b"somebody else's")
        with pytest.raises(PlaceTaken):
            filled.holding.put_back(self._scope(filled), ID, CONTRACT)
        assert self._content(filled, CONTRACT) == b"somebody else's"
        assert self._held(filled) == TEXT

    @pytest.mark.parametrize("ref", NO_PLACES, ids=repr)
    def test_nothing_is_put_where_nothing_can_lie(self, filled: HeldSource, ref: ItemRef) -> None:
        self._take(filled)
        left = self._items(filled)
        with pytest.raises(NoPlace):
            filled.holding.put_back(self._scope(filled), ID, ref)
        assert self._items(filled) == left
        assert self._held(filled) == TEXT

    def test_a_folder_in_the_place_is_not_replaced(self, filled: HeldSource) -> None:
        self._take(filled)
        filled.put(CONTRACT.path + b"/inside", b"somebody else's")
        with pytest.raises(PlaceTaken):
            filled.holding.put_back(self._scope(filled), ID, CONTRACT)
        assert self._content(filled, ItemRef(CONTRACT.path, b"inside")) == b"somebody else's"
        assert self._held(filled) == TEXT

    def test_an_item_where_a_folder_should_be_is_not_replaced(self, filled: HeldSource) -> None:
        properties = self._take(filled)
        filled.remove(b"HR")
        filled.put(b"HR", b"somebody else's")
        with pytest.raises(PlaceTaken):
            filled.holding.put_back(self._scope(filled), ID, CONTRACT)
        with pytest.raises(PlaceTaken):
            self._make(filled, properties)
        assert self._content(filled, ItemRef(b"", b"HR")) == b"somebody else's"
        assert self._held(filled) == TEXT

    # Away

    def test_what_is_let_go_is_gone(self, filled: HeldSource) -> None:
        self._take(filled)
        assert filled.holding.let_go(self._scope(filled), ID).method in ("overwritten", "unlinked")
        assert self._held(filled) is None
        assert [*filled.holding.in_hold(self._scope(filled))] == []
        assert CONTRACT not in self._items(filled)

    def test_letting_go_twice_tells_that_there_was_nothing(self, filled: HeldSource) -> None:
        self._take(filled)
        filled.holding.let_go(self._scope(filled), ID)
        again = filled.holding.let_go(self._scope(filled), ID)
        assert (again.method, again.doubts) == ("nothing_there", frozenset())

    def test_letting_go_touches_nothing_else(self, filled: HeldSource) -> None:
        self._take(filled)
        self._take(filled, AWKWARD, OTHER_ID)
        before = self._items(filled)
        filled.holding.let_go(self._scope(filled), ID)
        assert self._items(filled) == before
        assert self._held(filled, OTHER_ID) == b"a name that is no text"

    def test_what_is_read_is_no_longer_current_once_it_is_put_back(self, filled: HeldSource) -> None:
        item = self._items(filled)[CONTRACT]
        with filled.holding.take(self._scope(filled), CONTRACT, item.version, ID) as content:
            filled.holding.put_back(self._scope(filled), ID, CONTRACT)
            assert not content.still_current()
