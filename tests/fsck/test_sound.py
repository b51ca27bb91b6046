"""What nobody has damaged is whole, in whatever state an item is."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.fsck.base import Kind, Report, Standing
from tests.fsck.estate import NAMED, PATH, Estate, kinds, standings, words

S = Standing
STATES = {
    "planned": S.LIVE,
    "planned_and_held": S.HELD,
    "conflict": S.HELD,
    "sealed": S.VAULTED,
    "sealed_and_let_go": S.VAULTED,
    "quarantined": S.VAULTED,
    "restoring": S.VAULTED,
    "restored": S.LIVE,
    "destroying": S.VAULTED,
    "destroying_and_gone": S.DESTROYED,
    "destroyed": S.DESTROYED,
    "erased": S.ERASED,
    "erased_with_tomb": S.ERASED,
    "certified": S.CERTIFIED,
    "abandoned": S.CHANGED,
    "abandoned_as_gone": S.ABSENT,
    "relocated": S.CHANGED,
}
SETTLED = {"quarantined", "restored", "destroyed", "erased", "certified", "abandoned", "abandoned_as_gone", "relocated"}


@pytest.mark.parametrize("state", STATES)
def test_an_item_is_where_its_disposal_says(estate: Estate, state: str) -> None:
    estate.stand(state)
    report = estate.check()
    assert report.problems == ()
    assert standings(report) == {STATES[state]: 1}
    assert (report.notes == ()) == (state in SETTLED | {"erased_with_tomb"})


@pytest.mark.parametrize("state", ["planned", "planned_and_held", "sealed", "quarantined", "erased"])
def test_so_it_is_if_something_is_to_remain_of_it(estate: Estate, state: str) -> None:
    estate.stand(state, NAMED)
    report = estate.check()
    assert report.problems == ()
    assert standings(report) == {STATES[state]: 1}
    assert report.objects_read == {"sealed": 2, "quarantined": 1}.get(state, 0)


def test_a_whole_house_adds_up(estate: Estate) -> None:
    for number, state in enumerate(["erased", "certified", "restored", "abandoned", "quarantined", "destroyed"]):
        estate.stand(state, f"Cases/{number}/a.txt")
    estate.put("Letters/live.txt")
    estate.put("Letters/gone.txt")
    estate.scan()
    (estate.share / "Letters/gone.txt").unlink()
    estate.scan()
    estate.scan()
    estate.stand("planned_and_held")
    (estate.share / "Letters/live.txt").write_bytes(b"changed since")
    report = estate.check()
    assert report.problems == ()
    assert standings(report) == {
        S.CERTIFIED: 2,
        S.LIVE: 2,
        S.CHANGED: 1,
        S.GONE: 1,
        S.VAULTED: 1,
        S.DESTROYED: 1,
        S.HELD: 1,
    }
    assert report.items == 9
    assert report.log_entries > 0
    assert report.log_checkpoints > 0


def test_an_empty_house_is_whole(estate: Estate) -> None:
    report = estate.check()
    assert (report.items, standings(report), report.problems, report.notes) == (0, {}, (), ())


def test_a_disposal_after_one_that_is_over_says_where_the_item_is(estate: Estate) -> None:
    estate.stand("restored")
    estate.stand("quarantined")
    report = estate.check()
    assert report.problems == ()
    assert standings(report) == {S.VAULTED: 1}
    assert len(estate.sql("SELECT id FROM disposal")) == 2


def test_leftovers_of_one_that_is_over_are_told_though_another_came_after(estate: Estate) -> None:
    former = estate.stand("restored")
    estate.stand("quarantined")
    (estate.hold / former.vault_id).write_bytes(b"something")
    assert "over (restored)" in words(estate.check())


def test_an_item_in_quarantine_survives_an_erasure_ceremony(estate: Estate) -> None:
    estate.stand("quarantined")
    estate.stand("destroyed", "Cases/1/b.txt")
    estate.erase()
    report = estate.check()
    assert report.problems == ()
    assert standings(report) == {S.VAULTED: 1, S.ERASED: 1}


# What a crash leaves, and what others do, is told and is no problem


def notes(report: Report) -> str:
    return "\n".join(note.said for note in report.notes)


def put_copy(estate: Estate, id: str, content: bytes = b"") -> None:
    descriptor = os.memfd_create("test")
    os.pwrite(descriptor, content, 0)
    estate.vault.put(descriptor, id, b"", estate.day)
    os.close(descriptor)


@pytest.mark.parametrize("state", ["planned", "planned_and_held", "conflict", "restored", "abandoned", "relocated"])
def test_copies_of_what_is_whole_elsewhere_are_leftovers(estate: Estate, state: str) -> None:
    disposal = estate.stand(state)
    put_copy(estate, disposal.vault_id)
    report = estate.check()
    assert report.problems == ()
    assert f"has left an object and a key in the vault, under {disposal.vault_id}" in notes(report)


def test_what_is_planned_and_in_the_vault_alone_is_made_anew_by_recovery(estate: Estate) -> None:
    """As after the catalogue was put back from a backup of the moment before it was sealed."""
    disposal = estate.stand("planned_and_held")
    put_copy(estate, disposal.vault_id, (estate.hold / disposal.vault_id).read_bytes())
    (estate.hold / disposal.vault_id).unlink()
    report = estate.check()
    assert report.problems == ()
    assert standings(report) == {S.VAULTED: 1}
    assert "lies in the vault alone" in notes(report)
    estate.flip(estate.object_of(disposal.vault_id), 60)
    report = estate.check()
    assert kinds(report) == {Kind.UNREADABLE}
    assert "lies in the vault alone" not in notes(report)


def test_what_is_planned_and_was_made_anew_in_its_place_is_there(estate: Estate) -> None:
    estate.stand("planned")
    file = estate.share / PATH
    content = file.read_bytes()
    file.rename(estate.folder / "away")
    file.write_bytes(content)
    report = estate.check()
    assert report.problems == ()
    assert standings(report) == {S.CHANGED: 1}
    estate.sql("UPDATE disposal SET content_hash = NULL")
    assert kinds(estate.check()) == {Kind.LOST}


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: path.symlink_to("elsewhere")])
def test_no_file_in_its_place_is_not_the_item(estate: Estate, make: Callable[[Path], None]) -> None:
    estate.stand("planned")
    (estate.share / PATH).unlink()
    make(estate.share / PATH)
    report = estate.check()
    assert kinds(report) == {Kind.LOST}
    assert "in its place lies another file" in words(report)


def test_what_remained_and_is_in_its_place_is_a_leftover(estate: Estate) -> None:
    disposal = estate.stand("quarantined", NAMED)
    assert disposal.derived_id is not None
    put_copy(estate, disposal.derived_id)
    report = estate.check()
    assert report.problems == ()
    assert f"under {disposal.derived_id}" in notes(report)


def test_an_unfinished_object_is_a_leftover(estate: Estate) -> None:
    disposal = estate.stand("planned")
    part = estate.object_of(disposal.vault_id).with_suffix(".part")
    part.parent.mkdir(exist_ok=True)
    part.write_bytes(b"half")
    report = estate.check()
    assert report.problems == ()
    assert "has left an unfinished object" in notes(report)


@pytest.mark.parametrize("state", ["quarantined", "restoring", "destroying"])
def test_an_original_that_is_left_in_the_hold_is_a_problem(estate: Estate, state: str) -> None:
    disposal = estate.stand(state)
    for name in (disposal.vault_id, f"{disposal.vault_id}.going"):
        (estate.hold / name).write_bytes(b"something")
        report = estate.check()
        assert (kinds(report), standings(report)) == ({Kind.TWICE}, {Standing.WRONG: 1})
        assert f"something lies in the hold under its id {disposal.vault_id}. Run:" in words(report)
        (estate.hold / name).unlink()
        assert estate.check().problems == ()


def test_what_is_half_destroyed_in_the_hold_is_told_or_else_a_problem(estate: Estate) -> None:
    disposal = estate.stand("abandoned")
    (estate.hold / f"{disposal.vault_id}.going").write_bytes(b"something")
    assert "is being destroyed in the hold" in notes(estate.check())
    erased = estate.stand("erased", "Cases/1/b.txt")
    (estate.hold / f"{erased.vault_id}.going").write_bytes(b"something")
    assert f"recorded as erased, but something lies in the hold under {erased.vault_id}" in words(estate.check())


def test_a_draft_in_the_hold_is_told(estate: Estate) -> None:
    estate.stand("restored")
    (estate.hold / "draft-0123").write_bytes(b"half")
    report = estate.check()
    assert report.problems == ()
    assert "half made" in notes(report)


def test_somebody_in_the_place_of_what_is_held_is_told(estate: Estate) -> None:
    estate.stand("planned_and_held")
    estate.put(PATH, b"new")
    report = estate.check()
    assert report.problems == ()
    assert "what somebody else put there" in notes(report)
    assert standings(report) == {S.HELD: 1}


def test_what_was_put_back_by_hand_is_there(estate: Estate) -> None:
    disposal = estate.stand("conflict")
    (estate.hold / disposal.vault_id).rename(estate.share / PATH)
    report = estate.check()
    assert report.problems == ()
    assert standings(report) == {S.CHANGED: 1}


def test_a_damaged_place_in_a_key_file_is_told(estate: Estate) -> None:
    estate.stand("quarantined")
    estate.flip(estate.folder / "vault/keyring", 128 * 7)
    estate.flip(estate.folder / "vault/slots", 4096 * 7)
    report = estate.check()
    assert report.problems == ()
    assert "2 places in the vault's key files" in notes(report)


def test_one_damaged_copy_of_an_epoch_key_is_no_loss(estate: Estate) -> None:
    estate.stand("quarantined")
    estate.flip(estate.folder / "vault/slots", 4096 + 40)
    report = estate.check()
    assert report.problems == ()
    assert standings(report) == {S.VAULTED: 1}


# What others do between scans


def test_what_is_moved_within_the_share_is_moved_and_not_lost(estate: Estate) -> None:
    estate.put("Letters/a.txt", b"moved")
    estate.put("Letters/b.txt", b"taken away")
    estate.stand("restored")
    estate.stand("abandoned", "Cases/1/b.txt")
    (estate.share / "Deep/er").mkdir(parents=True)
    (estate.share / "Letters/a.txt").rename(estate.share / "Deep/er/c.txt")
    (estate.share / PATH).rename(estate.share / "d.txt")
    (estate.share / "Cases/1/b.txt").rename(estate.share / "e.txt")
    (estate.share / "Letters/b.txt").unlink()
    report = estate.check()
    assert report.problems == ()
    assert standings(report) == {S.MOVED: 3, S.ABSENT: 1}


def test_what_was_put_back_after_a_conflict_and_not_read_since_is_known_when_it_is_moved(estate: Estate) -> None:
    estate.stand("conflict")
    (estate.share / PATH).unlink()
    estate.recover()
    assert standings(estate.check()) == {S.LIVE: 1}
    (estate.share / PATH).rename(estate.share / "b.txt")
    report = estate.check()
    assert report.problems == ()
    assert standings(report) == {S.MOVED: 1}


def test_what_is_planned_and_lies_elsewhere_in_its_share_is_moved(estate: Estate) -> None:
    disposal = estate.stand("planned_and_held")
    (estate.hold / disposal.vault_id).rename(estate.share / "elsewhere.txt")
    report = estate.check()
    assert report.problems == ()
    assert standings(report) == {S.MOVED: 1}


def test_what_a_scan_has_met_since_can_only_have_been_taken_by_others(estate: Estate) -> None:
    estate.stand("restored")
    estate.scan()
    (estate.share / PATH).unlink()
    report = estate.check()
    assert report.problems == ()
    assert standings(report) == {S.ABSENT: 1}


def test_what_is_over_and_recorded_as_gone_is_gone(estate: Estate) -> None:
    estate.stand("restored")
    (estate.share / PATH).unlink()
    estate.scan()
    report = estate.check()
    assert report.problems == ()
    assert standings(report) == {S.GONE: 1}


def test_an_item_of_another_kind_of_source_counts_as_unchanged_wherever_it_lies(estate: Estate) -> None:
    estate.stand("planned")
    estate.put("Letters/a.txt")
    estate.scan()
    estate.sql("UPDATE item SET version = x'31'")
    estate.sql("UPDATE disposal SET version = x'31'")
    assert standings(estate.check()) == {S.LIVE: 2}
    (estate.share / "Letters/a.txt").unlink()
    assert standings(estate.check()) == {S.LIVE: 1, S.ABSENT: 1}
