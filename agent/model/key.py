"""Keys: what an event, a hold and an item have in common, in the form in which they are compared and kept."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

HIDDEN = "#"  # stands before a keyed hash in hexadecimal digits
NAMED_AS = "PERSON"  # a key that names a person has the identity that the same name has as a finding

Identify = Callable[[str, str], bytes]


_HIDDEN_ALREADY = re.compile(HIDDEN + "[0-9a-f]{32}")


def normalise_key(value: str) -> str:
    """The form in which two spellings of one key are equal: composed characters, single spaces, case folded."""
    return " ".join(unicodedata.normalize("NFC", value).casefold().split())


@dataclass(frozen=True, slots=True)
class KeyForm:
    """Turns keys as they are written into keys as they are kept: those that name persons become keyed hashes.

    `personal` says of which entity type's identities the hashes of each such key are, so that a key read from a path
    and one found in a text are the same. `identify(entity_type, value)` gives the identity of a finding
    (`agent.detection.identity`).
    """

    personal: Mapping[str, str]
    identify: Identify = field(repr=False)

    def of(self, key: str, value: str) -> str:
        """The value of the key as it is kept. One that is kept so already stays as it is."""
        normal = normalise_key(value)
        if key not in self.personal or _HIDDEN_ALREADY.fullmatch(normal):
            return normal
        return hidden(self.identify(self.personal[key], normal))

    def of_all(self, keys: Mapping[str, str]) -> Mapping[str, str]:
        """All keys of an item as they are kept."""
        return {key: self.of(key, value) for key, value in keys.items()} if keys else keys


def hidden(identity: bytes) -> str:
    """An identity as the value of a key."""
    return HIDDEN + identity.hex()


def show_key(value: str) -> str:
    """A kept value for people: plain, or the beginning of its hash."""
    return f"{value[:9]}…" if value.startswith(HIDDEN) else value
