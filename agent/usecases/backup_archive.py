"""The file that a backup is: a plain tar file with members of known names, the same bytes for the same contents.

It is not compressed: what is much in it is encrypted, and a file that expands to no more than it is cannot be made to
fill a disk. Of what is read, nothing is believed: a name that we never give, a link, or a second member of one name
ends the reading.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from agent.errors import UsageError
from agent.usecases.backup_draft import writing
from agent.usecases.backup_manifest import LARGEST_BYTES, BackupDamaged, Manifest, Member, read_manifest

CATALOGUE, SETTINGS, SCHEDULE = "catalogue.sqlite", "settings.yaml", "schedule.yaml"
KEYRING, INDEX = "vault/keyring", "vault/index"
CHECKPOINTS = "checkpoints/"
_MANIFEST = "manifest.json"
_OBJECT = re.compile(r"vault/objects/([0-9a-f]{2})/(\1[0-9a-f]{30})\.enc")
_OTHERS = re.compile(rf"{re.escape(CATALOGUE)}|{SETTINGS}|{SCHEDULE}|{KEYRING}|{INDEX}|{CHECKPOINTS}[1-9][0-9]{{0,3}}")
_COPY_BYTES = 1 << 20

Sink = Callable[[str], BinaryIO | None]


def object_member(id: str) -> str:
    """What the vault's object of this id is called in a backup."""
    return f"vault/objects/{id[:2]}/{id}.enc"


class ArchiveWriter:
    """A new tar file, readable by its owner alone. Methods raise `OSError`."""

    def __init__(self, path: Path, made_at: int) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        self._file = open(descriptor, "wb")  # noqa: SIM115 — closed by `close`
        self._tar = tarfile.TarFile(mode="w", fileobj=self._file, format=tarfile.PAX_FORMAT, copybufsize=_COPY_BYTES)
        self._made_at = made_at

    def add(self, name: str, source: BinaryIO, size_bytes: int) -> Member:
        """Adds so many bytes from `source`, and tells their hash."""
        told = tarfile.TarInfo(name)
        told.size, told.mtime, told.mode = size_bytes, self._made_at, 0o600
        hashing = _Hashing(source)
        self._tar.addfile(told, hashing)
        self._tar.members = []  # type: ignore[attr-defined]  # it would remember every member
        return Member(size_bytes, hashing.sha256.hexdigest())

    def add_file(self, name: str, path: Path) -> Member:
        """Adds a file of ours that nobody writes to."""
        with open(path, "rb") as file:
            return self.add(name, file, os.fstat(file.fileno()).st_size)

    def add_bytes(self, name: str, data: bytes) -> Member:
        """Adds what is in memory."""
        return self.add(name, io.BytesIO(data), len(data))

    def finish(self, manifest: Manifest) -> None:
        """Adds the manifest; the file is whole and durable when this returns."""
        self.add_bytes(_MANIFEST, manifest.written())
        self._tar.close()
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Lets go of the file, whole or not."""
        self._file.close()


class _Hashing(io.RawIOBase):
    """A source that hashes what is read of it."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self.sha256 = hashlib.sha256()

    def read(self, size: int = -1, /) -> bytes:
        data = self._source.read(size)
        self.sha256.update(data)
        return data


@dataclass(frozen=True, slots=True)
class Read:
    """What a backup held. `index` says of each object of the vault what it was; those of `members` were in the file."""

    manifest: Manifest
    members: Mapping[str, Member]
    index: Mapping[str, Member | None]
    size_bytes: int

    def faults(self) -> Iterator[str]:
        """In which ways what is in the file is not what its manifest and its index say."""
        objects = {name: member for name, member in self.members.items() if _OBJECT.fullmatch(name)}
        wanted = dict(self.manifest.members)
        if CATALOGUE not in wanted:
            yield f"{CATALOGUE} is missing."
        vault = self.manifest.vault
        if vault is not None and vault.with_objects:
            wanted |= {object_member(id): member for id, member in self.index.items() if member is not None}
        elif objects:
            yield f"{len(objects):,} objects of the vault are in it, of which its manifest says nothing."
        for name, member in wanted.items():
            if name not in self.members:
                yield f"{name} is missing."
            elif self.members[name] != member:
                yield f"{name} is not what was written there: its hash is another one."
        for name in self.members.keys() - wanted.keys() - objects.keys():
            yield f"{name} is in it, of which its manifest says nothing."
        for name in objects.keys() - wanted.keys() if vault is not None and vault.with_objects else ():
            yield f"{name} is in it, of which its index says nothing."
        if vault is not None and len(self.index) != vault.objects:
            yield f"its index names {len(self.index):,} objects of the vault, its manifest {vault.objects:,}."


