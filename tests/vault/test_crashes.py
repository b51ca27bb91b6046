"""Whatever the vault was doing when the current went: nothing is lost, nothing is said to be erased that is not.

Each act is cut before each of its steps, with each kind of loss, and then done again. So that this cannot pass by
doing nothing, the steps of an uncut run are counted, and bugs are planted that must be found.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from agent.errors import AgentError
from agent.vault import ceremony, keyring, slots
from agent.vault.disk import Disk
from agent.vault.keys import RootKey
from agent.vault.store import Vault
from tests.vault.acts import ACTS, NEW, Act, prepared
from tests.vault.disks import Cut, Lost, Steps
from tests.vault.factories import (
    assert_readable,
    make,
    opened,
    put,
)

pytestmark = pytest.mark.slow


@pytest.fixture
def _no_real_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is made durable is told by `Steps`; the rest of a test need not wait for the device."""
    monkeypatch.setattr(Disk, "sync", lambda self, descriptor: None)


@pytest.fixture
def ready(tmp_path: Path, _no_real_sync: None) -> Path:
    prepared(tmp_path / "ready")
    (tmp_path / "graves").mkdir()
    return tmp_path / "ready"


@contextmanager
def a_copy(ready: Path) -> Iterator[Path]:
    copy = ready.parent / "copy"
    shutil.copytree(ready, copy)
    try:
        yield copy
    finally:
        shutil.rmtree(copy)


def run(act: Act, path: Path, then: Lost = Lost.NOTHING, **how: object) -> Steps:
    """Does it on such a disk, until it is done or the current is cut; it is cut in the end."""
    with Steps(str(path.parent / "graves"), **how) as disk:  # type: ignore[arg-type]
        with suppress(Cut):
            act.do(path, disk)
        uncut = not disk.dead
        if uncut:
            disk.cut(then)
        disk.dead = not uncut
    return disk


def every_cut(act: Act, ready: Path, **how: object) -> int:
    """Cuts the act before each step with each kind of loss, and does it again. Gives the number of cuts.

    Also cuts the current when it is done: then all must be there without doing it again.
    """
    cuts = 0
    for lost in Lost:
        with a_copy(ready) as path:
            uncut = run(act, path, then=lost, **how)
            assert not uncut.dead
            act.done(path)
        for name, least in act.steps.items():
            assert uncut.count[name] >= least, (name, uncut.count)
        for step in range(uncut.steps()):
            with a_copy(ready) as path:
                assert run(act, path, cut_at=step, lost=lost, **how).dead
                act.whenever(path)
                act.do(path, Disk())
                act.done(path)
                cuts += 1
    return cuts


@pytest.mark.parametrize("name", ACTS)
def test_cut_off_before_any_step_nothing_is_lost_and_doing_it_again_finishes_it(name: str, ready: Path) -> None:
    assert every_cut(ACTS[name], ready) > 30


@pytest.mark.parametrize("name", ["put", "erase", "change root"])
def test_cut_off_twice_in_a_row_nothing_is_lost(name: str, ready: Path) -> None:
    act = ACTS[name]
    with a_copy(ready) as path:
        steps = run(act, path).steps()
    for first in range(0, steps, 1 if os.environ.get("RETENTIOND_ALL_FAULTS") else 4):
        lost = list(Lost)[first // 4 % len(Lost)]
        with a_copy(ready) as path:
            run(act, path, cut_at=first, lost=lost)
            for second in range(steps):
                again = path.parent / "again"
                shutil.copytree(path, again)
                with Steps(str(path.parent / "graves"), cut_at=second, lost=Lost.EVERYTHING) as disk, suppress(Cut):
                    act.do(again, disk)
                act.whenever(again)
                act.do(again, Disk())
                act.done(again)
                shutil.rmtree(again)
                if not disk.dead:
                    break


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EROFS])
@pytest.mark.parametrize("name", ACTS)
def test_refused_at_any_step_it_says_so_loses_nothing_and_can_be_done_again(
    name: str, number: int, ready: Path
) -> None:
    act = ACTS[name]
    with a_copy(ready) as path:
        steps = run(act, path).steps()
    refused = 0
    for step in range(steps):
        with a_copy(ready) as path:
            try:
                run(act, path, refuse={step: number})
            except AgentError as error:
                refused += 1
                assert str(error).endswith(".")
            else:
                act.done(path)
            act.whenever(path)
            act.do(path, Disk())
            act.done(path)
    assert refused > steps // 2


