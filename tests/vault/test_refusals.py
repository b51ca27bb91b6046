"""What the vault does when the system refuses, or keeps something else than what it was given."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from agent.vault import store
from agent.vault.base import (
    Damaged,
    NoSpace,
    Opened,
    StorageFailed,
    Strays,
    VaultError,
)
from agent.vault.disk import Bytes, Disk
from tests.vault.factories import (
    an_id,
    assert_readable,
    memory_file,
    opened,
    put,
)

A = an_id(1)


class Refusing(Disk):
    """Refuses one kind of call some times."""

    def __init__(self, name: str, number: int, times: int = 1, ending: str = ""):
        self.name, self.number, self.times, self.ending = name, number, times, ending

    def _maybe(self, name: str, what: object) -> None:
        path = os.readlink(f"/proc/self/fd/{what}") if isinstance(what, int) else str(what)
        if name == self.name and self.times and path.endswith(self.ending):
            self.times -= 1
            raise OSError(self.number, os.strerror(self.number))

    def sync(self, descriptor: int) -> None:
        self._maybe("sync", descriptor)

    def write(self, descriptor: int, data: Bytes, offset: int) -> None:
        self._maybe("write", descriptor)
        super().write(descriptor, data, offset)

    def rename_noreplace(self, directory: int, old: str, new: str) -> None:
        self._maybe("rename", new)
        super().rename_noreplace(directory, old, new)

    def unlink(self, name: str, directory: int | None = None) -> None:
        self._maybe("unlink", name)
        super().unlink(name, directory)


def test_a_copy_that_could_not_be_made_durable_is_written_again_to_a_new_file(place: Path) -> None:
    created = []

    class Watching(Refusing):
        def create(self, name: str, directory: int | None = None) -> int:
            descriptor = super().create(name, directory)
            created.append(os.fstat(descriptor).st_ino)
            self.kept = os.dup(descriptor)  # so that the number cannot be used again
            return descriptor

    with opened(place, Watching("sync", errno.EIO, ending=".part")) as vault:
        put(vault, A)
        assert_readable(vault, A)
    assert len(set(created)) == 2


@pytest.mark.parametrize(
    ("disk", "error", "says"),
    [
        (Refusing("sync", errno.EIO, 2, ".part"), StorageFailed, "could not be made durable"),
        (Refusing("write", errno.ENOSPC, 1, ".part"), NoSpace, "full"),
        (Refusing("write", errno.EDQUOT, 1, ".part"), NoSpace, "quota"),
        (Refusing("write", errno.EIO, 1, ".part"), StorageFailed, "Input/output"),
        (Refusing("sync", errno.EIO, 1, "keyring"), StorageFailed, "Cannot seal"),
        (Refusing("sync", errno.EIO, 1, "objects/01"), StorageFailed, "Cannot seal"),
        (Refusing("rename", errno.EACCES, 1), StorageFailed, "Permission"),
    ],
)
def test_what_could_not_be_sealed_leaves_nothing_behind(
    place: Path, disk: Disk, error: type[VaultError], says: str
) -> None:
    with opened(place, disk) as vault:
        with pytest.raises(error, match=says):
            put(vault, A)
        assert vault.entries() == []
        assert vault.strays() == Strays()
        put(vault, A)
        assert_readable(vault, A)


def test_what_cannot_be_taken_back_either_can_be_discarded_later(place: Path) -> None:
    class Stubborn(Refusing):
        def unlink(self, name: str, directory: int | None = None) -> None:
            raise PermissionError(errno.EACCES, "no")

    with opened(place, Stubborn("sync", errno.EIO, 1, "objects/01")) as vault, pytest.raises(StorageFailed):
        put(vault, A)
    with opened(place) as vault:
        assert [entry.id for entry in vault.entries()] == [A]
        vault.discard(A)
        vault.discard(A)
        assert vault.entries() == []


@pytest.mark.parametrize("times", [1, 2])
def test_a_copy_that_is_not_read_back_as_it_was_written_is_written_again_once(
    place: Path, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, left = store.unseal, [times]

    def other_content(*arguments: object) -> Opened:
        told = real(*arguments)  # type: ignore[arg-type]
        left[0] -= 1
        return Opened(told.metadata, "0" * 64, told.size_bytes, told.stored_bytes) if left[0] >= 0 else told

    monkeypatch.setattr(store, "unseal", other_content)
    with opened(place) as vault:
        if times == 1:
            put(vault, A)
            assert_readable(vault, A)
        else:
            with pytest.raises(Damaged, match="not read back"):
                put(vault, A)
            assert vault.strays() == Strays()


class Rotting(Disk):
    """The device does not keep what was written to it."""

    def forget_cache(self, descriptor: int) -> None:
        if os.readlink(f"/proc/self/fd/{descriptor}").endswith(".part"):
            os.pwrite(descriptor, b"rotten", 80)


def test_a_device_that_does_not_keep_what_it_is_given_is_noticed_at_once(place: Path) -> None:
    with opened(place, Rotting()) as vault, pytest.raises(Damaged, match="chunk"):
        put(vault, A)


def test_a_full_disk_is_named_when_restoring(place: Path) -> None:
    with opened(place) as vault:
        put(vault, A)
    with (
        opened(place, Refusing("write", errno.ENOSPC, 1, "(deleted)")) as vault,
        memory_file() as target,
        pytest.raises(NoSpace, match="Cannot restore"),
    ):
        vault.restore_to(A, target)
