"""Damaged documents get a status, whatever was damaged. `python -m tests.extraction.fuzz` does this at length, and with
RETENTIOND_TEST_LONG in the environment so does this."""

from __future__ import annotations

import os
import random

import pytest

from agent.model.outcome import ExtractionStatus
from tests.extraction import fuzz

DOCUMENTS = 1_500 if "RETENTIOND_TEST_LONG" in os.environ else 500


@pytest.mark.slow
def test_every_damaged_document_gets_a_status_and_hardly_any_kills_its_process() -> None:
    seed = random.randrange(1 << 32)
    answers = list(fuzz.run(DOCUMENTS, seed))
    assert len(answers) == DOCUMENTS, f"seed {seed}"
    killed = [(kind, answer) for kind, answer, _ in answers if answer.status is ExtractionStatus.KILLED]
    assert len(killed) <= max(3, DOCUMENTS // 300), (
        f"seed {seed}"
    )  # libraries in native code do fall over now and then: that is what it is for


def test_the_documents_before_the_damage_are_sound() -> None:
    from agent.extraction.base import Chunk
    from agent.extraction.process import ProcessExtractor

    extractor = ProcessExtractor(fuzz.LIMITS)
    for kind, content in fuzz.seeds().items():
        descriptor = os.memfd_create(kind)
        os.write(descriptor, content)
        chunks: list[Chunk] = []
        answer = extractor.extract(descriptor, f"a.{kind}".encode(), chunks.append)
        os.close(descriptor)
        sound = ExtractionStatus.PARTIAL if kind == "jpg" else ExtractionStatus.OK  # the picture itself is not read
        assert answer.status is sound, (kind, answer)
        assert chunks, kind
    extractor.close()
