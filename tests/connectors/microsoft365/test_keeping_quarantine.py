"""The quarantine folder of a drive: made, restricted, proved, and never a person's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from connectors.base import ItemRef
from connectors.errors import (
    HoldUnavailable,
    ItemChanged,
    ItemNotFound,
    PermissionDenied,
    PlaceTaken,
    SourceFault,
)
from connectors.microsoft365.acts import Drive
from connectors.microsoft365.restricted import QUARANTINE_NAME, Quarantine, id_in, name_there, was_shared
from connectors.testing_kept import CONTRACT, ID, OTHER_ID, README, TEXT
from tests.connectors.microsoft365.kept_drive import OFFICER, KeptDrive, a_kept_drive, give_back, keep
from tests.emulator import Emulator
from tests.emulator.people import application

BEA = "bea@contoso.example"


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


def _quarantine(kept: KeptDrive) -> str:
    return kept.drive.id_of(QUARANTINE_NAME)


def _made_by_us(kept: KeptDrive) -> str:
    """The folder as a crash right after making it would leave it."""
    with kept.graph.tenant.lock:
        drive = kept.drive
        return drive.make(drive.root, QUARANTINE_NAME, "folder", None, application(kept.app.client_id)).id


class TestMakingIt:
    def test_it_is_made_when_something_is_put_into_it_and_only_officers_reach_it(self, kept: KeptDrive) -> None:
        assert [*kept.keeping.in_quarantine(kept.scope)] == []
        assert kept.acts() == []
        there = keep(kept)
        assert kept.reached_by(_quarantine(kept).encode()) == {OFFICER}
        assert kept.reached_by(there.file_id) == {OFFICER}
        (invite,) = kept.calls("POST", "invite")
        assert invite.json["roles"] == ["read"]
        assert invite.json["sendInvitation"] is False

    def test_it_is_made_once(self, kept: KeptDrive) -> None:
        keep(kept)
        keep(kept, README, OTHER_ID)
        assert len(kept.calls("POST", "invite")) == 1
        assert len(kept.in_quarantine()) == 2

    def test_in_a_onedrive_it_is_taken_from_its_owner(self, graph: Emulator) -> None:
        kept = KeptDrive(graph, is_onedrive=True)
        kept.put(CONTRACT, TEXT)
        there = keep(kept)
        assert kept.reached_by(there.file_id) == {OFFICER}
        assert kept.keeping.delete(kept.scope, there.file_id, ID, there.version).method == "deleted_permanently"

    def test_without_an_officer_there_is_none(self, graph: Emulator) -> None:
        kept = KeptDrive(graph, officers=())
        kept.put(CONTRACT, TEXT)
        with pytest.raises(HoldUnavailable, match="name an officer"):
            keep(kept)
        assert kept.calls() == []

    @pytest.mark.parametrize("officer", [OFFICER, OFFICER.upper()])
    def test_officers_are_known_in_whatever_case(self, graph: Emulator, officer: str) -> None:
        kept = KeptDrive(graph, officers=(officer,))
        kept.put(CONTRACT, TEXT)
        keep(kept)
        assert len(kept.in_quarantine()) == 1

    def test_officers_may_be_named_by_object_id(self, kept: KeptDrive) -> None:
        officer = "0f4ac5e1-9d3c-4a55-8a70-7d2a6b5f1f10"
        kept.officers = (officer,)
        kept.restart()
        grant = {"id": "1", "roles": ["read"], "grantedToV2": {"user": {"id": officer}}}
        kept.fault("POST", "items/[^/]+/invite", status=200, body={"value": []})
        kept.fault("GET", "items/[^/]+/permissions", skip=1, times=None, body={"value": [grant]}, status=200)
        keep(kept)
        assert kept.calls("POST", "invite")[0].json["recipients"] == [{"objectId": officer}]

    @pytest.mark.parametrize("status", [400, 403, 405, 423, 501])
    def test_where_it_cannot_be_restricted_nothing_is_kept(self, kept: KeptDrive, id: str, status: int) -> None:
        kept.fault("POST", "items/[^/]+/invite", status=status, code="notSupported", message="no")
        with pytest.raises(HoldUnavailable, match="may not restrict"):
            keep(kept)
        assert kept.drive.path_of(id) == CONTRACT.decode()

    def test_where_restricting_it_does_nothing_nothing_is_kept(self, kept: KeptDrive, id: str) -> None:
        kept.fault("POST", "items/[^/]+/invite", status=200, body={"value": []})
        with pytest.raises(HoldUnavailable, match="reached by others"):
            keep(kept)
        assert kept.drive.path_of(id) == CONTRACT.decode()

    @pytest.mark.parametrize("status", [400, 403])
    def test_where_nobody_tells_who_reaches_it_nothing_is_kept(self, kept: KeptDrive, id: str, status: int) -> None:
        kept.fault("GET", "items/[^/]+/permissions", status=status, code="accessDenied", message="no")
        with pytest.raises(HoldUnavailable, match="read permissions"):
            keep(kept)
        assert kept.drive.path_of(id) == CONTRACT.decode()

    def test_a_list_that_shows_nobody_proves_nothing(self, kept: KeptDrive, id: str) -> None:
        kept.fault("GET", "items/[^/]+/permissions", times=None, status=200, body={"value": []})
        with pytest.raises(HoldUnavailable):
            keep(kept)
        assert kept.drive.path_of(id) == CONTRACT.decode()

    def test_what_a_crash_left_unrestricted_is_restricted(self, kept: KeptDrive, id: str) -> None:
        folder = _made_by_us(kept)
        keep(kept)
        assert _quarantine(kept) == folder
        assert kept.reached_by(id.encode()) == {OFFICER}

    def test_one_that_an_administrator_restricted_is_used(self, kept: KeptDrive, id: str) -> None:
        kept.drive.restrict(kept.drive.folder(QUARANTINE_NAME), OFFICER)
        keep(kept)
        assert kept.calls("POST", "invite") == []

    def test_permissions_that_come_from_above_are_not_its_own(self, kept: KeptDrive, id: str) -> None:
        kept.drive.restrict(kept.drive.root_id, OFFICER)
        _made_by_us(kept)
        keep(kept)
        assert len(kept.calls("POST", "invite")) == 1

    def test_a_folder_that_is_not_there_after_it_was_made_is_told(self, kept: KeptDrive) -> None:
        root = kept.drive.root_id
        kept.meanwhile("POST", f"items/{root}/children", lambda: kept.drive.remove(_quarantine(kept)), answered=True)
        with pytest.raises(SourceFault):
            keep(kept)

    def test_a_folder_that_goes_while_it_is_looked_at_is_told_as_a_fault(self, kept: KeptDrive) -> None:
        kept.meanwhile("GET", "items/[^/]+/permissions", lambda: kept.drive.remove(_quarantine(kept)))
        with pytest.raises(SourceFault):
            keep(kept)
        keep(kept)
        kept.meanwhile("GET", f"items/{_quarantine(kept)}/children", lambda: kept.drive.remove(_quarantine(kept)))
        with pytest.raises(SourceFault):
            [*kept.keeping.in_quarantine(kept.scope)]


class TestWhatIsAPersons:
    def test_a_folder_of_a_person_is_never_used(self, kept: KeptDrive, id: str) -> None:
        kept.drive.folder(QUARANTINE_NAME, by=BEA)
        with pytest.raises(HoldUnavailable, match="rename it"):
            keep(kept)
        assert kept.drive.path_of(id) == CONTRACT.decode()
        assert kept.acts() == []

    def test_a_folder_with_something_in_it_is_not_restricted(self, kept: KeptDrive) -> None:
        _made_by_us(kept)
        kept.drive.put(f"{QUARANTINE_NAME}/mine.txt", b"a person's")
        with pytest.raises(HoldUnavailable):
            keep(kept)
        assert kept.acts() == []

    def test_a_folder_that_somebody_makes_at_the_same_moment_is_not_ours(self, kept: KeptDrive) -> None:
        kept.meanwhile(
            "POST", f"items/{kept.drive.root_id}/children", lambda: kept.drive.folder(QUARANTINE_NAME, by=BEA)
        )
        with pytest.raises(HoldUnavailable):
            keep(kept)
        assert kept.calls("POST", "invite") == []

    def test_a_file_of_that_name_is_left_alone(self, kept: KeptDrive) -> None:
        kept.drive.put(QUARANTINE_NAME, b"a person's")
        with pytest.raises(HoldUnavailable, match="no folder"):
            keep(kept)
        assert kept.drive.content(_quarantine(kept)) == b"a person's"

    def test_a_folder_of_that_name_elsewhere_is_not_the_quarantine(self, kept: KeptDrive, id: str) -> None:
        kept.drive.move(id, f"HR/{QUARANTINE_NAME}/{ID}__contract.txt")
        assert kept.keeping.kept(kept.scope, id.encode(), ID) is None
        with pytest.raises(ItemChanged):
            kept.keeping.delete(kept.scope, id.encode(), ID, b"")
        kept.drive.move(id, f"{ID}__contract.txt")
        assert kept.keeping.kept(kept.scope, id.encode(), ID) is None

    def test_what_is_foreign_in_it_is_left_out(self, kept: KeptDrive, id: str) -> None:
        keep(kept)
        for name in ("notes.txt", f"{ID}_notes.txt", f"{OTHER_ID.upper()}__x.txt"):
            kept.drive.put(f"{QUARANTINE_NAME}/{name}", b"an officer's")
        kept.drive.folder(f"{QUARANTINE_NAME}/{OTHER_ID}__folder")
        assert [*kept.keeping.in_quarantine(kept.scope)] == [(ID, id.encode())]

    def test_a_full_quarantine_is_told_page_by_page(self, kept: KeptDrive) -> None:
        keep(kept)
        for number in range(501):
            kept.drive.put(f"{QUARANTINE_NAME}/{number:032x}__x", b"x")
        assert len([*kept.keeping.in_quarantine(kept.scope)]) == 502

    @pytest.mark.parametrize("loaded", [True, False])
    def test_a_name_that_is_taken_there_is_not_replaced(self, kept: KeptDrive, id: str, loaded: bool) -> None:
        keep(kept, README, OTHER_ID)
        if not loaded:
            kept.restart()
        kept.drive.put(f"{QUARANTINE_NAME}/{ID}__contract.txt", b"somebody's")
        with pytest.raises(PlaceTaken):
            keep(kept)
        assert kept.drive.path_of(id) == CONTRACT.decode()

    def test_an_id_that_is_in_use_is_known_after_a_restart(self, kept: KeptDrive) -> None:
        keep(kept)
        kept.restart()
        with pytest.raises(PlaceTaken):
            keep(kept, README)

    def test_what_is_given_back_after_a_restart_is_free_again(self, kept: KeptDrive, id: str) -> None:
        keep(kept)
        kept.restart()
        give_back(kept, id)
        keep(kept)

    def test_an_id_may_be_used_again_once_it_is_free(self, kept: KeptDrive, id: str) -> None:
        keep(kept)
        give_back(kept, id)
        there = keep(kept)
        kept.keeping.delete(kept.scope, id.encode(), ID, there.version)
        keep(kept, README)


class TestWhoReachesIt:
    @pytest.mark.parametrize("how", ["anonymous", "organization", "users", "people"])
    def test_a_folder_that_others_reach_is_not_used(self, kept: KeptDrive, how: str) -> None:
        keep(kept)
        kept.drive.share(_quarantine(kept), how, to=(BEA,))
        kept.ticks.ahead += 61
        with pytest.raises(HoldUnavailable, match="reached by others"):
            keep(kept, README, OTHER_ID)
        assert kept.drive.id_of(README.decode())

    def test_within_the_minute_of_a_proof_the_item_itself_is_looked_at(self, kept: KeptDrive) -> None:
        keep(kept)
        kept.drive.share(_quarantine(kept), "anonymous")
        with pytest.raises(PermissionDenied):
            keep(kept, README, OTHER_ID)
        assert kept.drive.id_of(README.decode())
        with pytest.raises(HoldUnavailable):
            keep(kept, README, OTHER_ID)

    def test_a_proof_holds_for_a_minute(self, kept: KeptDrive) -> None:
        for number, path in enumerate((CONTRACT, README)):
            keep(kept, path, f"{number:032x}")
            kept.ticks.ahead += 50
        proofs = kept.calls("GET", f"{_quarantine(kept)}/permissions")
        kept.put(b"third.txt", b"third")
        keep(kept, b"third.txt", ID)
        assert len(kept.calls("GET", f"{_quarantine(kept)}/permissions")) == len(proofs) + 1

    @pytest.mark.parametrize("how", ["anonymous", "organization", "users", "people"])
    def test_links_and_grants_of_the_item_are_taken_away(self, kept: KeptDrive, id: str, how: str) -> None:
        kept.drive.share(id, how, to=(BEA,))
        there = keep(kept)
        assert kept.reached_by(id.encode()) == set()
        assert kept.drive.content(id) == TEXT
        assert kept.keeping.kept(kept.scope, id.encode(), ID) == there
        given = give_back(kept, id)
        assert given.lacking == ("sharing",)

    def test_sharing_that_the_move_loses_is_told(self, kept: KeptDrive, id: str) -> None:
        kept.drive.quirks.moves_drop_sharing = True
        kept.drive.share(id, "anonymous")
        keep(kept)
        kept.restart()
        assert give_back(kept, id).lacking == ("sharing",)

    def test_sharing_that_we_may_no_longer_see_is_told_to_be_lacking(self, kept: KeptDrive, id: str) -> None:
        kept.drive.share(id, "anonymous")
        keep(kept)
        kept.fault("GET", f"items/{id}/permissions", status=403, code="accessDenied", message="no")
        assert give_back(kept, id).lacking == ("sharing",)

    def test_an_officers_own_grant_stays(self, kept: KeptDrive, id: str) -> None:
        kept.drive.restrict(id, OFFICER, BEA)
        keep(kept)
        assert kept.reached_by(id.encode()) == {OFFICER}
        assert give_back(kept, id).lacking == ("sharing",)

    def test_access_that_cannot_be_taken_away_brings_the_item_back(self, kept: KeptDrive, id: str) -> None:
        kept.drive.share(id, "anonymous")
        kept.fault("DELETE", f"items/{id}/permissions", times=None, status=403, code="accessDenied", message="no")
        with pytest.raises(PermissionDenied):
            keep(kept)
        assert kept.drive.path_of(id) == CONTRACT.decode()
        assert "anonymous" in kept.reached_by(id.encode())

    def test_access_that_goes_by_itself_is_no_fault(self, kept: KeptDrive, id: str) -> None:
        link = kept.drive.share(id, "anonymous")
        kept.fault("DELETE", f"items/{id}/permissions/{link}", status=404, code="itemNotFound", reset=None)
        with pytest.raises(PermissionDenied):  # it said so, and was wrong
            keep(kept)
        keep(kept)
        assert kept.reached_by(id.encode()) == set()

    def test_an_edit_while_access_is_taken_away_brings_the_item_back(self, kept: KeptDrive, id: str) -> None:
        link = kept.drive.share(id, "anonymous")
        kept.meanwhile("DELETE", f"items/{id}/permissions/{link}", lambda: kept.change(id.encode(), b"last words"))
        with pytest.raises(ItemChanged):
            keep(kept)
        assert kept.drive.path_of(id) == CONTRACT.decode()
        assert kept.drive.content(id) == b"last words"

    def test_a_crash_while_access_is_taken_away_leaves_what_can_be_given_back(self, kept: KeptDrive, id: str) -> None:
        kept.drive.share(id, "anonymous")
        kept.fault("GET", f"items/{id}/permissions", times=None, status=500)
        with pytest.raises(SourceFault):
            keep(kept)
        kept.graph.faults.clear()
        assert kept.restart().kept(kept.scope, id.encode(), ID) is not None
        assert give_back(kept, id).lacking == ()
        assert "anonymous" in kept.reached_by(id.encode())

    def test_a_refusal_to_wait_any_longer_while_access_is_looked_at_is_told_as_a_fault(
        self, kept: KeptDrive, id: str
    ) -> None:
        kept.fault("GET", f"items/{id}/permissions", times=None, status=429, retry_after="1000")
        with pytest.raises(SourceFault):
            keep(kept)
        kept.graph.faults.clear()
        kept.ticks.sleep(1000)
        assert kept.keeping.kept(kept.scope, id.encode(), ID) is not None

    def test_an_item_without_any_id_of_a_permission_is_not_kept(self, kept: KeptDrive, id: str) -> None:
        kept.drive.share(id, "anonymous")

        def without_ids(answer: dict[str, Any]) -> None:
            answer["value"] = [{**each, "id": ".."} for each in answer["value"]]

        kept.fault("GET", f"items/{id}/permissions", times=None, edit=without_ids)
        with pytest.raises(PermissionDenied):
            keep(kept)
        assert kept.calls("DELETE") == []


_OURS = {"grantedToV2": {"user": {"displayName": "O"}, "siteUser": {"loginName": f"i:0#.f|membership|{OFFICER}"}}}


class TestTellingPermissionsApart:
    """Whatever is not understood counts as somebody who reaches the item."""

    @pytest.mark.parametrize(
        "permission",
        [
            _OURS,
            {"grantedToV2": {"user": {"email": OFFICER}}},
            {"grantedToV2": {"group": {"email": OFFICER.upper()}}},
            {"grantedTo": {"user": {"userPrincipalName": OFFICER}}},
            {"invitation": {"email": OFFICER, "signInRequired": True}},
            {"link": {"scope": "existingAccess", "type": "view"}},
            {"grantedToV2": {"application": {"id": "OUR-CLIENT-ID"}}},
            {"grantedToV2": {"siteUser": {"loginName": "i:0i.t|00000003-0000-0ff1-ce00-000000000000|app@sharepoint"}}},
        ],
    )
    def test_officers_and_we_are_welcome(self, kept: KeptDrive, id: str, permission: dict[str, Any]) -> None:
        assert self._lets_in_nobody_else(kept, id, permission)

    @pytest.mark.parametrize(
        "permission",
        [
            {},
            {"grantedToV2": {}},
            {"grantedToV2": "everyone"},
            {"grantedToV2": {"user": "everyone"}},
            {"grantedToV2": {"user": {"email": BEA}}},
            {"grantedToV2": {"user": {"displayName": OFFICER}}},
            {"grantedToV2": {"siteGroup": {"displayName": "HR Members", "loginName": "HR Members", "id": "7"}}},
            {"grantedToV2": {"application": {"id": "another-client-id"}}},
            {"invitation": {"email": BEA}},
            {"invitation": None},
            {"link": {"scope": "anonymous", "type": "view"}},
            {"link": {"type": "view"}, **_OURS},
            {"link": {}, **_OURS},
            {"link": "x", **_OURS},
            {"link": {"scope": "users"}, "grantedToIdentitiesV2": [_OURS["grantedToV2"]]},
        ],
    )
    def test_others_are_not(self, kept: KeptDrive, id: str, permission: dict[str, Any]) -> None:
        assert not self._lets_in_nobody_else(kept, id, permission)

    def _lets_in_nobody_else(self, kept: KeptDrive, id: str, permission: dict[str, Any]) -> bool:
        quarantine = Quarantine(Drive(kept.client(), kept.drive.id), [OFFICER], client_id="our-client-id")
        told = {"value": [{"id": "1", "roles": ["read"], **permission}]}
        kept.fault("GET", f"items/{id}/permissions", times=None, status=200, body=told)
        kept.fault("DELETE", f"items/{id}/permissions", times=None, status=204, body=b"")
        try:
            return not quarantine.close_off(id)
        except PermissionDenied:
            return False


class TestItsName:
    @pytest.mark.parametrize(
        ("name", "there"),
        [
            ("a.txt", f"{ID}__a.txt"),
            ("no suffix", f"{ID}__no suffix"),
            (".hidden", f"{ID}__.hidden"),
            ("x" * 300 + ".docx", f"{ID}__{'x' * 80}.docx"),
            ("x" * 79 + ". y.docx", f"{ID}__{'x' * 79}..docx"),
            ("x." + "y" * 100, f"{ID}__x.{'y' * 78}"),
            ("x" * 79 + " y", f"{ID}__{'x' * 79}"),
            ("vti_a.txt", f"{ID}__-vti_a.txt"),
            ("😀" * 200, f"{ID}__{'😀' * 80}"),
        ],
    )
    def test_it_carries_the_act_and_as_much_of_the_name_as_is_sure_to_fit(self, name: str, there: str) -> None:
        assert name_there(ID, name, shared=False) == there
        assert len(there.encode("utf-16-le")) // 2 <= 255
        assert id_in(there) == ID
        assert not was_shared(there)

    def test_it_says_whether_the_item_was_shared(self) -> None:
        there = name_there(ID, "a.txt", shared=True)
        assert id_in(there) == ID
        assert was_shared(there)
        assert not was_shared("a.txt")

    @pytest.mark.parametrize("name", ["", "a.txt", ID, f"{ID}_x", f" {ID}__x", f"{ID.upper()}__x", f"{ID}0__x"])
    def test_other_names_carry_none(self, name: str) -> None:
        assert id_in(name) is None

    def test_an_item_with_a_very_long_name_comes_back_with_it(self, kept: KeptDrive) -> None:
        path = b"HR/" + b"n" * 250 + b".txt"
        kept.put(path, TEXT)
        there = keep(kept, path)
        ref = ItemRef(b"HR", path[3:])
        assert kept.keeping.give_back(kept.scope, there.file_id, ID, ref, b"").ref == ref
        assert kept.drive.id_of(path.decode()) == there.file_id.decode()


class TestWhenItGoes:
    def test_one_that_was_deleted_with_what_was_in_it_is_made_anew(self, kept: KeptDrive, id: str) -> None:
        there = keep(kept)
        kept.drive.remove(_quarantine(kept))
        with pytest.raises(HoldUnavailable, match="went away"):
            keep(kept, README, OTHER_ID)
        keep(kept, README, OTHER_ID)
        assert len(kept.in_quarantine()) == 1
        assert kept.keeping.delete(kept.scope, there.file_id, ID, there.version).method == "nothing_there"

    def test_an_item_in_one_that_was_made_anew_is_found(self, kept: KeptDrive, id: str) -> None:
        keep(kept)
        kept.drive.rename(_quarantine(kept), "renamed")
        _made_by_us(kept)
        kept.drive.move(id, f"{QUARANTINE_NAME}/{ID}__contract.txt")
        assert kept.keeping.kept(kept.scope, id.encode(), ID) is not None

    def test_one_that_was_renamed_is_not_looked_into_after_a_restart(self, kept: KeptDrive, id: str) -> None:
        keep(kept)
        kept.drive.rename(_quarantine(kept), "renamed")
        keeping = kept.restart()
        assert keeping.kept(kept.scope, id.encode(), ID) is None
        with pytest.raises(ItemNotFound):
            give_back(kept, id)
        assert kept.drive.content(id) == TEXT
