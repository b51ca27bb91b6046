"""What a backup says of itself: what is in it, of which moment, and a seal that only we can put on it."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError

from agent.errors import AgentError, CatalogueError, ExitCode
from agent.keys import derive

FORMAT = 1
LARGEST_BYTES = 16 * 1024 * 1024

_WHAT = "retentiond backup"
_PURPOSE = "backup/manifest"


class BackupDamaged(AgentError):
    """A backup, or a file of keys, is not what was written: cut short, altered, or none of ours at all."""

    exit_code = ExitCode.NOT_WHOLE


@dataclass(frozen=True, slots=True)
class Member:
    """A file in the backup: its size, and its SHA-256 in hexadecimal digits."""

    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class LogFacts:
    """The audit log at that moment. `checkpoint` is its newest signed checkpoint, empty if there is none yet."""

    origin: str
    verifier_key: str
    entries: int
    root: str
    checkpoint: str


@dataclass(frozen=True, slots=True)
class VaultFacts:
    """The vault at that moment.

    `gone_meanwhile` were destroyed or given back while the backup was made; `unreadable` are objects that the disk
    did not give.
    """

    id: str
    with_objects: bool
    objects: int
    stored_bytes: int
    gone_meanwhile: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KeysFacts:
    """That a file of keys was written with the backup; with key slots in it, by when it must be gone."""

    slots: bool
    delete_by: date | None


@dataclass(frozen=True, slots=True)
class Manifest:
    """The last member of a backup. `members` are all others but the vault's objects, which its index lists.

    `settings` is where the settings file lay, empty if there was none; `schedule` is what the settings call it.
    """

    made_at: datetime
    version: str
    schema: str
    settings: str
    schedule: str
    log: LogFacts
    vault: VaultFacts | None
    keys: KeysFacts | None
    members: Mapping[str, Member] = field(default_factory=dict)
    seal: str = ""

    @property
    def id(self) -> str:
        """What tells this backup from others, by what is in it: 32 hexadecimal digits."""
        return hashlib.sha256(_canonical(replace(self, keys=None, seal=""))).hexdigest()[:32]

    def sealed(self, master: bytes) -> Manifest:
        """The same with the seal of whoever holds the master key."""
        return replace(self, seal=self._seal(master))

    def sealed_by(self, master: bytes) -> bool:
        """Whether whoever holds this master key has written all of it."""
        return hmac.compare_digest(self.seal.encode(), self._seal(master).encode())

    def written(self) -> bytes:
        """The manifest as it stands in the backup."""
        facts = {"what": _WHAT, "format": FORMAT, **_facts(self)}
        return json.dumps(facts, indent=1, sort_keys=True, ensure_ascii=True).encode() + b"\n"

    def _seal(self, master: bytes) -> str:
        return hmac.digest(derive(master, _PURPOSE), _canonical(replace(self, seal="")), "sha256").hex()


_READER = TypeAdapter(Manifest)


def read_manifest(text: bytes, where: str) -> Manifest:
    """The manifest that was written so. `where` names the backup in errors.

    Raises `BackupDamaged` for what is none, `CatalogueError` for one of a newer version.
    """
    try:
        facts = json.loads(text)
        ours = facts.pop("what") == _WHAT
        format = facts.pop("format")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        ours, format = False, 0
    if not ours or not isinstance(format, int):
        raise BackupDamaged(f"{where}: its manifest is none of a backup of retentiond. Use another copy or backup.")
    if format > FORMAT:
        raise CatalogueError(
            f"{where}: this backup was made by a newer version of retentiond ({_shown(facts.get('version'))}). "
            "Use that version. Nothing was changed."
        )
    try:
        manifest = _READER.validate_json(json.dumps(facts), strict=True)
    except ValidationError:
        raise BackupDamaged(f"{where}: its manifest is damaged. Use another copy of this backup.") from None
    if manifest.made_at.tzinfo is None:
        raise BackupDamaged(f"{where}: its manifest is damaged. Use another copy of this backup.")
    return manifest


def _shown(version: object) -> str:
    return version if isinstance(version, str) and version.isprintable() and len(version) < 100 else "unknown"


def _canonical(manifest: Manifest) -> bytes:
    return json.dumps(_facts(manifest), sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def _facts(manifest: Manifest) -> dict[str, Any]:
    facts = asdict(manifest)
    facts["made_at"] = manifest.made_at.isoformat()
    if manifest.keys is not None:
        by = manifest.keys.delete_by
        facts["keys"]["delete_by"] = None if by is None else by.isoformat()
    return facts
