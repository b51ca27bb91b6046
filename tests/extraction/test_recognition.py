"""Text in pictures is recognised if that is asked for, in the confined process and within its own time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.extraction.base import Limits
from agent.extraction.formats import recognition
from agent.extraction.process import ProcessExtractor
from agent.extraction.testing import take
from agent.model.outcome import ExtractionStatus
from tests.corpus import formats, scans
from tests.extraction.conftest import places_of, text_of

LETTER = ["Dear Ms Quillfeather,", "your National Insurance number is QQ 12 34 56 C.", "Yours sincerely"] * 3

pytestmark = pytest.mark.skipif(
    bool(recognition.missing("eng")), reason="Tesseract and its English data are an extra: tesseract-ocr-eng"
)


@pytest.fixture(scope="module")
def seeing() -> Iterator[ProcessExtractor]:
    extractor = ProcessExtractor(Limits(ocr="eng"))
    yield extractor
    extractor.close()


def _file(folder: Path, content: bytes, name: str) -> Path:
    (folder / name).write_bytes(content)
    return folder / name


def test_the_text_in_a_picture_is_read(seeing: ProcessExtractor, tmp_path: Path) -> None:
    extraction, chunks = take(seeing, _file(tmp_path, scans.photograph(LETTER), "scan.png"))
    assert (extraction.status, extraction.reasons) == (ExtractionStatus.OK, ())
    assert places_of(chunks, "12 34 56")[0] == "page=1"


def test_each_page_of_a_scanned_document_is_read(seeing: ProcessExtractor, tmp_path: Path) -> None:
    content = scans.scanned_pdf([LETTER, ["The second page speaks of somebody else entirely."] * 4])
    extraction, chunks = take(seeing, _file(tmp_path, content, "scan.pdf"))
    assert (extraction.status, extraction.reasons) == (ExtractionStatus.OK, ())
    assert places_of(chunks, "Quillfeather")[0] == "page=1"
    assert places_of(chunks, "somebody else")[0] == "page=2"


def test_a_picture_in_a_letter_is_read(seeing: ProcessExtractor, tmp_path: Path) -> None:
    letter = formats.zipped({"word/document.xml": b"<d/>", "word/media/image1.png": scans.photograph(LETTER)})
    _, chunks = take(seeing, _file(tmp_path, letter, "letter.docx"))
    assert places_of(chunks, "Quillfeather")[0] == "part=1!page=1"


def test_without_being_asked_for_a_scan_is_told_as_read_in_part(one_process: ProcessExtractor, tmp_path: Path) -> None:
    extraction, chunks = take(one_process, _file(tmp_path, scans.scanned_pdf([LETTER]), "scan.pdf"))
    assert (extraction.status, extraction.reasons) == (ExtractionStatus.PARTIAL, ("picture_not_read",))
    assert text_of(chunks).strip() == ""


def test_pages_beyond_the_limit_are_told(tmp_path: Path) -> None:
    extractor = ProcessExtractor(Limits(ocr="eng", pictures=1))
    extraction, chunks = take(extractor, _file(tmp_path, scans.scanned_pdf([LETTER, ["Another page"] * 5]), "scan.pdf"))
    extractor.close()
    assert (extraction.status, extraction.reasons) == (ExtractionStatus.PARTIAL, ("picture_limit",))
    assert places_of(chunks, "Quillfeather")
    assert not places_of(chunks, "Another page")


def test_a_picture_has_time_of_its_own_beside_that_of_the_document(tmp_path: Path) -> None:
    extractor = ProcessExtractor(Limits(ocr="eng", wall_seconds=1.0, cpu_seconds=0, reading_seconds=0.5))
    extraction, _ = take(extractor, _file(tmp_path, scans.scanned_pdf([LETTER * 3] * 4), "scan.pdf"))
    extractor.close()
    assert extraction.status is ExtractionStatus.OK


def test_text_is_left_unread_rather_than_waited_for(tmp_path: Path) -> None:
    extractor = ProcessExtractor(Limits(ocr="eng", picture_seconds=0.001))
    extraction, _ = take(extractor, _file(tmp_path, scans.photograph(LETTER), "scan.png"))
    extractor.close()
    assert (extraction.status, extraction.reasons) == (ExtractionStatus.PARTIAL, ("picture_time",))


def test_a_picture_that_is_none_is_told(seeing: ProcessExtractor, tmp_path: Path) -> None:
    whole = scans.photograph(LETTER)
    for content in (whole[: len(whole) // 2], whole[:40] + b"\xff" * 3_000):
        extraction, _ = take(seeing, _file(tmp_path, content, "scan.png"))
        assert (extraction.status, extraction.reasons) == (ExtractionStatus.PARTIAL, ("picture_damaged",))


def test_a_picture_that_claims_to_be_huge_is_not_expanded(seeing: ProcessExtractor, tmp_path: Path) -> None:
    content = formats.png(400, 300).replace(b"\0\0\x01\x90\0\0\x01\x2c", b"\0\x01\x86\xa0\0\x01\x86\xa0")
    extraction, _ = take(seeing, _file(tmp_path, content, "bomb.png"))
    assert extraction.reasons[0] in ("picture_too_large", "picture_damaged")


def test_what_is_missing_is_told_by_the_name_of_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    assert recognition.missing("eng+xyz") == "tesseract-ocr-xyz"
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert "retentiond[ocr]" in recognition.missing("eng")
