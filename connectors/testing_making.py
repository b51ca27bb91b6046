"""The second part of the contract of holdings: items made anew, and marks."""

from __future__ import annotations

import os

import pytest

from connectors.base import ItemRef
from connectors.errors import ItemChanged, ItemNotFound, NoPlace, PlaceTaken, Unsupported
from connectors.testing_acting import AWKWARD, CONTRACT, ID, NO_PLACES, TEXT, Acting, HeldSource, fills, sha256


class MakingContract(Acting):
    """Judges `make` and `mark`."""

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

    @pytest.mark.parametrize("ref", NO_PLACES, ids=repr)
    def test_nothing_is_made_where_nothing_can_lie(self, filled: HeldSource, ref: ItemRef) -> None:
        properties = self._take(filled)
        left = self._items(filled)
        with pytest.raises(NoPlace):
            self._make(filled, properties, ref)
        assert self._items(filled) == left
        assert [*filled.holding.in_hold(self._scope(filled))] == [ID]

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

    # What lies there

    def test_an_item_with_that_content_has_its_version_and_another_none(self, filled: HeldSource) -> None:
        scope, item = self._scope(filled), self._items(filled)[CONTRACT]
        at = filled.holding.version_at
        assert at(scope, CONTRACT, sha256(TEXT)) == item.version
        assert at(scope, CONTRACT, sha256(b"something else")) is None
        assert at(scope, ItemRef(b"HR", b"nothing.txt"), sha256(TEXT)) is None
        assert at(scope, ItemRef(b"nowhere", b"contract.txt"), sha256(TEXT)) is None
        assert self._items(filled)[CONTRACT] == item

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
