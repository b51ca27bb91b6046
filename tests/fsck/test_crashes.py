"""A crash at any point leaves what the next recovery settles, and never what the check would call wrong."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from agent.catalogue.disposal_rows import Disposal, Step
from agent.fsck.base import Report, Standing, VaultFiles
from agent.fsck.check import check
from agent.model.disposal import DisposalState
from connectors.base import ItemRef
from tests.disposition.house import ROOT, House, trail

S = Standing
PATHS = ("Cases/1/a.txt", "Cases/1/b.txt")


class Cut(BaseException):
    """What a crash looks like from within: nothing that handles faults catches it."""


@contextmanager
def cut(of: object, act: str, *, after: bool = False) -> Iterator[None]:
    """The process ends at this act of `of`, before it is done or after."""
    done: Callable[..., Any] = getattr(of, act)

    def ends(*given: Any, **named: Any) -> None:
        if after:
            done(*given, **named)
        raise Cut

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(of, act, ends)
        with pytest.raises(Cut):
            yield


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    for path in PATHS:
        made.put(path, path.encode())
    made.scan()
    made.approve(*PATHS)
    yield made
    made.close()


def looked(house: House) -> Report:
    vault = VaultFiles(house.folder / "vault", house.folder / "vault" / "slots", ROOT.secret)
    key = trail().signing_key.verifier.text
    return check(house.folder / "catalogue.sqlite", {"office": house.share}, vault, log_key=key)


def first(house: House) -> Disposal:
    return house.catalogue.disposals.of_state(*DisposalState)[0]


def whole(house: House, *standings: Standing) -> None:
    """Nothing is wrong, one item stands so and the other so; and after recovery and a scan nothing is left over."""
    report = looked(house)
    assert report.problems == ()
    assert sorted(standing for standing, count in report.standings.items() for _ in range(count)) == sorted(standings)
    house.recover()
    house.scan()
    settled = looked(house)
    assert settled.problems == ()
    assert settled.notes == ()


def give_back(house: House) -> None:
    assert house.restoring().give_back(first(house), first(house).ref, "needed") is None


def test_right_after_the_plan(house: House) -> None:
    with cut(house.holding, "take"):
        house.take()
    whole(house, S.LIVE, S.LIVE)


def test_once_one_lies_in_the_hold(house: House) -> None:
    with cut(house.holding, "take", after=True):
        house.take()
    whole(house, S.HELD, S.LIVE)


def test_once_a_copy_is_in_the_vault(house: House) -> None:
    with cut(house.vault, "put", after=True):
        house.take()
    assert looked(house).notes
    whole(house, S.HELD, S.LIVE)


def test_before_the_originals_are_let_go(house: House) -> None:
    with cut(house.holding, "let_go"):
        house.take()
    whole(house, S.VAULTED, S.VAULTED)


def test_once_an_original_is_let_go(house: House) -> None:
    with cut(house.holding, "let_go", after=True):
        house.take()
    whole(house, S.VAULTED, S.VAULTED)


def test_while_an_original_is_overwritten(house: House) -> None:
    with cut(house.holding, "let_go"):
        house.take()
    held = house.share / ".retentiond-hold" / first(house).vault_id
    held.rename(held.with_name(f"{held.name}.going"))
    whole(house, S.VAULTED, S.VAULTED)


def test_before_an_item_is_made_again(house: House) -> None:
    house.take()
    with cut(house.holding, "make"):
        give_back(house)
    whole(house, S.VAULTED, S.VAULTED)


def test_once_an_item_is_made_again(house: House) -> None:
    house.take()
    with cut(house.holding, "make", after=True):
        give_back(house)
    whole(house, S.VAULTED, S.VAULTED)


def test_before_the_copy_of_what_is_back_is_discarded(house: House) -> None:
    house.take()
    with cut(house.vault, "discard"):
        give_back(house)
    whole(house, S.LIVE, S.VAULTED)


def test_before_keys_are_overwritten(house: House) -> None:
    house.take()
    with cut(house.vault, "remove"):
        house.destroy()
    report = looked(house)
    assert report.problems == ()
    house.recover()
    assert looked(house).standings[S.DESTROYED] == 2


def test_once_a_destruction_is_taken_back(house: House) -> None:
    house.take()
    with cut(house.vault, "remove"):
        house.destroy()
    house.catalogue.pauses.begin(house.office.now(), "ann", "an inquiry")
    with cut(house.catalogue.disposals, "move"):
        house.recover()
    whole(house, S.VAULTED, S.VAULTED)
    assert house.states() == ["quarantined", "quarantined"]


def test_once_keys_are_overwritten(house: House) -> None:
    house.take()
    with cut(house.vault, "remove", after=True):
        house.destroy()
    whole(house, S.DESTROYED, S.DESTROYED)


def test_once_the_ceremony_is_held(house: House) -> None:
    house.take()
    house.destroy()
    with cut(house.vault, "erase", after=True):
        house.erase()
    whole(house, S.DESTROYED, S.DESTROYED)
    house.erase()
    whole(house, S.ERASED, S.ERASED)


def test_before_the_vault_forgets_what_is_erased(house: House) -> None:
    house.take()
    house.destroy()
    with cut(house.vault, "forget"):
        house.erase()
    whole(house, S.ERASED, S.ERASED)


def test_once_a_conflict_is_made_up(house: House) -> None:
    with cut(house.vault, "put"):
        house.take()
    house.put(PATHS[0], b"something else")
    house.means.record(Step(first(house), DisposalState.CONFLICT))
    assert looked(house).standings[S.HELD] == 1
    (house.share / PATHS[0]).unlink()
    with cut(house.holding, "put_back", after=True):
        house.recover()
    whole(house, S.CHANGED, S.LIVE)


def test_once_an_item_lies_in_another_place_of_its_share(house: House) -> None:
    with cut(house.vault, "put"):
        house.take()
    house.holding.put_back(house.scope, first(house).vault_id, ItemRef(b"Elsewhere", b"a.txt"))
    report = looked(house)
    assert (report.problems, report.standings[S.MOVED]) == ((), 1)


def test_before_and_after_what_remains_is_in_its_place(house: House) -> None:
    def derive(disposal: Disposal, source: int, target: int) -> str:
        os.write(target, b"without names")
        return ""

    for path in PATHS:
        (house.share / path).unlink()
    house.put("Names/1/a.txt", b"with names")
    house.scan()
    house.derive = derive
    house.approve("Names/1/a.txt")
    with cut(house.holding, "make"):
        house.take()
    assert looked(house).problems == ()
    with cut(house.holding, "make", after=True):
        house.recover()
    assert looked(house).problems == ()
    with cut(house.vault, "discard"):
        house.recover()
    report = looked(house)
    assert report.problems == ()
    assert report.notes
    house.recover()
    assert looked(house).notes == ()
