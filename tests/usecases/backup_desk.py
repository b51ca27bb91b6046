"""A house that is backed up, and what may happen to its backups."""

from __future__ import annotations

import io
import json
import os
import signal
import tarfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from agent.usecases.backup import Made, Sources, make_backup
from agent.usecases.backup_keys import KeysOrder
from agent.usecases.backup_vault import VaultFiles
from agent.usecases.backup_verify import Verdict, Witnesses, verify_backup
from tests.disposition.house import MASTER, ROOT, WRITTEN, House, trail

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
THAT_DAY = NOON.date()
NAME = "retentiond-backup-20261127T120000Z.tar"
CASES = ("Cases/1/a.txt", "Cases/1/b.txt", "Cases/2/c.txt")


class Desk:
    """A house with three cases, two of them in quarantine, and a directory for backups."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.backups = folder / "backups"
        for made in (self.state, self.backups):
            made.mkdir(mode=0o700)
        (folder / "settings.yaml").write_text("shares: []\n")
        (folder / "house.yaml").write_text(WRITTEN)
        self.house = House(self.state)
        for path in CASES:
            self.house.put(path, path.encode() * 50)
        self.house.scan()
        self.house.approve(*CASES[:2])
        self.house.take()
        assert self.house.states() == ["quarantined", "quarantined"]
        self.vault = VaultFiles(self.state / "vault", self.state / "vault" / "slots")
        self.sources = Sources(
            catalogue=self.state / "catalogue.sqlite",
            settings=folder / "settings.yaml",
            schedule=folder / "house.yaml",
            schedule_name=str(folder / "house.yaml"),
            vault=self.vault,
            checkpoints=(),
            master=MASTER,
            verifier=trail().signing_key.verifier,
            version="1.0",
        )

    def make(self, at: datetime = NOON, **options: Any) -> Made:
        return make_backup(self.sources, options.pop("target", self.backups), at, **options)

    def verify(self, path: Path, *, alone: bool = False, today: date = THAT_DAY, **further: Any) -> Verdict:
        """With the master key and the vault that are here, or `alone` with nothing but the file."""
        if alone:
            return verify_backup(path, Witnesses(**further), today)
        here = {"master": MASTER, "trail": trail(), "vault": self.vault, "opened": self.house.vault}
        return verify_backup(path, Witnesses(**{**here, **further}), today)

    def keys(self, *recipients: str, slots: bool = True, days: int = 7) -> KeysOrder:
        return KeysOrder(self.folder / "keys.age", recipients, ROOT.secret, slots, days)

    def listed(self) -> list[str]:
        return sorted(os.listdir(self.backups))


def members(path: Path) -> dict[str, bytes]:
    with tarfile.open(path, "r:") as tar:
        return {one.name: tar.extractfile(one).read() for one in tar}  # type: ignore[union-attr]


def rewritten(path: Path, **changed: bytes | None) -> Path:
    """The backup with other members, as somebody would write it who can change everything but has no key."""
    target = path.with_name("other.tar")
    held = members(path) | {name.replace("__", "/").replace("_dot_", "."): data for name, data in changed.items()}  # type: ignore[operator]
    last = held.pop("manifest.json")
    with tarfile.open(target, "w") as tar:
        for name, data in {**held, "manifest.json": last}.items():
            if data is not None:
                told = tarfile.TarInfo(name)
                told.size = len(data)
                tar.addfile(told, io.BytesIO(data))
    return target


def manifest_with(path: Path, **changed: object) -> bytes:
    return json.dumps(json.loads(members(path)["manifest.json"]) | changed).encode()


def dying(call: Callable[..., Any], at: int) -> Callable[..., Any]:
    """The same call, at whose so many-th time the process is killed."""
    calls = 0

    def die(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls > at:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*arguments)

    return die
