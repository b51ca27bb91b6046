"""Persons and items as the log names them: keyed hashes, each kind by a key of its own."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field

# What the keys are derived for (`agent.keys.derive`). Changing one cuts the log off from what it spoke of before.
ITEM_PURPOSE = "audit/item"
ACTOR_PURPOSE = "audit/actor"
CHECKPOINT_PURPOSE = "audit/checkpoint"
TEXT_PURPOSE = "audit/text"


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """Whoever holds the keys can ask whether an entry speaks of a given person or item; nobody else can."""

    item_key: bytes = field(repr=False)
    actor_key: bytes = field(repr=False)

    @classmethod
    def derived(cls, derive: Callable[[str], bytes]) -> Pseudonyms:
        """By keys that `derive` gives for each purpose."""
        return cls(derive(ITEM_PURPOSE), derive(ACTOR_PURPOSE))

    def item(self, identity: bytes) -> bytes:
        """An item, by what identifies it for good; never by its path, which may change."""
        return hmac.digest(self.item_key, identity, "sha256")

    def actor(self, name: str) -> bytes:
        """A person or system, by the name under which it acted."""
        return hmac.digest(self.actor_key, name.encode("utf-8", "surrogateescape"), "sha256")
