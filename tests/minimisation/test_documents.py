"""Office files, read by the real extractor and let through by the real detector."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import date
from random import Random
from xml.sax.saxutils import escape

import pytest
import yaml

from agent.extraction.base import Chunk
from agent.minimisation.base import ItemFacts
from agent.model.outcome import Extraction, ExtractionStatus
from agent.model.schedule import ReferenceForm
from agent.usecases import minimise as module
from agent.usecases.minimise import Minimiser
from tests.corpus import formats, old_office, scans
from tests.corpus.people import people
from tests.minimisation.cases import ACCOUNT, facts, told
from tests.minimisation.conftest import Minimise
from tests.policies.scenario import FOLDER, GOLDEN, content_of

KEEPS = ("outcome", "allegation_type", "warned_on", "expired_on", "case_number", "summary")
PARAGRAPHS = [
    "Private and confidential",
    "Dear Ms Templeforth,",
    "Our ref: DC/2018/014",
    "Nature of the allegation: lateness",
    "You told Osric Morwood on 3 February 2018 that the bus from 14 Larch Street had been late on eleven mornings, and "
    "that you could be reached on 07700 900362 or at r.templeforth@example.org.",
    "Outcome",
    "Having heard you and your companion, Mr Morwood has decided on a first written warning for lateness.",
    "Warning issued on: Thursday, 1 March 2018",
    "It expires on 1 March 2019. If it happens again, a final written warning may follow.",
    "You may appeal to Gethin Sallow within five working days.",
]
ROWS = [
    ["Employee", "Rosalind Templeforth"],
    ["Case number", "DC/2018/014"],
    ["Nature of the allegation", "lateness"],
    ["Outcome", "First written warning"],
    ["Warning issued on", "1 March 2018"],
    ["Expires on", "01/03/2019"],
]
KEPT = {
    "outcome": "first written warning",
    "allegation_type": "lateness",
    "warned_on": "2018-03-01",
    "expired_on": "2019-03-01",
    "case_number": "DC/2018/014",
    "summary": "lateness: first written warning",
}


def odt(paragraphs: list[str]) -> bytes:
    names = ("office", "text")
    spaces = " ".join(f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in names)
    body = "".join(f"<text:p>{escape(paragraph)}</text:p>" for paragraph in paragraphs)
    content = (
        f"<office:document-content {spaces}><office:body><office:text>{body}</office:text></office:body>"
        "</office:document-content>"
    )
    return formats.zipped(
        {"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": content.encode()},
    )


def delimited(rows: list[list[str]]) -> bytes:
    target = io.StringIO()
    csv.writer(target).writerows(rows)
    return target.getvalue().encode()


def page(paragraphs: list[str]) -> bytes:
    body = "".join(f"<p>{escape(paragraph)}</p>\n" for paragraph in paragraphs)
    return f"<!doctype html><html><body>{body}</body></html>".encode()


HEADERS = {"From": "hr@example.org", "To": "r.templeforth@example.org", "Subject": "The hearing"}
DOCUMENTS = {
    "docx": formats.docx(PARAGRAPHS),
    "docx with a table": formats.docx(["Record"], ROWS),
    "odt": odt(PARAGRAPHS),
    "pdf": formats.pdf(PARAGRAPHS),
    "eml": formats.eml(HEADERS, PARAGRAPHS),
    "eml with a file": formats.eml(HEADERS, ["See the letter."], ("Letter.docx", formats.docx(PARAGRAPHS))),
    "doc": old_office.doc(["".join(f"{paragraph}\r" for paragraph in PARAGRAPHS)]),
    "txt": "\r\n".join(PARAGRAPHS).encode(),
    "html": page(PARAGRAPHS),
    "xlsx": formats.xlsx("Sheet1", ROWS),
    "xls": old_office.xls("Sheet1", ROWS),
    "csv": delimited(ROWS),
    "xlsx with columns": formats.xlsx("Sheet1", [list(column) for column in zip(*ROWS, strict=True)]),
    "csv with columns": delimited([list(column) for column in zip(*ROWS, strict=True)]),
}


@pytest.mark.parametrize("kind", sorted(DOCUMENTS))
def test_what_a_class_keeps_is_found_in_any_format(kind: str, minimise: Minimise) -> None:
    made = minimise(DOCUMENTS[kind], KEEPS, name="document.csv" if "csv" in kind else "document")
    assert told(made) == KEPT
    assert made.complete
    text = made.as_bytes().decode()
    for personal in ("Templeforth", "Rosalind", "Morwood", "Gethin", "Larch", "07700", "example.org", "bus"):
        assert personal not in text


def test_an_event_and_a_hash_complete_what_a_document_lacks(
    minimise: Minimise, identify: Callable[[str, str], bytes]
) -> None:
    card = formats.docx(["Rosalind Penhale, practice manager", "Rosalind.Penhale@saltmarsh.example, 07700 900362"])
    made = minimise(card, ["suppression_hash", "objected_on"], facts({"objected": date(2020, 5, 11)}))
    hashed = identify("EMAIL_ADDRESS", "rosalind.penhale@saltmarsh.example").hex()
    assert told(made) == {"suppression_hash": hashed, "objected_on": "2020-05-11"}
    assert minimise(card, ["suppression_hash"], facts(known={"suppression_hash": "0"})).fields[0].value == "0"


@pytest.mark.parametrize("text", ["Nobody writes here.", "a.first@example.org and b.second@example.org"])
def test_no_hash_is_made_of_no_address_or_of_two(text: str, minimise: Minimise) -> None:
    assert told(minimise(text.encode(), ["suppression_hash"])) == {"suppression_hash": "<missing>"}


def test_names_in_a_reference_of_ones_own_do_not_come_through(minimise: Minimise) -> None:
    """A form as careless as this lets an address through; the detector does not."""
    loose = ItemFacts(ACCOUNT, date(2019, 4, 21), references=(ReferenceForm("CASE_REFERENCE", r"\S+@\S+"),))
    made = minimise(b"Our ref: jane.doe1980@example.org", ["case_number"], loose)
    assert told(made) == {"case_number": "<not_clean>"}
    made = minimise(b"Outcome: upheld", ["who"], facts(known={"who": "Jane Doe, NI number AB 12 34 56 C"}))
    assert told(made) == {"who": "<not_clean>"}


@pytest.mark.parametrize(
    ("content", "kept"),
    [
        (formats.docx(PARAGRAPHS)[:400], "<missing>"),
        (old_office.doc(["Outcome: upheld\r"], encrypted=True), "<missing>"),
        (b"", "<missing>"),
        (scans.scanned_pdf([PARAGRAPHS]), "<missing>"),
        (formats.png(), "<missing>"),
    ],
    ids=["damaged", "encrypted", "empty", "a scan", "a picture"],
)
def test_a_document_that_cannot_be_read_says_nothing(content: bytes, kept: str, minimise: Minimise) -> None:
    made = minimise(content, ["outcome", "warned_on"], facts({"warned": date(2018, 3, 1)}))
    assert told(made) == {"outcome": kept, "warned_on": "2018-03-01"}


class Said:
    """An extractor that says of any document that it holds these chunks, and ended so."""

    def __init__(self, chunks: list[Chunk], status: ExtractionStatus, reasons: tuple[str, ...] = ()) -> None:
        self._chunks = chunks
        self._extraction = Extraction(status, "txt", reasons)
        self.names: list[bytes] = []

    def extract(self, descriptor: int, name: bytes, on_chunk: Callable[[Chunk], None]) -> Extraction:
        self.names.append(name)
        for chunk in self._chunks:
            on_chunk(chunk)
        return self._extraction

    def close(self) -> None:
        return


@pytest.mark.parametrize(
    ("status", "reasons", "kept"),
    [
        (ExtractionStatus.OK, (), "upheld"),
        (ExtractionStatus.PARTIAL, ("picture_not_read", "picture_limit"), "upheld"),
        (ExtractionStatus.PARTIAL, ("picture_not_read", "damaged_page"), "<missing>"),
        (ExtractionStatus.CORRUPT, ("strings_only",), "<missing>"),
        (ExtractionStatus.KILLED, (), "<missing>"),
    ],
)
def test_what_was_not_read_to_its_end_says_nothing(
    status: ExtractionStatus, reasons: tuple[str, ...], kept: str, detector: object
) -> None:
    text = "one\n\nOutcome: upheld\nThe end."
    said = Said([Chunk(text, ((0, "part=1"), (5, "line=7+")))], status, reasons)
    made = Minimiser(said, detector, lambda *_: b"").minimise_file(0, "txt", ["outcome"], facts())  # type: ignore[arg-type]
    assert told(made) == {"outcome": kept}
    assert [one.location for one in made.fields] == ([] if kept != "upheld" else ["line=7"])
    assert said.names == [b"document.txt"]


def test_a_document_that_is_longer_than_any_record_says_nothing(
    detector: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    chunks = [Chunk("Outcome: upheld\n", ((0, "line=1+"),)), Chunk("x" * 100 + "\n", ((0, "line=2+"),))]
    for longest, kept in ((117, "upheld"), (116, "<missing>")):
        monkeypatch.setattr(module, "_LONGEST", longest)
        said = Said(chunks, ExtractionStatus.OK)
        made = Minimiser(said, detector, lambda *_: b"").minimise_file(0, "txt", ["outcome"], facts())  # type: ignore[arg-type]
        assert told(made) == {"outcome": kept}


@pytest.mark.slow
def test_nobody_of_a_whole_staff_comes_through(minimise: Minimise) -> None:
    chance = Random(7)
    for person in people(chance)[:20]:
        name = f"{person.first} {person.last}"
        text = [f"Outcome: {name}", f"Finding: upheld, says {name}", f"Case number: {name} DC/2018/014"]
        made = minimise(formats.docx(text), ["outcome", "finding", "case_number", "summary"])
        written = made.as_bytes().decode()
        assert person.last not in written
        assert told(made)["case_number"] == "DC/2018/014"


# The office files of the policies

CHECKED = {"criminal_record_checked": date(2017, 4, 20)}
CERTIFICATE = {"result": "satisfactory", "checked_on": "2017-04-20"}
EXPIRED = {"warning_expired": date(2019, 3, 1)}
HASH = {"suppression_hash": "<a hash>"}
NO_HASH = {"suppression_hash": "<missing>"}
POLICIES: list[tuple[str, str, dict[str, date], dict[str, str]]] = [
    ("training-provider", "DBS checks/Nia Pryce-Hallam/DBS-2017-04.pdf", CHECKED, CERTIFICATE),
    ("training-provider", "Personnel files/Nia Pryce-Hallam/Scan 0034.pdf", CHECKED, CERTIFICATE),
    (
        "training-provider",
        "Recruitment/2019-06 Helpdesk assistant/Rosalind Eddowes/DBS-2019-06 DBS certificate.docx",
        {"criminal_record_checked": date(2019, 6, 10)},
        {"result": "<unclear>", "checked_on": "2019-06-10"},
    ),
    (
        "training-provider",
        "Personnel files/Gethin Morwood/Disciplinary/D-2018-01/Investigation.docx",
        EXPIRED,
        {
            "summary": "disciplinary matter: first written warning",
            "warned_on": "<missing>",
            "expired_on": "2019-03-01",
        },
    ),
    (
        "training-provider",
        "HR/Grievances/Nia Pryce-Hallam/G-2020-02/Grievance letter.docx",
        {"warning_expired": date(2020, 9, 1)},
        {"summary": "<missing>", "warned_on": "<missing>", "expired_on": "2020-09-01"},
    ),
    (
        "training-provider",
        "HR/Capability/Nia Pryce-Hallam/C-2023-01/Improvement plan.docx",
        {"employment_ended": date(2023, 5, 31)},
        {"summary": "<missing>", "warned_on": "<missing>", "expired_on": "<missing>"},
    ),
    ("ig-consultancy", "Marketing/Contacts/Rosalind Penhale.docx", {"objected": date(2020, 5, 11)}, HASH),
    ("ig-consultancy", "Marketing/Contacts/Imogen Sallow.docx", {"objected": date(2020, 5, 11)}, HASH),
    ("ig-consultancy", "Backups/Marketing/Contacts/Imogen Sallow.txt", {"objected": date(2020, 5, 11)}, HASH),
    ("ig-consultancy", "Marketing/Contacts/Tunde Bakare/Card.txt", {"opted_out": date(2021, 8, 3)}, HASH),
    ("ig-consultancy", "Exports/Campaign spring.csv", {}, HASH),
    (
        "ig-consultancy",
        "Marketing/Contacts/Tunde Bakare/Reply to the spring mailing.eml",
        {"opted_out": date(2021, 8, 3)},
        NO_HASH,
    ),
    ("ig-consultancy", "Marketing/Lists/Mailing list spring.xlsx", {}, NO_HASH),
]


@pytest.mark.parametrize(("policy", "path", "events", "kept"), POLICIES, ids=[one[1] for one in POLICIES])
def test_what_remains_of_the_files_that_a_policy_minimises(
    policy: str, path: str, events: dict[str, date], kept: dict[str, str], minimise: Minimise
) -> None:
    files = yaml.safe_load((FOLDER / f"{policy}.yaml").read_text(encoding="utf-8"))["files"]
    file = next(one for one in files if one["path"] == path)
    while "copy_of" in file:
        file = next(one for one in files if one["path"] == file["copy_of"])
    made = minimise(content_of(file["path"], file["text"]), list(kept), facts(events), name=path)
    said = {name: "<a hash>" if re.fullmatch("[0-9a-f]{32}", value) else value for name, value in told(made).items()}
    assert said == kept


def test_every_file_that_a_policy_minimises_is_among_these() -> None:
    for policy in ("training-provider", "ig-consultancy"):
        golden = yaml.safe_load((GOLDEN / f"{policy}.yaml").read_text(encoding="utf-8"))
        minimised = {path for path, life in golden.items() if any("minimise" in day["stands"] for day in life.values())}
        assert minimised == {path for name, path, _, _ in POLICIES if name == policy}
