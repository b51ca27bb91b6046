"""Where the source keeps what is taken: out of reach, back, and away for good, without a vault."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from agent.catalogue.disposal_rows import Disposal
from agent.disposition.base import Means, Source, Told
from agent.disposition.custody import Ending, Returning
from agent.disposition.in_place_destroy import read_remains
from agent.disposition.quarantine import Quarantine
from agent.disposition.recovery import Recovered
from agent.model.disposal import Custody, DisposalState, Obstacle
from agent.model.schedule import Disposition
from agent.vault.base import VaultError
from connectors.base import ItemRef, Scope
from connectors.errors import SourceFault
from connectors.keeping import Deleted, GivenBack, Kept, Remains, Target
from connectors.memory_keeping import RECYCLED, MemoryKeeping
from tests.disposition.house import House, nothing_remains
from tests.disposition.kept_house import SHARE, Cut, Fuse, Fused, KeptHouse
from tests.usecases.review_office import TODAY, quiet

CASE, FILE = "Cases/1/a.txt", "Cases/1/file.txt"


@pytest.fixture
def due(ready_house: Callable[[Mapping[str, bytes]], KeptHouse]) -> KeptHouse:
    """A house in which one case is approved and can go."""
    return ready_house({CASE: b"the first case"})


# Out of reach


def test_what_is_approved_goes_into_quarantine_and_nothing_else_does(due: KeptHouse) -> None:
    letter = due.put_item("Letters/b.txt")
    due.scan()
    told = due.take()
    (one,) = told.done
    assert (one.ref.path, one.state, one.custody) == (CASE.encode(), DisposalState.QUARANTINED, Custody.SOURCE)
    assert told.kept == {}
    assert due.lies(one.file_id) == "in quarantine"
    assert due.lies(letter) == "Letters/b.txt"
    assert [*due.memory.kept] == [one.vault_id]
    assert due.take().done == [], "once is enough"


def test_the_version_that_it_has_there_and_the_digest_of_its_content_are_on_record(due: KeptHouse) -> None:
    (one,) = due.take().done
    kept = due.keeping.kept(due.memory.scope, one.file_id, one.vault_id)
    recorded = due.only()
    assert kept is not None
    assert recorded.kept_version == kept.version
    assert recorded.digest == due.means.digest(bytes.fromhex(kept.sha256))
    assert [step.doubts for step in due.catalogue.disposals.steps(one.number)] == [(), (), ()]


def test_of_what_nobody_has_read_the_digest_is_of_what_the_source_says(due: KeptHouse) -> None:
    class Unread(MemoryKeeping):
        def keep(self, *args: object) -> object:  # type: ignore[override]
            return replace(super().keep(*args), sha256="")  # type: ignore[arg-type]

    due.keeping = Unread(due.memory)
    due.put_item("Cases/2/b.txt", b"too large to be read")
    due.scan()
    with due.catalogue.recording() as connection:
        connection.exec_driver_sql("UPDATE item SET content_hash = NULL WHERE name = ?", (b"b.txt",))
    due.approve("Cases/2/b.txt")
    by_name = {one.ref.name: one for one in due.take().done}
    read, unread = by_name[b"a.txt"], by_name[b"b.txt"]
    doubts = {one: [step.doubts for step in due.catalogue.disposals.steps(one.number)][1] for one in (read, unread)}
    assert doubts == {read: (), unread: ("content_not_read",)}
    recorded = due.catalogue.disposals.get(unread.number)
    assert recorded is not None
    assert recorded.digest == due.means.digest(unread.file_id + b"\0" + unread.version)


@pytest.mark.parametrize("path", ["Cases/1/a.txt", "Parts/a.txt"])
def test_what_goes_for_good_leaves_nothing_behind(kept_house: KeptHouse, path: str) -> None:
    file_id = kept_house.put_item(path)
    kept_house.scan()
    kept_house.approve(path)
    kept_house.take()
    kept_house.destroy()
    assert kept_house.states() == ["destroyed"]
    assert kept_house.lies(file_id) == "nowhere"


def test_what_breaks_a_placement_rule_goes_into_quarantine_and_is_not_destroyed_on_that_word(
    kept_house: KeptHouse,
) -> None:
    file_id = kept_house.put_item("Drop/a.txt")
    kept_house.scan()
    kept_house.take()
    assert kept_house.lies(file_id) == "in quarantine"
    assert kept_house.ripe() == []


@pytest.mark.parametrize("path", ["Names/a.txt", "Outcomes/a.txt", "Returns/a.txt"])
def test_what_should_leave_something_or_go_to_somebody_waits_and_says_why(kept_house: KeptHouse, path: str) -> None:
    file_id = kept_house.put_item(path)
    kept_house.scan()
    kept_house.approve(path)
    assert kept_house.outlook().plans == []
    assert kept_house.waiting() == {"not_in_place": 1}
    kept_house.rules = replace(kept_house.rules, in_place=frozenset())  # as if nobody had looked ahead
    (plan,) = kept_house.outlook().plans
    told = kept_house.take()
    assert told.kept == {plan.item_id: Obstacle.NOT_IN_PLACE}
    assert kept_house.states() == []
    assert kept_house.lies(file_id) == path


def test_what_a_placement_rule_would_move_elsewhere_waits_and_says_why(kept_house: KeptHouse) -> None:
    file_id = kept_house.put_item("Drop/a.txt")
    kept_house.scan()
    kept_house.rules = replace(kept_house.rules, relocate={"not-here": "Restricted"})
    assert kept_house.outlook().plans == []
    assert kept_house.waiting() == {"not_in_place": 1}
    kept_house.rules = replace(kept_house.rules, in_place=frozenset())
    assert set(kept_house.take().kept.values()) == {Obstacle.NOT_IN_PLACE}
    assert kept_house.lies(file_id) == "Drop/a.txt"


def test_the_class_that_keeps_in_place_refuses_what_cannot_be_done_there(due: KeptHouse) -> None:
    from agent.disposition.in_place import InPlaceQuarantine

    (plan,) = due.outlook().plans
    plans = [replace(plan, action=action) for action in (Disposition.ANONYMISE, Disposition.MINIMISE)]
    told = InPlaceQuarantine(due.means).take(1, plans, lambda _: None)
    assert (told.done, told.kept) == ([], {plan.item_id: Obstacle.NOT_IN_PLACE})


def test_an_item_whose_source_has_told_no_id_is_left(due: KeptHouse) -> None:
    with due.catalogue.recording() as connection:
        connection.exec_driver_sql("UPDATE item SET file_id = x''")
    assert set(due.take().kept.values()) == {Obstacle.NOT_IN_PLACE}
    assert due.states() == []


def test_a_share_that_nothing_acts_on_is_left(due: KeptHouse) -> None:
    plans = due.outlook().plans
    from agent.usecases.dispose import Outlook

    means = replace(due.means, keepers={})
    told = due.disposing.take(Outlook([*plans]), means, due.quarantine, "", lambda _: None)
    assert set(told.kept.values()) == {Obstacle.SHARE_AWAY}
    assert due.states() == []


def test_many_items_go_in_blocks(kept_house: KeptHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.disposition.in_place._AT_ONCE", 2)
    monkeypatch.setattr("agent.disposition.in_place_destroy._AT_ONCE", 2)
    paths = [f"Cases/{number}/a.txt" for number in range(5)]
    for path in paths:
        kept_house.put_item(path)
    kept_house.scan()
    kept_house.approve(*paths)
    advanced: list[int] = []
    outlook = kept_house.outlook()
    told = kept_house.disposing.take(outlook, kept_house.means, kept_house.quarantine, "", advanced.append)
    assert (len(told.done), advanced) == (5, [2, 2, 1])
    assert len(kept_house.destroy().done) == 5
    assert kept_house.memory.kept == {}


def test_files_and_what_a_source_keeps_go_in_one_run_each_their_own_way(kept_house: KeptHouse) -> None:
    both = Both(kept_house)
    told = both.take()
    assert {one.custody: one.share for one in told.done} == {Custody.VAULT: "office", Custody.SOURCE: SHARE}
    assert not (both.house.share / FILE).exists()
    assert [entry.id for entry in both.house.vault.entries()] == [both.of(Custody.VAULT).vault_id]
    assert [*both.house.memory.kept] == [both.of(Custody.SOURCE).vault_id]
    assert both.house.disposing.recover(both.means, both.quarantine) == Recovered()
    ripe = both.house.ripe()
    assert {one.custody for one in both.house.disposing.destroy(ripe, both.means, quiet).done} == {*Custody}
    _, erased = Ending(both.means).erase()
    assert {one.custody for one in erased} == {*Custody}


def test_each_is_given_back_and_settled_by_whoever_keeps_it(kept_house: KeptHouse) -> None:
    both = Both(kept_house)
    fuse = Fuse(1, after=True)
    with pytest.raises(Cut):
        both.take(lambda means: replace(means, journal=Fused(means.journal, fuse)))  # type: ignore[arg-type]
    assert both.house.states() == ["planned"], "a file, of which only the intent is recorded"
    recovered = both.house.disposing.recover(both.means, both.quarantine)
    assert (recovered.put_back, recovered.unsettled) == (1, {})
    both.take()
    for custody in Custody:
        disposal = both.of(custody, DisposalState.QUARANTINED)
        assert Returning(both.means).give_back(disposal, disposal.ref, "needed for the appeal") is None
    assert (both.house.share / FILE).exists()
    assert {str(ref) for ref in both.house.memory.refs()} == {CASE}


def test_a_file_that_cannot_be_settled_is_not_settled_by_whoever_keeps_at_the_source(kept_house: KeptHouse) -> None:
    both = Both(kept_house)
    fuse = Fuse(1, after=True)
    with pytest.raises(Cut):
        both.take(lambda means: replace(means, journal=Fused(means.journal, fuse)))  # type: ignore[arg-type]
    keepers = {**both.means.keepers, "office": both.means.keepers[SHARE]}
    recovered = both.house.disposing.recover(replace(both.means, sources={}, keepers=keepers), both.quarantine)
    assert (recovered.put_back, set(recovered.unsettled.values())) == (0, {Obstacle.SHARE_AWAY})
    assert both.house.states() == ["planned"]


class Both:
    """A house of files and of a service, with one of each that can go."""

    def __init__(self, house: KeptHouse) -> None:
        self.house = house
        house.put(FILE)
        house.put_item(CASE)
        House.scan(house)
        house.approve(FILE)  # while it is in the first share there is
        house.scan()
        service = next(share for share in house.catalogue.shares() if share.name == SHARE)
        number = house.catalogue.reviews.item_at(service.id, ItemRef.parse(CASE))
        assert number is not None
        for by in ("ann", "ben"):
            house.office.act(by, number)

    @property
    def means(self) -> Means:
        source = Source(self.house.holding, self.house.scope)
        return replace(self.house.means, strongroom=self.house.vault, sources={"office": source})

    @property
    def quarantine(self) -> Quarantine:
        return Quarantine(self.means, nothing_remains)

    def take(self, change: Callable[[Means], Means] = lambda means: means) -> Told:
        means = change(self.means)
        quarantine = Quarantine(means, nothing_remains)
        return self.house.disposing.take(self.house.outlook(), means, quarantine, "", quiet)

    def of(self, custody: Custody, *states: DisposalState) -> Disposal:
        found = self.house.catalogue.disposals.of_state(*(states or DisposalState))
        return next(one for one in found if one.custody is custody)


# Back


def test_what_is_restored_is_the_same_item_and_must_be_approved_anew(due: KeptHouse) -> None:
    (disposal,) = due.take().done
    assert due.give_back(due.only()) is None
    assert due.lies(disposal.file_id) == CASE
    assert due.states() == ["restored"]
    assert due.outlook().plans == []
    there = due.memory.item(ItemRef.parse(CASE)).version
    assert due.row(disposal)[1] == there, "so that the next scan does not read it again"
    due.scan()
    assert due.number(CASE) == disposal.item_id
    due.approve(CASE)
    assert len(due.take().done) == 1


def test_what_was_found_in_a_restored_item_stands(due: KeptHouse) -> None:
    (disposal,) = due.take().done
    due.give_back(due.only())
    assert due.row(disposal)[2] == disposal.content_hash


def test_what_was_changed_in_quarantine_is_read_again_once_it_is_back(due: KeptHouse) -> None:
    (disposal,) = due.take().done
    due.keeping.change(disposal.file_id, b"somebody who may enter was there")
    assert due.give_back(due.only()) is None
    assert due.row(disposal)[1] == b""


def test_what_is_changed_in_the_moment_in_which_it_is_given_back_is_read_again(due: KeptHouse) -> None:
    class Busy(MemoryKeeping):
        def give_back(self, scope: Scope, file_id: bytes, id: str, to: ItemRef, folder_id: bytes) -> GivenBack:
            self.change(file_id, b"somebody who may enter was quicker")
            return super().give_back(scope, file_id, id, to, folder_id)

    (disposal,) = due.take().done
    due.keeping = Busy(due.memory)
    assert due.give_back(due.only()) is None
    assert due.row(disposal)[1] == b""


def test_an_item_is_restored_to_another_place(due: KeptHouse) -> None:
    (disposal,) = due.take().done
    assert due.give_back(due.only(), "Returned/b.txt") is None
    assert due.lies(disposal.file_id) == "Returned/b.txt"
    assert due.number("Returned/b.txt") == disposal.item_id
    due.scan()
    assert due.number("Returned/b.txt") == disposal.item_id


def test_what_an_item_has_no_more_is_on_record(due: KeptHouse) -> None:
    class Lossy(MemoryKeeping):
        def give_back(self, *args: object) -> object:  # type: ignore[override]
            return replace(super().give_back(*args), lacking=("label", "sharing"))  # type: ignore[arg-type]

    due.take()
    due.keeping = Lossy(due.memory)
    disposal = due.only()
    assert due.give_back(disposal) is None
    assert due.last_step(disposal).doubts == ("lacking_label", "lacking_sharing")


def test_an_item_goes_back_to_where_its_folder_lies_now(due: KeptHouse) -> None:
    due.put_item("Cases/1/other.txt")
    due.scan()
    (disposal,) = due.take().done
    due.memory.move(b"Cases", b"Closed cases")
    due.scan()
    assert due.give_back(due.only()) is None
    assert due.lies(disposal.file_id) == "Closed cases/1/a.txt"


def test_the_source_is_told_the_folder_that_the_item_was_taken_from(due: KeptHouse) -> None:
    told: list[tuple[str, bytes]] = []

    class Listening(MemoryKeeping):
        def keep(self, scope: Scope, target: Target, id: str) -> Kept:
            told.append(("from", target.folder_id))
            return super().keep(scope, target, id)

        def give_back(self, scope: Scope, file_id: bytes, id: str, to: ItemRef, folder_id: bytes) -> GivenBack:
            told.append(("to", folder_id))
            return super().give_back(scope, file_id, id, to, folder_id)

    due.keeping = Listening(due.memory)
    folder_id = due.memory.folder_id(b"Cases/1")
    for to in ("", "Cases/1/renamed.txt", "Elsewhere/a.txt"):
        due.take()
        (disposal,) = due.catalogue.disposals.of_state(DisposalState.QUARANTINED)
        assert due.give_back(disposal, to) is None
        due.memory.move(due.lies(disposal.file_id).encode(), CASE.encode())
        due.scan()
        due.approve(CASE)
    ways = ("to", folder_id), ("to", folder_id), ("to", b"")
    assert told == [one for way in ways for one in (("from", folder_id), way)]


# Away for good


def test_what_stays_approved_is_deleted_and_erased(due: KeptHouse) -> None:
    (disposal,) = due.take().done
    due.scan()
    told = due.destroy()
    assert [one.state for one in told.done] == [DisposalState.DESTROYED]
    assert due.lies(disposal.file_id) == "nowhere"
    assert due.last_step(disposal).method == "deleted_permanently"
    (erased,) = due.erase()
    assert (erased.number, erased.state) == (disposal.number, DisposalState.ERASED)
    assert due.only().ref.name.startswith(b"#")
    due.scan()
    assert due.states() == ["erased"]
    assert due.erase() == ()


BINS = [
    pytest.param(RECYCLED, 93, id="recycle bin"),
    pytest.param(Deleted("recycled", {Remains.RECYCLE_BIN: 30, Remains.SECOND_STAGE: 60}), 60, id="the later of two"),
    pytest.param(Deleted("recycled", {Remains.RECYCLE_BIN: None}), 93, id="nobody says for how long"),
    pytest.param(Deleted("nothing_there", {}), 93, id="nobody knows how it went"),
    pytest.param(Deleted("nothing_there", {Remains.RECOVERABLE_ITEMS: 14}), 14, id="gone, and its source says where"),
    pytest.param(Deleted("deleted_permanently", {Remains.RECOVERABLE_ITEMS: 0}), 0, id="until the end of the day"),
]


@pytest.mark.parametrize(("deleted", "days"), BINS)
def test_nothing_is_said_to_be_erased_that_a_recycle_bin_may_still_have(
    due: KeptHouse, deleted: Deleted, days: int
) -> None:
    due.keeping = MemoryKeeping(due.memory, deleted=deleted)
    due.take()
    (disposal,) = due.destroy().done
    assert due.only().state is DisposalState.DESTROYED
    destroyed_on = due.only().since.date()
    due.day = destroyed_on + timedelta(days=days)
    assert due.erase() == ()
    due.day = destroyed_on + timedelta(days=days + 1)
    assert [one.number for one in due.erase()] == [disposal.number]


def test_what_was_brought_back_into_quarantine_is_not_said_to_be_erased(due: KeptHouse) -> None:
    due.keeping = MemoryKeeping(due.memory, deleted=RECYCLED)
    due.take()
    lay_there = dict(due.memory.kept)
    (disposal,) = due.destroy().done
    due.memory.kept.update(lay_there)  # an administrator took it out of the recycle bin
    due.day = due.only().since.date() + timedelta(days=400)
    assert due.erase() == ()
    due.memory.kept.clear()
    assert [one.number for one in due.erase()] == [disposal.number]


def test_nothing_is_said_to_be_erased_that_its_source_cannot_be_asked_about(due: KeptHouse) -> None:
    due.take()
    due.destroy()
    due.keeping.fail("kept", SourceFault("no answer"))
    assert due.erase() == ()
    due.keeping.fail("kept", None)
    assert len(due.erase()) == 1


def test_what_a_hold_keeps_in_a_mailbox_is_never_said_to_be_erased(due: KeptHouse) -> None:
    due.keeping = MemoryKeeping(due.memory, deleted=Deleted("deleted_permanently", {Remains.RECOVERABLE_ITEMS: None}))
    due.take()
    due.destroy()
    due.day = due.only().since.date() + timedelta(days=4_000)
    assert due.erase() == ()
    assert due.states() == ["destroyed"]


def test_what_a_policy_of_the_source_keeps_is_on_record_and_nobody_waits_for_it(due: KeptHouse) -> None:
    remains = {Remains.PRESERVATION_HOLD: None, Remains.SERVICE_BACKUP: 14}
    due.keeping = MemoryKeeping(due.memory, deleted=Deleted("deleted_permanently", remains))
    due.take()
    (disposal,) = due.destroy().done
    words = due.last_step(disposal).doubts
    assert words == ("preservation_hold_library", "service_backup_14")
    assert dict(read_remains(words)) == remains
    assert len(due.erase()) == 1


def test_words_of_other_steps_are_no_remains() -> None:
    assert [*read_remains(("content_not_read", "lacking_label", "recycle_bin_93"))] == [(Remains.RECYCLE_BIN, 93)]


def test_what_is_held_in_quarantine_is_not_deleted(due: KeptHouse) -> None:
    from tests.disposition.test_never import hold

    (disposal,) = due.take().done
    ripe = due.ripe()
    hold(due, condition="path: Cases/**\n")
    told = due.destroy(ripe)
    assert told.kept == {disposal.item_id: Obstacle.HELD}
    assert due.states() == ["quarantined"]
    assert due.lies(disposal.file_id) == "in quarantine"


def test_a_machine_without_a_vault_says_so_to_whoever_asks_for_it(due: KeptHouse) -> None:
    with pytest.raises(VaultError, match="no vault"):
        due.means.vault  # noqa: B018
    assert due.day == TODAY
