"""What the detection engine promises to those who call it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from agent.model.finding import Span


class Detector(Protocol):
    """Finds personal data in a text."""

    @property
    def version(self) -> str:
        """Changes whenever the same text may give other spans."""

    def detect(self, text: str) -> Sequence[Span]:
        """The spans in `text`, ordered by start, end and entity type. The same text always gives the same spans."""
