"""Handing back: what a class gives back to whom it belongs is exported from the vault, and goes once it has arrived."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import BinaryIO

from agent.catalogue.disposal_rows import Disposal
from agent.catalogue.outgoing import Bundle
from agent.catalogue.store import Catalogue
from agent.errors import UsageError
from agent.model.disposal import DisposalState, Obstacle
from agent.model.schedule import Disposition, RetentionSchedule
from agent.outgoing.base import About, Entry, ExportFailed
from agent.outgoing.export import export
from agent.vault.store import Vault

_DRAFT = ".draft-"
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Addressee:
    """To whom an export goes: a name for the record, and the age recipients that can open it."""

    name: str
    recipients: tuple[str, ...]


class HandingBack:
    """Exports what lies in the vault for handing back."""

    def __init__(self, catalogue: Catalogue, schedule: RetentionSchedule, vault: Vault, outbox: Path) -> None:
        self._catalogue = catalogue
        self._schedule = schedule
        self._vault = vault
        self._outbox = outbox

    def pending(self, class_id: str | None = None) -> tuple[Disposal, ...]:
        """What is in quarantine for handing back and in no export yet, of one class or of all."""
        return tuple(
            one
            for one in self._catalogue.disposals.of_state(DisposalState.QUARANTINED)
            if one.action is Disposition.HAND_BACK and one.bundle is None and class_id in (None, one.account.class_id)
        )

    def free(self, disposals: Sequence[Disposal], day: date) -> tuple[Disposal, ...]:
        """Those of them that may leave the house as they stand on that day: neither held nor changed, and approved.

        Standings must be up to date (`ReviewStandings.bring_up_to_date`).
        """
        bar = self._catalogue.disposals.bar_to_go_on
        return tuple(one for one in disposals if bar(one, day) is Obstacle.NOT_HANDED_OVER)

    def export(self, disposals: Sequence[Disposal], to: Addressee, now: datetime, by: str) -> tuple[Bundle, Path]:
        """Exports these into one file of the outbox, durable and read back, and records it. They stay in the vault
        until somebody confirms that it has arrived.

        Raises `UsageError` if there is nothing to export or the outbox cannot be written, `ExportFailed`, `VaultError`;
        then nothing is recorded, and nothing of the file is left.
        """
        if not disposals:
            raise UsageError("Nothing in quarantine waits for being handed back.")
        name = f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(4)}.tar.age"
        about = About(self._schedule.organisation, to.name, now, self._schedule.id, self._schedule.version)
        try:
            folder = self._opened()
        except OSError as error:
            raise _unwritable(self._outbox, error) from error
        draft = _DRAFT + name
        try:
            descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=folder)
            with open(descriptor, "w+b") as file:
                made = export(file, to.recipients, self._entries(disposals), about)
                file.flush()
                os.fsync(descriptor)
                file.seek(0)
                if hashlib.file_digest(file, "sha256").digest() != made.sha256:
                    raise ExportFailed(f"{self._outbox / name}: the export was not read back as it was written.")
            os.rename(draft, name, src_dir_fd=folder, dst_dir_fd=folder)
            os.fsync(folder)
        except OSError as error:
            raise _unwritable(self._outbox, error) from error
        finally:
            _remove(draft, folder)
            os.close(folder)
        bundle = Bundle(0, to.name, name, made.sha256, made.size_bytes, made.items, now, by)
        recorded = self._catalogue.bundles.add(bundle, [one.number for one in disposals])
        return recorded, self._outbox / name

    def _opened(self) -> int:
        """The outbox; drafts of exports that were cut off are removed."""
        self._outbox.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = os.open(self._outbox, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        for left in os.listdir(folder):
            if left.startswith(_DRAFT):
                _remove(left, folder)
        return folder

    def _entries(self, disposals: Sequence[Disposal]) -> Iterator[Entry]:
        records = self._catalogue.reviews.records([one.item_id for one in disposals])
        for one in disposals:
            yield Entry(
                one.share,
                one.ref.path,
                one.size_bytes,
                records[one.item_id].modified_at,
                one.account.class_id,
                one.account.due_on,
                self._writer(one.vault_id),
            )

    def _writer(self, vault_id: str) -> Callable[[BinaryIO], None]:
        def write(stream: BinaryIO) -> None:
            # Through memory, so that no plain text comes to lie on a disk.
            content = os.memfd_create("export", os.MFD_CLOEXEC)
            try:
                self._vault.restore_to(vault_id, content)
                os.lseek(content, 0, os.SEEK_SET)
                while block := os.read(content, _BLOCK):
                    stream.write(block)
            finally:
                os.close(content)

        return write


def _unwritable(outbox: Path, error: OSError) -> UsageError:
    return UsageError(f"{outbox}: the export cannot be written ({error.strerror}). Set disposition.outbox.")


def _remove(name: str, folder: int) -> None:
    try:
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        return
