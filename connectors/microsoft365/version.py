"""The version of an item of a drive: what crawling records, and what acting compares before it changes anything."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from connectors.errors import SourceFault

_FORM = "d1"  # of a drive's item, first form


@dataclass(frozen=True, slots=True)
class Version:
    """One state of one item. `etag` changes with every change at the source, `content` with its bytes only.

    `content` is `""` where the source gives no hash. Two contents that are there and equal mean equal bytes as far as
    the service knows: it takes its time with the hashes of Office files, so that whoever is about to destroy something
    goes by the whole version.
    """

    item_id: str
    etag: str = field(repr=False)
    content: str = field(repr=False)

    def encode(self) -> bytes:
        """The bytes that stand for this version outside this package: equal for equal versions."""
        return json.dumps([_FORM, self.item_id, self.etag, self.content], separators=(",", ":")).encode("ascii")

    @classmethod
    def decode(cls, recorded: bytes) -> Self | None:
        """The version that `encode` gave these bytes for; none if they are anything else, or of a form of another day.

        What is at such a version is at no version that we know: it has to be read again.
        """
        try:
            parts = json.loads(recorded)
        except ValueError:
            return None
        if not (isinstance(parts, list) and len(parts) == 4 and all(isinstance(part, str) for part in parts)):
            return None
        form, item_id, etag, content = parts
        version = cls(item_id, etag, content)
        return version if form == _FORM and version.encode() == recorded else None

    def is_state_of(self, other: Version) -> bool:
        """Whether both are one state of one item. The hash may be known of one alone: lists leave it out at times."""
        known = "" in (self.content, other.content) or self.content == other.content
        return self.item_id == other.item_id and self.etag == other.etag and known

    def same_content(self, other: Version) -> bool:
        """Whether both are versions of one item with the same bytes, as far as the service knows."""
        return self.item_id == other.item_id and self.content != "" and self.content == other.content


def version_of(answer: Mapping[str, Any]) -> Version:
    """The version of the item that the service describes. Raises `SourceFault` if it names no id or no eTag."""
    item_id, etag = answer.get("id"), answer.get("eTag")
    if not (isinstance(item_id, str) and item_id and isinstance(etag, str) and etag):
        raise SourceFault("the service described an item without its id or its eTag")
    return Version(item_id, etag, content_of(answer))


def content_of(answer: Mapping[str, Any]) -> str:
    """What stands for the bytes of the item: its hash and its size in bytes, or `""` if either is missing."""
    file = answer.get("file")
    hashes = file.get("hashes") if isinstance(file, Mapping) else None
    digest = hashes.get("quickXorHash") if isinstance(hashes, Mapping) else None
    size = answer.get("size")
    if not (isinstance(digest, str) and digest) or not isinstance(size, int) or isinstance(size, bool) or size < 0:
        return ""
    return f"{digest}/{size}"
