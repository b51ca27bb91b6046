"""What there is of one item: in its place, in the hold of its share, in the vault."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from agent.fsck.base import Standing
from agent.fsck.rows import Disposal, Item
from agent.fsck.sealed import NotReadable
from agent.fsck.share import Share
from agent.fsck.vault import Copy, Vault

_NO_COPY = Copy(b"")


@dataclass(frozen=True, slots=True)
class Unknown:
    """That a place could not be looked at, and why; empty if the whole share could not be."""

    why: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was found under the ids of one disposal: in the hold (`going` is what is left of it while it is being
    destroyed there), and in the vault, of the item and of what is to remain of it."""

    held: os.stat_result | None
    going: bool
    copy: Copy
    remains: Copy


class Eyes:
    """Looks into shares and vault.

    `vault` is none if it is not to be looked at. `wanted` says of each object whether its content is to be read;
    `advance` is told how many bytes were. `holds_not_seen` counts, by share, the disposals whose hold could not be
    looked at.
    """

    def __init__(
        self,
        shares: Mapping[str, Share],
        vault: Vault | None,
        wanted: Callable[[], bool],
        advance: Callable[[int], None],
    ) -> None:
        self.vault = vault
        self.objects_read = 0
        self.holds_not_seen: Counter[str] = Counter()
        self._shares = shares
        self._wanted = wanted
        self._advance = advance

    def place(self, item: Item) -> os.stat_result | Unknown | None:
        """What lies in the item's place."""
        share = self._shares.get(item.share)
        if share is None:
            return Unknown()
        try:
            return share.at(item.folder, item.name)
        except OSError as error:
            return Unknown(os.strerror(error.errno or 0))

    def content(self, item: Item) -> bytes | None:
        """The SHA-256 of the file in the item's place; none if there is no file that can be read."""
        share = self._shares.get(item.share)
        try:
            return None if share is None else share.sha256(item.folder, item.name)
        except OSError:
            return None

    def seen(self, item: Item, disposal: Disposal) -> Seen:
        """What there is under the ids of a disposal."""
        share = self._shares.get(item.share)
        if share is None:
            self.holds_not_seen[item.share] += 1
        return Seen(
            share.held(disposal.vault_id) if share else None,
            share is not None and share.held(disposal.vault_id, ".going") is not None,
            self.copy(disposal.vault_id),
            self.copy(disposal.derived_id) if disposal.derived_id else _NO_COPY,
        )

    def copy(self, id: str) -> Copy:
        """What lies in the vault under that id."""
        return self.vault.take(bytes.fromhex(id)) if self.vault else _NO_COPY

    def alive(self, epoch: str) -> bool:
        """Whether the key of that epoch, by its hexadecimal digits, is there."""
        return self.vault is not None and self.vault.alive(epoch)

    def read(self, copy: Copy, content_hash: bytes | None) -> Standing:
        """Whether the copy is readable: its key is tried, and its content read if that is wanted.

        Raises `NotReadable`, also if the content is another than the catalogue says.
        """
        if self.vault is None:
            return Standing.UNREAD
        key = self.vault.key(copy)
        if not self._wanted():
            return Standing.UNREAD
        sha256, size_bytes = self.vault.read(copy, key)
        self.objects_read += 1
        self._advance(size_bytes)
        if content_hash is not None and content_hash != sha256:
            raise NotReadable("its content is not that of the item by the catalogue")
        return Standing.VAULTED
