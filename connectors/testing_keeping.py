"""The contract that every keeping passes. A suite of tests: derive from it and say how a source is made."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace

import pytest

from connectors.base import ItemRef, KnowsNothing, Scope
from connectors.errors import ItemChanged, ItemNotFound, NoPlace, PlaceTaken, ScopeUnavailable, Unsupported
from connectors.testing import found
from connectors.testing_kept import (
    AWKWARD,
    CONTRACT,
    ID,
    LABEL,
    NO_PLACES,
    OTHER_ID,
    README,
    TEXT,
    KeepingActs,
    KeptSource,
)


class KeepingContract(KeepingActs):
    """Derive, override the fixture `source`, and every test below judges the keeping."""

    # Into quarantine

    @pytest.mark.parametrize("path", [CONTRACT, AWKWARD, README], ids=["plain", "awkward", "top"])
    def test_what_is_kept_is_out_of_its_place_and_whole(self, filled: KeptSource, path: bytes) -> None:
        content = filled.content(filled.item(path).file_id)
        target, kept = self._keep(filled, path)
        assert (kept.id, kept.file_id, kept.size_bytes) == (ID, target.file_id, len(content))
        assert kept.version
        assert kept.sha256 in ("", hashlib.sha256(content).hexdigest())
        assert self._is_kept(filled, target, content)

    def test_what_is_kept_is_not_found_by_a_scan(self, filled: KeptSource) -> None:
        before = {item.ref for item in found(filled.connector.changes(self._scope(filled), KnowsNothing()))}
        target, _ = self._keep(filled)
        after = {item.ref for item in found(filled.connector.changes(self._scope(filled), KnowsNothing()))}
        assert after == before - {target.ref}

    def test_only_the_very_version_is_kept(self, filled: KeptSource) -> None:
        if not self.changes:
            pytest.skip("nothing changes here")
        target = filled.item(CONTRACT)
        filled.put(CONTRACT, b"agreed otherwise")
        with pytest.raises(ItemChanged):
            filled.keeping.keep(self._scope(filled), target, ID)
        assert self._is_as_it_was(filled, target, b"agreed otherwise")

    def test_an_item_that_was_moved_meanwhile_is_left_where_it_is(self, filled: KeptSource) -> None:
        target = filled.item(CONTRACT)
        filled.move(CONTRACT, b"Leavers/contract.txt")
        with pytest.raises(ItemChanged):
            filled.keeping.keep(self._scope(filled), target, ID)
        assert self._is_as_it_was(filled, filled.item(b"Leavers/contract.txt"))

    @pytest.mark.parametrize("gone", [CONTRACT, b"HR"])
    def test_an_item_that_is_gone_is_not_found(self, filled: KeptSource, gone: bytes) -> None:
        target = filled.item(CONTRACT)
        filled.remove(gone)
        with pytest.raises(ItemNotFound):
            filled.keeping.keep(self._scope(filled), target, ID)
        assert self._kept(filled, target) is None

    def test_another_item_that_came_into_the_place_is_left_alone(self, filled: KeptSource) -> None:
        target = filled.item(CONTRACT)
        filled.remove(CONTRACT)
        filled.put(CONTRACT, TEXT)
        with pytest.raises(ItemNotFound):
            filled.keeping.keep(self._scope(filled), target, ID)
        assert self._is_as_it_was(filled, filled.item(CONTRACT))

    def test_an_id_is_used_once(self, filled: KeptSource) -> None:
        target, _ = self._keep(filled)
        other = filled.item(README)
        with pytest.raises(PlaceTaken):
            filled.keeping.keep(self._scope(filled), other, ID)
        assert filled.reach(other.file_id) == other.ref
        assert self._is_kept(filled, target)

    def test_what_the_source_protects_stays_where_it_is(self, filled: KeptSource) -> None:
        for error in self.protections:
            target = filled.item(CONTRACT)
            filled.protect(target.file_id, error)
            with pytest.raises(error):
                filled.keeping.keep(self._scope(filled), replace(target, version=filled.item(CONTRACT).version), ID)
            assert self._is_as_it_was(filled, target), error.__name__
            filled.protect(target.file_id, None)

    # In quarantine

    def test_what_is_kept_is_told_as_it_is_there(self, filled: KeptSource) -> None:
        target, kept = self._keep(filled)
        again = self._kept(filled, target)
        assert again is not None
        assert (again.file_id, again.version, again.size_bytes) == (target.file_id, kept.version, len(TEXT))

    def test_of_what_was_not_kept_nothing_is_there(self, filled: KeptSource) -> None:
        assert self._kept(filled, filled.item(CONTRACT)) is None
        assert [*filled.keeping.in_quarantine(self._scope(filled))] == []

    def test_an_item_and_the_id_of_another_do_not_go_together(self, filled: KeptSource) -> None:
        target, _ = self._keep(filled)
        other, _ = self._keep(filled, README, OTHER_ID)
        assert self._kept(filled, target, OTHER_ID) is None
        assert self._kept(filled, other, ID) is None
        in_quarantine = [*filled.keeping.in_quarantine(self._scope(filled))]
        assert sorted(in_quarantine) == [(ID, target.file_id), (OTHER_ID, other.file_id)]

    def test_what_was_kept_is_there_after_a_restart(self, filled: KeptSource) -> None:
        target, kept = self._keep(filled)
        again = filled.restart().kept(self._scope(filled), target.file_id, ID)
        assert again is not None
        assert again.version == kept.version

    def test_what_changes_in_quarantine_is_at_another_version(self, filled: KeptSource) -> None:
        if not self.changes:
            pytest.skip("nothing changes here")
        target, kept = self._keep(filled)
        filled.change(target.file_id, b"agreed otherwise")
        again = self._kept(filled, target)
        assert again is not None
        assert again.version != kept.version

    # Back

    @pytest.mark.parametrize("path", [CONTRACT, AWKWARD, README], ids=["plain", "awkward", "top"])
    def test_an_item_is_given_back_as_it_was(self, filled: KeptSource, path: bytes) -> None:
        content = filled.content(filled.item(path).file_id)
        target, kept = self._keep(filled, path)
        given = self._give_back(filled, target)
        assert (given.ref, given.given, given.before) == (target.ref, True, kept.version)
        assert given.version == filled.item(path).version
        assert self._is_as_it_was(filled, target, content)

    def test_giving_back_twice_gives_back_once(self, filled: KeptSource) -> None:
        target, _ = self._keep(filled)
        given = self._give_back(filled, target)
        again = self._give_back(filled, target)
        assert again == replace(given, given=False, lacking=again.lacking, before=b"")
        assert self._is_as_it_was(filled, target)

    def test_what_was_given_back_can_be_kept_at_its_new_version(self, filled: KeptSource) -> None:
        target, _ = self._keep(filled)
        given = self._give_back(filled, target)
        filled.keeping.keep(self._scope(filled), replace(target, version=given.version), OTHER_ID)
        assert filled.reach(target.file_id) is None

    def test_an_item_is_given_back_to_another_place(self, filled: KeptSource) -> None:
        target, _ = self._keep(filled)
        to = ItemRef("Returned/Müller".encode(), b"contract (restored).txt" if self.names else target.ref.name)
        given = filled.keeping.give_back(self._scope(filled), target.file_id, ID, to, b"")
        assert given.ref == filled.reach(target.file_id) == to
        assert filled.content(target.file_id) == TEXT

    def test_a_missing_folder_is_made_on_the_way_back(self, filled: KeptSource) -> None:
        target, _ = self._keep(filled)
        filled.remove(b"HR")
        given = self._give_back(filled, target)
        assert given.ref == filled.reach(target.file_id) == target.ref

    def test_a_folder_that_was_moved_is_made_anew_where_the_item_should_lie(self, filled: KeptSource) -> None:
        target, _ = self._keep(filled)
        filled.move(b"HR", b"Human resources")
        given = self._give_back(filled, target)
        assert given.ref == filled.reach(target.file_id) == target.ref

    def test_nothing_is_replaced_on_the_way_back(self, filled: KeptSource) -> None:
        if not self.names:
            pytest.skip("two items may have one name here")
        target, _ = self._keep(filled)
        filled.put(CONTRACT, b"somebody else's")
        with pytest.raises(PlaceTaken):
            self._give_back(filled, target)
        assert filled.content(filled.item(CONTRACT).file_id) == b"somebody else's"
        assert self._is_kept(filled, target)

    def test_a_folder_in_the_place_is_not_replaced(self, filled: KeptSource) -> None:
        if not self.names:
            pytest.skip("items and folders do not share names here")
        target, _ = self._keep(filled)
        filled.put(CONTRACT + b"/inside", b"somebody else's")
        with pytest.raises(PlaceTaken):
            self._give_back(filled, target)
        assert self._is_kept(filled, target)

    @pytest.mark.parametrize("to", NO_PLACES, ids=repr)
    def test_nothing_is_given_back_to_where_nothing_can_lie(self, filled: KeptSource, to: ItemRef) -> None:
        if not self.names and to.folder == b"HR":
            pytest.skip("items have no names of their own here")
        target, _ = self._keep(filled)
        with pytest.raises(NoPlace):
            filled.keeping.give_back(self._scope(filled), target.file_id, ID, to, b"")
        assert self._is_kept(filled, target)

    def test_what_was_not_kept_is_not_given_back(self, filled: KeptSource) -> None:
        target = filled.item(CONTRACT)
        filled.remove(CONTRACT)
        with pytest.raises(ItemNotFound):
            self._give_back(filled, target)

    def test_what_somebody_carried_elsewhere_is_not_given_back(self, filled: KeptSource) -> None:
        target, _ = self._keep(filled)
        filled.carry_off(target.file_id, b"Elsewhere/contract.txt")
        there = filled.item(b"Elsewhere/contract.txt")
        with pytest.raises(ItemNotFound):
            self._give_back(filled, target)
        assert filled.reach(target.file_id) == there.ref

    # Away

    def test_what_is_deleted_is_gone(self, filled: KeptSource) -> None:
        target, kept = self._keep(filled)
        deleted = filled.keeping.delete(self._scope(filled), target.file_id, ID, kept.version)
        assert deleted.method in ("deleted_permanently", "recycled")
        assert (deleted.method == "deleted_permanently") or deleted.remains
        assert all(days is None or days >= 0 for days in deleted.remains.values())
        assert self._kept(filled, target) is None
        assert filled.reach(target.file_id) is None
        assert [*filled.keeping.in_quarantine(self._scope(filled))] == []

    def test_deleting_twice_tells_that_there_was_nothing(self, filled: KeptSource) -> None:
        target, kept = self._keep(filled)
        filled.keeping.delete(self._scope(filled), target.file_id, ID, kept.version)
        again = filled.keeping.delete(self._scope(filled), target.file_id, ID, kept.version)
        assert again.method == "nothing_there"

    def test_deleting_touches_nothing_else(self, filled: KeptSource) -> None:
        _, kept = self._keep(filled, README, OTHER_ID)
        target = filled.item(CONTRACT)
        filled.keeping.delete(self._scope(filled), kept.file_id, OTHER_ID, kept.version)
        assert self._is_as_it_was(filled, target)

    def test_only_the_very_version_is_deleted(self, filled: KeptSource) -> None:
        if not self.changes:
            pytest.skip("nothing changes here")
        target, kept = self._keep(filled)
        filled.change(target.file_id, b"agreed otherwise")
        with pytest.raises(ItemChanged):
            filled.keeping.delete(self._scope(filled), target.file_id, ID, kept.version)
        assert self._is_kept(filled, target, b"agreed otherwise")

    def test_what_lies_elsewhere_is_neither_deleted_nor_said_to_be(self, filled: KeptSource) -> None:
        target, kept = self._keep(filled)
        filled.carry_off(target.file_id, b"Elsewhere/contract.txt")
        with pytest.raises(ItemChanged):
            filled.keeping.delete(self._scope(filled), target.file_id, ID, kept.version)
        assert filled.content(target.file_id) == TEXT

    def test_what_was_not_kept_is_not_deleted(self, filled: KeptSource) -> None:
        target = filled.item(CONTRACT)
        with pytest.raises(ItemChanged):
            filled.keeping.delete(self._scope(filled), target.file_id, ID, target.version)
        assert self._is_as_it_was(filled, target)

    def test_what_the_source_protects_is_not_deleted(self, filled: KeptSource) -> None:
        for error in self.protections:
            target, _ = self._keep(filled)
            filled.protect(target.file_id, error)
            now = self._kept(filled, target)
            assert now is not None
            with pytest.raises(error):
                filled.keeping.delete(self._scope(filled), target.file_id, ID, now.version)
            assert self._is_kept(filled, target), error.__name__
            filled.protect(target.file_id, None)
            self._give_back(filled, target)

    # Labels and marks

    def test_a_label_is_set_on_the_very_version_or_not_at_all(self, filled: KeptSource) -> None:
        scope, target = self._scope(filled), filled.item(CONTRACT)
        if not self.labels:
            with pytest.raises(Unsupported):
                filled.keeping.label(scope, target, LABEL)
            assert filled.item(CONTRACT) == target
            return
        version = filled.keeping.label(scope, target, LABEL)
        labelled = filled.item(CONTRACT)
        assert labelled.version == version
        assert filled.keeping.label(scope, labelled, LABEL) == version
        if self.changes:
            filled.put(CONTRACT, b"agreed otherwise")
            with pytest.raises(ItemChanged):
                filled.keeping.label(scope, labelled, LABEL)

    def test_a_label_that_the_source_does_not_have_is_refused(self, filled: KeptSource) -> None:
        target = filled.item(CONTRACT)
        with pytest.raises(Unsupported):
            filled.keeping.label(self._scope(filled), target, "No such label")
        assert filled.item(CONTRACT) == target

    def test_a_mark_is_set_on_the_very_version_or_not_at_all(self, filled: KeptSource) -> None:
        scope, target = self._scope(filled), filled.item(CONTRACT)
        if not self.marks:
            with pytest.raises(Unsupported):
                filled.keeping.mark(scope, target, {"state": "due"})
            assert filled.item(CONTRACT) == target
            return
        version = filled.keeping.mark(scope, target, {"state": "due"})
        assert filled.item(CONTRACT).version == version
        if self.changes:
            filled.put(CONTRACT, b"agreed otherwise")
            with pytest.raises(ItemChanged):
                filled.keeping.mark(scope, replace(target, version=version), {"state": "gone"})

    def test_what_is_gone_can_be_neither_labelled_nor_marked(self, filled: KeptSource) -> None:
        scope, target = self._scope(filled), filled.item(CONTRACT)
        filled.remove(CONTRACT)
        if self.labels:
            with pytest.raises(ItemNotFound):
                filled.keeping.label(scope, target, LABEL)
        if self.marks:
            with pytest.raises(ItemNotFound):
                filled.keeping.mark(scope, target, {"state": "due"})

    # Whatever it is

    def test_another_source_under_the_same_name_is_left_alone(self, filled: KeptSource) -> None:
        other = Scope(self._scope(filled).name, "another identity")
        here = filled.item(README)
        target, kept = self._keep(filled)
        keeping = filled.keeping
        attempts: list[Callable[[], object]] = [
            lambda: keeping.keep(other, here, OTHER_ID),
            lambda: keeping.kept(other, target.file_id, ID),
            lambda: keeping.give_back(other, target.file_id, ID, target.ref, target.folder_id),
            lambda: keeping.delete(other, target.file_id, ID, kept.version),
            lambda: [*keeping.in_quarantine(other)],
            lambda: keeping.label(other, here, LABEL),
            lambda: keeping.mark(other, here, {"state": "due"}),
        ]
        for attempt in attempts:
            with pytest.raises(ScopeUnavailable):
                attempt()
        assert filled.item(README) == here
        assert self._is_kept(filled, target)

    def test_a_keeping_may_be_closed_twice(self, filled: KeptSource) -> None:
        self._keep(filled)
        filled.keeping.close()
        filled.keeping.close()