@pytest.mark.usefixtures("_no_real_sync")
def test_a_vault_that_was_cut_off_while_it_was_made_is_made_by_doing_it_again(tmp_path: Path) -> None:
    (tmp_path / "graves").mkdir()

    def do(path: Path, disk: Disk) -> None:
        path.mkdir(exist_ok=True)
        if not (path / "vault" / "keyring").exists():
            make(path / "vault", disk)

    def done(path: Path) -> None:
        with opened(path / "vault") as vault:
            put(vault, NEW)
            assert_readable(vault, NEW)

    (tmp_path / "ready").mkdir()
    act = Act(do, lambda path: None, done, {"mkdir": 2, "create": 2, "link": 2})
    assert every_cut(act, tmp_path / "ready") > 40


def deaf_to(ending: str) -> Callable[[int], bool]:
    def deaf(descriptor: int) -> bool:
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        return path.endswith(ending) or ending + "." in path  # a key file has a random ending before it is linked

    return deaf


def slot_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """The old slot goes before the survivors have moved."""

    def move(slots: object, keyring: object, survivors: object, ending: set[bytes], today: object) -> None:
        keys = slots  # type: ignore[assignment]
        target = keys.open_epoch(today)  # type: ignore[attr-defined]
        known = {id: keyring.key(id, keys) for id in survivors}  # type: ignore[attr-defined]
        keys.erase(ending)  # type: ignore[attr-defined]
        for id, key in known.items():
            keyring.add(id, key, target.id, keys)  # type: ignore[attr-defined]
        keyring.sync()  # type: ignore[attr-defined]

    monkeypatch.setattr(ceremony, "_move", move)


def key_before_tomb(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key goes first, and what must be erased is written down afterwards."""
    original = keyring.Keyring.destroy

    def destroy(self: keyring.Keyring, ids: set[bytes], also_under: frozenset[bytes] = frozenset()) -> None:
        epochs = {held.epoch for id in ids for held in self.held(id)}
        self.drop(ids)
        original(self, ids, epochs)

    monkeypatch.setattr(keyring.Keyring, "destroy", destroy)


def never_synced_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyring.Keyring, "sync", lambda self: None)


def old_slot_first_on_change(monkeypatch: pytest.MonkeyPatch) -> None:
    """The slots under the old root key go before those under the new one are there."""

    def change_root(self: slots.KeySlots, new: RootKey) -> None:
        keys = {epoch: self.key(epoch.id) for epoch in self.epochs()}
        for epoch, key in keys.items():
            self._empty({slot.place for slot in self._slots if slot.epoch == epoch})
            self._add(epoch, key, new, slots.COPIES)
        self._root = new

    monkeypatch.setattr(slots.KeySlots, "change_root", change_root)


def object_before_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """discard: the key goes before the object."""

    def discard(self: Vault, *ids: str) -> None:
        with self._changing():
            self._keyring.drop([bytes.fromhex(id) for id in ids])
            self._shelves.remove(ids)

    monkeypatch.setattr(Vault, "discard", discard)


PLANTED: dict[str, tuple[str, Callable[[pytest.MonkeyPatch], None] | None, dict[str, object]]] = {
    "objects are never synced": ("put", None, {"deaf": deaf_to(".part")}),
    "shelves are never synced": ("put", None, {"deaf": deaf_to("/04")}),
    "the keyring is never synced when sealing": ("put", never_synced_keyring, {"deaf": deaf_to("keyring")}),
    "the keyring is never synced in the ceremony": ("erase", never_synced_keyring, {"deaf": deaf_to("keyring")}),
    "the slots are never synced": ("erase", None, {"deaf": deaf_to("slots")}),
    "the slot goes before the survivors moved": ("erase", slot_first, {}),
    "the key goes before the tomb is written": ("remove", key_before_tomb, {}),
    "the key goes before the object": ("discard", object_before_key, {}),
    "the old slots go before the new are there": ("change root", old_slot_first_on_change, {}),
    "the new key file is never synced": ("change root", None, {"deaf": deaf_to("/root.key.next")}),
}


@pytest.mark.parametrize("bug", PLANTED)
def test_a_planted_bug_is_found(bug: str, ready: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name, plant, how = PLANTED[bug]
    if plant:
        plant(monkeypatch)
    with pytest.raises((AssertionError, AgentError, pytest.fail.Exception)):
        every_cut(ACTS[name], ready, **how)
