"""What is found in office prose, and what is told apart from it."""

from __future__ import annotations

import logging
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import spacy
from presidio_analyzer.predefined_recognizers import UkNinoRecognizer

from agent.detection.base import Detector
from agent.detection.identifiers import IdentifierSearch
from agent.detection.presidio import PresidioDetector, pieces, settle
from agent.detection.testing import DetectorContract
from agent.errors import ConfigurationError
from agent.model.finding import Span


@pytest.fixture(scope="module")
def found() -> PresidioDetector:
    return PresidioDetector()


class TestPresidio(DetectorContract):
    @pytest.fixture
    def detector(self, found: PresidioDetector) -> Detector:
        return found


def values(detector: PresidioDetector, text: str) -> set[tuple[str, str]]:
    return {(span.entity_type, text[span.start : span.end]) for span in detector.detect(text)}


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("NI number: AB 12 34 56 C", "UK_NINO", "AB 12 34 56 C"),
        ("The patient's NHS number is 999 000 0018.", "UK_NHS", "999 000 0018"),
        ("Write to tamsin@quillfeather.example today", "EMAIL_ADDRESS", "tamsin@quillfeather.example"),
        ("his mail is idris@dc01.corp.local", "EMAIL_ADDRESS", "idris@dc01.corp.local"),
        ("Ring 020 7946 0018 after six", "PHONE_NUMBER", "020 7946 0018"),
        ("mobile +44 (0)7700 900123", "PHONE_NUMBER", "+44 (0)7700 900123"),
        ("Card 4111 1111 1111 1111 was charged", "CREDIT_CARD", "4111 1111 1111 1111"),
        ("IBAN GB82 WEST 1234 5698 7654 32", "IBAN_CODE", "GB82 WEST 1234 5698 7654 32"),
        ("17 Mill Road, Leeds LS1 4AP", "UK_POSTCODE", "LS1 4AP"),
        ("Passport number 533401372", "UK_PASSPORT", "533401372"),
        ("driving licence MORGA657054SM9IJ", "UK_DRIVING_LICENCE", "MORGA657054SM9IJ"),
        ("vehicle registration AB51 CDE", "UK_VEHICLE_REGISTRATION", "AB51 CDE"),
        ("her car is A123 BCD", "UK_VEHICLE_REGISTRATION", "A123 BCD"),
        ("logged in from 192.0.2.17", "IP_ADDRESS", "192.0.2.17"),
    ],
)
def test_identifiers_of_the_united_kingdom_are_found(found: PresidioDetector, text: str, kind: str, value: str) -> None:
    assert (kind, value) in values(found, text)


@pytest.mark.parametrize(
    "text",
    [
        "EAN 5055512340026 each box",  # a bar code whose last digit fits a card as well
        "for example NHS number 000 000 0000",
        "order number 533401372",
        "the year 2019 to 2024, see page 12",
        "National Insurance is deducted at source.",
        "form ar21 and every annex",
        "rung 3 of the ladder at 10.30",
    ],
)
def test_look_alikes_are_not(found: PresidioDetector, text: str) -> None:
    assert values(found, text) == set()


def test_a_word_before_a_number_makes_it_surer(found: PresidioDetector) -> None:
    (alone,) = found.detect("AB 12 34 56 C")
    (named,) = found.detect("National Insurance AB 12 34 56 C")
    assert named.score > alone.score


def test_a_number_inside_a_longer_one_is_not_told_by_itself(found: PresidioDetector) -> None:
    text = "IBAN GB82 WEST 1234 5698 7654 32, mail 07700900123@quillfeather.example"
    assert {kind for kind, _ in values(found, text)} == {"IBAN_CODE", "EMAIL_ADDRESS"}


