"""The names model read by numpy finds what spaCy finds with it."""

from __future__ import annotations

import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.language import Language

from agent.detection.names.engine import SHIPPED
from agent.detection.names.quick import NotReadable, QuickEntities
from training.documents import goldset

Entities = list[tuple[int, int, str]]
_WORDS = st.sampled_from(
    "Dear Priya Shah O'Neill said to the van Mr J. ,  \n\n Grant will 12 x@y.z Ålesund 李 de la ( ’s".split(" ")
)


@pytest.fixture(scope="module")
def pipeline() -> Language:
    return spacy.load(SHIPPED)


@pytest.fixture(scope="module")
def quick(pipeline: Language) -> QuickEntities:
    return QuickEntities(pipeline, lambda word: not word.isspace())


def by_spacy(pipeline: Language, text: str) -> Entities:
    return [(entity.start, entity.end, entity.label_) for entity in pipeline(text).ents]


def test_in_documents_it_finds_the_same_entities(pipeline: Language, quick: QuickEntities) -> None:
    texts = [document.text[:1_600] for documents in goldset("BF").values() for document in documents[:40]]
    expected = [by_spacy(pipeline, text) for text in texts]
    assert sum(map(len, expected)) > 300
    assert quick.entities([pipeline.make_doc(text) for text in texts]) == expected


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(st.lists(_WORDS, max_size=12).map(" ".join), max_size=4))
def test_in_any_texts_it_finds_the_same_entities(pipeline: Language, quick: QuickEntities, texts: list[str]) -> None:
    found = quick.entities([pipeline.make_doc(text) for text in texts])
    assert found == [by_spacy(pipeline, text) for text in texts]


def test_it_still_does_when_it_has_forgotten_the_words(pipeline: Language, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.detection.names.quick._MOST_ROWS", 400)
    monkeypatch.setattr("agent.detection.names.quick._MOST_TOKENS", 300)
    forgetful = QuickEntities(pipeline, lambda word: not word.isspace())
    texts = [document.text[:800] for document in goldset("B")["B"][:20]]
    for text in texts:
        assert forgetful.entities([pipeline.make_doc(text)]) == [by_spacy(pipeline, text)]


def test_entities_begin_only_where_they_may(pipeline: Language) -> None:
    text = "Dear Priya Shah, I met Daniel Marsh. Kind regards, Tom Abara"
    choosy = QuickEntities(pipeline, lambda word: word == "Daniel")
    assert choosy.entities([pipeline.make_doc(text)]) == [[one for one in by_spacy(pipeline, text) if one[0] == 6]]
    silent = QuickEntities(pipeline, lambda word: False)
    assert silent.entities([pipeline.make_doc(text), pipeline.make_doc("")]) == [[], []]


def test_pipelines_of_other_parts_are_left_to_spacy() -> None:
    blank = spacy.blank("en")
    with pytest.raises(NotReadable):
        QuickEntities(blank, str.istitle)
    other = spacy.blank("en")
    shape = {
        "@architectures": "spacy.TransitionBasedParser.v2",
        "state_type": "ner",
        "extra_state_tokens": True,
        "hidden_width": 8,
        "maxout_pieces": 2,
        "use_upper": True,
        "tok2vec": {
            "@architectures": "spacy.HashEmbedCNN.v2",
            "pretrained_vectors": None,
            "width": 8,
            "depth": 1,
            "embed_size": 20,
            "window_size": 1,
            "maxout_pieces": 2,
            "subword_features": True,
        },
    }
    other.add_pipe("ner", config={"model": shape}).add_label("PERSON")
    other.initialize()
    with pytest.raises(NotReadable):
        QuickEntities(other, str.istitle)
