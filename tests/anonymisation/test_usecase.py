"""The use case: what a scan shows and a single text does not, and what cannot be read."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from agent.anonymisation.base import Anonymised, CannotAnonymise
from agent.extraction.base import Chunk
from agent.model.finding import CategoryVerdict, DataCategory, Span, Verdict
from agent.model.outcome import Extraction, ExtractionStatus
from agent.usecases.anonymise import Anonymiser


class Words:
    """Finds names, and "ill" as a candidate that stands in a document in which it is said twice."""

    version = "words"

    def __init__(self, names: Sequence[str] = ("Jane Doe",), needs: str = "") -> None:
        self._names = names
        self._needs = needs

    def document(self) -> WordSearch:
        return WordSearch(self._names, self._needs)


class WordSearch:
    def __init__(self, names: Sequence[str], needs: str) -> None:
        self._names, self._needs = names, needs
        self._ill = 0

    def search(self, text: str, own_from: int = 0, own_to: int | None = None) -> Sequence[Span]:
        own_to = len(text) if own_to is None else own_to
        found = []
        for word, kind in (*((name, "PERSON") for name in self._names), ("ill", "SC_HEALTH"), ("PERSON", "PERSON")):
            start = text.find(word, own_from)
            while 0 <= start < own_to:
                if kind != "PERSON" or self._needs in text:
                    found.append(Span(kind, start, start + len(word), 0.5))
                self._ill += kind == "SC_HEALTH"
                start = text.find(word, start + 1)
        return found

    def verdict(self) -> Verdict:
        return Verdict((CategoryVerdict(DataCategory.HEALTH, 0.9),)) if self._ill > 1 else Verdict()


class Plain:
    """An extractor that takes a document for the text it is, and may add to it what only it can see."""

    def __init__(self, status: ExtractionStatus = ExtractionStatus.OK, *reasons: str, beside: str = "") -> None:
        self._end = Extraction(status, "txt", reasons)
        self._beside = beside
        self.names: list[bytes] = []

    def extract(self, descriptor: int, name: bytes, on_chunk: Callable[[Chunk], None]) -> Extraction:
        self.names.append(name)
        on_chunk(Chunk(self._beside + os.pread(descriptor, 1_000_000, 0).decode(), ((0, ""),)))
        return self._end

    def close(self) -> None:
        """Nothing to let go of."""


class Blind(Plain):
    """One that says nothing of the text."""

    def extract(self, descriptor: int, name: bytes, on_chunk: Callable[[Chunk], None]) -> Extraction:
        return super().extract(descriptor, name, lambda _: None)


Clean = Callable[..., tuple[str, Anonymised]]


@pytest.fixture
def clean(tmp_path: Path) -> Clean:
    """A text anonymised, and what was done."""

    def clean(text: str, extractor: Plain | None = None, detector: Words | None = None) -> tuple[str, Anonymised]:
        (tmp_path / "source").write_text(text)
        anonymiser = Anonymiser(extractor or Plain(), detector or Words())
        source = os.open(tmp_path / "source", os.O_RDONLY)
        target = os.open(tmp_path / "target", os.O_WRONLY | os.O_CREAT)
        try:
            os.lseek(source, 3, os.SEEK_SET)
            done = anonymiser.anonymise_file(source, target, "txt")
            os.fstat(source), os.fstat(target)
        finally:
            os.close(source)
            os.close(target)
        return (tmp_path / "target").read_text(), done

    return clean


def test_what_is_found_goes_and_labels_are_not_found_again(clean: Clean) -> None:
    extractor = Plain()

    assert clean("Seen: Jane Doe", extractor)[0] == "Seen: <PERSON>"
    assert extractor.names == [b"document.txt"] * 2


def test_a_candidate_goes_only_from_a_document_that_reveals_its_category(clean: Clean) -> None:
    assert clean("she was ill")[0] == "she was ill"
    text, done = clean("she was ill, and ill again")
    assert text == "she was <SENSITIVE>, and <SENSITIVE> again"
    assert done.replaced == {"SC_HEALTH": 2}


def test_what_only_the_whole_document_shows_goes_all_the_same(clean: Clean) -> None:
    detector = Words(needs="Staff list")

    text, done = clean("Seen: Jane Doe", Plain(beside="Staff list\n"), detector)

    assert text == "Seen: <PERSON>"
    assert done.rounds == 1


def test_a_category_that_shows_only_after_is_taken_out_in_the_next_round(clean: Clean) -> None:
    class Changing(Plain):
        def extract(self, descriptor: int, name: bytes, on_chunk: Callable[[Chunk], None]) -> Extraction:
            if len(self.names) == 1:
                on_chunk(Chunk("ill\n", ((0, ""),)))
            return super().extract(descriptor, name, on_chunk)

    text, done = clean("she was ill", Changing())

    assert (text, done.rounds) == ("she was <SENSITIVE>", 2)


@pytest.mark.parametrize("around", [0, 65_530, 65_536, 131_070])
def test_a_long_text_is_searched_in_stretches_that_miss_nothing_between_them(clean: Clean, around: int) -> None:
    text = "." * around + "so Jane Doe " + "." * around

    result, done = clean(text, Blind())

    assert result == text.replace("Jane Doe", "<PERSON>")
    assert done.replaced == {"PERSON": 1}


def test_words_shortly_before_a_stretch_help_to_understand_it(clean: Clean) -> None:
    near = "." * 65_400 + "Staff list" + "." * 200 + "Jane Doe"
    far = "." * 65_000 + "Staff list" + "." * 600 + "Jane Doe"

    assert clean(near, Blind(), Words(needs="Staff list"))[0] == near.replace("Jane Doe", "<PERSON>")
    assert clean(far, Blind(), Words(needs="Staff list"))[0] == far


@pytest.mark.parametrize(
    "extractor",
    [Plain(ExtractionStatus.EMPTY), Plain(ExtractionStatus.PARTIAL, "picture_not_read", "picture_time")],
)
def test_pictures_may_stay_unread(clean: Clean, extractor: Plain) -> None:
    assert clean("Seen: Jane Doe", extractor)[0] == "Seen: <PERSON>"


@pytest.mark.parametrize(
    "extractor",
    [
        Plain(ExtractionStatus.ENCRYPTED),
        Plain(ExtractionStatus.KILLED, "timeout"),
        Plain(ExtractionStatus.PARTIAL, "picture_not_read", "time_limit"),
        Plain(ExtractionStatus.CORRUPT, "picture_not_read"),
    ],
)
def test_a_document_that_is_not_read_to_its_end_is_refused(clean: Clean, extractor: Plain, tmp_path: Path) -> None:
    with pytest.raises(CannotAnonymise, match="cannot be read to its end") as refused:
        clean("Seen: Jane Doe", extractor)
    assert (tmp_path / "target").read_bytes() == b""
    assert "Jane" not in str(refused.value)
