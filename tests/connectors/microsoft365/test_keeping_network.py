"""Acting while answers are lost, refusals come in storms, and sites and rights go away."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from connectors.base import Scope
from connectors.errors import (
    ConnectorError,
    HoldUnavailable,
    ItemChanged,
    LockedAtSource,
    NoPlace,
    NotSignedIn,
    PermissionDenied,
    ScopeUnavailable,
    SourceFault,
    Throttled,
)
from connectors.keeping import Remains
from connectors.testing_kept import CONTRACT, ID, OTHER_ID, README
from tests.connectors.microsoft365.kept_drive import (
    EDITED,
    FREE,
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


class TestTheNetworkAndTheService:
    """Answers that are lost, refusals that come in storms, sites and rights that go away."""

    @pytest.mark.parametrize("reset", ["before", "after"])
    def test_a_lost_answer_to_the_move_is_told_and_what_became_of_it_can_be_asked(
        self, kept: KeptDrive, id: str, reset: str
    ) -> None:
        kept.fault("PATCH", f"items/{id}", reset=reset)
        refused(SourceFault, lambda: keep(kept))
        there = kept.restart().kept(kept.scope, id.encode(), ID)
        if reset == "before":
            assert there is None
            assert is_in_its_place(kept, id)
        else:
            assert there is not None
            assert delete(kept, there).method == "deleted_permanently"

    @pytest.mark.parametrize("reset", ["before", "after"])
    def test_a_lost_answer_to_the_way_back_does_no_harm(self, kept: KeptDrive, id: str, reset: str) -> None:
        keep(kept)
        kept.fault("PATCH", f"items/{id}", reset=reset)
        refused(SourceFault, lambda: give_back(kept, id))
        given = give_back(kept, id)
        assert given.given is (reset == "before")
        assert is_in_its_place(kept, id)

    @pytest.mark.parametrize("permanently", [True, False])
    @pytest.mark.parametrize("reset", ["before", "after"])
    def test_a_lost_answer_to_the_deletion_does_no_harm(
        self, kept: KeptDrive, id: str, permanently: bool, reset: str
    ) -> None:
        kept.permanently = permanently
        kept.restart()
        there = keep(kept)
        kept.fault("POST", f"items/{id}/permanentDelete", reset=reset)
        kept.fault("DELETE", f"items/{id}", reset=reset)
        refused(SourceFault, lambda: delete(kept, there))
        kept.graph.faults.clear()
        deleted = delete(kept, there)
        assert (deleted.method == "nothing_there") is (reset == "after")
        assert Remains.RECYCLE_BIN in deleted.remains or deleted.method == "deleted_permanently"

    @pytest.mark.parametrize("reset", ["before", "after"])
    def test_a_lost_answer_to_a_label_or_a_mark_is_told(self, kept: KeptDrive, id: str, reset: str) -> None:
        kept.fault("PATCH", f"items/{id}/retentionLabel", reset=reset)
        kept.fault("PATCH", f"items/{id}/listItem/fields", reset=reset)
        refused(SourceFault, lambda: kept.keeping.label(kept.scope, kept.item(CONTRACT), FREE))
        refused(SourceFault, lambda: kept.keeping.mark(kept.scope, kept.item(CONTRACT), {"state": "due"}))
        version = kept.keeping.label(kept.scope, kept.item(CONTRACT), FREE)
        assert version == kept.item(CONTRACT).version
        version = kept.keeping.mark(kept.scope, kept.item(CONTRACT), {"state": "due"})
        assert version == kept.item(CONTRACT).version
        assert kept.drive.fields_of(id) == {"state": "due"}

    @pytest.mark.parametrize("reset", ["before", "after"])
    @pytest.mark.parametrize("call", ["children", "invite"])
    def test_a_lost_answer_while_the_quarantine_is_made_is_told_and_it_is_finished_the_next_time(
        self, kept: KeptDrive, id: str, call: str, reset: str
    ) -> None:
        kept.fault("POST", f"items/[^/]+/{call}", reset=reset)
        refused(SourceFault, lambda: keep(kept))
        assert is_in_its_place(kept, id)
        keep(kept)
        assert kept.reach(id.encode()) is None

    def test_what_cannot_be_looked_at_after_the_move_is_told_as_a_fault(self, kept: KeptDrive, id: str) -> None:
        kept.fault("GET", rf"items/{id}\?", skip=1, times=None, status=403, code="accessDenied")
        refused(SourceFault, lambda: keep(kept))
        kept.graph.faults.clear()
        assert kept_there(kept, id) is not None

    def test_a_service_that_fails_after_the_move_is_told_as_a_fault(self, kept: KeptDrive, id: str) -> None:
        kept.fault("GET", rf"items/{id}\?", skip=1, times=None, status=500)
        refused(SourceFault, lambda: keep(kept))
        kept.graph.faults.clear()
        assert kept_there(kept, id) is not None

    def test_a_move_that_is_promised_for_later_is_told_as_a_fault(self, kept: KeptDrive, id: str) -> None:
        kept.fault("PATCH", f"items/{id}", status=202, body=b"")
        refused(SourceFault, lambda: keep(kept))
        assert is_in_its_place(kept, id)

    def test_a_storm_of_refusals_is_waited_out_with_a_look_before_each_attempt(self, kept: KeptDrive, id: str) -> None:
        kept.fault("PATCH", f"items/{id}", status=429, code="tooManyRequests", retry_after="60", times=2)
        keep(kept)
        assert is_kept(kept, id)
        assert kept.ticks.ahead >= 120
        asked = [call.method for call in kept.calls(path=f"{id}$")]
        assert asked == ["GET", "PATCH", "GET", "PATCH", "GET", "PATCH", "GET"]

    def test_what_changes_while_a_storm_is_waited_out_is_left_where_it_is(self, kept: KeptDrive, id: str) -> None:
        kept.drive.quirks.conditions = False
        kept.fault("PATCH", f"items/{id}", status=429, code="tooManyRequests", retry_after="60")
        kept.meanwhile("GET", rf"items/{id}\?", lambda: None)
        kept.meanwhile("PATCH", f"items/{id}", lambda: kept.put(CONTRACT, EDITED))
        refused(ItemChanged, lambda: keep(kept))
        assert is_in_its_place(kept, id, EDITED)

    def test_a_storm_without_end_ends_the_attempt(self, kept: KeptDrive, id: str) -> None:
        kept.fault("PATCH", f"items/{id}", status=429, code="tooManyRequests", retry_after="60", times=None)
        refused(Throttled, lambda: keep(kept))
        assert is_in_its_place(kept, id)

    def test_a_storm_after_the_deletion_leaves_it_to_be_asked_for(self, kept: KeptDrive, id: str) -> None:
        there = keep(kept)
        kept.meanwhile(
            "POST",
            f"items/{id}/permanentDelete",
            lambda: kept.fault("GET", f"items/{id}", status=429, retry_after="3600", times=None),
            answered=True,
        )
        refused(SourceFault, lambda: delete(kept, there))
        kept.graph.faults.clear()
        kept.ticks.sleep(3600)
        assert delete(kept, there).method == "nothing_there"

    @pytest.mark.parametrize(("status", "error"), [(423, LockedAtSource), (403, PermissionDenied)])
    def test_a_site_that_is_closed_for_writing_keeps_everything_as_it_is(
        self, kept: KeptDrive, id: str, status: int, error: type[ConnectorError]
    ) -> None:
        kept.site.become("read_only", status=status, code="notAllowed")
        refused(HoldUnavailable, lambda: keep(kept))
        kept.site.become("open")
        there = keep(kept)
        kept.site.become("read_only", status=status, code="notAllowed")
        refused(error, lambda: keep(kept, README, OTHER_ID))
        refused(error, lambda: delete(kept, there))
        refused(error, lambda: give_back(kept, id))
        assert is_kept(kept, id)

    def test_a_site_that_is_gone_says_nothing_about_its_items(self, kept: KeptDrive, id: str) -> None:
        there, target = keep(kept), kept.item(README)
        kept.site.become("deleted")
        for attempt in (
            lambda: kept.keeping.keep(kept.scope, target, OTHER_ID),
            lambda: kept_there(kept, id),
            lambda: give_back(kept, id),
            lambda: delete(kept, there),
            lambda: [*kept.keeping.in_quarantine(kept.scope)],
            lambda: kept.keeping.label(kept.scope, target, FREE),
            lambda: kept.keeping.mark(kept.scope, target, {"state": "due"}),
        ):
            refused(ScopeUnavailable, attempt)  # type: ignore[arg-type]

    def test_an_item_that_is_shown_as_deleted_is_gone(self, kept: KeptDrive, id: str) -> None:
        kept.fault("GET", rf"items/{id}\?", edit=lambda item: item.update(deleted={"state": "deleted"}))
        assert kept_there(kept, id) is None

    def test_a_top_without_an_id_is_no_place_to_act(self, kept: KeptDrive, id: str) -> None:
        kept.fault("GET", r"root\?", edit=lambda item: item.pop("id"))
        refused(SourceFault, lambda: keep(kept))
        assert is_in_its_place(kept, id)

    @pytest.mark.parametrize("identity", ["", "..", "me/drive", "b!x/items/y"])
    def test_what_is_no_id_of_a_drive_is_not_asked_for(self, kept: KeptDrive, identity: str) -> None:
        asked = len(kept.graph.log)
        scope = Scope("documents", identity)
        refused(ScopeUnavailable, lambda: kept.keeping.kept(scope, b"x", ID))
        assert len(kept.graph.log) == asked

    def test_a_role_that_was_taken_away_is_told(self, kept: KeptDrive, id: str) -> None:
        there, target = keep(kept), kept.item(README)
        kept.app.roles.clear()
        refused(PermissionDenied, lambda: delete(kept, there))
        refused(PermissionDenied, lambda: kept.keeping.kept(kept.scope, id.encode(), ID))
        refused(PermissionDenied, lambda: kept.keeping.label(kept.scope, target, FREE))
        assert is_kept(kept, id)

    def test_a_role_that_lets_us_read_only_is_told(self, kept: KeptDrive, id: str) -> None:
        kept.app.roles.clear()
        kept.app.roles.add("Sites.Read.All")
        kept.restart()
        refused(HoldUnavailable, lambda: keep(kept))
        assert is_in_its_place(kept, id)

    def test_a_token_that_is_refused_in_the_middle_is_renewed(self, kept: KeptDrive, id: str) -> None:
        kept.meanwhile("GET", rf"items/{id}\?", kept.graph.revoke_tokens)
        keep(kept)
        assert is_kept(kept, id)

    def test_a_token_that_is_refused_for_good_is_told(self, kept: KeptDrive, id: str) -> None:
        kept.fault("PATCH", f"items/{id}", status=401, code="InvalidAuthenticationToken", times=None)
        refused(NotSignedIn, lambda: keep(kept))
        assert is_in_its_place(kept, id)

    def test_nothing_of_an_item_gets_into_the_log(
        self, kept: KeptDrive, id: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        kept.drive.share(id, "anonymous")
        kept.fault("PATCH", f"items/{id}", status=500)
        refused(SourceFault, lambda: keep(kept))
        there = keep(kept)
        refused(NoPlace, lambda: give_back(kept, id, b"HR/contract:.txt"))
        delete(kept, there)
        assert not any(word in caplog.text for word in ("contract", "HR/", "agreed", "Bearer "))
