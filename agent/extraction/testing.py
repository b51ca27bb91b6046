"""The contract that every extractor passes. A suite of tests: derive from it and say how an extractor is made."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from agent.extraction.base import MAX_CHUNK_CHARACTERS, Chunk, Extractor
from agent.model.location import read
from agent.model.outcome import Extraction, ExtractionStatus

_HOSTILE = {
    "zeros": b"\0" * 10_000,
    "a cut off archive": b"PK\x03\x04" + b"\xff" * 3_000,
    "a pdf without a body": b"%PDF-1.7\n" + b"<<" * 5_000,
    "an ole file without sectors": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\xff" * 4_000,
    "markup without end": b"<?xml version='1.0'?>" + b"<a>" * 50_000,
    "braces without end": b"[" * 200_000,
    "a header without end": b"From: a\nTo: " + b"b," * 50_000,
    "noise": random.Random(1).randbytes(20_000),  # noqa: S311 — only noise
}


def take(extractor: Extractor, path: Path, name: bytes = b"") -> tuple[Extraction, list[Chunk]]:
    """What the extractor says of a file, and the chunks it gave."""
    chunks: list[Chunk] = []
    with open(path, "rb", buffering=0) as document:
        extraction = extractor.extract(document.fileno(), name or os.fsencode(path.name), chunks.append)
    return extraction, chunks


class ExtractorContract:
    """Derive, override the fixture `extractor`, and every test below judges it."""

    @pytest.fixture
    def extractor(self) -> Extractor:
        raise NotImplementedError("say how an extractor is made")

    @pytest.fixture
    def long_text(self, tmp_path: Path) -> Path:
        file = tmp_path / "minutes.txt"
        file.write_text("".join(f"line {number}: the minutes were read and agreed\n" for number in range(8_000)))
        return file

    def test_text_comes_whole_and_in_order(self, extractor: Extractor, long_text: Path) -> None:
        extraction, chunks = take(extractor, long_text)
        assert extraction.status is ExtractionStatus.OK
        assert "".join(chunk.text for chunk in chunks) == long_text.read_text()
        assert extraction.characters == len(long_text.read_text())

    def test_chunks_are_small_and_cut_between_lines(self, extractor: Extractor, long_text: Path) -> None:
        _, chunks = take(extractor, long_text)
        assert len(chunks) > 3
        assert all(0 < len(chunk.text) <= MAX_CHUNK_CHARACTERS and chunk.text.endswith("\n") for chunk in chunks)

    def test_every_character_has_a_place_that_can_be_read(self, extractor: Extractor, long_text: Path) -> None:
        _, chunks = take(extractor, long_text)
        for chunk in chunks:
            assert chunk.places[0][0] == 0
            for offset, location in chunk.every_place():
                assert 0 <= offset < len(chunk.text)
                read(location)

    def test_the_same_document_gives_the_same_answer(self, extractor: Extractor, long_text: Path) -> None:
        assert take(extractor, long_text) == take(extractor, long_text)

    def test_the_descriptor_is_read_from_its_start_and_stays_open(self, extractor: Extractor, long_text: Path) -> None:
        chunks: list[Chunk] = []
        with open(long_text, "rb", buffering=0) as document:
            document.seek(1000)
            extractor.extract(document.fileno(), b"minutes.txt", chunks.append)
            assert os.fstat(document.fileno()).st_size > 0
        assert chunks[0].text.startswith("line 0:")

    def test_an_empty_document_is_empty(self, extractor: Extractor, tmp_path: Path) -> None:
        (tmp_path / "empty.docx").touch()
        extraction, chunks = take(extractor, tmp_path / "empty.docx")
        assert (extraction.status, chunks) == (ExtractionStatus.EMPTY, [])

    @pytest.mark.parametrize("kind", sorted(_HOSTILE))
    def test_whatever_a_document_holds_the_answer_is_a_status(
        self, extractor: Extractor, tmp_path: Path, long_text: Path, kind: str
    ) -> None:
        (tmp_path / "hostile").write_bytes(_HOSTILE[kind])
        extraction, _ = take(extractor, tmp_path / "hostile")
        assert isinstance(extraction.status, ExtractionStatus)
        assert all(reason.replace("_", "").isalnum() for reason in extraction.reasons)
        assert take(extractor, long_text)[0].status is ExtractionStatus.OK, "the next document suffers"

    def test_an_extractor_may_be_closed_twice_and_used_again(self, extractor: Extractor, long_text: Path) -> None:
        take(extractor, long_text)
        extractor.close()
        extractor.close()
        assert take(extractor, long_text)[0].status is ExtractionStatus.OK
