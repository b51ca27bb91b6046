from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.extraction.base import Chunk, Limits
from agent.extraction.process import ProcessExtractor
from agent.extraction.testing import take
from agent.model.outcome import Extraction

Read = Callable[[bytes, str], tuple[Extraction, list[Chunk]]]


@pytest.fixture(scope="session")
def one_process() -> Iterator[ProcessExtractor]:
    extractor = ProcessExtractor(Limits())
    yield extractor
    extractor.close()


@pytest.fixture
def read(one_process: ProcessExtractor, tmp_path: Path) -> Read:
    """What is said of a file with that content and name."""

    def read(content: bytes, name: str) -> tuple[Extraction, list[Chunk]]:
        (tmp_path / "document").write_bytes(content)
        return take(one_process, tmp_path / "document", name.encode())

    return read


def text_of(chunks: list[Chunk]) -> str:
    return "".join(chunk.text for chunk in chunks)


def places_of(chunks: list[Chunk], value: str) -> list[str]:
    """The locations at which the value stands."""
    found = []
    for chunk in chunks:
        position = chunk.text.find(value)
        while position >= 0:
            found.append(chunk.location_at(position))
            position = chunk.text.find(value, position + 1)
    return found
