"""How fast text is searched, beside plain Presidio with the same recognisers on the same texts, in one run."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import agent.detection  # noqa: F401  # first: it says how many threads numpy may take, as it does in a worker

# isort: split
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
from presidio_analyzer.context_aware_enhancers import LemmaContextAwareEnhancer
from presidio_analyzer.nlp_engine import NerModelConfiguration, SpacyNlpEngine

from agent.detection.identifiers import IdentifierSearch
from agent.detection.language import LANGUAGE, LocalNlpEngine
from agent.detection.registry import recognisers
from agent.detection.segments import pieces
from benchmarks.office_text import KINDS, mixed, prose

_MINIMUM_SCORE = 0.4
Found = list[tuple[str, int, int, float]]


def plain_presidio(nlp: SpacyNlpEngine, listed: Sequence[Any]) -> Callable[[str], Found]:
    """Presidio's analyser with our recognisers, in pieces as ours: on a long text it would be slower still."""
    engine = AnalyzerEngine(
        registry=RecognizerRegistry(recognizers=list(listed), supported_languages=[LANGUAGE]),
        nlp_engine=nlp,
        supported_languages=[LANGUAGE],
        default_score_threshold=_MINIMUM_SCORE,
        context_aware_enhancer=LemmaContextAwareEnhancer(context_matching_mode="whole_word"),
    )

    def search(text: str) -> Found:
        found: dict[tuple[str, int, int], float] = {}
        for start, own_from, own_to, end in pieces(text):
            for result in engine.analyze(text[start:end], LANGUAGE):
                if own_from <= start + result.start < own_to:
                    key = (result.entity_type, start + result.start, start + result.end)
                    found[key] = max(found.get(key, 0.0), result.score)
        return sorted((*key, score) for key, score in found.items())

    return search


