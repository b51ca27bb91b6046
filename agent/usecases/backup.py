"""Making a backup: everything of one moment in one file, and on request the keys in another."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from agent.audit.checkpoint import VerifierKey
from agent.errors import UsageError
from agent.usecases.backup_archive import (
    CATALOGUE,
    CHECKPOINTS,
    SCHEDULE,
    SETTINGS,
    ArchiveWriter,
)
from agent.usecases.backup_catalogue import CopyFacts, copy_catalogue, facts_of, known_schema
from agent.usecases.backup_draft import backup_name, draft_of, put_in_place, writing
from agent.usecases.backup_keys import Keys, KeysOrder, write_keys
from agent.usecases.backup_manifest import KeysFacts, LogFacts, Manifest, Member, VaultFacts
from agent.usecases.backup_rotation import Rotated, rotate
from agent.usecases.backup_vault import Advance, VaultFiles, add_vault, sizes_of, unchanging
from agent.vault.disk import plainly


@dataclass(frozen=True, slots=True)
class Sources:
    """What a backup is made of.

    `settings` and `schedule` are the files in force, `schedule_name` is what the settings call the schedule; `vault` is
    none where none was made. `checkpoints` are files with checkpoints that were brought outside. `verifier` is the key
    of the audit log, `version` that of the program.
    """

    catalogue: Path
    settings: Path | None
    schedule: Path
    schedule_name: str
    vault: VaultFiles | None
    checkpoints: tuple[Path, ...]
    master: bytes = field(repr=False)
    verifier: VerifierKey
    version: str


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that is whole and durable, where it lies, and what has gone for it."""

    path: Path
    size_bytes: int
    manifest: Manifest
    rotated: Rotated | None


def make_backup(
    sources: Sources,
    target: Path,
    made_at: datetime,
    *,
    with_objects: bool = False,
    keys: KeysOrder | None = None,
    keep: int | None = None,
    advance: Advance = lambda objects, size_bytes: None,
) -> Made:
    """Writes a backup into the directory, or to the new file, that `target` names; others may go on working.

    The catalogue and the vault's keys in it are of one moment: neither knows of what happened later, and between them
    it is as after a power cut at that moment. With `keep`, our older backups in that directory go down to so many.
    Calls `advance` with (1, stored bytes) after each object of the vault.
    Raises `UsageError`, `CatalogueError`, `VaultError`; then nothing of it is left, and older backups are as they were.
    """
    into_directory = target.is_dir()
    if keep is not None and not into_directory:
        raise UsageError("--keep belongs to a directory of backups: name the directory, not a file.")
    if keep is not None and keep < 1:
        raise UsageError("--keep: at least the new backup is kept.")
    path = (target / backup_name(made_at) if into_directory else target).absolute()
    if keys is not None and keys.path.absolute() == path:
        raise UsageError("The keys belong into another file than the backup.")
    with writing(str(path)), draft_of(path) as drafts:
        manifest, slots = _written(sources, drafts, made_at, with_objects, keys, advance)
        if keys is not None:
            delete_by = manifest.keys.delete_by if manifest.keys is not None else None
            write_keys(keys.path, Keys(manifest.id, sources.master, keys.root, slots, delete_by), keys.recipients)
        try:
            put_in_place(drafts / "backup.tar", path)
        except BaseException:
            if keys is not None:
                with contextlib.suppress(OSError):
                    keys.path.unlink()
            raise
    rotated = rotate(path.parent, keep, sources.master) if keep is not None else None
    return Made(path, path.stat().st_size, manifest, rotated)


def _written(
    sources: Sources, drafts: Path, made_at: datetime, with_objects: bool, keys: KeysOrder | None, advance: Advance
) -> tuple[Manifest, bytes | None]:
    slots, sizes = None, dict[str, int]()
    with unchanging(sources.vault):
        copy_catalogue(sources.catalogue, drafts / CATALOGUE)
        if sources.vault is not None:
            shutil.copyfile(sources.vault.keyring, drafts / "keyring")
            sizes = sizes_of(sources.vault)
            slots = _slots(sources.vault) if keys is not None and keys.slots else None
    facts = facts_of(drafts / CATALOGUE)
    known_schema(facts.schema, str(sources.catalogue))
    archive = ArchiveWriter(drafts / "backup.tar", int(made_at.timestamp()))
    try:
        members = {CATALOGUE: archive.add_file(CATALOGUE, drafts / CATALOGUE)}
        (drafts / CATALOGUE).unlink()  # its room may be needed for what follows
        members |= _further_files(archive, sources)
        vault: VaultFacts | None = None
        if sources.vault is not None:
            vault, of_vault = add_vault(archive, sources.vault, sizes, drafts, with_objects, advance)
            members |= of_vault
        manifest = _manifest(sources, made_at, facts, vault, keys, members)
        archive.finish(manifest)
    finally:
        archive.close()
    return manifest, slots


def _slots(vault: VaultFiles) -> bytes:
    with plainly(f"{vault.slots}: the key slots cannot be read"):
        return vault.slots.read_bytes()


def _further_files(archive: ArchiveWriter, sources: Sources) -> dict[str, Member]:
    named = {SETTINGS: sources.settings, SCHEDULE: sources.schedule}
    named |= {f"{CHECKPOINTS}{number}": path for number, path in enumerate(sources.checkpoints, start=1)}
    members = {}
    for name, path in named.items():
        if path is not None:
            try:
                data = path.read_bytes()
            except OSError as error:
                raise UsageError(f"{path}: needed for the backup, but cannot be read ({error.strerror}).") from error
            members[name] = archive.add_bytes(name, data)
    return members


def _manifest(
    sources: Sources,
    made_at: datetime,
    facts: CopyFacts,
    vault: VaultFacts | None,
    keys: KeysOrder | None,
    members: Mapping[str, Member],
) -> Manifest:
    log = LogFacts(
        sources.verifier.name, sources.verifier.text, facts.entries, facts.root.hex(), facts.checkpoint.decode()
    )
    written = None if keys is None else KeysFacts(keys.slots, keys.delete_by(made_at.date()))
    return Manifest(
        made_at=made_at,
        version=sources.version,
        schema=facts.schema,
        settings="" if sources.settings is None else str(sources.settings.absolute()),
        schedule=sources.schedule_name,
        log=log,
        vault=vault,
        keys=written,
        members=members,
    ).sealed(sources.master)
