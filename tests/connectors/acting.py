"""A share on disk, and the holding that acts on it."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Self

from connectors.filesystem.connector import FilesystemConnector
from connectors.filesystem.facts import version_of
from connectors.filesystem.held import HeldFile
from connectors.filesystem.holding import FilesystemHolding
from connectors.memory import ref_of

ID = "ab" * 16
OTHER_ID = "cd" * 16


class Acted:
    """Acts on the folder `share`; `path` is always relative to it."""

    def __init__(self, share: Path, *, hold: bytes | None = None, quiet_seconds: float = 0) -> None:
        self.share = os.fsencode(share)
        connector = FilesystemConnector(self.share, "share")
        (self.scope,) = connector.scopes()
        connector.close()
        self.holding = FilesystemHolding(self.share, "share", hold=hold, quiet_seconds=quiet_seconds)

    def put(self, path: bytes, content: bytes = b"a case") -> bytes:
        """Makes a file; gives where it lies."""
        place = self.at(path)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with open(place, "wb") as file:
            file.write(content)
        return place

    def at(self, path: bytes) -> bytes:
        return os.path.join(self.share, path)

    def in_hold(self, name: str = ID) -> bytes:
        return os.path.join(self.share, b".retentiond-hold", os.fsencode(name))

    def version(self, path: bytes) -> bytes:
        return version_of(os.lstat(self.at(path)))

    def take(self, path: bytes, id: str = ID, version: bytes | None = None) -> HeldFile:
        return self.holding.take(self.scope, ref_of(path), version or self.version(path), id)

    def put_back(self, path: bytes, id: str = ID) -> bool:
        return self.holding.put_back(self.scope, id, ref_of(path))

    def let_go(self, id: str = ID) -> str:
        return self.holding.let_go(self.scope, id).method

    def held(self) -> list[str]:
        return [*self.holding.in_hold(self.scope)]

    def read(self, path: bytes) -> bytes:
        with open(self.at(path), "rb") as file:
            return file.read()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.holding.close()
