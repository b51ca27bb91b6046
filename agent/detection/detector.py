"""The detector: identifiers, tables, names, special categories and the kind of record, put together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from agent.detection.again import found_again
from agent.detection.columns import table_spans
from agent.detection.identifiers import IdentifierSearch
from agent.detection.kinds import KindSearch
from agent.detection.names.search import NameSearch, whole_name
from agent.detection.registry import NOT_PERSONAL, recognisers
from agent.detection.settle import settle
from agent.detection.special.search import DocumentEvidence, SpecialSearch
from agent.model.categories import category_of
from agent.model.finding import JUDGED_CATEGORIES, Span, Verdict

_LONE_SURROGATES = re.compile("[\ud800-\udfff]")  # no library can encode them; in a name or a broken file they occur
_KIND_CHARACTERS = 8_000  # what a document is, it says at its beginning


class LayeredDetector:
    """Finds identifiers, persons, special-category and criminal-records data, and tells the kind of record.

    `model` names another engine for persons than ours (`agent.detection.names.engine`); `minimum_score` leaves out what
    is less sure; `regions` and `references` are those of `agent.detection.registry.recognisers`. Not safe to share
    between threads. Raises `ConfigurationError` if the model cannot be loaded.
    """

    def __init__(
        self,
        version: str,
        model: str | None,
        minimum_score: float,
        regions: Iterable[str] = (),
        references: Iterable[tuple[str, str, str]] = (),
    ) -> None:
        self.version = version
        self.identifiers = IdentifierSearch(recognisers(regions=regions, references=references), minimum_score)
        self.names = NameSearch(model)
        self.special = SpecialSearch()
        self.kinds = KindSearch()
        self.minimum_score = minimum_score

    def document(self) -> LayeredSearch:
        return LayeredSearch(self)


class LayeredSearch:
    """The search of one document."""

    def __init__(self, detector: LayeredDetector) -> None:
        self._detector = detector
        self._evidence = DocumentEvidence()
        self._beginning = ""
        self._personal = False

    def search(self, text: str, own_from: int = 0, own_to: int | None = None) -> Sequence[Span]:
        detector = self._detector
        own_to = len(text) if own_to is None else own_to
        if not text.isascii():
            text = _LONE_SURROGATES.sub("\ufffd", text)
        tables = table_spans(text)
        persons = detector.names.find(text)
        plain = [
            cell
            for span in tables
            if category_of(span.entity_type) not in JUDGED_CATEGORIES
            if (cell := whole_name(text, span) if span.entity_type == "PERSON" else span) is not None
        ]
        settled = settle([*detector.identifiers.find(text), *persons, *plain])
        settled += found_again(text, settled)
        found = [span for span in settled if span.entity_type not in NOT_PERSONAL]
        persons = [span for span in found if span.entity_type == "PERSON"]
        special = detector.special.find(text, persons, somebody=bool(found))
        cells = [span for span in tables if category_of(span.entity_type) in JUDGED_CATEGORIES]
        own = [span for span in [*found, *special, *cells] if own_from <= span.start < own_to]
        own += self._evidence.take(text[own_from:own_to], own, persons, own_from)
        if len(self._beginning) < _KIND_CHARACTERS:
            self._beginning += text[own_from:own_to][: _KIND_CHARACTERS - len(self._beginning)]
        self._personal = self._personal or bool(own)
        return sorted(own, key=lambda span: (span.start, span.end, span.entity_type))

    def verdict(self) -> Verdict:
        if not self._personal:
            return Verdict()
        return Verdict(self._evidence.verdicts(), tuple(self._detector.kinds.kinds(self._beginning)))
