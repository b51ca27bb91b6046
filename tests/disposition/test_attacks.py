"""Ways in which the destructive path could be made to lose something, to get stuck, or to say what is not so."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from agent.acting import twins
from agent.catalogue.base import Share
from agent.catalogue.disposal_rows import Disposal, Step
from agent.catalogue.disposals import DisposalRecords
from agent.catalogue.outgoing import Bundle, BundleRecords
from agent.disposition.relocate import Relocation
from agent.errors import UsageError
from agent.model.disposal import DisposalState, Obstacle
from agent.model.review import ActKind
from agent.model.schedule import Disposition
from agent.retention.loader import load_schedule
from agent.usecases.dispose_rules import ActRules
from agent.usecases.evaluate import Terms
from agent.usecases.hand_back import HandingBack
from agent.vault.base import Damaged, Fate, StorageFailed
from agent.vault.store import Vault
from connectors.base import ItemRef
from connectors.errors import SourceFault
from connectors.filesystem.holding import FilesystemHolding
from tests.disposition.house import RULES, TERMS, WRITTEN, House
from tests.disposition.test_never import hold, pause, reject
from tests.disposition.test_recovery import CASE, CONTENT, cut_off, failing, in_place


@pytest.fixture
def due(house: House) -> House:
    house.put(CASE, CONTENT)
    house.scan()
    house.approve(CASE)
    return house


# A crash, and what happens before somebody recovers


def sealed_only(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    cut_off(house, (FilesystemHolding, "let_go"), house.take, monkeypatch)
    assert (house.states(), len(house.held())) == (["sealed"], 1)


def test_a_sealed_item_comes_back_although_a_scan_has_met_a_newcomer_in_its_place(
    due: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed_only(due, monkeypatch)
    due.put(CASE, b"a newcomer")
    due.scan()
    (due.share / CASE).unlink()
    with monkeypatch.context() as patched:
        patched.setattr(Vault, "verify", failing(Damaged("as in life")))
        assert due.recover().put_back == 1
    assert (due.states(), due.held(), in_place(due)) == (["abandoned"], [], True)
    due.scan()
    due.approve(CASE)
    assert len(due.take().done) == 1


def test_a_conflict_of_a_sealed_item_ends_when_its_place_is_free(due: House, monkeypatch: pytest.MonkeyPatch) -> None:
    sealed_only(due, monkeypatch)
    due.put(CASE, b"a newcomer")
    due.scan()
    with monkeypatch.context() as patched:
        patched.setattr(Vault, "verify", failing(Damaged("as in life")))
        assert set(due.recover().unsettled.values()) == {Obstacle.PLACE_TAKEN}
    assert due.states() == ["conflict"]
    os.rename(due.share / CASE, due.share / "Cases/1/newcomer.txt")
    assert due.recover().put_back == 1
    assert (due.states(), due.held(), in_place(due)) == (["abandoned"], [], True)


def test_what_a_restored_catalogue_takes_for_planned_is_not_lost(due: House, monkeypatch: pytest.MonkeyPatch) -> None:
    cut_off(due, (DisposalRecords, "seal"), due.take, monkeypatch)
    (held,) = due.held()
    os.unlink(due.share / ".retentiond-hold" / held)  # as the rest of that run did, of which the backup knows nothing
    (due.share / CASE).write_bytes(b"a newcomer")
    assert due.recover().unsettled == {1: Obstacle.PLACE_TAKEN}
    assert due.vault.fate(held) is Fate.SEALED
    (due.share / CASE).unlink()
    assert due.recover().put_back == 1
    assert (due.states(), in_place(due), due.vault.entries()) == (["abandoned"], True, [])


@pytest.mark.parametrize("metadata", [b"", b"[]", b"{}", b'{"folder": 1, "name": ""}'])
def test_what_nobody_sealed_for_a_disposal_is_told_and_never_let_go(
    due: House, metadata: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_off(due, (FilesystemHolding, "take"), due.take, monkeypatch)
    (disposal,) = due.catalogue.disposals.of_state(DisposalState.PLANNED)
    with open(due.folder / "other", "w+b") as file:
        due.vault.put(file.fileno(), disposal.vault_id, metadata, due.day)
    assert due.recover().unsettled == {1: Obstacle.VAULT_FAULT}
    assert due.vault.fate(disposal.vault_id) is Fate.SEALED


def test_what_was_put_back_before_a_crash_is_not_made_twice(due: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def put_back_and_cut() -> None:
        with monkeypatch.context() as patched:
            patched.setattr(DisposalRecords, "seal", lambda *_: {1: Obstacle.HELD})
            due.take()

    cut_off(due, (Vault, "discard"), put_back_and_cut, monkeypatch)
    assert (due.states(), due.held(), in_place(due)) == (["planned"], [], True)
    facts = (due.share / CASE).stat()
    assert due.recover().put_back == 1
    assert (due.share / CASE).stat() == facts
    assert (due.states(), due.vault.entries()) == (["abandoned"], [])


def test_what_was_written_to_in_the_hold_after_a_crash_is_put_back(due: House, monkeypatch: pytest.MonkeyPatch) -> None:
    sealed_only(due, monkeypatch)
    (held,) = due.held()
    (due.share / ".retentiond-hold" / held).write_bytes(b"written by one who had it open")
    told = due.recover()
    assert (told.put_back, told.unsettled) == (1, {})
    assert (due.share / CASE).read_bytes() == b"written by one who had it open"
    assert (due.states(), due.vault.entries()) == (["abandoned"], [])


def test_an_item_that_could_not_be_put_back_does_not_stop_the_others(
    due: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(Vault, "put", failing(StorageFailed("x")))
        patched.setattr(FilesystemHolding, "put_back", failing(SourceFault("x")))
        due.take()
        assert due.recover().unsettled == {1: Obstacle.SOURCE_FAULT}
    due.put("Cases/1/b.txt", b"another")
    due.scan()
    due.approve("Cases/1/b.txt")
    told = due.take()
    assert told.kept == {1: Obstacle.INTERRUPTED}
    assert [one.ref.path for one in told.done] == [b"Cases/1/b.txt"]


def withdrawn(house: House, happens: Callable[[House], object], monkeypatch: pytest.MonkeyPatch) -> Disposal:
    """Its destruction was cut off before its key was overwritten, and then something came up."""
    (disposal,) = house.take().done
    ripe = house.ripe()
    cut_off(house, (Vault, "remove"), lambda: house.destroy(ripe), monkeypatch)
    if happens is reject:
        house.office.act("ann", disposal.item_id, ActKind.REJECT)
    else:
        happens(house)
    house.outlook()
    return disposal


@pytest.mark.parametrize(
    ("happens", "obstacle"), [(hold, Obstacle.HELD), (pause, Obstacle.PAUSED), (reject, Obstacle.NOT_APPROVED)]
)
def test_what_comes_up_after_a_crash_keeps_an_item_whose_key_is_still_there(
    due: House, happens: Callable[[House], object], obstacle: Obstacle, monkeypatch: pytest.MonkeyPatch
) -> None:
    disposal = withdrawn(due, happens, monkeypatch)
    assert due.recover().unsettled == {disposal.item_id: obstacle}
    assert (due.states(), due.vault.fate(disposal.vault_id)) == (["quarantined"], Fate.SEALED)
    (*_, last) = due.catalogue.disposals.steps()
    assert (last.before, last.why) == ("destroying", obstacle)
    assert due.recover().unsettled == {}
    (again,) = due.catalogue.disposals.of_state(DisposalState.QUARANTINED)
    assert due.restoring().give_back(again, again.ref, "needed for an appeal") is None
    assert in_place(due)


def test_what_came_back_from_its_destruction_is_destroyed_once_it_may_be(
    due: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    disposal = withdrawn(due, reject, monkeypatch)
    due.recover()
    assert due.ripe() == []
    for by in ("ann", "ben"):
        due.office.act(by, disposal.item_id)
    assert [one.number for one in due.destroy().done] == [disposal.number]
    assert len(due.erase()) == 1


@pytest.mark.parametrize("where", [(Vault, "fate"), (Vault, "verify"), (DisposalRecords, "move")])
def test_a_recovery_that_is_cut_off_while_it_withdraws_a_destruction_is_taken_up_by_the_next(
    due: House, where: tuple[type, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    disposal = withdrawn(due, hold, monkeypatch)
    cut_off(due, where, due.recover, monkeypatch)
    assert (due.states(), due.vault.fate(disposal.vault_id)) == (["destroying"], Fate.SEALED)
    assert due.recover().unsettled == {disposal.item_id: Obstacle.HELD}
    assert due.states() == ["quarantined"]


def test_what_cannot_be_read_any_more_is_not_said_to_be_in_quarantine_again(
    due: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    disposal = withdrawn(due, hold, monkeypatch)
    with monkeypatch.context() as patched:
        patched.setattr(Vault, "verify", failing(Damaged("as in life")))
        assert due.recover().unsettled == {disposal.item_id: Obstacle.VAULT_FAULT}
    assert (due.states(), due.vault.fate(disposal.vault_id)) == (["destroying"], Fate.SEALED)


def test_once_its_key_is_gone_a_later_hold_does_not_keep_the_catalogue_from_saying_so(
    due: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    (disposal,) = due.take().done
    ripe = due.ripe()
    cut_off(due, (DisposalRecords, "move"), lambda: due.destroy(ripe), monkeypatch)
    assert due.vault.fate(disposal.vault_id) is Fate.DESTROYED
    hold(due)
    assert due.recover().finished == 1
    assert due.states() == ["destroyed"]


# Moved to another place


@pytest.mark.parametrize("happens", [hold, pause])
def test_what_comes_up_while_an_item_is_moved_leaves_it_where_it_was(
    house: House, happens: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    house.put("Drop/a.txt", CONTENT)
    house.scan()
    house.rules = replace(house.rules, relocate={"not-here": "Restricted"})
    moved = Relocation._moved

    def meanwhile(self: Relocation, disposal: Disposal, target: ItemRef) -> Obstacle | None:
        happens(house, condition="path: Drop/**\n") if happens is hold else happens(house)
        return moved(self, disposal, target)

    monkeypatch.setattr(Relocation, "_moved", meanwhile)
    told = house.take()
    assert set(told.kept.values()) == {Obstacle.HELD if happens is hold else Obstacle.PAUSED}
    assert (house.share / "Drop/a.txt").read_bytes() == CONTENT
    assert (house.states(), house.held()) == (["abandoned"], [])


# Decided otherwise while it lies in quarantine


SURE = WRITTEN.replace("trigger: modified", "trigger: found")


@pytest.fixture
def sure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """A house in which the dates are beyond doubt, and it is so late that everything is due."""
    terms = Terms(load_schedule(SURE, "house.yaml"), TERMS.form)
    monkeypatch.setattr("tests.disposition.house.TERMS", terms)
    made = House(tmp_path)
    made.day = date(2028, 6, 1)
    made.put(CASE, CONTENT)
    made.scan()
    approve_late(made, made.number(CASE))
    yield made
    made.honest()
    made.close()


def act_late(house: House, by: str, number: int, kind: ActKind = ActKind.APPROVE, **parts: object) -> None:
    desk = house.office.desk(by, house.day)
    proposed = desk.propose([house.office.wish(number, kind, **parts)])
    assert proposed.refused == ()
    desk.record(proposed)


def approve_late(house: House, number: int) -> None:
    for by in ("ann", "ben"):
        act_late(house, by, number)


def reclassified(house: House, disposal: Disposal, to: str) -> None:
    act_late(house, "ann", disposal.item_id, ActKind.RECLASSIFY, class_id=to)
    approve_late(house, disposal.item_id)


@pytest.mark.parametrize("to", ["returns", "named", "outcomes"])
@pytest.mark.parametrize("dates", ["due", "sure"])
def test_what_is_now_to_be_handed_back_or_to_leave_something_is_not_destroyed(
    request: pytest.FixtureRequest, dates: str, to: str
) -> None:
    house: House = request.getfixturevalue(dates)
    (disposal,) = house.take().done
    reclassified(house, disposal, to)
    assert house.ripe() == []
    if dates == "sure":
        assert house.destroy([disposal]).kept == {disposal.item_id: Obstacle.NOT_APPROVED}
        with pytest.raises(IntegrityError, match="approval is missing"):
            house.catalogue._database.connection.exec_driver_sql("UPDATE disposal SET state = 'destroying'")
    assert house.states() == ["quarantined"]


@pytest.mark.parametrize("dates", ["due", "sure"])
def test_what_is_to_go_for_another_reason_goes_once_it_is_approved_for_that(
    request: pytest.FixtureRequest, dates: str
) -> None:
    house: House = request.getfixturevalue(dates)
    (disposal,) = house.take().done
    reclassified(house, disposal, "letter")
    assert len(house.destroy().done) == 1


def test_what_was_to_leave_something_may_be_destroyed_if_people_decide_so(house: House) -> None:
    house.put("Names/a.txt", CONTENT)
    house.scan()
    house.approve("Names/a.txt")

    def what_remains(disposal: object, source: int, target: int) -> str:
        os.write(target, b"what remains")
        return ""

    house.derive = what_remains
    (disposal,) = house.take().done
    reclassified(house, disposal, "letter")
    assert len(house.destroy().done) == 1


def test_what_is_retained_permanently_from_now_on_is_refused_by_name(due: House) -> None:
    (disposal,) = due.take().done
    due.office.act("ann", disposal.item_id, ActKind.RECLASSIFY, class_id="minutes")
    assert due.ripe() == []
    assert due.destroy([disposal]).kept == {disposal.item_id: Obstacle.NOT_DUE}


def test_what_broke_a_placement_rule_is_decided_on_by_its_class_once_it_is_out_of_reach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = SURE.replace('path: "Letters/**"', 'path: ["Letters/**", "Drop/**"]')
    monkeypatch.setattr("tests.disposition.house.TERMS", Terms(load_schedule(schedule, "house.yaml"), TERMS.form))
    house = House(tmp_path)
    house.day = date(2028, 6, 1)
    house.put("Drop/a.txt", CONTENT)
    house.scan()
    (disposal,) = house.take().done
    assert house.ripe() == []
    approve_late(house, disposal.item_id)
    assert len(house.destroy().done) == 1
    house.close()


@pytest.mark.parametrize("happens", [hold, pause, reject])
def test_what_may_not_go_is_not_given_out_either(house: House, happens: Callable[..., object], tmp_path: Path) -> None:
    house.put("Returns/a.txt", CONTENT)
    house.scan()
    house.approve("Returns/a.txt")
    (disposal,) = house.take().done
    desk = HandingBack(house.catalogue, RULES, house.vault, tmp_path / "outbox")
    house.outlook()
    assert [one.number for one in desk.free(desk.pending(), house.day)] == [disposal.number]
    if happens is hold:
        hold(house, condition="path: Returns/**\n")
    elif happens is pause:
        pause(house)
    else:
        house.office.act("ann", disposal.item_id, ActKind.REJECT)
    house.outlook()
    assert desk.free(desk.pending(), house.day) == ()


# Without approval


def test_a_class_whose_outcome_is_quarantine_waits_for_people_and_its_mode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = SURE.replace("outcome: thin", "outcome: quarantine")
    monkeypatch.setattr("tests.disposition.house.TERMS", Terms(load_schedule(schedule, "house.yaml"), TERMS.form))
    house = House(tmp_path)
    house.day = date(2028, 6, 1)
    house.put("Parts/a.txt", CONTENT)
    house.scan()
    assert (house.outlook().plans, house.outlook().waiting) == ([], {"proposed": 1})
    act_late(house, "ann", house.number("Parts/a.txt"))
    (plan,) = house.outlook().plans
    assert (plan.action, plan.stages) == (Disposition.QUARANTINE, 1)
    house.rules = replace(house.rules, mode_of=lambda _: "observe")
    assert house.outlook().waiting == {"observe": 1}
    house.close()


def test_what_people_let_go_into_quarantine_only_is_not_destroyed_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = WRITTEN.replace("outcome: thin", "outcome: quarantine")
    monkeypatch.setattr("tests.disposition.house.TERMS", Terms(load_schedule(schedule, "house.yaml"), TERMS.form))
    house = House(tmp_path)
    house.put("Parts/a.txt", CONTENT)
    house.scan()
    house.approve("Parts/a.txt")
    (disposal,) = house.take().done
    assert disposal.action is Disposition.QUARANTINE
    assert house.ripe() == []
    house.close()


# One file in two shares


@pytest.mark.parametrize(
    ("places", "configured", "barred"),
    [
        (["/a", "/b"], {"one", "two"}, set()),
        (["/a", "/ab"], {"one", "two"}, set()),
        (["/a", "/a"], {"two"}, {"one"}),
        (["/a", "/a"], {"one", "two"}, {"one", "two"}),
        (["/a", "/a"], set(), {"one", "two"}),
        (["/a/b", "/a"], {"one", "two"}, {"one", "two"}),
        (["/", "/a"], {"one"}, {"two"}),
    ],
)
def test_a_share_that_leads_to_the_files_of_another_is_none_to_take_from(
    places: list[str], configured: set[str], barred: set[str]
) -> None:
    shares = [Share(number, ("one", "two")[number], place, f"id {number}") for number, place in enumerate(places)]
    assert twins(shares, configured) == barred


def test_the_same_folder_by_another_way_is_the_same_share(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    by_link = [Share(1, "one", str(tmp_path), "x"), Share(2, "two", str(tmp_path / "link"), "y")]
    bound = [Share(1, "one", "/a", "x"), Share(2, "two", "/b", "x"), Share(3, "three", "/c", "z")]
    assert twins(by_link, {"two"}) == {"one"}
    assert twins(bound, {"two", "three"}) == {"one"}


def test_nothing_is_taken_from_a_share_that_is_barred(due: House) -> None:
    due.rules = replace(due.rules, barred={"office"})
    assert (due.outlook().plans, due.outlook().waiting) == ([], {"share_away": 1})


# What stays behind


def test_no_name_stays_in_a_disposal_that_is_erased(due: House, monkeypatch: pytest.MonkeyPatch) -> None:
    (disposal,) = due.take().done
    with monkeypatch.context() as patched:
        patched.setattr(Vault, "verify", failing(Damaged("as in life")))
        due.restoring().give_back(disposal, ItemRef(b"Cases/1", b"Erika.txt"), "needed")
    due.destroy()
    (erased,) = due.erase()
    after = due.catalogue.disposals.get(erased.number)
    assert after is not None
    assert after.target is None


# Many


def test_no_disposal_is_sought_by_going_through_all_of_them(house: House) -> None:
    with house.catalogue.connected() as connection:
        for column in ("vault_id", "derived_id"):
            plan = connection.exec_driver_sql(
                f"EXPLAIN QUERY PLAN SELECT 1 FROM disposal d WHERE d.{column} = 'x'"  # noqa: S608
            ).all()
            assert "SEARCH" in plan[0][3], plan


def test_the_exports_are_read_once_however_many_items_wait_for_them(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [f"Returns/{number}.txt" for number in range(3)]
    for path in paths:
        house.put(path, path.encode())
    house.scan()
    house.approve(*paths)
    house.take()
    asked = []
    every = BundleRecords.all

    def counted(self: BundleRecords) -> tuple[Bundle, ...]:
        asked.append(1)
        return every(self)

    monkeypatch.setattr(BundleRecords, "all", counted)
    waiting = Counter[str]()
    assert [*house.disposing.ripe(waiting)] == []
    assert (waiting, len(asked)) == ({"not_handed_over": 3}, 1)


# A place that cannot be


@pytest.mark.parametrize(
    "place",
    [
        "",
        "x/",
        "a//x",
        "../x",
        "Cases/../x",
        "./x",
        "x" * 256,
        f"{'y' * 256}/x",
        "a\\x00b",
        ".retentiond-hold/x",
        ".retentiond-hold/draft-x",
        ".retentiond-hold",
        "Cases/.retentiond-hold/x",
    ],
)
def test_a_place_that_cannot_be_is_refused_before_anything_is_recorded(place: str) -> None:
    with pytest.raises(UsageError, match=r"--to: .* cannot be a file of the share"):
        ActRules.place(place)


@pytest.mark.parametrize("place", ["x", "Cases/1/a.txt", f"y/{'x' * 255}", "a/.retentiond-hold.txt", "..a/b..c", "/x"])
def test_a_place_that_can_be_is_taken_as_it_is(place: str) -> None:
    assert ActRules.place(place) == ItemRef.parse(place)


@pytest.mark.parametrize("place", ["Cases/1/a/b", "Cases/1"])
def test_what_lies_in_the_way_leaves_a_disposal_in_quarantine(due: House, place: str) -> None:
    (disposal,) = due.take().done
    due.put("Cases/1/a", b"no folder")
    assert due.restoring().give_back(disposal, ItemRef.parse(place), "needed") is Obstacle.PLACE_TAKEN
    assert due.states() == ["quarantined"]


IMPOSSIBLE = [
    ItemRef(b"Cases", b"x" * 256),
    ItemRef(b"x" * 256, b"a.txt"),
    ItemRef(b"Cases", b"a\0b"),
    ItemRef(b"Cases", b".."),
    ItemRef(b".retentiond-hold", b"a.txt"),
]


@pytest.mark.parametrize("place", IMPOSSIBLE, ids=lambda ref: repr(ref.path[:20]))
def test_where_nothing_can_lie_a_disposal_stays_in_quarantine(due: House, place: ItemRef) -> None:
    (disposal,) = due.take().done
    assert due.restoring().give_back(disposal, place, "needed") is Obstacle.NO_PLACE
    assert (due.states(), due.held()) == (["quarantined"], [])
    assert due.restoring().give_back(disposal, disposal.ref, "needed") is None
    assert in_place(due)


@pytest.mark.parametrize("place", IMPOSSIBLE, ids=lambda ref: repr(ref.path[:20]))
def test_what_was_being_restored_to_where_nothing_can_lie_is_in_quarantine_again(due: House, place: ItemRef) -> None:
    (disposal,) = due.take().done
    due.means.record(Step(disposal, DisposalState.RESTORING, target=place))
    assert due.recover().unsettled == {disposal.item_id: Obstacle.NO_PLACE}
    assert (due.states(), due.recover().unsettled) == (["quarantined"], {})


def test_what_cannot_lie_where_its_placement_rule_wants_it_stays_where_it_was(house: House) -> None:
    house.put("Drop/a.txt", CONTENT)
    house.scan()
    house.rules = replace(house.rules, relocate={"not-here": "x" * 256})
    assert set(house.take().kept.values()) == {Obstacle.NO_PLACE}
    assert (house.share / "Drop/a.txt").read_bytes() == CONTENT
    assert (house.states(), house.held()) == (["abandoned"], [])
