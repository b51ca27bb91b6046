"""What is found in office prose, and what is told apart from it."""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
import spacy
from presidio_analyzer.predefined_recognizers import UkNinoRecognizer

from agent.detection.base import Detector, detect
from agent.detection.detector import LayeredDetector
from agent.detection.identifiers import IdentifierSearch
from agent.detection.names.engine import name_engine
from agent.detection.registry import NOT_PERSONAL, recognisers
from agent.detection.segments import pieces
from agent.detection.settle import settle
from agent.detection.testing import DetectorContract
from agent.detection.version import detector_version
from agent.errors import ConfigurationError
from agent.model.finding import Span
from benchmarks.office_text import prose


@pytest.fixture(scope="module")
def found() -> LayeredDetector:
    return LayeredDetector("test", None, 0.4)


class TestLayeredDetector(DetectorContract):
    @pytest.fixture
    def detector(self, found: LayeredDetector) -> Detector:
        return found


def values(detector: LayeredDetector, text: str) -> set[tuple[str, str]]:
    """Identifiers alone: who is named, and what is said of them, is tested elsewhere."""
    return {
        (span.entity_type, text[span.start : span.end])
        for span in settle(detector.identifiers.find(text))
        if span.entity_type not in NOT_PERSONAL
    }


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
def test_identifiers_of_the_united_kingdom_are_found(found: LayeredDetector, text: str, kind: str, value: str) -> None:
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
def test_look_alikes_are_not(found: LayeredDetector, text: str) -> None:
    assert values(found, text) == set()


def test_a_word_before_a_number_makes_it_surer(found: LayeredDetector) -> None:
    (alone,) = found.identifiers.find("AB 12 34 56 C")
    (named,) = found.identifiers.find("National Insurance AB 12 34 56 C")
    assert named.score > alone.score


def test_a_number_inside_a_longer_one_is_not_told_by_itself(found: LayeredDetector) -> None:
    text = "IBAN GB82 WEST 1234 5698 7654 32, mail 07700900123@quillfeather.example"
    assert {kind for kind, _ in values(found, text)} == {"IBAN_CODE", "EMAIL_ADDRESS"}


@pytest.mark.parametrize("words", ["reads the minutes of the meeting. ", "x" * 30])
def test_what_stands_at_the_seams_of_a_long_text_is_found_once(
    found: LayeredDetector, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    monkeypatch.setattr("agent.detection.identifiers.pieces", partial(pieces, piece=400, overlap=200))
    value = "tamsin@quillfeather.example"
    for shift in range(0, len(value) + len(words), 5):  # so that a seam falls on every part of the value
        text = "x" * shift + " " + f"{value} {words} " * 40
        spans = [span for span in detect(found, text)[0] if span.entity_type == "EMAIL_ADDRESS"]
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
    assert IdentifierSearch(recognisers(), 0.8).find(text) == []
    assert len(IdentifierSearch(recognisers(), 0.5).find(text)) == 1


def test_words_are_forgotten_before_they_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.detection.identifiers._MOST_WORDS", 1_500)
    search = IdentifierSearch([UkNinoRecognizer(context=["ni"])], 0.4)
    for start in range(0, 5_000, 100):
        words = " ".join(f"word{number} NI AB 12 34 56 C" for number in range(start, start + 100))
        assert {(span.entity_type, span.score) for span in search.find(words)} == {("UK_NINO", 0.85)}
    assert len(search._nlp.pipeline.vocab) < 3_000


def test_a_model_in_a_folder_takes_the_place_of_ours(tmp_path: Path) -> None:
    model = spacy.blank("en")
    ruler = model.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "PERSON", "pattern": "Xqzv Wyrth"}])  # type: ignore[attr-defined]
    model.to_disk(tmp_path / "model")
    for named in (f"{tmp_path}/model", f"spacy:{tmp_path}/model"):
        text = "Xqzv Wyrth, NI number AB 12 34 56 C"
        spans, _ = detect(LayeredDetector("test", named, 0.4), text)
        assert [(span.entity_type, text[span.start : span.end]) for span in spans] == [
            ("PERSON", "Xqzv Wyrth"),
            ("UK_NINO", "AB 12 34 56 C"),
        ]


