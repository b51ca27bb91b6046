"""How much of what is in annotated documents is found, and how much is found that is not there, beside plain Presidio.

python -m benchmarks.accuracy SET.jsonl... [--write FILE.md] [--mistakes] [--show-values]

A set has one document a line: {"id", "class", "special", "criminal", "hard_negative", "text", "spans"}. An exact match
has the same type, start and end; an overlap the same type and a character in common. The interval behind a figure is
Wilson's, at 95 %.
"""

from __future__ import annotations

import argparse
import logging
import math
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agent.detection.base import detect
from agent.model.finding import DataCategory, Span
from training.documents import CATEGORY_OF, Document, read_set

IDENTIFIERS = (
    "EMAIL_ADDRESS PHONE_NUMBER UK_POSTCODE STREET_ADDRESS DATE_OF_BIRTH UK_NINO UK_NHS UK_PASSPORT UK_DRIVING_LICENCE "
    "UK_UTR UK_VEHICLE_REGISTRATION UK_BANK_ACCOUNT IBAN_CODE CREDIT_CARD IP_ADDRESS EMPLOYEE_ID CASE_REFERENCE"
).split()
CATEGORIES = sorted(set(CATEGORY_OF.values()))


@dataclass(slots=True)
class Tally:
    """True, false and missed."""

    true: int = 0
    false: int = 0
    missed: int = 0

    def add(self, other: Tally) -> None:
        self.true += other.true
        self.false += other.false
        self.missed += other.missed

    @property
    def precision(self) -> float:
        return self.true / (self.true + self.false) if self.true + self.false else 1.0

    @property
    def recall(self) -> float:
        return self.true / (self.true + self.missed) if self.true + self.missed else 1.0

    @property
    def f1(self) -> float:
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0

    def cells(self) -> list[str]:
        found, there = self.true + self.false, self.true + self.missed
        return [
            str(there),
            f"{self.precision:.3f} {wilson(self.true, found)}",
            f"{self.recall:.3f} {wilson(self.true, there)}",
            f"{self.f1:.3f}",
        ]


