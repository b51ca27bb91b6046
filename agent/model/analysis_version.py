"""What decides what the analysis of a document gives, kept apart so that a change costs only what it affects."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass

ANY_FORMAT = "*"


@dataclass(frozen=True)
class AnalysisVersion:
    """The versions in force.

    `shared` touches every document, a value of `readers` those in which its format (the key) was met, and `detector`
    those with text. What no reader is listed for has none yet.
    """

    shared: str
    readers: Mapping[str, str]
    detector: str

    def of(self, formats: Collection[str], *, with_text: bool) -> str:
        """A short name that changes when the analysis of such a document may: 16 hexadecimal digits.

        `ANY_FORMAT` among the formats stands for all of them: a document that ended its reader.
        """
        met = self.readers if ANY_FORMAT in formats else {name: self.readers.get(name, "none") for name in formats}
        parts = [self.shared, self.detector if with_text else ""]
        parts += [f"{name} {version}" for name, version in sorted(met.items())]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]

    @property
    def whole(self) -> str:
        """A short name that changes when anything does."""
        return self.of((ANY_FORMAT,), with_text=True)
