"""How a reader hands over a document that it found inside its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

from agent.extraction.document import Document

# The carrier, the bytes found in it, how many, the name it is given there, and its location in the carrier.
Nested = Callable[[Document, BinaryIO, int, bytes, str], None]
