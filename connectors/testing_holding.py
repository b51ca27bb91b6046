"""The contract that every holding passes. A suite of tests: derive from it and say how a source is made."""

# ruff: noqa: S101 — contract suites are tests too

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from typing import Protocol

import pytest

from connectors.base import Item, ItemRef, KnowsNothing, Scope
from connectors.errors import ItemChanged, ItemNotFound, PlaceTaken, ScopeUnavailable, Unsupported
from connectors.holding import Holding, Made
from connectors.testing import Source, found


class HeldSource(Source, Protocol):
    """A source that can be acted on as well. `holding` is such that no item counts as touched a moment ago."""

    holding: Holding

    def restart(self) -> Holding:
        """Another holding on the same source, as after a crash."""


CONTRACT = ItemRef(b"HR", b"contract.txt")
AWKWARD = ItemRef(b"HR/\xe4 b", b"\xff\xfe bytes \n.txt")
ID = "0123456789abcdef" * 2
OTHER_ID = "fedcba9876543210" * 2
TEXT = b"what was agreed"


def fills(content: bytes) -> Callable[[int], None]:
    """What `make` takes to write that content."""

    def write(descriptor: int) -> None:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(content)

    return write


def sha256(content: bytes) -> str:
    """In hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


class HoldingContract:
    """Derive, override the fixture `source`, and every test below judges the holding."""

    keeps_marks = True

    @pytest.fixture
    def source(self) -> HeldSource:
        raise NotImplementedError("say how a source is made")

    @pytest.fixture
    def filled(self, source: HeldSource) -> HeldSource:
        source.put(CONTRACT.path, TEXT)
        source.put(AWKWARD.path, b"a name that is no text")
        source.put(b"readme.txt", b"at the top")
        return source

    @staticmethod
    def _scope(source: HeldSource) -> Scope:
        (scope,) = source.connector.scopes()
        return scope

    def _items(self, source: HeldSource) -> dict[ItemRef, Item]:
        return {item.ref: item for item in found(source.connector.changes(self._scope(source), KnowsNothing()))}

    def _content(self, source: HeldSource, ref: ItemRef) -> bytes:
        with source.connector.open(self._scope(source), self._items(source)[ref]) as content:
            return os.pread(content.fileno(), 100, 0)

    def _take(self, source: HeldSource, ref: ItemRef = CONTRACT, id: str = ID) -> bytes:
        """Takes the item; gives its properties."""
        item = self._items(source)[ref]
        with source.holding.take(self._scope(source), ref, item.version, id) as taken:
            return taken.taken.properties

    def _held(self, source: HeldSource, id: str = ID) -> bytes | None:
        content = source.holding.taken(self._scope(source), id)
        if content is None:
            return None
        with content:
            return os.pread(content.fileno(), 100, 0)

    def _make(self, source: HeldSource, properties: bytes, ref: ItemRef = CONTRACT, content: bytes = TEXT) -> Made:
        return source.holding.make(self._scope(source), ref, properties, fills(content), sha256(content))

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

    # Anew

    @pytest.mark.parametrize("ref", [CONTRACT, AWKWARD], ids=["plain", "awkward"])
    def test_an_item_is_made_anew_as_it_was(self, filled: HeldSource, ref: ItemRef) -> None:
        before, content = self._items(filled)[ref], self._content(filled, ref)
        properties = self._take(filled, ref)
        filled.holding.let_go(self._scope(filled), ID)
        made = self._make(filled, properties, ref, content)
        after = self._items(filled)[ref]
        assert (made.ref, made.version, made.made, made.lacking) == (ref, after.version, True, ())
        assert self._content(filled, ref) == content
        assert (after.modified_at, after.owner, after.marks) == (before.modified_at, before.owner, before.marks)

    def test_missing_folders_are_made_on_the_way(self, filled: HeldSource) -> None:
        properties = self._take(filled, AWKWARD)
        filled.remove(b"HR")
        self._make(filled, properties, AWKWARD)
        assert self._content(filled, AWKWARD) == TEXT

    def test_an_item_is_made_in_another_place(self, filled: HeldSource) -> None:
        elsewhere = ItemRef(b"Returned/\xff", b"contract (restored).txt")
        self._make(filled, self._take(filled), elsewhere)
        assert self._content(filled, elsewhere) == TEXT

    def test_making_twice_makes_once(self, filled: HeldSource) -> None:
        properties = self._take(filled)
        made = self._make(filled, properties)
        before = self._items(filled)
        again = self._make(filled, properties)
        assert (again.made, again.version) == (False, made.version)
        assert self._items(filled) == before

    def test_something_else_in_the_place_is_not_replaced(self, filled: HeldSource) -> None:
        properties = self._take(filled)
        filled.put(CONTRACT.path, b"somebody else's")
        before = self._items(filled)
        with pytest.raises(PlaceTaken):
            self._make(filled, properties)
        assert self._items(filled) == before
        assert self._content(filled, CONTRACT) == b"somebody else's"

    def test_something_else_that_comes_into_the_place_meanwhile_is_not_replaced(self, filled: HeldSource) -> None:
        properties = self._take(filled)

        def write(descriptor: int) -> None:
            fills(TEXT)(descriptor)
            filled.put(CONTRACT.path, b"somebody else's")

        with pytest.raises(PlaceTaken):
            filled.holding.make(self._scope(filled), CONTRACT, properties, write, sha256(TEXT))
        assert self._content(filled, CONTRACT) == b"somebody else's"
        assert [*filled.holding.in_hold(self._scope(filled))] == [ID]

    def test_what_should_be_made_comes_into_the_place_meanwhile(self, filled: HeldSource) -> None:
        properties = self._take(filled)

        def write(descriptor: int) -> None:
            fills(TEXT)(descriptor)
            filled.put(CONTRACT.path, TEXT)

        made = filled.holding.make(self._scope(filled), CONTRACT, properties, write, sha256(TEXT))
        assert (made.made, made.version) == (False, self._items(filled)[CONTRACT].version)

    def test_nothing_is_made_of_other_content(self, filled: HeldSource) -> None:
        properties = self._take(filled)
        left = self._items(filled)
        with pytest.raises(ItemChanged):
            filled.holding.make(self._scope(filled), CONTRACT, properties, fills(b"half of"), sha256(TEXT))
        assert self._items(filled) == left
        assert [*filled.holding.in_hold(self._scope(filled))] == [ID]

    def test_nothing_is_made_when_writing_fails(self, filled: HeldSource) -> None:
        properties = self._take(filled)
        left = self._items(filled)

        def write(descriptor: int) -> None:
            os.write(descriptor, b"half")
            raise RuntimeError("the vault does not answer")

        with pytest.raises(RuntimeError, match="vault"):
            filled.holding.make(self._scope(filled), CONTRACT, properties, write, sha256(TEXT))
        assert self._items(filled) == left
        assert [*filled.holding.in_hold(self._scope(filled))] == [ID]

    def test_what_is_made_may_have_times_of_its_own(self, filled: HeldSource) -> None:
        before = self._items(filled)[CONTRACT]
        properties = self._take(filled)
        filled.holding.make(
            self._scope(filled), CONTRACT, properties, fills(b"short note"), sha256(b"short note"), keep_times=False
        )
        assert self._items(filled)[CONTRACT].modified_at > before.modified_at

    def test_an_empty_item_goes_the_whole_way(self, filled: HeldSource) -> None:
        filled.put(b"HR/empty", b"")
        empty = ItemRef(b"HR", b"empty")
        properties = self._take(filled, empty)
        filled.holding.let_go(self._scope(filled), ID)
        assert self._make(filled, properties, empty, b"").made
        assert self._content(filled, empty) == b""

    # Marks

    def test_a_mark_is_set_on_the_very_version_or_not_at_all(self, filled: HeldSource) -> None:
        scope, item = self._scope(filled), self._items(filled)[CONTRACT]
        if not self.keeps_marks:
            with pytest.raises(Unsupported):
                filled.holding.mark(scope, CONTRACT, item.version, {"state": "due"})
            assert self._items(filled)[CONTRACT] == item
            return
        version = filled.holding.mark(scope, CONTRACT, item.version, {"state": "due", "class": "payroll"})
        marked = self._items(filled)[CONTRACT]
        assert version == marked.version != item.version
        assert {*marked.marks.values()} == {"due", "payroll"}
        assert marked.modified_at == item.modified_at
        with pytest.raises(ItemChanged):
            filled.holding.mark(scope, CONTRACT, item.version, {"state": "gone"})
        assert self._items(filled)[CONTRACT] == marked

    def test_a_mark_that_is_set_already_changes_nothing(self, filled: HeldSource) -> None:
        if not self.keeps_marks:
            pytest.skip("there are no marks here")
        scope, item = self._scope(filled), self._items(filled)[CONTRACT]
        version = filled.holding.mark(scope, CONTRACT, item.version, {"state": "due"})
        assert filled.holding.mark(scope, CONTRACT, version, {"state": "due", "class": ""}) == version
        assert self._items(filled)[CONTRACT].version == version

    def test_an_empty_mark_is_removed(self, filled: HeldSource) -> None:
        if not self.keeps_marks:
            pytest.skip("there are no marks here")
        scope, item = self._scope(filled), self._items(filled)[CONTRACT]
        version = filled.holding.mark(scope, CONTRACT, item.version, {"state": "due", "class": "payroll"})
        filled.holding.mark(scope, CONTRACT, version, {"state": "", "never set": ""})
        assert {*self._items(filled)[CONTRACT].marks.values()} == {"payroll"}

    def test_what_is_gone_cannot_be_marked(self, filled: HeldSource) -> None:
        if not self.keeps_marks:
            pytest.skip("there are no marks here")
        item = self._items(filled)[CONTRACT]
        filled.remove(CONTRACT.path)
        with pytest.raises(ItemNotFound):
            filled.holding.mark(self._scope(filled), CONTRACT, item.version, {"state": "due"})

    def test_marks_go_the_whole_way(self, filled: HeldSource) -> None:
        if not self.keeps_marks:
            pytest.skip("there are no marks here")
        item = self._items(filled)[CONTRACT]
        filled.holding.mark(self._scope(filled), CONTRACT, item.version, {"state": "due"})
        properties = self._take(filled)
        filled.holding.let_go(self._scope(filled), ID)
        self._make(filled, properties)
        assert {*self._items(filled)[CONTRACT].marks.values()} == {"due"}

    # The scope

    def test_another_source_under_the_same_name_is_left_alone(self, filled: HeldSource) -> None:
        other = Scope(self._scope(filled).name, "another identity")
        item = self._items(filled)[CONTRACT]
        properties = self._take(filled, AWKWARD)
        holding = filled.holding
        attempts: list[Callable[[], object]] = [
            lambda: holding.take(other, CONTRACT, item.version, OTHER_ID),
            lambda: holding.taken(other, ID),
            lambda: holding.put_back(other, ID, AWKWARD),
            lambda: holding.let_go(other, ID),
            lambda: [*holding.in_hold(other)],
            lambda: holding.make(other, AWKWARD, properties, fills(TEXT), sha256(TEXT)),
            lambda: holding.mark(other, CONTRACT, item.version, {"state": "due"}),
        ]
        for attempt in attempts:
            with pytest.raises(ScopeUnavailable):
                attempt()
        assert self._items(filled)[CONTRACT] == item
        assert AWKWARD not in self._items(filled)
        assert self._held(filled) == b"a name that is no text"

    def test_a_holding_may_be_closed_twice(self, filled: HeldSource) -> None:
        self._take(filled)
        filled.holding.close()
        filled.holding.close()
