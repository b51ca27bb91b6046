"""Our own extractor and detector over office documents: what they found before they do not find after."""

from __future__ import annotations

import io
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import openpyxl
import pytest

from agent.anonymisation.anonymise import FORMATS
from agent.anonymisation.base import Anonymised, CannotAnonymise
from agent.anonymisation.labels import label_ranges, without_labels
from agent.bootstrap import detector_from, extractor_from
from agent.detection.base import detect
from agent.detection.detector import LayeredDetector
from agent.extraction.process import ProcessExtractor
from agent.extraction.sniff import sniff
from agent.settings import Settings
from agent.usecases.anonymise import Anonymiser
from tests.anonymisation.desk import unzipped
from tests.corpus import formats
from tests.corpus.office_share import make_office_share
from tests.corpus.people import people

LIBREOFFICE = Path(__file__).parents[1] / "corpus" / "libreoffice"

TYPES = {"PERSON", "PHONE_NUMBER", "STREET_ADDRESS", "UK_NINO", "UK_POSTCODE"}

Clean = Callable[[bytes, str], tuple[bytes, Anonymised]]


@pytest.fixture(scope="module")
def extractor() -> Iterator[ProcessExtractor]:
    made = extractor_from(Settings())
    yield made
    made.close()


@pytest.fixture(scope="module")
def detector() -> LayeredDetector:
    return detector_from(Settings())


@pytest.fixture
def clean(extractor: ProcessExtractor, detector: LayeredDetector, tmp_path: Path) -> Clean:
    """A document anonymised, and what was done."""

    def clean(content: bytes, format: str) -> tuple[bytes, Anonymised]:
        (tmp_path / "source").write_bytes(content)
        with open(tmp_path / "source", "rb", buffering=0) as source, open(tmp_path / "target", "wb") as target:
            source.seek(7)
            done = Anonymiser(extractor, detector).anonymise_file(source.fileno(), target.fileno(), format)
            target.write(b"")  # it is open still
        assert (tmp_path / "source").read_bytes() == content
        return (tmp_path / "target").read_bytes(), done

    return clean


def text_of(extractor: ProcessExtractor, content: bytes, format: str) -> str:
    """The text that a scan reads."""
    chunks: list[str] = []
    with open(os.memfd_create("text"), "w+b") as file:
        file.write(content)
        file.flush()
        extractor.extract(file.fileno(), f"document.{format}".encode(), lambda chunk: chunks.append(chunk.text))
    return "".join(chunks)


def found_in(detector: LayeredDetector, text: str) -> Counter[str]:
    """What is found in a text beside labels, by type."""
    spans, _ = detect(detector, text)
    return Counter(
        span.entity_type for span in spans if any(map(str.isalnum, without_labels(text[span.start : span.end])))
    )


def differs_only_by_labels(before: str, after: str) -> bool:
    """Whether the text after is the one before, with something else where labels stand."""
    position = 0
    pattern = ""
    for start, end in label_ranges(after):
        pattern += re.escape(after[position:start]) + "(?s:.+?)"
        position = end
    return re.fullmatch(pattern + re.escape(after[position:]), before) is not None


WHO = people(Random(5))[0]
VALUES = (f"{WHO.first} {WHO.last}", WHO.nino, WHO.phone, WHO.street, WHO.postcode)


def letters(format: str) -> bytes:
    """A letter about somebody who does not exist, in a format."""
    lines = [
        f"Dear {WHO.first} {WHO.last},",
        f"National Insurance number: {WHO.nino}. Please ring {WHO.phone}.",
        f"We have your address as {WHO.street}, {WHO.town} {WHO.postcode}.",
        "The lease of the hall runs for twelve months & may be renewed.",
    ]
    rows = [["Item", "Remark"], *([str(number), line] for number, line in enumerate(lines))]
    return {
        "txt": lambda: "\r\n".join(lines).encode("cp1252"),
        "csv": lambda: "\r\n".join(f'{number};"{line}"' for number, line in rows).encode(),
        "docx": lambda: formats.docx(lines, rows),
        "xlsx": lambda: formats.xlsx("Letters", rows),
        "eml": lambda: formats.eml(
            {"From": "office@example.org", "Subject": lines[0]}, lines, ("letter.docx", formats.docx(lines))
        ),
        "html": lambda: "".join(f"<p>{line.replace('&', '&amp;')}</p>" for line in lines).encode(),
    }[format]()


@pytest.mark.slow
@pytest.mark.parametrize("format", ["txt", "csv", "docx", "xlsx", "eml", "html"])
def test_a_scan_finds_nothing_in_a_letter_after_and_all_else_is_as_before(
    clean: Clean, extractor: ProcessExtractor, detector: LayeredDetector, format: str
) -> None:
    letter = letters(format)
    before = text_of(extractor, letter, format)
    assert found_in(detector, before).keys() >= TYPES

    result, done = clean(letter, format)

    after = text_of(extractor, result, format)
    assert found_in(detector, after) == {}
    assert differs_only_by_labels(before, after)
    assert done.replaced.keys() >= TYPES
    assert not any(value.encode() in result for value in VALUES)
    if format in ("docx", "xlsx"):
        old, new = unzipped(letter), unzipped(result)
        assert list(old) == list(new)
        changed = {name for name in old if old[name] != new[name]}
        assert changed == {"word/document.xml" if format == "docx" else "xl/sharedStrings.xml"}
        for name in changed:
            assert _without_texts(old[name]) == _without_texts(new[name])


def _without_texts(markup: bytes) -> str:
    return re.sub(r"(<(?:w:)?t[^>]*>)[^<]*", r"\1", markup.decode())


@pytest.mark.slow
@pytest.mark.parametrize("file", ["letter.docx", "talk.pptx", "sheet.xlsx", "letter.html", "sheet.html"])
def test_a_scan_finds_nothing_in_what_an_office_program_wrote(
    clean: Clean, extractor: ProcessExtractor, detector: LayeredDetector, file: str
) -> None:
    format = file.rpartition(".")[2]
    result, done = clean((LIBREOFFICE / file).read_bytes(), format)

    assert found_in(detector, text_of(extractor, result, format)) == {}
    assert sniff(io.BytesIO(result), len(result), b"") == format
    assert b"qlink@example.org" not in b"".join(unzipped(result).values() if result.startswith(b"PK") else [result])
    assert done.replaced["EMAIL_ADDRESS"] == 1
    if format == "xlsx":
        openpyxl.load_workbook(io.BytesIO(result))


@pytest.mark.slow
def test_a_share_is_clean_after_and_what_was_planted_is_gone(
    clean: Clean, extractor: ProcessExtractor, detector: LayeredDetector, tmp_path: Path
) -> None:
    share = tmp_path / "share"
    manifest = make_office_share(share)
    documents = planted = 0
    for path, values in manifest.files.items():
        content = (share / path).read_bytes()
        format = sniff(io.BytesIO(content), len(content), os.fsencode(path))
        if format in FORMATS:
            result, _ = clean(content, format)
            after = text_of(extractor, result, format)
            assert found_in(detector, after) == {}, path
            assert not any(value.value in after for value in values), path
            documents += 1
            planted += len(values)
    assert (documents > 100, planted > 1_000) == (True, True)


@pytest.mark.slow
def test_what_cannot_be_read_to_its_end_is_refused(clean: Clean, tmp_path: Path) -> None:
    with pytest.raises(CannotAnonymise, match=r"cannot be read to its end \(encrypted\)"):
        clean(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le") * 9, "docx")
    assert (tmp_path / "target").read_bytes() == b""
