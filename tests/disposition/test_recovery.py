"""What was cut off is finished or undone; what cannot be is told, and nothing is done twice."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from agent.catalogue.disposal_rows import Disposal
from agent.catalogue.disposals import DisposalRecords
from agent.disposition.base import Told
from agent.disposition.quarantine import Quarantine
from agent.errors import CatalogueError
from agent.model.disposal import DisposalState, Obstacle
from agent.vault.base import Damaged, Fate, KeyGone, NoSpace, SourceChanged, StorageFailed, VaultError
from agent.vault.keyring import Keyring
from agent.vault.store import Vault
from connectors.errors import ConnectorError, PlaceTaken, ScopeUnavailable, SourceFault
from connectors.filesystem.holding import FilesystemHolding
from tests.disposition.house import House
from tests.usecases.review_office import quiet

CASE = "Cases/1/a.txt"
CONTENT = b"the first case"


@pytest.fixture
def due(house: House) -> House:
    house.put(CASE, CONTENT)
    house.scan()
    house.approve(CASE)
    return house


class Cut(BaseException):
    """As good as a crash."""


def cut(*_: object, **__: object) -> None:
    raise Cut


def cut_off(house: House, where: tuple[type, str], act: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(*where, cut)
        with pytest.raises(Cut):
            act()


def failing(error: Exception) -> Callable[..., None]:
    def fails(*_: object, **__: object) -> None:
        raise error

    return fails


def in_place(house: House) -> bool:
    file = house.share / CASE
    return file.exists() and file.read_bytes() == CONTENT


# Cut off


@pytest.mark.parametrize("where", [(FilesystemHolding, "take"), (Vault, "put"), (DisposalRecords, "seal")])
def test_what_was_not_sealed_is_put_back(due: House, where: tuple[type, str], monkeypatch: pytest.MonkeyPatch) -> None:
    cut_off(due, where, due.take, monkeypatch)
    assert due.states() == ["planned"]
    assert due.recover().put_back == 1
    assert in_place(due)
    assert (due.held(), due.vault.entries()) == ([], [])
    again = due.recover()
    assert (again.finished, again.put_back, again.discarded, again.unsettled) == (0, 0, 0, {})


def forgetting_is_cut_off(due: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was planned is put back, and of its copy the vault has the key still, but not the object."""
    cut_off(due, (DisposalRecords, "seal"), due.take, monkeypatch)
    cut_off(due, (Keyring, "drop"), due.recover, monkeypatch)
    assert (due.states(), due.held(), in_place(due)) == (["planned"], [], True)
    assert [(entry.fate, entry.stored_bytes) for entry in due.vault.entries()] == [(Fate.SEALED, 0)]