class WholePipeline(SpacyNlpEngine):
    """A pipeline of the shape and cost of `en_core_web_sm`, with weights at random: no such model is to be had here."""

    engine_name = "whole_pipeline"

    def __init__(self) -> None:
        super().__init__(
            models=[{"lang_code": LANGUAGE, "model_name": "random"}],
            ner_model_configuration=NerModelConfiguration(
                model_to_presidio_entity_mapping={"PERSON": "PERSON"}, labels_to_ignore=["ORG", "GPE", "DATE"]
            ),
        )

    def load(self) -> None:
        import spacy
        from spacy.training import Example

        config = {"model": {"@architectures": "spacy.HashEmbedCNN.v2", "width": 96, "depth": 4, "embed_size": 2000}}
        shape = {**config["model"], "window_size": 1, "maxout_pieces": 3, "subword_features": True}
        shape["pretrained_vectors"] = None
        pipeline = spacy.blank(LANGUAGE)
        pipeline.add_pipe("tok2vec", config={"model": shape})
        listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": 96, "upstream": "tok2vec"}
        tagger = pipeline.add_pipe(
            "tagger", config={"model": {"@architectures": "spacy.Tagger.v2", "nO": None, "tok2vec": listener}}
        )
        transitions = {
            "@architectures": "spacy.TransitionBasedParser.v2",
            "extra_state_tokens": False,
            "hidden_width": 64,
            "maxout_pieces": 2,
            "use_upper": True,
        }
        parser = pipeline.add_pipe(
            "parser", config={"model": {**transitions, "state_type": "parser", "tok2vec": listener}}
        )
        pipeline.add_pipe("attribute_ruler")
        pipeline.add_pipe("lemmatizer", config={"mode": "rule"})
        named = pipeline.add_pipe("ner", config={"model": {**transitions, "state_type": "ner", "tok2vec": shape}})
        for label in ("PERSON", "ORG", "GPE", "DATE"):
            named.add_label(label)  # type: ignore[attr-defined]
        for label in ("NN", "NNP", "VB", "DT", "IN", "CD"):
            tagger.add_label(label)  # type: ignore[attr-defined]
        for label in ("nsubj", "dobj", "det", "prep", "ROOT"):
            parser.add_label(label)  # type: ignore[attr-defined]
        lemmatizer = pipeline.get_pipe("lemmatizer")
        lemmatizer.lookups.add_table("lemma_rules", {"noun": [["s", ""]], "verb": [["ing", ""]]})  # type: ignore[attr-defined]
        lemmatizer.lookups.add_table("lemma_index", {})  # type: ignore[attr-defined]
        lemmatizer.lookups.add_table("lemma_exc", {})  # type: ignore[attr-defined]
        document = pipeline.make_doc("She works in London.")
        example = Example.from_dict(
            document,
            {
                "tags": ["NN", "VB", "IN", "NNP", "NN"],
                "heads": [1, 1, 1, 2, 1],
                "deps": ["nsubj", "ROOT", "prep", "dobj", "det"],
                "entities": ["O", "O", "O", "U-GPE", "O"],
            },
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for name in ("tok2vec", "tagger", "parser", "ner"):
                pipeline.get_pipe(name).initialize(lambda: [example], nlp=pipeline)  # type: ignore[attr-defined]
        lemmatizer.initialize = None  # type: ignore[attr-defined]
        self.nlp = {LANGUAGE: pipeline}  # type: ignore[assignment]


def rate(search: Callable[[str], object], texts: Sequence[str]) -> tuple[float, float]:
    """The millions of UTF-8 bytes, and the seconds of processor time that searching them takes."""
    began = time.process_time()
    for text in texts:
        search(text)
    return sum(len(text.encode()) for text in texts) / 1e6, time.process_time() - began


def measure(whole: object | None = None) -> None:
    """Prints MB/s of one core, start-up left out. `whole` is the whole detector: anything with `detect(text)`."""
    logging.getLogger("presidio-analyzer").disabled = True
    began = time.process_time()
    ours = IdentifierSearch(recognisers(), _MINIMUM_SCORE)
    print(f"Searching text, MB/s on one core; our search was made in {time.process_time() - began:.1f} s")
    plain = plain_presidio(LocalNlpEngine(None), recognisers())
    corpus = mixed(1_000_000)
    _tell_shares(corpus)
    for search in (ours.find, plain):
        search(corpus[KINDS[0]][0])
    _beside("identifiers", corpus, plain, ours.find)
    everything = [text for texts in corpus.values() for text in texts]
    differing = sum(
        plain(text) != sorted((span.entity_type, span.start, span.end, span.score) for span in ours.find(text))
        for text in everything
    )
    print(f"  identical in {len(everything) - differing} of {len(everything)} texts")
    for numbered, what in ((True, "with numbers of sections"), (False, "without a number")):
        size, seconds = rate(ours.find, prose(4_000_000, numbered=numbered))
        print(f"  prose without personal data, {what}: ours {size / seconds:6.1f} MB/s")
    _whole(corpus, whole)
    print()


def _tell_shares(corpus: Mapping[str, Sequence[str]]) -> None:
    sizes = {kind: sum(len(text.encode()) for text in texts) for kind, texts in corpus.items()}
    shares = ", ".join(f"{kind} {size / sum(sizes.values()):.0%}" for kind, size in sizes.items())
    print(f"  {sum(map(len, corpus.values()))} texts, {sum(sizes.values()) / 1e6:.2f} MB: {shares}")


def _beside(
    what: str,
    corpus: Mapping[str, Sequence[str]],
    plain: Callable[[str], object],
    ours: Callable[[str], object],
) -> None:
    size = plain_seconds = our_seconds = 0.0
    for kind, texts in corpus.items():
        (more, before), (_, after) = rate(plain, texts), rate(ours, texts)
        size, plain_seconds, our_seconds = size + more, plain_seconds + before, our_seconds + after
        _tell(what, kind, more, before, after)
    _tell(what, "all", size, plain_seconds, our_seconds)  # not searched again: ours remembers


def _tell(what: str, kind: str, size: float, plain: float, ours: float) -> None:
    rates = f"plain {size / plain:6.3f}, ours {size / ours:7.3f} MB/s"
    print(f"  {what}, {kind:<9} {rates}, {plain / ours:5.1f} times")


def _whole(corpus: Mapping[str, Sequence[str]], whole: Any) -> None:
    if whole is None:
        whole = _whole_detector()
    if whole is None:
        return
    for numbered, what in ((True, "with numbers of sections"), (False, "without a number")):
        texts = prose(1_000_000, numbered=numbered)
        whole.detect(texts[0])  # what is made when it is needed first
        size, seconds = rate(whole.detect, texts)
        print(f"  everything, prose without personal data, {what}: ours {size / seconds:6.1f} MB/s")
    sample = {kind: texts[: max(1, len(texts) // 4)] for kind, texts in corpus.items()}
    from presidio_analyzer.predefined_recognizers import SpacyRecognizer

    names = SpacyRecognizer(supported_entities=["PERSON"], supported_language=LANGUAGE)
    plain = plain_presidio(WholePipeline(), [*recognisers(), names])
    _tell_shares(sample)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # spaCy finds the random weights odd
        for texts in mixed(20_000, seed=9).values():  # what is made when it is needed first
            plain(texts[0])
            whole.detect(texts[0])
        _beside("everything", sample, plain, whole.detect)


def _whole_detector() -> object | None:
    """The whole detector with its shipped models, None where its parts are not there."""
    try:
        from agent.detection.base import detect
        from agent.detection.detector import LayeredDetector
        from agent.errors import ConfigurationError

        detector = LayeredDetector("benchmark", None, _MINIMUM_SCORE)
    except (ImportError, ConfigurationError, OSError) as error:
        print(f"  the whole detector is not measured: {type(error).__name__}")
        return None

    class Whole:
        def detect(self, text: str) -> object:
            return detect(detector, text)

    return Whole()
