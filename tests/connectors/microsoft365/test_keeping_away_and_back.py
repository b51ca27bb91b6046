"""Deleting items, and giving them back, while people do their worst."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.base import ItemRef
from connectors.errors import (
    HeldAtSource,
    ItemChanged,
    ItemNotFound,
    NoPlace,
    PlaceTaken,
    RecordAtSource,
    SourceFault,
)
from connectors.keeping import Remains
from connectors.microsoft365.restricted import QUARANTINE_NAME
from connectors.microsoft365.version import Version
from connectors.testing_kept import CONTRACT
from tests.connectors.microsoft365.kept_drive import (
    EDITED,
    FREE,
    RECORD,
    KeptDrive,
    a_kept_drive,
    delete,
    give_back,
    is_in_its_place,
    is_kept,
    keep,
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


class TestPeopleWhileItIsDeleted:
    def test_an_edit_before_the_deletion_saves_it(self, kept: KeptDrive, id: str) -> None:
        kept.permanently = False
        kept.restart()
        there = keep(kept)
        kept.meanwhile("DELETE", f"items/{id}", lambda: kept.change(id.encode(), EDITED))
        refused(ItemChanged, lambda: delete(kept, there))
        assert is_kept(kept, id, EDITED)

    def test_an_edit_while_the_label_is_looked_at_saves_it(self, kept: KeptDrive, id: str) -> None:
        there = keep(kept)
        kept.meanwhile("GET", f"items/{id}/retentionLabel", lambda: kept.change(id.encode(), EDITED), answered=True)
        refused(ItemChanged, lambda: delete(kept, there))
        assert is_kept(kept, id, EDITED)

    def test_the_condition_is_sent_where_the_service_documents_none(self, kept: KeptDrive, id: str) -> None:
        there = keep(kept)
        delete(kept, there)
        (call,) = kept.calls("POST", "permanentDelete")
        version = Version.decode(there.version)
        assert version is not None
        assert call.headers["If-Match"] == version.etag

    @pytest.mark.parametrize("permanently", [True, False])
    def test_a_label_before_the_deletion_saves_it(self, kept: KeptDrive, id: str, permanently: bool) -> None:
        kept.permanently = permanently
        kept.restart()
        there = keep(kept)
        kept.meanwhile("POST", f"items/{id}/permanentDelete", lambda: kept.drive.label(id, RECORD))
        kept.meanwhile("DELETE", f"items/{id}", lambda: kept.drive.label(id, RECORD))
        with pytest.raises((HeldAtSource, ItemChanged)):
            delete(kept, there)
        assert is_kept(kept, id)

    def test_what_somebody_deleted_first_is_told_as_nothing_there_that_may_lie_in_a_recycle_bin(
        self, kept: KeptDrive, id: str
    ) -> None:
        there = keep(kept)
        kept.meanwhile("POST", f"items/{id}/permanentDelete", lambda: kept.drive.remove(id))
        deleted = delete(kept, there)
        assert deleted.method == "nothing_there"
        assert deleted.remains[Remains.RECYCLE_BIN] == 93

    def test_what_was_carried_off_is_not_deleted(self, kept: KeptDrive, id: str) -> None:
        there = keep(kept)
        kept.drive.move(id, "HR/contract.txt")
        refused(ItemChanged, lambda: delete(kept, there))
        assert is_in_its_place(kept, id)

    @pytest.mark.parametrize("status", [400, 403, 405, 501])
    def test_where_nothing_can_be_deleted_past_the_recycle_bin_it_is_recycled(
        self, kept: KeptDrive, id: str, status: int
    ) -> None:
        there = keep(kept)
        kept.fault("POST", f"items/{id}/permanentDelete", status=status, code="notSupported", message="no")
        deleted = delete(kept, there)
        assert deleted.method == "recycled"
        assert deleted.remains == {
            Remains.RECYCLE_BIN: 93,
            Remains.SECOND_STAGE: 93,
            Remains.PRESERVATION_HOLD: None,
            Remains.SERVICE_BACKUP: 107,
        }
        assert kept.site.recycle_bin.of(id) is not None

    def test_a_condition_that_is_not_understood_leads_to_the_recycle_bin(self, kept: KeptDrive, id: str) -> None:
        there = keep(kept)
        kept.fault("POST", f"items/{id}/permanentDelete", status=412, code="resourceModified")
        assert delete(kept, there).method == "recycled"

    def test_what_is_still_shown_is_not_said_to_be_deleted(self, kept: KeptDrive, id: str) -> None:
        there = keep(kept)
        kept.fault("POST", f"items/{id}/permanentDelete", status=204, body=b"")
        refused(SourceFault, lambda: delete(kept, there))
        assert is_kept(kept, id)

    @pytest.mark.parametrize("status", [200, 202])
    def test_what_is_only_promised_is_not_said_to_be_deleted(self, kept: KeptDrive, id: str, status: int) -> None:
        there = keep(kept)
        kept.fault("POST", f"items/{id}/permanentDelete", status=status, body=b"")
        refused(SourceFault, lambda: delete(kept, there))
        assert is_kept(kept, id)

    def test_what_cannot_be_looked_at_afterwards_is_asked_for_again(self, kept: KeptDrive, id: str) -> None:
        there = keep(kept)
        kept.meanwhile("POST", f"items/{id}/permanentDelete", lambda: kept.site.become("locked"), answered=True)
        refused(SourceFault, lambda: delete(kept, there))
        kept.site.become("open")
        assert delete(kept, there).method == "nothing_there"

    def test_what_is_not_found_when_it_is_deleted_but_is_there_is_not_said_to_be_gone(
        self, kept: KeptDrive, id: str
    ) -> None:
        there = keep(kept)
        kept.fault("POST", f"items/{id}/permanentDelete", status=404, code="itemNotFound")
        refused(SourceFault, lambda: delete(kept, there))
        assert is_kept(kept, id)


class TestPeopleWhileItIsGivenBack:
    @pytest.mark.parametrize("kind", ["file", "package"])
    def test_what_is_no_folder_on_the_way_is_not_replaced(self, kept: KeptDrive, id: str, kind: str) -> None:
        keep(kept)
        kept.drive.package("Other") if kind == "package" else kept.drive.put("Other", b"a file")
        refused(PlaceTaken, lambda: give_back(kept, id, b"Other/contract.txt"))
        assert is_kept(kept, id)

    def test_a_folder_is_found_whatever_the_case_of_its_name(self, kept: KeptDrive, id: str) -> None:
        keep(kept)
        given = give_back(kept, id, b"hr/contract.txt")
        assert kept.drive.path_of(id) == "HR/contract.txt"
        assert given.ref == ItemRef(b"HR", b"contract.txt")

    def test_a_folder_that_somebody_makes_meanwhile_is_used(self, kept: KeptDrive, id: str) -> None:
        keep(kept)
        kept.meanwhile("POST", f"items/{kept.drive.root_id}/children", lambda: kept.drive.folder("New"))
        give_back(kept, id, b"New/contract.txt")
        assert kept.drive.path_of(id) == "New/contract.txt"

    def test_a_folder_that_is_not_there_after_it_was_made_is_told(self, kept: KeptDrive, id: str) -> None:
        keep(kept)
        root = kept.drive.root_id
        kept.meanwhile(
            "POST", f"items/{root}/children", lambda: kept.drive.remove(kept.drive.id_of("New")), answered=True
        )
        refused(SourceFault, lambda: give_back(kept, id, b"New/contract.txt"))
        assert is_kept(kept, id)

    def test_a_folder_that_goes_while_one_is_made_in_it_is_told(self, kept: KeptDrive, id: str) -> None:
        keep(kept)
        folder = kept.drive.folder("Old")
        kept.meanwhile("POST", f"items/{folder}/children", lambda: kept.drive.remove(folder))
        refused(SourceFault, lambda: give_back(kept, id, b"Old/New/contract.txt"))
        assert is_kept(kept, id)

    def test_a_folder_that_goes_before_the_move_is_told_and_made_the_next_time(self, kept: KeptDrive, id: str) -> None:
        target = kept.item(CONTRACT)
        keep(kept)
        kept.meanwhile("PATCH", f"items/{id}", lambda: kept.drive.remove(kept.drive.id_of("HR")))
        refused(SourceFault, lambda: give_back(kept, id, folder_id=target.folder_id))
        give_back(kept, id, folder_id=target.folder_id)
        assert is_in_its_place(kept, id)

    def test_what_goes_before_the_move_is_told_to_be_gone(self, kept: KeptDrive, id: str) -> None:
        keep(kept)
        kept.meanwhile("PATCH", f"items/{id}", lambda: kept.drive.remove(id))
        refused(ItemNotFound, lambda: give_back(kept, id))

    def test_what_is_carried_off_while_its_folder_is_looked_for_is_left_there(self, kept: KeptDrive, id: str) -> None:
        keep(kept)
        root = kept.drive.root_id
        kept.meanwhile("GET", f"items/{root}/children", lambda: kept.drive.move(id, "Mine/contract.txt"))
        refused(SourceFault, lambda: give_back(kept, id))
        refused(ItemNotFound, lambda: give_back(kept, id))
        assert kept.drive.path_of(id) == "Mine/contract.txt"

    def test_what_is_carried_off_right_after_the_move_is_told(self, kept: KeptDrive, id: str) -> None:
        keep(kept)
        kept.meanwhile("PATCH", f"items/{id}", lambda: kept.drive.move(id, "Mine/contract.txt"), answered=True)
        refused(SourceFault, lambda: give_back(kept, id))
        refused(ItemNotFound, lambda: give_back(kept, id))

    @pytest.mark.parametrize("to", [b"HR/a:b.txt", b"a|b/contract.txt", b"HR/ x.txt"])
    def test_a_name_that_there_cannot_be_is_no_place(self, kept: KeptDrive, id: str, to: bytes) -> None:
        keep(kept)
        refused(NoPlace, lambda: give_back(kept, id, to))
        assert is_kept(kept, id)

    @pytest.mark.parametrize(
        "to", [b"\xff/contract.txt", b"HR/\xff", f"{QUARANTINE_NAME.upper()}/a.txt".encode(), b"a/b/../c"]
    )
    def test_what_is_no_text_or_in_the_quarantine_is_no_place(self, kept: KeptDrive, id: str, to: bytes) -> None:
        keep(kept)
        asked = len(kept.calls())
        refused(NoPlace, lambda: give_back(kept, id, to))
        assert len(kept.calls()) == asked

    def test_an_item_that_lies_in_its_folder_wherever_that_is_now_was_given_back(
        self, kept: KeptDrive, id: str
    ) -> None:
        target = kept.item(CONTRACT)
        keep(kept)
        give_back(kept, id, folder_id=target.folder_id)
        kept.drive.move(kept.drive.id_of("HR"), "People")
        again = give_back(kept, id, folder_id=target.folder_id)
        assert (again.given, again.ref) == (False, ItemRef(b"People", b"contract.txt"))

    def test_a_folder_that_lies_in_itself_leads_nowhere(self, kept: KeptDrive, id: str) -> None:
        target = kept.item(CONTRACT)
        keep(kept)
        folder = target.folder_id.decode()
        loop = {"parentReference": {"id": folder, "driveId": kept.drive.id}}
        kept.fault("GET", rf"items/{folder}\?", times=None, edit=lambda item: item.update(loop))
        give_back(kept, id, folder_id=target.folder_id)
        assert is_in_its_place(kept, id)

    def test_a_label_that_the_way_back_loses_is_told(self, kept: KeptDrive, id: str) -> None:
        kept.drive.label(id, FREE)
        keep(kept)
        kept.drive.quirks.moves_drop_labels = True
        assert give_back(kept, id).lacking == ("label",)

    def test_a_record_is_not_moved_out_of_quarantine(self, kept: KeptDrive, id: str) -> None:
        keep(kept)
        kept.drive.label(id, RECORD)
        refused(RecordAtSource, lambda: give_back(kept, id))
        assert is_kept(kept, id)
