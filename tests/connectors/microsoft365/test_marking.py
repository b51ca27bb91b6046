"""Labels and columns set on items of drives, and edits that are never taken for ours."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.errors import (
    CheckedOut,
    HeldAtSource,
    ItemChanged,
    LabelledByOthers,
    LockedAtSource,
    RecordAtSource,
    Unsupported,
)
from connectors.microsoft365.keeping import DriveKeeping
from connectors.testing_kept import CONTRACT, LABEL
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


class TestLabelsAndColumns:
    def _label(self, kept: KeptDrive, label: str = FREE) -> bytes:
        return kept.keeping.label(kept.scope, kept.item(CONTRACT), label)

    def _mark(self, kept: KeptDrive, **marks: str) -> bytes:
        return kept.keeping.mark(kept.scope, kept.item(CONTRACT), marks)

    @pytest.mark.parametrize("label", [RECORD, REGULATORY, UNKNOWN])
    def test_neither_label_nor_columns_of_a_record_are_changed(self, kept: KeptDrive, id: str, label: str) -> None:
        kept.drive.label(id, label)
        refused(RecordAtSource, lambda: self._label(kept))
        refused(RecordAtSource, lambda: self._mark(kept, state="due"))
        assert kept.acts() == []

    def test_a_label_of_other_people_is_never_replaced(self, kept: KeptDrive, id: str) -> None:
        kept.drive.label(id, RETAINED)
        with pytest.raises(LabelledByOthers):
            self._label(kept)
        assert kept.acts() == []
        assert self._label(kept, RETAINED) == kept.item(CONTRACT).version

    def test_nobody_knows_our_own_labels_without_our_id(self, kept: KeptDrive, id: str) -> None:
        self._label(kept, RETAINED)
        kept.keeping = DriveKeeping(kept.client(), officers=(OFFICER,))
        with pytest.raises(LabelledByOthers):
            self._label(kept)

    def test_a_label_that_came_with_the_folder_may_be_replaced(self, kept: KeptDrive, id: str) -> None:
        folder, _, _ = CONTRACT.decode().rpartition("/")
        kept.drive.label(kept.drive.id_of(folder), RETAINED)
        assert self._label(kept) == kept.item(CONTRACT).version

    def test_a_label_may_take_the_place_of_one_that_we_have_set(self, kept: KeptDrive, id: str) -> None:
        self._label(kept, RETAINED)
        assert self._label(kept) == kept.item(CONTRACT).version
        label = kept.drive.label_of(id)
        assert label is not None
        assert label.name == FREE

    def test_what_a_label_forbids_to_change_is_not_changed(self, kept: KeptDrive, id: str) -> None:
        self._label(kept, RETAINED)
        acts = len(kept.acts())

        def forbid(item: dict[str, object]) -> None:
            settings = item["retentionLabel"]["retentionSettings"]  # type: ignore[index]
            settings.update(isLabelUpdateAllowed=False, isMetadataUpdateAllowed=False)

        kept.fault("GET", rf"items/{id}\?", edit=forbid, times=2)
        refused(HeldAtSource, lambda: self._label(kept))
        refused(HeldAtSource, lambda: self._mark(kept, state="due"))
        assert len(kept.acts()) == acts

    def test_what_is_checked_out_or_open_is_neither_labelled_nor_marked(self, kept: KeptDrive, id: str) -> None:
        kept.drive.check_out(id)
        refused(CheckedOut, lambda: self._label(kept))
        refused(CheckedOut, lambda: self._mark(kept, state="due"))
        assert kept.acts() == []
        kept.drive.check_in(id)
        kept.drive.lock(id)
        refused(LockedAtSource, lambda: self._label(kept))
        refused(LockedAtSource, lambda: self._mark(kept, state="due"))
        assert kept.drive.label_of(id) is None

    def test_an_unknown_label_is_told_apart_from_a_hold(self, kept: KeptDrive, id: str) -> None:
        refused(Unsupported, lambda: self._label(kept, "No such label"))

    def test_an_edit_right_after_the_label_is_not_taken_for_ours(self, kept: KeptDrive, id: str) -> None:
        kept.meanwhile("PATCH", f"items/{id}/retentionLabel", lambda: kept.put(CONTRACT, EDITED), answered=True)
        refused(ItemChanged, lambda: self._label(kept))
        assert kept.drive.content(id) == EDITED

    def test_a_deletion_right_after_the_label_is_told(self, kept: KeptDrive, id: str) -> None:
        kept.meanwhile("PATCH", f"items/{id}/retentionLabel", lambda: kept.drive.remove(id), answered=True)
        refused(ItemChanged, lambda: self._label(kept))

    def test_an_edit_before_the_mark_leaves_the_columns_alone(self, kept: KeptDrive, id: str) -> None:
        kept.meanwhile("PATCH", f"items/{id}/listItem/fields", lambda: kept.put(CONTRACT, EDITED))
        refused(ItemChanged, lambda: self._mark(kept, state="due"))
        assert kept.drive.fields_of(id) == {}

    def test_an_edit_right_after_the_mark_is_not_taken_for_ours(self, kept: KeptDrive, id: str) -> None:
        kept.meanwhile("PATCH", f"items/{id}/listItem/fields", lambda: kept.put(CONTRACT, EDITED), answered=True)
        refused(ItemChanged, lambda: self._mark(kept, state="due"))

    def test_columns_that_the_service_writes_into_the_file_are_no_edit(self, kept: KeptDrive) -> None:
        kept.drive.quirks.office_rewrites = True
        kept.put(b"HR/pay.docx", b"a document")
        before = kept.item(b"HR/pay.docx")
        version = kept.keeping.mark(kept.scope, before, {"state": "due"})
        after = kept.item(b"HR/pay.docx")
        assert version == after.version
        assert kept.content(after.file_id) != b"a document"

    def test_columns_that_have_their_values_are_left_alone(self, kept: KeptDrive, id: str) -> None:
        first = self._mark(kept, state="due")
        acts = len(kept.acts())
        assert self._mark(kept, state="due") == first
        assert self._mark(kept) == first
        assert len(kept.acts()) == acts

    def test_a_column_can_be_emptied(self, kept: KeptDrive, id: str) -> None:
        self._mark(kept, state="due")
        self._mark(kept, state="")
        assert kept.drive.fields_of(id) == {"state": None}

    @pytest.mark.parametrize("column", ["missing", "Modified", "needed"])
    def test_a_column_that_cannot_be_set_is_named(self, kept: KeptDrive, id: str, column: str) -> None:
        kept.drive.columns.add("needed", required=True)
        with pytest.raises(Unsupported, match=column):
            self._mark(kept, **{column: "" if column == "needed" else "due", "state": "due"})
        assert kept.drive.fields_of(id) == {}

    @pytest.mark.parametrize("column", ["", "a b", "state)&$select=id", "../retentionLabel", "@odata.etag"])
    def test_what_is_no_name_of_a_column_is_never_sent(self, kept: KeptDrive, column: str) -> None:
        asked = len(kept.calls())
        refused(Unsupported, lambda: self._mark(kept, **{column: "due"}))
        assert len(kept.calls()) == asked

    def test_the_label_of_the_contract_is_there(self, kept: KeptDrive) -> None:
        assert self._label(kept, LABEL) == kept.item(CONTRACT).version
