"""What is sealed with an item beside its content, so that it can be put back even if the catalogue were lost."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass, field

from agent.catalogue.disposal_rows import Disposal
from agent.vault.base import Damaged
from connectors.base import ItemRef

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Wrapping:
    """Where an item came from, and everything it had beside its content (`connectors.holding.Taken.properties`).

    `note` is what is left in the item's place, empty if nothing is.
    """

    share: str
    ref: ItemRef
    properties: bytes = field(repr=False)
    note: bytes = b""


def wrap(of: Disposal, properties: bytes, note: bytes = b"") -> bytes:
    """The vault's metadata for the item; `unwrap` reads them."""
    parts = {
        "version": _VERSION,
        "disposal": of.number,
        "item": of.item_id,
        "share": of.share,
        "folder": b64encode(of.ref.folder).decode(),
        "name": b64encode(of.ref.name).decode(),
        "properties": b64encode(properties).decode(),
        "note": b64encode(note).decode(),
    }
    return json.dumps(parts, sort_keys=True).encode()


def unwrap(metadata: bytes) -> Wrapping:
    """What `wrap` wrote. Raises `Damaged` if it did not."""
    try:
        parts = json.loads(metadata)
        ref = ItemRef(b64decode(parts["folder"]), b64decode(parts["name"]))
        return Wrapping(parts["share"], ref, b64decode(parts["properties"]), b64decode(parts.get("note", "")))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Damaged("A vault object was not sealed for a disposal: what belongs to it cannot be read.") from None