@pytest.mark.parametrize("words", ["reads the minutes of the meeting. ", "x" * 30])
def test_what_stands_at_the_seams_of_a_long_text_is_found_once(
    found: PresidioDetector, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    monkeypatch.setattr("agent.detection.identifiers.pieces", partial(pieces, piece=400, overlap=200))
    value = "tamsin@quillfeather.example"
    for shift in range(0, len(value) + len(words), 5):  # so that a seam falls on every part of the value
        text = "x" * shift + " " + f"{value} {words} " * 40
        spans = [span for span in found.detect(text) if span.entity_type == "EMAIL_ADDRESS"]
        assert [text[span.start : span.end] for span in spans] == [value] * 40, shift


@pytest.mark.parametrize("length", [0, 1, 7_999, 8_000, 8_001, 16_000, 100_000])
@pytest.mark.parametrize("letter", ["x", "ab c ", " "])
def test_pieces_own_every_character_once(length: int, letter: str) -> None:
    text = (letter * length)[:length]
    position = 0
    for start, own_from, own_to, end in pieces(text):
        assert start <= own_from == position
        assert own_to <= end <= len(text)
        position = own_to
    assert position == len(text)


def test_a_surer_or_longer_span_covers_what_lies_in_it() -> None:
    outer, inner = Span("IBAN_CODE", 0, 20, 1.0), Span("UK_NHS", 5, 15, 1.0)
    weak = Span("PHONE_NUMBER", 0, 20, 0.4)
    beside = Span("PHONE_NUMBER", 18, 30, 0.4)
    assert settle([inner, beside, weak, outer]) == [outer, beside]
    assert settle([weak, inner]) == [weak, inner]  # longer, but less sure: both are told


def test_scores_below_the_minimum_are_left_out() -> None:
    text = "AB 12 34 56 C"
    assert list(PresidioDetector(minimum_score=0.8).detect(text)) == []
    assert len(PresidioDetector(minimum_score=0.5).detect(text)) == 1


def test_words_are_forgotten_before_they_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.detection.identifiers._MOST_WORDS", 1_500)
    search = IdentifierSearch([UkNinoRecognizer(context=["ni"])], 0.4)
    for start in range(0, 5_000, 100):
        words = " ".join(f"word{number} NI AB 12 34 56 C" for number in range(start, start + 100))
        assert {(span.entity_type, span.score) for span in search.find(words)} == {("UK_NINO", 0.85)}
    assert len(search._nlp.pipeline.vocab) < 3_000


def test_a_model_in_a_folder_adds_names_of_people(tmp_path: Path) -> None:
    model = spacy.blank("en")
    ruler = model.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "PERSON", "pattern": "Tamsin Quillfeather"}])  # type: ignore[attr-defined]
    model.to_disk(tmp_path / "model")
    detector = PresidioDetector(str(tmp_path / "model"))
    text = "Tamsin Quillfeather, NI number AB 12 34 56 C"
    assert values(detector, text) == {("PERSON", "Tamsin Quillfeather"), ("UK_NINO", "AB 12 34 56 C")}
    assert values(detector, "Tamsin Quillfeather wrote") == {("PERSON", "Tamsin Quillfeather")}
    assert detector.version != PresidioDetector().version


@pytest.mark.parametrize("content", [None, {}, {"meta.json": "{}"}, {"meta.json": "not json"}])
def test_a_model_that_is_none_is_named_in_the_error(tmp_path: Path, content: dict[str, str] | None) -> None:
    folder = tmp_path / "model"
    if content is not None:
        folder.mkdir()
        for name, text in content.items():
            (folder / name).write_text(text)
    with pytest.raises(ConfigurationError, match=str(folder)):
        PresidioDetector(str(folder))


def test_the_version_tells_scores_apart() -> None:
    assert PresidioDetector(minimum_score=0.5).version != PresidioDetector().version


def test_presidio_writes_nothing_about_a_text(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    PresidioDetector().detect("National Insurance AB 12 34 56 C, mail tamsin@quillfeather.example")
    said = caplog.text + "".join(capfd.readouterr())
    assert "AB 12" not in said
    assert "quillfeather" not in said
    assert "insurance" not in said.casefold()


_WITHOUT_NETWORK = """
import socket
def refuse(*_): raise SystemExit("tried to reach the network")
socket.socket.connect = socket.getaddrinfo = socket.create_connection = refuse
from agent.detection.presidio import PresidioDetector
print(len(PresidioDetector().detect("Write to tamsin@quillfeather.co.uk, NI AB 12 34 56 C")))
"""


def test_nothing_is_fetched_from_the_network_in_a_fresh_home(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT_NETWORK],
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin", "HOME": str(tmp_path)},
        cwd=Path(__file__).parents[2],
        check=True,
    )
    assert done.stdout == "2\n"
    assert list(tmp_path.rglob("*")) == []
