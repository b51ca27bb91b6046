"""Taking items of SharePoint and OneDrive while people, rules and the source itself do their worst."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.base import ItemRef
from connectors.errors import (
    CheckedOut,
    ConnectorError,
    HeldAtSource,
    ItemChanged,
    ItemNotFound,
    LockedAtSource,
    RecordAtSource,
    SourceFault,
    Unsupported,
)
from connectors.keeping import Remains, Target
from connectors.microsoft365.version import Version
from connectors.testing_kept import CONTRACT, ID, README
from tests.connectors.microsoft365.kept_drive import (
    EDITED,
    FREE,
    OFFICER,
    RECORD,
    REGULATORY,
    RETAINED,
    UNKNOWN,
    KeptDrive,
    a_kept_drive,
    delete,
    give_back,
    is_in_its_place,
    is_kept,
    keep,
    kept_there,
    refused,
)
from tests.emulator import Emulator


@pytest.fixture(scope="module")
def graph() -> Iterator[Emulator]:
    with Emulator() as graph:
        yield graph


@pytest.fixture
def kept(graph: Emulator) -> Iterator[KeptDrive]:
    yield from a_kept_drive(graph)


@pytest.fixture
def id(kept: KeptDrive) -> str:
    """The id of the item at the source."""
    return kept.drive.id_of(CONTRACT.decode())


class TestWhatTheSourceProtects:
    """Nothing is moved, deleted or changed that a label, a hold or a person at the source holds on to."""

    @pytest.mark.parametrize(
        ("label", "error"),
        [
            (RECORD, RecordAtSource),
            (REGULATORY, RecordAtSource),
            (UNKNOWN, RecordAtSource),
            (RETAINED, HeldAtSource),
        ],
    )
    def test_what_is_labelled_so_is_not_touched(
        self, kept: KeptDrive, id: str, label: str, error: type[ConnectorError]
    ) -> None:
        kept.drive.label(id, label)
        refused(error, lambda: keep(kept))
        assert is_in_its_place(kept, id)
        assert [call for call in kept.acts() if id in call.path] == []

    def test_a_label_that_lets_go_stays_on_the_item(self, kept: KeptDrive, id: str) -> None:
        kept.drive.label(id, FREE)
        keep(kept)
        label = kept.drive.label_of(id)
        assert label is not None
        assert label.name == FREE

    def test_what_was_retained_until_now_may_go(self, kept: KeptDrive, id: str) -> None:
        kept.drive.quirks.kept_may_be_deleted = True
        kept.drive.label(id, RETAINED)
        assert delete(kept, keep(kept)).method == "deleted_permanently"

    @pytest.mark.parametrize("label", [RECORD, REGULATORY, UNKNOWN, RETAINED])
    def test_what_is_labelled_in_quarantine_is_not_deleted(self, kept: KeptDrive, id: str, label: str) -> None:
        keep(kept)
        kept.drive.label(id, label)
        there = kept_there(kept, id)
        assert there is not None
        refused(HeldAtSource if label == RETAINED else RecordAtSource, lambda: delete(kept, there))
        assert is_kept(kept, id)

    def test_a_label_without_a_word_about_what_it_does_is_asked_for_again_and_then_refused(
        self, kept: KeptDrive, id: str
    ) -> None:
        kept.drive.label(id, FREE)
        kept.fault("GET", rf"items/{id}\?", edit=lambda item: item["retentionLabel"].pop("retentionSettings"))
        kept.fault("GET", rf"items/{id}/retentionLabel", edit=lambda label: label.pop("retentionSettings"))
        refused(RecordAtSource, lambda: keep(kept))
        assert is_in_its_place(kept, id)

    def test_a_label_that_the_item_does_not_tell_is_found_all_the_same(self, kept: KeptDrive, id: str) -> None:
        kept.drive.label(id, RETAINED)
        kept.fault("GET", rf"items/{id}\?", edit=lambda item: item.pop("retentionLabel"))
        refused(HeldAtSource, lambda: keep(kept))
        assert [call for call in kept.acts() if id in call.path] == []

    def test_no_label_may_be_told_by_nothing_being_found(self, kept: KeptDrive, id: str) -> None:
        kept.drive.quirks.no_label_is_not_found = True
        keep(kept)
        assert is_kept(kept, id)

    def test_a_hold_of_which_nothing_tells_stops_the_deletion(self, kept: KeptDrive, id: str) -> None:
        there = keep(kept)
        kept.drive.hold(id)
        refused(HeldAtSource, lambda: delete(kept, there))
        assert is_kept(kept, id)

    @pytest.mark.parametrize("code", ["resourceLocked", "accessDenied"])
    def test_what_somebody_has_open_is_neither_moved_nor_deleted(self, kept: KeptDrive, id: str, code: str) -> None:
        kept.drive.lock(id, code)
        refused(LockedAtSource, lambda: keep(kept))
        assert is_in_its_place(kept, id)
        kept.drive.unlock(id)
        there = keep(kept)
        kept.drive.lock(id, code)
        refused(LockedAtSource, lambda: delete(kept, there))
        refused(LockedAtSource, lambda: give_back(kept, id))
        assert is_kept(kept, id)

    def test_what_somebody_has_checked_out_is_neither_moved_nor_deleted(self, kept: KeptDrive, id: str) -> None:
        kept.drive.check_out(id, "ann@contoso.example")
        refused(CheckedOut, lambda: keep(kept))
        assert [call for call in kept.acts() if id in call.path] == []
        kept.drive.check_in(id)
        keep(kept)
        kept.drive.check_out(id, OFFICER)
        there = kept_there(kept, id)
        assert there is not None
        refused(CheckedOut, lambda: delete(kept, there))
        assert kept.calls("POST", "permanentDelete") == []
        assert is_kept(kept, id)

    @pytest.mark.parametrize("kind", ["package", "folder", "shortcut"])
    def test_what_is_no_plain_file_is_not_moved(self, kept: KeptDrive, kind: str) -> None:
        if kind == "package":
            kept.drive.package("HR/thing")
        elif kind == "folder":
            kept.drive.folder("HR/thing")
        else:
            kept.drive.shortcut("HR/thing", (kept.drive, kept.drive.id_of(README.decode())))
        refused(Unsupported, lambda: keep(kept, b"HR/thing"))
        assert kept.drive.id_of("HR/thing")

    def test_nothing_retained_by_a_policy_is_said_to_be_gone(self, kept: KeptDrive, id: str) -> None:
        kept.site.retention_policy = True
        deleted = delete(kept, keep(kept))
        assert deleted.remains == {Remains.PRESERVATION_HOLD: None, Remains.SERVICE_BACKUP: 14}
        assert len(kept.site.preservation_hold) == 1


class TestPeopleWhileItIsTaken:
    """Between the look and the move, and between the move and the look after it."""

    def test_an_edit_before_the_move_leaves_it_where_it_is(self, kept: KeptDrive, id: str) -> None:
        kept.meanwhile("PATCH", f"items/{id}", lambda: kept.put(CONTRACT, EDITED))
        refused(ItemChanged, lambda: keep(kept))
        assert is_in_its_place(kept, id, EDITED)
        assert kept_there(kept, id) is None

    def test_an_edit_before_the_move_is_seen_after_it_where_conditions_mean_nothing(
        self, kept: KeptDrive, id: str
    ) -> None:
        kept.drive.quirks.conditions = False
        kept.meanwhile("PATCH", f"items/{id}", lambda: kept.put(CONTRACT, EDITED))
        refused(ItemChanged, lambda: keep(kept))
        assert is_in_its_place(kept, id, EDITED)

    @pytest.mark.parametrize("hashes", [True, False])
    def test_an_edit_after_the_move_brings_it_back_to_its_place(self, kept: KeptDrive, id: str, hashes: bool) -> None:
        kept.drive.quirks.hashes = hashes
        target = kept.item(CONTRACT)
        kept.meanwhile("PATCH", f"items/{id}", lambda: kept.change(id.encode(), EDITED), answered=True)
        refused(ItemChanged, lambda: kept.keep(target, ID))
        assert is_in_its_place(kept, id, EDITED)

    def test_an_edit_after_the_move_is_seen_though_the_hash_lags_behind(self, kept: KeptDrive, id: str) -> None:
        entry = kept.drive.node(id)
        assert entry is not None
        size, digest = entry.size, entry.hash

        def edit() -> None:
            kept.change(id.encode(), EDITED)
            kept.drive.claim(id, size=size, hash=digest)

        kept.meanwhile("PATCH", f"items/{id}", edit, answered=True)
        refused(ItemChanged, lambda: keep(kept))
        assert is_in_its_place(kept, id, EDITED)

    def test_without_any_hash_an_item_can_be_kept_all_the_same(self, kept: KeptDrive, id: str) -> None:
        kept.drive.quirks.hashes = False
        keep(kept)
        assert is_kept(kept, id)

    def test_what_the_service_does_by_itself_after_the_move_is_no_edit(self, kept: KeptDrive, id: str) -> None:
        kept.meanwhile("PATCH", f"items/{id}", lambda: kept.drive.fields(id, state="indexed"), answered=True)
        there = keep(kept)
        entry = kept.drive.entry(id)
        assert entry is not None
        version = Version.decode(there.version)
        assert version is not None
        assert version.etag == entry.etag

    @pytest.mark.parametrize(("label", "error"), [(RETAINED, HeldAtSource), (FREE, ItemChanged)])
    def test_a_label_set_after_the_move_brings_it_back_to_its_place(
        self, kept: KeptDrive, id: str, label: str, error: type[ConnectorError]
    ) -> None:
        kept.meanwhile("PATCH", f"items/{id}", lambda: kept.drive.label(id, label), answered=True)
        refused(error, lambda: keep(kept))
        assert is_in_its_place(kept, id)

    def test_a_label_set_before_the_move_leaves_it_where_it_is(self, kept: KeptDrive, id: str) -> None:
        kept.meanwhile("PATCH", f"items/{id}", lambda: kept.drive.label(id, RETAINED))
        refused(ItemChanged, lambda: keep(kept))
        assert is_in_its_place(kept, id)

    def test_a_record_declared_after_the_move_stays_in_quarantine_and_is_told_there(
        self, kept: KeptDrive, id: str
    ) -> None:
        kept.meanwhile("PATCH", f"items/{id}", lambda: kept.drive.label(id, RECORD), answered=True)
        refused(ItemChanged, lambda: keep(kept))
        there = kept_there(kept, id)
        assert there is not None
        refused(RecordAtSource, lambda: delete(kept, there))
        assert is_kept(kept, id)

    def test_a_label_of_its_own_that_the_move_loses_brings_it_back(self, kept: KeptDrive, id: str) -> None:
        kept.drive.quirks.moves_drop_labels = True
        kept.drive.label(id, FREE)
        refused(ItemChanged, lambda: keep(kept))
        assert is_in_its_place(kept, id)

    def test_a_label_of_its_folder_that_the_move_loses_keeps_it_where_it_is(self, kept: KeptDrive, id: str) -> None:
        kept.drive.quirks.moves_drop_labels = True
        kept.drive.label(kept.drive.id_of("HR"), FREE)
        refused(HeldAtSource, lambda: keep(kept))
        assert is_in_its_place(kept, id)

    def test_a_check_out_after_the_move_leaves_it_in_quarantine(self, kept: KeptDrive, id: str) -> None:
        kept.meanwhile("PATCH", f"items/{id}", lambda: kept.drive.check_out(id, OFFICER), answered=True)
        refused(ItemChanged, lambda: keep(kept))
        assert is_kept(kept, id)
        assert kept_there(kept, id) is not None

    def test_a_deletion_before_the_move_is_told(self, kept: KeptDrive, id: str) -> None:
        kept.meanwhile("PATCH", f"items/{id}", lambda: kept.drive.remove(id))
        refused(ItemNotFound, lambda: keep(kept))
        assert kept_there(kept, id) is None

    def test_a_deletion_after_the_move_is_told(self, kept: KeptDrive, id: str) -> None:
        kept.meanwhile("PATCH", f"items/{id}", lambda: kept.drive.remove(id), answered=True)
        refused(ItemChanged, lambda: keep(kept))
        assert kept_there(kept, id) is None

    def test_what_is_carried_off_after_the_move_is_left_there(self, kept: KeptDrive, id: str) -> None:
        kept.meanwhile("PATCH", f"items/{id}", lambda: kept.drive.move(id, "Mine/contract.txt"), answered=True)
        refused(ItemChanged, lambda: keep(kept))
        assert kept.drive.path_of(id) == "Mine/contract.txt"

    def test_what_changes_again_while_it_is_moved_back_is_moved_back_with_it(self, kept: KeptDrive, id: str) -> None:
        kept.meanwhile("PATCH", f"items/{id}", lambda: kept.change(id.encode(), EDITED), answered=True)
        kept.meanwhile("GET", rf"items/{id}\?", lambda: None)
        refused(ItemChanged, lambda: keep(kept))
        assert is_in_its_place(kept, id, EDITED)

    def test_what_cannot_be_moved_back_is_told_to_be_in_quarantine(self, kept: KeptDrive, id: str) -> None:
        def edit() -> None:
            kept.change(id.encode(), EDITED)
            kept.put(CONTRACT, b"somebody else's")

        kept.meanwhile("PATCH", f"items/{id}", edit, answered=True)
        refused(ItemChanged, lambda: keep(kept))
        assert is_kept(kept, id, EDITED)
        assert kept_there(kept, id) is not None
        assert kept.content(kept.item(CONTRACT).file_id) == b"somebody else's"

    def test_what_was_carried_off_before_it_is_moved_back_is_left_there(self, kept: KeptDrive, id: str) -> None:
        kept.drive.quirks.hashes = False
        looks: list[int] = []

        def carry_off() -> None:
            looks.append(1)
            if len(looks) == 3:  # before the move, after it, and before it is moved back
                kept.drive.move(id, "Mine/contract.txt")

        kept.meanwhile("GET", rf"items/{id}\?", carry_off, times=9)
        kept.meanwhile("PATCH", f"items/{id}", lambda: kept.change(id.encode(), EDITED), answered=True)
        refused(ItemChanged, lambda: keep(kept))
        assert kept.drive.path_of(id) == "Mine/contract.txt"

    def test_another_name_or_folder_is_another_item_to_decide_on(self, kept: KeptDrive, id: str) -> None:
        target = kept.item(CONTRACT)
        kept.drive.move(id, "Leavers/other.txt")
        moved = kept.item(b"Leavers/other.txt")
        for ref, folder in (
            (target.ref, target.folder_id),
            (ItemRef(b"Leavers", b"contract.txt"), moved.folder_id),
            (ItemRef(b"HR", b"other.txt"), target.folder_id),
            (ItemRef(b"HR", b"other.txt"), b""),
        ):
            stale = Target(target.file_id, ref, folder, moved.version)
            refused(ItemChanged, lambda stale=stale: kept.keep(stale, ID))  # type: ignore[misc]
        kept.keep(Target(target.file_id, moved.ref, b"", moved.version), ID)
        assert is_kept(kept, id)

    @pytest.mark.parametrize("version", [b"", b"1", b"[]", b'["d1","x","y"]', b"\xff"])
    def test_a_version_that_is_none_of_ours_is_never_met(self, kept: KeptDrive, id: str, version: bytes) -> None:
        target = kept.item(CONTRACT)
        refused(ItemChanged, lambda: kept.keep(Target(target.file_id, target.ref, target.folder_id, version), ID))
        assert is_in_its_place(kept, id)

    def test_an_id_that_is_none_is_not_found(self, kept: KeptDrive) -> None:
        target = kept.item(CONTRACT)
        for file_id in (b"", b"..", b"root:/HR/contract.txt:", "ä".encode()):
            refused(
                ItemNotFound,
                lambda file_id=file_id: kept.keep(  # type: ignore[misc]
                    Target(file_id, target.ref, target.folder_id, target.version), ID
                ),
            )

    def test_the_top_of_the_drive_is_no_item(self, kept: KeptDrive) -> None:
        target = kept.item(CONTRACT)
        with pytest.raises(SourceFault):
            kept.keep(Target(b"root", target.ref, b"", target.version), ID)

    def test_the_id_of_an_act_is_checked(self, kept: KeptDrive, id: str) -> None:
        for act in ("", "x", ID.upper(), f"{ID}0"):
            with pytest.raises(ValueError, match="hexadecimal"):
                keep(kept, act=act)
        assert is_in_its_place(kept, id)