def read_archive(path: Path, sink: Sink) -> Read:
    """Reads a backup from end to end. Whatever `sink` gives for a member's name gets its bytes, and is closed.

    What is given away was not checked yet: only the `Read` tells whether it is what was written.
    Raises `BackupDamaged`, `CatalogueError` for a backup of a newer version, `UsageError` if it cannot be read.
    """
    members: dict[str, Member] = {}
    index: dict[str, Member | None] = {}
    with _opened(path) as (tar, size_bytes):
        for name, told, stream in _members(tar, path):
            if name == _MANIFEST:
                return Read(read_manifest(_all_of(told, stream, path), str(path)), members, index, size_bytes)
            if name in members:
                raise BackupDamaged(f"{path}: {name} is in it twice. Use another copy of this backup.")
            members[name] = _copied(stream, sink(name), index if name == INDEX else None, path)
    raise _cut_short(path)


def manifest_of(path: Path) -> Manifest:
    """What a backup says of itself; nothing else of it is read. Raises as `read_archive`."""
    with _opened(path) as (tar, _):
        for name, told, stream in _members(tar, path):
            if name == _MANIFEST:
                return read_manifest(_all_of(told, stream, path), str(path))
    raise _cut_short(path)


def index_line(id: str, member: Member | None) -> bytes:
    """A line of the index: id, size and hash of an object; of one that could not be read only the id."""
    return (f"{id} {member.size_bytes} {member.sha256}\n" if member else f"{id} unreadable\n").encode()


def _cut_short(path: Path) -> BackupDamaged:
    return BackupDamaged(f"{path}: there is no manifest at its end: it was cut short, or is no backup of retentiond.")


@contextmanager
def _opened(path: Path) -> Iterator[tuple[tarfile.TarFile, int]]:
    try:
        with open(path, "rb") as file:
            try:
                with tarfile.open(fileobj=file, mode="r:") as tar:
                    yield tar, os.fstat(file.fileno()).st_size
            except (tarfile.TarError, UnicodeError, ValueError, OverflowError):
                raise BackupDamaged(f"{path}: this is no backup of retentiond, or it is damaged.") from None
    except OSError as error:
        raise UsageError(f"{path}: the backup cannot be read ({error.strerror or 'it is too short'}).") from error


def _members(tar: tarfile.TarFile, path: Path) -> Iterator[tuple[str, tarfile.TarInfo, BinaryIO]]:
    while (told := tar.next()) is not None:
        tar.members = []  # type: ignore[attr-defined]  # it would remember every member
        name = told.name
        known = name == _MANIFEST or _OTHERS.fullmatch(name) or _OBJECT.fullmatch(name)
        stream = tar.extractfile(told) if known and told.isreg() and not told.issparse() else None
        if stream is None:
            raise BackupDamaged(f"{path}: there is something in it that we never put into a backup. Do not use it.")
        with stream:
            yield name, told, stream  # type: ignore[misc]


def _all_of(told: tarfile.TarInfo, stream: BinaryIO, path: Path) -> bytes:
    if told.size > LARGEST_BYTES:
        raise BackupDamaged(f"{path}: its manifest is larger than any that we write. Do not use it.")
    return stream.read()


def _copied(stream: BinaryIO, to: BinaryIO | None, index: dict[str, Member | None] | None, path: Path) -> Member:
    sha256, size_bytes = hashlib.sha256(), 0
    try:
        pieces = stream if index is not None else iter(lambda: stream.read(_COPY_BYTES), b"")
        for piece in pieces:
            sha256.update(piece)
            size_bytes += len(piece)
            if index is not None:
                id, member = _indexed(piece, path)
                index[id] = member
            if to is not None:
                with writing(str(to.name)):
                    to.write(piece)
        if to is not None:
            with writing(str(to.name)):
                to.flush()
                os.fsync(to.fileno())
    finally:
        if to is not None:
            to.close()
    return Member(size_bytes, sha256.hexdigest())


_INDEXED = re.compile(rb"([0-9a-f]{32}) (?:([0-9]{1,18}) ([0-9a-f]{64})|unreadable)\n")


def _indexed(line: bytes, path: Path) -> tuple[str, Member | None]:
    found = _INDEXED.fullmatch(line)
    if found is None:
        raise BackupDamaged(f"{path}: its index of the vault is damaged. Use another copy of this backup.")
    return found[1].decode(), Member(int(found[2]), found[3].decode()) if found[2] else None
