"""A document's text is searched and judged; what does not stand after the verdict is not kept; copies are known."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from agent.extraction.base import Chunk
from agent.model.finding import CategoryVerdict, DataCategory, Span, Verdict
from agent.model.outcome import Extraction, ExtractionStatus
from agent.usecases import analyse
from agent.usecases.analyse import Analysis, Analyst
from agent.usecases.detect import detect_file, detect_lines

HEALTH = Verdict((CategoryVerdict(DataCategory.HEALTH, 0.9, frozenset({"negated"})),), (("sickness", 0.8),))


class Words:
    """Finds "ill" as health and "met" as a union matter, and judges by whether it is said twice."""

    version = "words"

    def document(self) -> WordSearch:
        return WordSearch()


class WordSearch:
    def __init__(self) -> None:
        self._ill = 0

    def search(self, text: str, own_from: int = 0, own_to: int | None = None) -> Sequence[Span]:
        own_to = len(text) if own_to is None else own_to
        found = []
        for word, kind in (("ill", "SC_HEALTH"), ("met", "SC_UNION"), ("@", "EMAIL_ADDRESS")):
            start = text.find(word, own_from)
            while 0 <= start < own_to:
                score = 0.5 + 0.1 * (text[start - 1 : start] == "!")
                found.append(Span(kind, start, start + len(word), score, frozenset({f"at {start}"}), "a word"))
                self._ill += kind == "SC_HEALTH"
                start = text.find(word, start + 1)
        return sorted(found, key=lambda span: (span.start, span.end, span.entity_type))

    def verdict(self) -> Verdict:
        return HEALTH if self._ill > 1 else Verdict()


class Plain:
    """An extractor that takes a document for what it is, and counts its readings."""

    def __init__(self, status: ExtractionStatus = ExtractionStatus.OK) -> None:
        self.status = status
        self.readings = 0

    def extract(self, descriptor: int, name: bytes, on_chunk: Callable[[Chunk], None]) -> Extraction:
        self.readings += 1
        text = os.pread(descriptor, 10_000, 0).decode()
        on_chunk(Chunk(text, ((0, "line=1"),)))
        return Extraction(self.status, "txt", (), len(text), frozenset({"txt"}))

    def close(self) -> None:
        """Nothing to let go of."""


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[[str], int]]:
    descriptors: list[int] = []

    def open_with(content: str) -> int:
        path = tmp_path / str(len(descriptors))
        path.write_text(content)
        descriptors.append(os.open(path, os.O_RDONLY))
        return descriptors[-1]

    yield open_with
    for descriptor in descriptors:
        os.close(descriptor)


def analyst(extractor: Plain) -> Analyst:
    return Analyst(extractor, Words(), lambda kind, value: hashlib.sha256(f"{kind} {value}".encode()).digest()[:16])


def test_what_the_verdict_does_not_bear_out_is_not_kept(opened: Callable[[str], int]) -> None:
    once: Analysis = analyst(Plain())(opened("ill, met, @"), b"a.txt")
    assert ([found.entity_type for found in once.findings], once.total, once.verdict) == (
        ["EMAIL_ADDRESS"],
        1,
        Verdict(),
    )
    twice: Analysis = analyst(Plain())(opened("ill !ill met @"), b"a.txt")
    assert [(found.entity_type, found.count) for found in twice.findings] == [("EMAIL_ADDRESS", 1), ("SC_HEALTH", 2)]
    assert (twice.total, twice.verdict) == (3, HEALTH)


def test_a_finding_keeps_the_reason_of_its_best_mention_and_the_place_of_its_first(
    opened: Callable[[str], int],
) -> None:
    found = analyst(Plain())(opened("ill !ill ill"), b"a.txt").findings[0]
    assert (found.score, found.count, found.location) == (0.6, 3, "line=1")
    assert (found.attributes, found.why) == ({"at 5"}, "a word")


def test_a_copy_is_not_analysed_again(opened: Callable[[str], int]) -> None:
    extractor = Plain()
    work = analyst(extractor)
    first = work(opened("ill ill"), b"a.txt")
    assert work(opened("ill ill"), b"copy of a.TXT") == first
    assert extractor.readings == 1
    work(opened("ill ill"), b"a.csv")  # by its name it may be read in another way
    work(opened("ill ill "), b"a.txt")
    assert extractor.readings == 3


def test_what_ended_its_process_is_tried_again_in_a_copy(opened: Callable[[str], int]) -> None:
    extractor = Plain(ExtractionStatus.KILLED)
    work = analyst(extractor)
    work(opened("x"), b"a.txt")
    work(opened("x"), b"b.txt")
    assert extractor.readings == 2


def test_only_so_many_copies_are_remembered(opened: Callable[[str], int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analyse, "_REMEMBERED", 2)
    extractor = Plain()
    work = analyst(extractor)
    for content in ("1", "2", "1", "3", "1", "2"):
        work(opened(content), b"a.txt")
    assert extractor.readings == 4  # "1" was used lately, "2" was not


def test_a_line_is_answered_with_what_stands_and_what_it_is() -> None:
    (answer,) = detect_lines(['{"id": "a", "text": "ill ill met"}'], Words())
    assert [found["type"] for found in answer["findings"]] == ["SC_HEALTH", "SC_HEALTH"]
    assert answer["findings"][0] == {
        "type": "SC_HEALTH", "start": 0, "end": 3, "score": 0.5, "attributes": ["at 0"], "why": "a word",
    }  # fmt: skip
    assert (answer["special"], answer["criminal"], answer["classes"]) == (["health"], False, ["sickness"])
    assert answer["verdicts"] == [{"category": "health", "score": 0.9, "attributes": ["negated"]}]
    assert answer["kinds"] == [{"kind": "sickness", "confidence": 0.8}]


def test_a_file_is_answered_alike(opened: Callable[[str], int]) -> None:
    extraction, located, verdict = detect_file(opened("ill ill met @"), b"a.txt", Plain(), Words())
    assert extraction.status is ExtractionStatus.OK
    assert [found.span.entity_type for found in located] == ["SC_HEALTH", "SC_HEALTH", "EMAIL_ADDRESS"]
    assert {found.location for found in located} == {"line=1"}
    assert verdict == HEALTH
