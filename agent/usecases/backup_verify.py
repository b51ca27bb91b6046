"""Verifying a backup: everything in it read and held against what it says of itself, and against what is there now."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import BinaryIO

from agent.audit.anchors import notes_in
from agent.audit.checkpoint import VerifierKey
from agent.audit.log import AuditLog
from agent.audit.verify import Trouble, Verification
from agent.audit.verify import verify as recompute
from agent.catalogue.store import Catalogue
from agent.errors import ConfigurationError
from agent.usecases.backup_archive import CATALOGUE, CHECKPOINTS, KEYRING, Read, read_archive
from agent.usecases.backup_catalogue import faults_in, known_schema
from agent.usecases.backup_manifest import Manifest
from agent.usecases.backup_vault import Advance, Comparison, VaultFiles, compare, vault_id
from agent.usecases.trail import Trail
from agent.vault.base import VaultError
from agent.vault.store import Vault


@dataclass(frozen=True, slots=True)
class Witnesses:
    """What a backup is held against, as far as it is at hand.

    `master` and `trail` are by the master key of this installation, or that of a file of keys. `keys` are verifier keys
    and `outside` checkpoints that were kept elsewhere. `vault` is the vault that is there now; `opened` the same, open.
    """

    master: bytes | None = field(default=None, repr=False)
    trail: Trail | None = None
    keys: tuple[VerifierKey, ...] = ()
    outside: Mapping[str, bytes] = field(default_factory=dict)
    vault: VaultFiles | None = None
    opened: Vault | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What verifying a backup has shown: sentences on what is wrong, and on what could not be checked and why.

    `log` is none if there was no sound catalogue to verify it in; `vault` if no vault was compared. `notes` is what a
    person should know or do, though nothing is wrong.
    """

    manifest: Manifest
    size_bytes: int
    faults: tuple[str, ...]
    log: Verification | None
    log_faults: tuple[tuple[Trouble, str], ...]
    vault: Comparison | None
    unchecked: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def good(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults and not self.log_faults


def verify_backup(
    path: Path, witnesses: Witnesses, today: date, advance: Advance = lambda objects, size_bytes: None
) -> Verdict:
    """Reads the backup from end to end. Its catalogue is unpacked into the system's directory for temporary files
    (`TMPDIR`), which must have room for it, and is removed from there again; nothing else is written.

    Raises `CatalogueError` for a backup of a newer version, `BackupDamaged` if it is none or was cut short,
    `UsageError` if it cannot be read or there is no room.
    """
    with tempfile.TemporaryDirectory(prefix="retentiond-verify-") as folder:
        unpacked = Path(folder)
        read = read_archive(path, lambda name: _unpacked(unpacked, name))
        known_schema(read.manifest.schema, str(path))
        return _Check(path, read, unpacked, witnesses).run(today, advance)


def _unpacked(folder: Path, name: str) -> BinaryIO | None:
    if name in (CATALOGUE, KEYRING) or name.startswith(CHECKPOINTS):
        target = folder / name
        target.parent.mkdir(exist_ok=True)
        return open(target, "xb")
    return None


class _Check:
    def __init__(self, path: Path, read: Read, folder: Path, witnesses: Witnesses) -> None:
        self._path, self._read, self._folder, self._witnesses = path, read, folder, witnesses
        self._manifest = read.manifest
        self._faults = list(read.faults())
        self._unchecked: list[str] = []
        self._notes: list[str] = []

    def run(self, today: date, advance: Advance) -> Verdict:
        self._seal()
        log, log_faults = None, list[tuple[Trouble, str]]()
        if (self._folder / CATALOGUE).exists() and self._is_sound():
            log, log_faults = self._log()
        vault = self._vault(advance)
        self._remember(today)
        return Verdict(
            self._manifest,
            self._read.size_bytes,
            tuple(self._faults),
            log,
            tuple(log_faults),
            vault,
            tuple(self._unchecked),
            tuple(self._notes),
        )

    @property
    def _trail(self) -> Trail | None:
        """What speaks for this log, if the master key at hand is that of the log."""
        trail = self._witnesses.trail
        return trail if trail is not None and trail.signing_key.name == self._manifest.log.origin else None

    def _seal(self) -> None:
        if self._trail is None or self._witnesses.master is None:
            self._unchecked.append(
                "Whether the manifest is as it was written: for that the master key is needed. The hashes only show "
                "that the backup is as the manifest says."
            )
        elif not self._manifest.sealed_by(self._witnesses.master):
            self._faults.append("its manifest was changed after it was written: its seal is not ours.")

    def _is_sound(self) -> bool:
        faults = faults_in(self._folder / CATALOGUE, self._manifest.schema)
        self._faults += faults
        if faults:
            self._unchecked.append("The audit log: its catalogue is not sound.")
        return not faults

    def _log(self) -> tuple[Verification, list[tuple[Trouble, str]]]:
        said = self._manifest.log
        trail = self._trail
        keys = list(self._witnesses.keys)
        if trail is not None:
            keys.append(trail.signing_key.verifier)
        elif not keys:
            self._unchecked.append(
                "Whether the audit log was signed by the one whose log it is: it was verified by the key that the "
                "backup itself names. Give the key kept elsewhere:  --key"
            )
            try:
                keys.append(VerifierKey.parse(said.verifier_key))
            except ConfigurationError:
                self._faults.append("the key of the audit log in its manifest is none.")
        with Catalogue.open(self._folder / CATALOGUE, create=False) as catalogue, catalogue.connected() as connection:
            told = recompute(connection, keys, dict(self._outside()))
            faults = [(one.trouble, one.said) for one in told.findings]
            if told.good and trail is not None:
                faults += [(Trouble.MISMATCH, one) for one in trail.disagreements(catalogue, AuditLog(connection))]
        if trail is None:
            self._unchecked.append(
                "Whether the catalogue agrees with its audit log: for that the master key is needed."
            )
        if (told.size, told.root.hex()) != (said.entries, said.root) and said.entries:
            faults.append((Trouble.MISMATCH, "The audit log is not the one that the manifest speaks of."))
        return told, faults

    def _outside(self) -> Iterator[tuple[str, bytes]]:
        yield from self._witnesses.outside.items()
        if self._manifest.log.checkpoint:
            yield "the checkpoint in the manifest", self._manifest.log.checkpoint.encode()
        for file in sorted((self._folder / CHECKPOINTS).glob("*")):
            for number, note in enumerate(notes_in(file.read_bytes()), start=1):
                yield f"checkpoint {number} of {CHECKPOINTS}{file.name} in the backup", note

    def _vault(self, advance: Advance) -> Comparison | None:
        facts = self._manifest.vault
        if facts is None:
            return None
        keyring = self._folder / KEYRING
        try:
            kept = vault_id(keyring) if keyring.exists() else facts.id
        except VaultError:
            kept = ""
        if kept != facts.id:
            self._faults.append("its copy of the vault's key file is none of that vault.")
        here = self._witnesses.vault
        if here is None:
            self._unchecked.append("Whether the vault still holds what the index names: there is no vault here.")
            return None
        try:
            if vault_id(here.keyring) != facts.id:
                self._unchecked.append("Whether the vault still holds what the index names: another vault is here.")
                return None
            found = compare(self._read.index, here, self._witnesses.opened, advance)
        except VaultError as error:
            self._unchecked.append(f"Whether the vault still holds what the index names. {error}")
            return None
        self._faults += found.faults
        if found.gone and not found.asked:
            self._unchecked.append(
                f"Whether {found.gone:,} objects that are not in the vault any more were destroyed or are lost: for "
                "that the vault's root key is needed."
            )
        return found

    def _remember(self, today: date) -> None:
        facts, keys = self._manifest.vault, self._manifest.keys
        if facts is not None and facts.gone_meanwhile:
            self._notes.append(
                f"{len(facts.gone_meanwhile):,} objects were destroyed or given back while the backup was made, and "
                "are not in it."
            )
        if facts is not None and facts.unreadable:
            self._notes.append(
                f"{len(facts.unreadable):,} objects could not be read when the backup was made. Look after them:  "
                "retentiond vault verify"
            )
        if keys is not None and keys.delete_by is not None and keys.delete_by < today:
            self._notes.append(
                f"The file of keys that was written with it holds key slots and should be gone since {keys.delete_by}: "
                "as long as it exists, what was erased since is not beyond recovery. Delete it."
            )
