"""From the share into the vault, back, and away for good."""

from __future__ import annotations

import os
from dataclasses import replace

from agent.model.disposal import DisposalState, Obstacle
from agent.vault.base import Fate
from tests.disposition.house import House


def test_what_is_approved_goes_into_the_vault_and_nothing_else_does(house: House) -> None:
    case, letter = house.put("Cases/1/a.txt", b"the first case"), house.put("Letters/b.txt")
    house.scan()
    house.approve("Cases/1/a.txt")
    told = house.take()
    assert [(one.ref.path, one.state) for one in told.done] == [(b"Cases/1/a.txt", DisposalState.QUARANTINED)]
    assert told.kept == {}
    assert not case.exists()
    assert letter.exists()
    assert house.held() == []
    (entry,) = house.vault.entries()
    assert (entry.id, entry.fate) == (told.done[0].vault_id, Fate.SEALED)


def test_what_is_restored_is_as_it_was_and_must_be_approved_anew(house: House) -> None:
    case = house.put("Cases/1/a.txt", b"the first case")
    case.chmod(0o640)
    before = case.stat()
    house.scan()
    house.approve("Cases/1/a.txt")
    (disposal,) = house.take().done
    assert house.restoring().give_back(disposal, disposal.ref, "needed for the appeal") is None
    after = case.stat()
    for fact in ("st_mode", "st_uid", "st_gid", "st_size", "st_mtime_ns", "st_atime_ns"):
        assert getattr(after, fact) == getattr(before, fact), fact
    assert case.read_bytes() == b"the first case"
    os.utime(case, ns=(after.st_atime_ns, after.st_mtime_ns))
    assert house.vault.entries() == []
    assert house.states() == ["restored"]
    assert house.outlook().plans == []
    house.scan()
    assert house.number("Cases/1/a.txt") == disposal.item_id
    house.approve("Cases/1/a.txt")
    assert len(house.take().done) == 1


def test_what_stays_approved_is_destroyed_and_erased(house: House) -> None:
    house.put("Cases/1/a.txt", b"the first case")
    house.scan()
    house.approve("Cases/1/a.txt")
    house.take()
    house.scan()
    told = house.destroy()
    assert [one.state for one in told.done] == [DisposalState.DESTROYED]
    assert house.vault.fate(told.done[0].vault_id) is Fate.DESTROYED
    (erased,) = house.erase()
    assert erased.number == told.done[0].number
    assert house.vault.entries() == []
    (disposal,) = house.catalogue.disposals.of_state(DisposalState.ERASED)
    assert disposal.ref.name.startswith(b"#")
    house.scan()
    assert house.states() == ["erased"]


def test_a_file_that_changed_after_the_scan_stays(house: House) -> None:
    case = house.put("Cases/1/a.txt")
    house.scan()
    house.approve("Cases/1/a.txt")
    outlook = house.outlook()
    facts = case.stat()
    case.write_bytes(b"b case")
    os.utime(case, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    told = house.take(outlook.plans)
    assert set(told.kept.values()) == {Obstacle.CHANGED}
    assert case.read_bytes() == b"b case"
    assert house.states() == ["abandoned"]
    assert house.vault.entries() == []


def test_what_breaks_a_placement_rule_is_taken_out_of_reach_or_moved(house: House) -> None:
    dropped, other = house.put("Drop/a.txt", b"must not lie here"), house.put("Drop/deep/b.txt", b"nor this")
    house.scan()
    house.rules = replace(house.rules, relocate={"not-here": "Restricted"})
    told = house.take()
    assert [one.ref.path for one in told.done] == [b"Drop/a.txt", b"Drop/deep/b.txt"]
    assert not dropped.exists()
    assert not other.exists()
    assert (house.share / "Restricted/Drop/deep/b.txt").read_bytes() == b"nor this"
    assert house.states() == ["relocated", "relocated"]
    item = house.number("Restricted/Drop/a.txt")
    house.scan()
    assert house.number("Restricted/Drop/a.txt") == item
    assert house.outlook().plans == []


def test_without_a_place_to_go_to_it_goes_into_quarantine_and_is_not_destroyed_on_that_word(house: House) -> None:
    house.put("Drop/a.txt", b"must not lie here")
    house.scan()
    assert len(house.take().done) == 1
    assert house.states() == ["quarantined"]
    assert house.ripe() == []
