"""What the vault does, each with what must be true when it was cut off and when it is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.vault import rotation
from agent.vault.base import Fate, KeyGone, Strays
from agent.vault.disk import Disk
from agent.vault.keys import RootKey, keep_root_key, root_key
from tests.vault.factories import (
    MONDAY,
    ROOT,
    TUESDAY,
    WEDNESDAY,
    an_id,
    assert_readable,
    make,
    opened,
    put,
)

OLD, GOING, GONE, NEW = an_id(1), an_id(2), an_id(3), an_id(4)
OTHER = an_id(5)


@dataclass(frozen=True)
class Act:
    """Something the vault does, what must be true when it was cut off, and what when it was done (again)."""

    do: Callable[[Path, Disk], object]
    whenever: Callable[[Path], None]
    done: Callable[[Path], None]
    steps: dict[str, int]


def prepared(path: Path) -> None:
    """OLD and OTHER are sealed, GOING shares their epoch, GONE is destroyed already, from an epoch shared as well."""
    path.mkdir()
    make(path / "vault")
    with opened(path / "vault") as vault:
        put(vault, OLD, GOING, on=MONDAY)
        put(vault, OTHER, GONE, on=TUESDAY)
        vault.remove(GONE)
    keep_root_key(str(path / "root.key"), ROOT)


def nothing_lost(path: Path) -> None:
    with opened(path / "vault") as vault:
        assert_readable(vault, OLD, OTHER)
        assert not vault.strays().without_key


def nothing_half_done(path: Path) -> None:
    nothing_lost(path)
    with opened(path / "vault") as vault:
        assert vault.strays() == Strays()


def gone_is_gone(path: Path) -> None:
    with opened(path / "vault") as vault:
        assert vault.fate(GONE) in (Fate.DESTROYED, Fate.ERASED)
        with pytest.raises(KeyGone):
            vault.verify(GONE)


def do_put(path: Path, disk: Disk) -> None:
    with opened(path / "vault", disk) as vault:
        if vault.fate(NEW) is not Fate.ABSENT or NEW in vault.strays().parts:
            vault.discard(NEW)
        put(vault, NEW, on=WEDNESDAY)


def after_put(path: Path) -> None:
    nothing_lost(path)
    with opened(path / "vault") as vault:
        assert vault.fate(NEW) is Fate.SEALED
        assert_readable(vault, NEW)
        assert vault.erase(WEDNESDAY).erased == (GONE,)
    nothing_half_done(path)  # what a cut overwriting left is emptied by the ceremony


def whenever_putting(path: Path) -> None:
    nothing_lost(path)
    with opened(path / "vault") as vault:
        if vault.fate(NEW) is Fate.SEALED and NEW not in vault.strays().without_object:
            assert_readable(vault, NEW)


def do_remove(path: Path, disk: Disk) -> None:
    with opened(path / "vault", disk) as vault:
        vault.remove(GOING)


def whenever_removing(path: Path) -> None:
    nothing_lost(path)
    with opened(path / "vault") as vault:
        if vault.fate(GOING) is Fate.SEALED:
            assert_readable(vault, GOING)
        else:
            assert vault.fate(GOING) is Fate.DESTROYED
            with pytest.raises(KeyGone):
                vault.verify(GOING)


def after_remove(path: Path) -> None:
    nothing_lost(path)
    with opened(path / "vault") as vault:
        assert vault.fate(GOING) is Fate.DESTROYED
        assert [entry.stored_bytes for entry in vault.entries() if entry.id == GOING] == [0]
        assert vault.erase(WEDNESDAY).erased == (GOING, GONE)
    nothing_half_done(path)  # what a cut overwriting left is emptied by the ceremony


def do_discard(path: Path, disk: Disk) -> None:
    with opened(path / "vault", disk) as vault:
        vault.discard(GOING)


def after_discard(path: Path) -> None:
    nothing_lost(path)
    with opened(path / "vault") as vault:
        assert GOING not in {entry.id for entry in vault.entries()}
        assert vault.erase(WEDNESDAY).erased == (GONE,)
    nothing_half_done(path)


def do_erase(path: Path, disk: Disk) -> None:
    with opened(path / "vault", disk) as vault:
        assert GONE in vault.erase(WEDNESDAY).erased


def whenever_erasing(path: Path) -> None:
    nothing_lost(path)
    gone_is_gone(path)
    with opened(path / "vault") as vault:
        assert_readable(vault, GOING)
        if vault.fate(GONE) is Fate.ERASED:
            assert TUESDAY not in {epoch.opened_on for epoch in vault._slots.epochs()}


def after_erase(path: Path) -> None:
    nothing_half_done(path)
    whenever_erasing(path)
    with opened(path / "vault") as vault:
        assert vault.fate(GONE) is Fate.ERASED
        assert {epoch.opened_on for epoch in vault._slots.epochs()} == {MONDAY, WEDNESDAY}
        assert vault.erase(WEDNESDAY).epochs == ()


def do_forget(path: Path, disk: Disk) -> None:
    with opened(path / "vault", disk) as vault:
        vault.erase(WEDNESDAY)
        vault.forget(GONE)


def whenever_forgetting(path: Path) -> None:
    nothing_lost(path)
    with opened(path / "vault") as vault:
        assert vault.fate(GONE) is not Fate.SEALED


def after_forget(path: Path) -> None:
    nothing_half_done(path)
    with opened(path / "vault") as vault:
        assert vault.fate(GONE) is Fate.ABSENT


def the_key(path: Path) -> Iterator[RootKey]:
    for name in ("root.key", "root.key.next"):
        if (path / name).exists():
            yield root_key(str(path / name), "", {})


def do_change(path: Path, disk: Disk) -> None:
    rotation.change_key_file(str(path / "vault"), str(path / "root.key"), disk=disk)


def whenever_changing(path: Path) -> None:
    """With what the two files hold, the vault can be opened: by the one key, by the other, or going from one to it."""
    *_, newest = keys = list(the_key(path))
    with opened(path / "vault", root=newest, former=keys[0]) as vault:
        assert_readable(vault, OLD, OTHER, GOING)


def after_change(path: Path) -> None:
    (key,) = the_key(path)
    assert key != ROOT
    with opened(path / "vault", root=key) as vault:
        assert_readable(vault, OLD, OTHER, GOING)
    assert ROOT.secret not in b"".join(file.read_bytes() for file in path.iterdir() if file.is_file())
    assert not (path / "root.key.former").exists()


ACTS = {
    "put": Act(do_put, whenever_putting, after_put, {"create": 1, "mkdir": 1, "rename": 1}),
    "remove": Act(do_remove, whenever_removing, after_remove, {"unlink": 1, "sync": 4}),
    "discard": Act(do_discard, lambda path: nothing_lost(path), after_discard, {"unlink": 1, "sync": 3}),
    "erase": Act(do_erase, whenever_erasing, after_erase, {"sync": 6}),
    "forget": Act(do_forget, whenever_forgetting, after_forget, {"sync": 8}),
    "change root": Act(do_change, whenever_changing, after_change, {"create": 1, "link": 2, "rename": 1, "unlink": 2}),
}
