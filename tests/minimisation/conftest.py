from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from agent import bootstrap
from agent.detection.detector import LayeredDetector
from agent.detection.identity import FindingIdentity
from agent.extraction.process import ProcessExtractor
from agent.extraction.sniff import sniff
from agent.minimisation.base import ItemFacts, OutcomeRecord
from agent.settings import Settings
from agent.usecases.minimise import Minimiser
from tests.minimisation.cases import CASES, facts

Minimise = Callable[..., OutcomeRecord]


@pytest.fixture(scope="session")
def extractor() -> Iterator[ProcessExtractor]:
    extractor = bootstrap.extractor_from(Settings())
    yield extractor
    extractor.close()


@pytest.fixture(scope="session")
def detector() -> LayeredDetector:
    """The real one, with the organisation's own case numbers among what it finds."""
    return LayeredDetector("test", None, 0.4, ["GB"], [(CASES.entity_type, CASES.pattern, "")])


@pytest.fixture(scope="session")
def identify() -> Callable[[str, str], bytes]:
    return FindingIdentity(b"k" * 32).of


@pytest.fixture
def minimise(
    extractor: ProcessExtractor, detector: LayeredDetector, identify: Callable[[str, str], bytes], tmp_path: Path
) -> Minimise:
    """Makes the record for a file of these bytes, with real extraction and detection."""
    minimiser = Minimiser(extractor, detector, identify)

    def made(
        content: bytes, keeps: Sequence[str], of: ItemFacts | None = None, name: str = "document"
    ) -> OutcomeRecord:
        file = tmp_path / "document"
        file.write_bytes(content)
        with open(file, "rb") as source:
            kind = sniff(source, len(content), name.encode())
            return minimiser.minimise_file(source.fileno(), kind, keeps, of or facts())

    return made