def test_what_was_put_back_is_over_although_the_forgetting_of_its_copy_was_cut_off(
    due: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    forgetting_is_cut_off(due, monkeypatch)
    assert due.recover().put_back == 1
    assert (due.states(), in_place(due), due.vault.entries()) == (["abandoned"], True, [])


def test_what_is_neither_in_its_place_nor_in_the_vault_is_not_called_put_back(
    due: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    forgetting_is_cut_off(due, monkeypatch)
    (due.share / CASE).write_bytes(b"something else")
    assert set(due.recover().unsettled.values()) == {Obstacle.VAULT_FAULT}
    assert due.states() == ["planned"]


def test_what_was_sealed_is_finished(due: House, monkeypatch: pytest.MonkeyPatch) -> None:
    cut_off(due, (FilesystemHolding, "let_go"), due.take, monkeypatch)
    assert (due.states(), len(due.held())) == (["sealed"], 1)
    assert due.recover().finished == 1
    assert (due.states(), due.held(), in_place(due)) == (["quarantined"], [], False)


def test_an_original_still_in_the_hold_is_put_back_if_the_vault_cannot_read_its_copy(
    due: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_off(due, (FilesystemHolding, "let_go"), due.take, monkeypatch)
    with monkeypatch.context() as patched:
        patched.setattr(Vault, "verify", failing(Damaged("as in life")))
        assert due.recover().put_back == 1
    assert (due.states(), in_place(due)) == (["abandoned"], True)
    due.scan()
    due.approve(CASE)
    assert len(due.take().done) == 1


def test_a_damaged_copy_is_never_taken_for_whole_although_recovery_itself_is_cut_off(
    due: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_off(due, (FilesystemHolding, "let_go"), due.take, monkeypatch)
    with monkeypatch.context() as damaged:
        damaged.setattr(Vault, "verify", failing(Damaged("as in life")))
        for where in ((DisposalRecords, "move"), (FilesystemHolding, "put_back"), (Vault, "discard")):
            cut_off(due, where, due.recover, damaged)
            assert due.states()[0] in ("sealed", "conflict", "abandoned")
        due.recover()
    assert (due.states(), due.held(), in_place(due), due.vault.entries()) == (["abandoned"], [], True, [])


def test_what_cannot_be_read_and_lies_nowhere_else_is_not_called_quarantined(
    due: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_off(due, (DisposalRecords, "move"), due.take, monkeypatch)
    with monkeypatch.context() as damaged:
        damaged.setattr(Vault, "verify", failing(Damaged("as in life")))
        assert set(due.recover().unsettled.values()) == {Obstacle.VAULT_FAULT}
    assert due.states() == ["sealed"]


def test_an_original_that_was_written_to_behind_the_seal_is_put_back(
    due: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open(due.share / CASE, "rb") as somebody:
        cut_off(due, (FilesystemHolding, "let_go"), due.take, monkeypatch)
        (held,) = due.held()
        with open(due.share / ".retentiond-hold" / held, "ab") as file:
            file.write(b" and more")
        assert somebody.read() == CONTENT + b" and more"
    assert due.recover().put_back == 1
    assert (due.share / CASE).read_bytes() == CONTENT + b" and more"
    assert due.vault.entries() == []


def test_a_restoration_is_finished(due: House, monkeypatch: pytest.MonkeyPatch) -> None:
    (disposal,) = due.take().done

    def restore() -> None:
        due.restoring().give_back(disposal, disposal.ref, "needed")

    cut_off(due, (Vault, "discard"), restore, monkeypatch)
    assert due.recover().discarded == 1
    assert (due.states(), in_place(due), due.vault.entries()) == (["restored"], True, [])


@pytest.mark.parametrize("error", [SourceFault("x"), ScopeUnavailable("x")])
def test_a_restoration_that_may_have_come_to_its_end_waits_for_the_next_recovery(
    due: House, error: ConnectorError, monkeypatch: pytest.MonkeyPatch
) -> None:
    (disposal,) = due.take().done
    with monkeypatch.context() as patched:
        patched.setattr(FilesystemHolding, "make", failing(error))
        assert due.restoring().give_back(disposal, disposal.ref, "needed") is not None
        assert due.recover().unsettled != {}
    assert due.states() == ["restoring"]
    assert due.recover().finished == 1
    assert in_place(due)


def test_a_damaged_copy_stays_in_quarantine(due: House, monkeypatch: pytest.MonkeyPatch) -> None:
    (disposal,) = due.take().done
    with monkeypatch.context() as patched:
        patched.setattr(Vault, "verify", failing(Damaged("as in life")))
        assert due.restoring().give_back(disposal, disposal.ref, "needed") is Obstacle.VAULT_FAULT
    assert due.states() == ["quarantined"]


def test_a_destruction_is_finished(due: House, monkeypatch: pytest.MonkeyPatch) -> None:
    due.take()
    ripe = due.ripe()
    cut_off(due, (Vault, "remove"), lambda: due.destroy(ripe), monkeypatch)
    assert due.states() == ["destroying"]
    assert due.recover().finished == 1
    assert due.states() == ["destroyed"]


def test_what_the_vault_knows_nothing_of_is_never_called_destroyed(due: House, monkeypatch: pytest.MonkeyPatch) -> None:
    due.put("Cases/1/b.txt", b"another")
    due.scan()
    due.approve("Cases/1/b.txt")
    due.take()
    ripe = due.ripe()
    remove = Vault.remove

    def knows_one(self: Vault, *ids: str) -> None:
        if ripe[0].vault_id in ids:
            raise KeyGone("as in life")
        remove(self, *ids)

    with monkeypatch.context() as patched:
        patched.setattr(Vault, "remove", knows_one)
        told = due.destroy(ripe)
        assert told.kept == {ripe[0].item_id: Obstacle.VAULT_FAULT}
        assert due.recover().unsettled == {ripe[0].item_id: Obstacle.VAULT_FAULT}
    assert sorted(due.states()) == ["destroyed", "destroying"]


def test_an_erasure_that_was_not_recorded_is_recorded_by_the_next_one(
    due: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    due.take()
    due.destroy()
    cut_off(due, (DisposalRecords, "move"), due.erase, monkeypatch)
    assert due.states() == ["destroyed"]
    assert len(due.erase()) == 1
    assert (due.states(), due.vault.entries()) == (["erased"], [])


# Cut off in an orderly way


def several_due(house: House) -> list[str]:
    """Of which the second has changed meanwhile."""
    paths = [f"Names/{letter}.txt" for letter in "abcd"]
    for path in paths:
        house.put(path, path.encode())
    house.scan()
    house.approve(*paths)
    return paths


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, ZeroDivisionError])
def test_a_batch_that_is_cut_off_while_what_remains_is_made_is_put_back_at_once(
    house: House, error: type[BaseException]
) -> None:
    paths = several_due(house)
    plans = house.outlook().plans
    house.put(paths[1], b"it has changed")

    def third_time(disposal: Disposal, source: int, target: int) -> str:
        if disposal.ref.path == b"Names/c.txt":
            raise error
        os.write(target, b"what remains")
        return ""

    house.derive = third_time
    with pytest.raises(error):
        house.take(plans)
    assert (house.states(), house.held(), house.vault.entries()) == (["abandoned"] * 4, [], [])
    assert [(house.share / path).read_bytes() for path in paths] == [
        b"Names/a.txt",
        b"it has changed",
        b"Names/c.txt",
        b"Names/d.txt",
    ]
    last = {step.disposal: step.why for step in house.catalogue.disposals.steps()}
    assert [last[number] for number in sorted(last)] == ["interrupted", "changed", "interrupted", "interrupted"]
    assert house.recover().put_back == 0


def test_what_cannot_be_put_back_at_once_does_not_keep_the_others_in_the_hold(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = several_due(house)
    put_back = Quarantine.put_back

    def not_the_first(self: Quarantine, disposal: Disposal, why: Obstacle, told: Told) -> None:
        if disposal.ref.path == b"Names/a.txt":
            raise CatalogueError("the disk is full")
        put_back(self, disposal, why, told)

    def third_time(disposal: Disposal, source: int, target: int) -> str:
        if disposal.ref.path == b"Names/c.txt":
            raise ZeroDivisionError
        os.write(target, b"what remains")
        return ""

    house.derive = third_time
    with monkeypatch.context() as patched:
        patched.setattr(Quarantine, "put_back", not_the_first)
        with pytest.raises(ZeroDivisionError):
            house.take()
    assert (sorted(house.states()), len(house.held())) == (["abandoned"] * 3 + ["planned"], 1)
    assert house.recover().put_back == 1
    assert [(house.share / path).read_bytes() for path in paths] == [path.encode() for path in paths]


def test_where_the_catalogue_does_not_answer_a_batch_waits_for_the_next_recovery(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = several_due(house)

    def fails(disposal: Disposal, source: int, target: int) -> str:
        raise ZeroDivisionError

    house.derive = fails
    with monkeypatch.context() as patched:
        patched.setattr(DisposalRecords, "of_state", failing(CatalogueError("the disk does not answer")))
        with pytest.raises(ZeroDivisionError):
            house.take()
    assert (house.states(), len(house.held())) == (["planned"] * 4, 1)
    assert house.recover().put_back == 4
    assert [(house.share / path).read_bytes() for path in paths] == [path.encode() for path in paths]


# What cannot be settled


def test_a_share_that_is_away_is_told_and_its_disposals_wait(due: House, monkeypatch: pytest.MonkeyPatch) -> None:
    cut_off(due, (Vault, "put"), due.take, monkeypatch)
    means = due.means
    monkeypatch.setattr(House, "means", property(lambda self: replace(means, sources={})))
    assert set(due.recover().unsettled.values()) == {Obstacle.SHARE_AWAY}
    assert due.states() == ["planned"]
    monkeypatch.undo()
    assert due.recover().put_back == 1


def test_with_the_share_away_nothing_is_taken_or_restored(due: House, monkeypatch: pytest.MonkeyPatch) -> None:
    plans = due.outlook().plans
    means = due.means
    with monkeypatch.context() as patched:
        patched.setattr(House, "means", property(lambda self: replace(means, sources={})))
        assert set(due.take(plans).kept.values()) == {Obstacle.SHARE_AWAY}
    (disposal,) = due.take(plans).done
    monkeypatch.setattr(House, "means", property(lambda self: replace(means, sources={})))
    assert due.restoring().give_back(disposal, disposal.ref, "needed") is Obstacle.SHARE_AWAY


@pytest.mark.parametrize("error", [SourceFault("x"), Damaged("x")])
def test_a_fault_during_recovery_is_told(due: House, error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    cut_off(due, (Vault, "put"), due.take, monkeypatch)
    with monkeypatch.context() as patched:
        patched.setattr(Quarantine, "put_back", failing(error))
        assert len(due.recover().unsettled) == 1
    assert due.recover().put_back == 1


def test_what_cannot_be_put_back_now_is_by_the_next_recovery(due: House, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(Vault, "put", failing(StorageFailed("x")))
        patched.setattr(FilesystemHolding, "put_back", failing(SourceFault("x")))
        assert set(due.take().kept.values()) == {Obstacle.SOURCE_FAULT}
        assert set(due.recover().unsettled.values()) == {Obstacle.SOURCE_FAULT}
    assert (due.states(), len(due.held())) == (["planned"], 1)
    assert due.recover().put_back == 1
    assert in_place(due)


# Faults of the vault


@pytest.mark.parametrize(
    ("error", "obstacle"),
    [
        (NoSpace("x"), Obstacle.NO_ROOM),
        (SourceChanged("x"), Obstacle.CHANGED),
        (StorageFailed("x"), Obstacle.VAULT_FAULT),
        (Damaged("x"), Obstacle.VAULT_FAULT),
    ],
)
def test_a_fault_of_the_vault_puts_the_item_back(
    due: House, error: VaultError, obstacle: Obstacle, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(Vault, "put", failing(error))
        assert set(due.take().kept.values()) == {obstacle}
    assert (due.states(), due.held(), in_place(due)) == (["abandoned"], [], True)


def test_a_full_disk_ends_the_run(due: House, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [f"Cases/1/{number}.txt" for number in range(70)]
    for path in paths:
        due.put(path, path.encode())
    due.scan()
    due.approve(*paths)
    with monkeypatch.context() as patched:
        patched.setattr(Vault, "put", failing(NoSpace("x")))
        told = due.take()
    assert len(told.kept) < len(paths), "the rest was not even tried"
    assert set(told.kept.values()) == {Obstacle.NO_ROOM}


def test_another_content_than_the_scan_saw_is_put_back(due: House) -> None:
    (plan,) = due.outlook().plans
    with due.catalogue.recording() as connection:
        connection.exec_driver_sql("UPDATE item SET content_hash = ? WHERE id = ?", (b"x" * 32, plan.item_id))
        connection.exec_driver_sql("DROP VIEW review_approved")
        connection.exec_driver_sql(
            "CREATE VIEW review_approved AS SELECT 1 AS item_id, 2 AS people, 2 AS stages, 0 AS approved_at, '' AS "
            "class_id, 'review' AS outcome, 1 AS due_on, ? AS mark".replace("?", f"'{plan.mark}'")
        )
    told = due.take([replace(plan, content_hash=b"x" * 32)])
    assert set(told.kept.values()) == {Obstacle.CHANGED}
    assert in_place(due)


def test_what_is_written_to_while_it_is_copied_is_put_back(due: House, monkeypatch: pytest.MonkeyPatch) -> None:
    put = Vault.put

    def and_written_to(self: Vault, descriptor: int, id: str, metadata: bytes, on: date) -> object:
        sealed = put(self, descriptor, id, metadata, on)
        facts = os.fstat(descriptor)
        os.utime(due.share / ".retentiond-hold" / id, ns=(facts.st_atime_ns, facts.st_mtime_ns + 1))
        return sealed

    with monkeypatch.context() as patched:
        patched.setattr(Vault, "put", and_written_to)
        assert set(due.take().kept.values()) == {Obstacle.CHANGED}
    assert in_place(due)
    assert due.vault.entries() == []


def test_a_fault_of_the_source_while_it_is_copied_puts_it_back(due: House, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(Vault, "put", failing(SourceFault("x")))
        assert set(due.take().kept.values()) == {Obstacle.SOURCE_FAULT}
    assert in_place(due)


def test_a_share_that_goes_away_is_not_asked_again(due: House, monkeypatch: pytest.MonkeyPatch) -> None:
    due.put("Cases/1/b.txt", b"another")
    due.scan()
    due.approve("Cases/1/b.txt")
    asked = []

    def away(*_: object) -> None:
        asked.append(1)
        raise ScopeUnavailable("x")

    with monkeypatch.context() as patched:
        patched.setattr(FilesystemHolding, "take", away)
        told = due.take()
    assert (len(told.kept), set(told.kept.values()), len(asked)) == (2, {Obstacle.SHARE_AWAY}, 1)


def test_an_original_that_is_gone_already_is_recorded_as_gone(due: House, monkeypatch: pytest.MonkeyPatch) -> None:
    cut_off(due, (DisposalRecords, "move"), due.take, monkeypatch)
    assert (due.states(), due.held()) == (["sealed"], [])
    assert due.recover().finished == 1
    (*_, last) = due.catalogue.disposals.steps()
    assert (last.after, last.method) == (DisposalState.QUARANTINED, "nothing_there")


@pytest.mark.parametrize(
    ("error", "obstacle"), [(SourceFault("x"), Obstacle.SOURCE_FAULT), (Damaged("x"), Obstacle.VAULT_FAULT)]
)
def test_what_cannot_be_finished_at_once_is_told_and_finished_later(
    due: House, error: Exception, obstacle: Obstacle, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(FilesystemHolding, "let_go", failing(error))
        assert set(due.take().kept.values()) == {obstacle}
    assert due.states() == ["sealed"]
    assert due.recover().finished == 1


# Something in the way


def test_something_in_its_place_keeps_an_item_in_the_hold_until_it_is_free(
    due: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def newcomer(*_: object) -> None:
        (due.share / CASE).write_bytes(b"a new file")
        raise StorageFailed("x")

    with monkeypatch.context() as patched:
        patched.setattr(Vault, "put", newcomer)
        assert set(due.take().kept.values()) == {Obstacle.PLACE_TAKEN}
    assert (due.states(), len(due.held())) == (["conflict"], 1)
    due.scan()
    assert due.recover().unsettled == {1: Obstacle.PLACE_TAKEN}
    assert (due.share / CASE).read_bytes() == b"a new file"
    (due.share / CASE).unlink()
    assert due.recover().put_back == 1
    assert (due.states(), due.held(), in_place(due)) == (["abandoned"], [], True)


def test_something_that_came_into_its_place_while_it_was_taken_makes_a_conflict(
    due: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(FilesystemHolding, "take", failing(PlaceTaken("x")))
        assert set(due.take().kept.values()) == {Obstacle.PLACE_TAKEN}
    assert due.states() == ["conflict"]


def test_what_lies_where_a_file_is_to_be_moved_keeps_it_where_it_was(house: House) -> None:
    house.put("Drop/a.txt", CONTENT)
    house.put("Restricted/Drop/a.txt", b"another")
    house.scan()
    house.rules = replace(house.rules, relocate={"not-here": "Restricted"})
    assert set(house.take().kept.values()) == {Obstacle.PLACE_TAKEN}
    assert (house.share / "Drop/a.txt").read_bytes() == CONTENT
    assert (house.share / "Restricted/Drop/a.txt").read_bytes() == b"another"


def test_a_share_that_is_away_moves_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.put("Drop/a.txt", CONTENT)
    house.scan()
    house.rules = replace(house.rules, relocate={"not-here": "Restricted"})
    plans = house.outlook().plans
    means = house.means
    monkeypatch.setattr(House, "means", property(lambda self: replace(means, sources={})))
    assert set(house.take(plans).kept.values()) == {Obstacle.SHARE_AWAY}


def test_nothing_is_told_of_nothing(house: House) -> None:
    assert house.take([]) == Told()
    assert house.disposing.destroy([], house.means, quiet) == Told()
    assert house.erase() == ()
    assert house.recover().finished == 0
    assert house.catalogue.disposals.of_state(*DisposalState) == ()


def test_what_remains_lies_beside_a_newcomer(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.put("Names/a.txt", CONTENT)
    house.scan()
    house.approve("Names/a.txt")

    def what_remains(disposal: object, source: int, target: int) -> str:
        (house.share / "Names/a.txt").write_bytes(b"a new file")
        os.write(target, b"what remains")
        return ""

    house.derive = what_remains
    assert len(house.take().done) == 1
    assert (house.share / "Names/a.txt").read_bytes() == b"a new file"
    assert (house.share / "Names/a.txt (remainder 1)").read_bytes() == b"what remains"
