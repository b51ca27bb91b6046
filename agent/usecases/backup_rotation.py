"""Old backups go when there are enough newer ones: only those that are proven to be ours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from agent.errors import AgentError
from agent.usecases.backup_archive import manifest_of
from agent.usecases.backup_draft import is_backup_name, sync_folder, writing


@dataclass(frozen=True, slots=True)
class Rotated:
    """Which files were deleted, and which are called like backups of ours but could not be proven to be some."""

    deleted: tuple[Path, ...]
    left: tuple[Path, ...]


def rotate(directory: Path, keep: int, master: bytes) -> Rotated:
    """Deletes our oldest backups in the directory beyond the `keep` newest.

    Ours is a plain file that is called as we call them, with a manifest that this installation has sealed. What is
    not stays and counts for nothing. Raises `UsageError` if one cannot be deleted.
    """
    named = [path for path in directory.iterdir() if is_backup_name(path.name)]
    ours = dict(_proven(named, master))
    oldest_last = sorted(ours, key=lambda path: (ours[path], path.name), reverse=True)
    deleted = oldest_last[keep:]
    for path in reversed(deleted):
        with writing(str(path)):
            path.unlink()
    if deleted:
        sync_folder(directory)
    return Rotated(tuple(reversed(deleted)), tuple(sorted(path for path in named if path not in ours)))


def _proven(named: list[Path], master: bytes) -> Iterator[tuple[Path, datetime]]:
    for path in named:
        if path.is_symlink() or not path.is_file():
            continue
        try:
            manifest = manifest_of(path)
        except AgentError:
            continue
        if manifest.sealed_by(master):
            yield path, manifest.made_at