def wilson(hits: int, of: int) -> str:
    """The 95 % interval of a share, in brackets."""
    if not of:
        return ""
    z, share = 1.96, hits / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    return f"({max(0.0, middle - half):.2f}–{min(1.0, middle + half):.2f})"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a detector said of one document."""

    spans: Sequence[Span]
    categories: frozenset[str] = frozenset()
    kind: str | None = None


@dataclass(slots=True)
class Scores:
    """How one detector did on a set of documents."""

    exact: dict[str, Tally] = field(default_factory=dict)
    overlap: dict[str, Tally] = field(default_factory=dict)
    categories: dict[str, Tally] = field(default_factory=dict)
    kinds: Tally = field(default_factory=Tally)
    hard_negatives: int = 0
    flagged: int = 0
    mistakes: list[str] = field(default_factory=list)

    def take(self, document: Document, answer: Answer, show: Callable[[str], str]) -> None:
        for type_ in ("PERSON", *IDENTIFIERS):
            expected = {(mention.start, mention.end) for mention in document.mentions if mention.type == type_}
            found = {(span.start, span.end) for span in answer.spans if span.entity_type == type_}
            self.exact.setdefault(type_, Tally()).add(
                Tally(len(expected & found), len(found - expected), len(expected - found))
            )
            self.overlap.setdefault(type_, Tally()).add(_overlapping(expected, found))
            for word, places in (("false", found - expected), ("missed", expected - found)):
                for start, end in sorted(places):
                    self.mistakes.append(f"{document.id} {word} {type_} {start}-{end}{show(document.text[start:end])}")
        for category in CATEGORIES:
            there, said = category in document.categories, category in answer.categories
            self.categories.setdefault(category, Tally()).add(
                Tally(there and said, said and not there, there and not said)
            )
            if there != said:
                self.mistakes.append(f"{document.id} {'missed' if there else 'false'} {category}")
        if document.hard_negative:
            self.hard_negatives += 1
            self.flagged += bool(answer.categories)
        right = (answer.kind or "none") == document.kind
        self.kinds.add(Tally(right, not right and answer.kind is not None, not right and answer.kind is None))
        if not right:
            self.mistakes.append(f"{document.id} class {document.kind} taken for {answer.kind}")

    def identifiers(self, tallies: dict[str, Tally], but: frozenset[str] = frozenset()) -> Tally:
        total = Tally()
        for type_ in IDENTIFIERS:
            if type_ not in but:
                total.add(tallies[type_])
        return total

    @property
    def mean_f1(self) -> float:
        return sum(tally.f1 for tally in self.categories.values()) / len(self.categories)

    @property
    def kinds_right(self) -> float:
        return self.kinds.true / max(1, self.kinds.true + self.kinds.false + self.kinds.missed)


def _overlapping(expected: set[tuple[int, int]], found: set[tuple[int, int]]) -> Tally:
    def met(place: tuple[int, int], others: set[tuple[int, int]]) -> bool:
        return any(start < place[1] and place[0] < end for start, end in others)

    hits = sum(met(place, expected) for place in found)
    missed = sum(not met(place, found) for place in expected)
    # A mention may be met by two spans and a span meet two mentions: what counts as true are the mentions met.
    return Tally(len(expected) - missed, len(found) - hits, missed)


def ours() -> Callable[[str], Answer]:
    """The detector as it is shipped."""
    from agent import bootstrap
    from agent.settings import Settings

    detector = bootstrap.detector_from(Settings())

    def answer(text: str) -> Answer:
        spans, verdict = detect(detector, text)
        kind = verdict.kinds[0][0] if verdict.kinds else None
        categories = frozenset(
            "criminal" if judged.category is DataCategory.CRIMINAL else judged.category.value
            for judged in verdict.categories
        )
        return Answer(spans, categories, kind)

    return answer


def plain_presidio() -> Callable[[str], Answer]:
    """Presidio with every UK and generic recogniser it brings along, and a blank spaCy pipeline: it has no names."""
    import tldextract
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer import predefined_recognizers as theirs

    from agent.detection.language import LocalNlpEngine

    # Left to itself, it fetches the list of top-level domains.
    tldextract.extract = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)  # type: ignore[assignment]
    names = (
        "CreditCard Email Iban Ip Nhs Phone UkNino UkPassport UkPostcode UkDrivingLicence UkVehicleRegistration"
    ).split()
    engine = AnalyzerEngine(
        registry=RecognizerRegistry([getattr(theirs, f"{name}Recognizer")() for name in names]),
        nlp_engine=LocalNlpEngine(None),
        default_score_threshold=0.4,
    )

    def answer(text: str) -> Answer:
        results = engine.analyze(text, "en")
        return Answer([Span(result.entity_type, result.start, result.end, result.score) for result in results])

    return answer


def measure(documents: Iterable[Document], answer: Callable[[str], Answer], show: Callable[[str], str]) -> Scores:
    scores = Scores()
    for document in documents:
        scores.take(document, answer(document.text), show)
    return scores


# An office writes these as it likes.
_FREE_FORM = frozenset({"EMPLOYEE_ID", "CASE_REFERENCE", "STREET_ADDRESS"})


def table(name: str, documents: Sequence[Document], scores: Scores, beside: Scores) -> str:
    """The figures in Markdown."""
    rows = [
        f"## {name}: {len(documents)} documents",
        "",
        "| type | there | precision, exact | recall, exact | F1 | F1, overlap | plain Presidio: P, R, F1, exact |",
        "|---|---|---|---|---|---|---|",
    ]
    groups = [
        (
            "all identifiers",
            scores.identifiers(scores.exact),
            scores.identifiers(scores.overlap),
            beside.identifiers(beside.exact),
        ),
        (
            "those of a fixed form",
            scores.identifiers(scores.exact, _FREE_FORM),
            scores.identifiers(scores.overlap, _FREE_FORM),
            beside.identifiers(beside.exact, _FREE_FORM),
        ),
    ]
    groups += [
        (type_, scores.exact[type_], scores.overlap[type_], beside.exact[type_]) for type_ in ("PERSON", *IDENTIFIERS)
    ]
    for type_, exact, overlap, other in groups:
        theirs = f"{other.precision:.2f}, {other.recall:.2f}, {other.f1:.2f}" if other.true + other.false else "–"
        rows.append(f"| {type_} | {' | '.join(exact.cells())} | {overlap.f1:.3f} | {theirs} |")
    person = scores.overlap["PERSON"]
    rows += [
        "",
        f"PERSON by overlap: precision {person.precision:.3f}, recall {person.recall:.3f}.",
        "",
        "| category, by document | there | precision | recall | F1 |",
        "|---|---|---|---|---|",
        *(f"| {category} | {' | '.join(scores.categories[category].cells())} |" for category in CATEGORIES),
        "",
        f"Mean F1 {scores.mean_f1:.3f}. Hard negatives flagged: {scores.flagged} of {scores.hard_negatives}. "
        f"Kind of record right: {scores.kinds_right:.1%}.",
        "",
    ]
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("sets", nargs="+", type=Path, metavar="SET.jsonl")
    parser.add_argument("--write", type=Path, help="also write the tables to this Markdown file")
    parser.add_argument("--mistakes", action="store_true", help="list every mistake by document and offsets")
    parser.add_argument("--show-values", action="store_true", help="with --mistakes: show the text, too")
    arguments = parser.parse_args()
    logging.getLogger("presidio-analyzer").disabled = True
    ask, ask_plain = ours(), plain_presidio()

    def show(value: str) -> str:
        return f" {value!r}" if arguments.show_values else ""

    parts = []
    for path in arguments.sets:
        documents = list(read_set(path))
        scores = measure(documents, ask, show)
        parts.append(table(path.stem, documents, scores, measure(documents, ask_plain, show)))
        if arguments.mistakes:
            sys.stdout.write("\n".join(scores.mistakes) + "\n")
    sys.stdout.write("\n".join(parts))
    if arguments.write:
        command = " ".join(["python -m benchmarks.accuracy", *map(str, arguments.sets)])
        head = f"# Accuracy\n\nMade by `{command}`. An interval of 95 % (Wilson) stands in brackets.\n\n"
        arguments.write.write_text(head + "\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