@pytest.mark.parametrize("content", [None, {}, {"meta.json": "{}"}, {"meta.json": "not json"}])
def test_a_model_that_is_none_is_named_in_the_error(tmp_path: Path, content: dict[str, str] | None) -> None:
    folder = tmp_path / "model"
    if content is not None:
        folder.mkdir()
        for name, text in content.items():
            (folder / name).write_text(text)
    with pytest.raises(ConfigurationError, match=str(folder)):
        name_engine(str(folder))


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("onnx:/", "no engine 'onnx'"),
        ("transformers:/no/such", "does not exist"),
        ("transformers:/", "needs the library transformers"),
        ("gliner:/", "needs the library gliner"),
    ],
)
def test_an_engine_that_cannot_be_had_is_told_in_words(named: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        name_engine(named)


def test_the_version_tells_scores_lexicons_and_models_apart(tmp_path: Path) -> None:
    lexicon = tmp_path / "health.yaml"
    lexicon.write_text("strong: [dialysis]\n")
    (tmp_path / "model").mkdir()
    versions = {
        detector_version(None, 0.4, [lexicon]),
        detector_version(None, 0.5, [lexicon]),
        detector_version(f"{tmp_path}/model", 0.4, [lexicon]),
        detector_version(f"gliner:{tmp_path}/model", 0.4, [lexicon]),
    }
    lexicon.write_text("strong: [dialyses]\n")
    versions.add(detector_version(None, 0.4, [lexicon]))
    (tmp_path / "model" / "meta.json").write_text("{}")
    versions.add(detector_version(f"{tmp_path}/model", 0.4, [lexicon]))
    assert len(versions) == 6


def test_organisations_numbers_are_taken_for_nothing_personal(found: LayeredDetector) -> None:
    spans, _ = detect(found, "VAT registration GB 123 4567 82, company number 09876543, ring 020 7946 0018")
    assert {span.entity_type for span in spans} == {"PHONE_NUMBER"}


def test_a_reference_is_found_again_without_its_label(found: LayeredDetector) -> None:
    text = "Staff no. 48213-B was late.\n\nSecond page\n48213-B, 48213-B/2 and 148213-B"
    spans, _ = detect(found, text)
    assert [(span.start, span.why) for span in spans if span.entity_type == "EMPLOYEE_ID"] == [
        (text.index("48213"), ""),
        (text.index("48213", 30), "again"),
    ]


def test_an_own_reference_and_a_foreign_number_are_found_if_they_are_set() -> None:
    own = LayeredDetector("test", None, 0.4, ["DE"], [("EMPLOYEE_ID", r"QX~\d{4}", "badge")])
    text = "badge QX~1234, Tel. 030 901820 in Berlin"
    found = {(span.entity_type, text[span.start : span.end]) for span in detect(own, text)[0]}
    assert found == {("EMPLOYEE_ID", "QX~1234"), ("PHONE_NUMBER", "030 901820")}


def test_presidio_writes_nothing_about_a_text(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    detect(LayeredDetector("test", None, 0.4), "National Insurance AB 12 34 56 C, mail tamsin@quillfeather.example")
    said = caplog.text + "".join(capfd.readouterr())
    assert "AB 12" not in said
    assert "quillfeather" not in said
    assert "insurance" not in said.casefold()


_WITHOUT_NETWORK = """
import socket
def refuse(*_): raise SystemExit("tried to reach the network")
socket.socket.connect = socket.getaddrinfo = socket.create_connection = refuse
from agent.detection.base import detect
from agent.detection.detector import LayeredDetector
print(len(detect(LayeredDetector("test", None, 0.4), "Write to tamsin@quillfeather.co.uk, NI AB 12 34 56 C")[0]))
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


def test_where_nobody_is_meant_a_likely_category_is_not_enough(found: LayeredDetector) -> None:
    news = "BRANCH NEWS\nUNISON members voted on the pay offer. The branch meets on Tuesday. Join the union today."
    assert detect(found, news)[1].categories == ()
    member = "Payslip Priya Patel. Basic 1,904.20. UNISON subs 12.50. Net 1,512.00"
    assert [str(judged.category) for judged in detect(found, member)[1].categories] == ["trade_union"]


@pytest.mark.parametrize("numbered", [True, False], ids=["with numbers of sections", "without a number"])
def test_prose_without_personal_data_is_hardly_looked_at(found: LayeredDetector, numbered: bool) -> None:
    first, *texts = prose(400_000, seed=11, numbered=numbered)
    detect(found, first)
    began = time.process_time()
    assert not any(detect(found, text)[0] for text in texts)
    seconds = time.process_time() - began
    assert sum(map(len, texts)) / 1e6 / seconds > 5  # a quarter of what it does: machines differ
