"""spaCy behind Presidio: a blank English pipeline, or a model from a folder, and never a download."""

from __future__ import annotations

from typing import Any

import spacy
from presidio_analyzer.nlp_engine import NerModelConfiguration, NlpArtifacts, SpacyNlpEngine
from spacy.language import Language
from spacy.tokens import Doc

from agent.errors import ConfigurationError

LANGUAGE = "en"

_PERSON_LABELS = {"PERSON": "PERSON", "PER": "PERSON"}
_PERSON_SCORE = 0.85  # spaCy says nothing about how sure it is; this is what Presidio takes


@Language.component("retentiond_lemmas")
def fill_lemmas(doc: Doc) -> Doc:
    """Gives every token its lower-case form as lemma: without one, Presidio finds no context words."""
    return doc.from_array(["LEMMA"], doc.to_array(["LOWER"]).reshape(-1, 1))  # type: ignore[arg-type]  # spaCy's own stubs disagree


class LocalNlpEngine(SpacyNlpEngine):
    """Presidio's language engine on what is here. `model_path` is the folder of a spaCy model that knows persons.

    Raises `ConfigurationError` if there is no such model.
    """

    engine_name = "local_spacy"

    def __init__(self, model_path: str | None) -> None:
        super().__init__(
            models=[{"lang_code": LANGUAGE, "model_name": model_path or "blank"}],
            ner_model_configuration=NerModelConfiguration(
                model_to_presidio_entity_mapping=_PERSON_LABELS, labels_to_ignore=[], default_score=_PERSON_SCORE
            ),
        )
        self._model_path = model_path

    def load(self) -> None:
        pipeline = spacy.blank(LANGUAGE) if self._model_path is None else _load(self._model_path)
        pipeline.add_pipe("retentiond_lemmas", last=True)
        self.nlp = {LANGUAGE: pipeline}  # type: ignore[assignment]  # Presidio declares none of its own

    @property
    def pipeline(self) -> Language:
        """The pipeline, loaded."""
        return self.get_nlp(LANGUAGE)


class LazyNlpEngine(LocalNlpEngine):
    """The same, but a text is read only when a recogniser asks for its tokens or entities."""

    engine_name = "lazy_spacy"

    def process_text(self, text: str, language: str) -> NlpArtifacts:
        return LazyArtifacts(text, self, language)

    def read(self, text: str, language: str) -> NlpArtifacts:
        """What the pipeline says of the text."""
        return super().process_text(text, language)


class LazyArtifacts(NlpArtifacts):
    """What the pipeline says of a text, once it is asked for anything of it."""

    def __init__(self, text: str, engine: LazyNlpEngine, language: str) -> None:
        self.nlp_engine = engine
        self.language = language
        self._text = text

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        read = self.nlp_engine.read(self._text, self.language)
        vars(self).update(vars(read))
        try:
            return vars(self)[name]
        except KeyError:
            raise AttributeError(name) from None


def _load(path: str) -> Language:
    try:
        pipeline = spacy.load(path, exclude=["parser", "tagger", "lemmatizer", "attribute_ruler", "textcat"])
    except (OSError, ValueError, ImportError) as error:
        raise ConfigurationError(
            f"detection.model: {path} is not the folder of a spaCy model that works here. "
            "Install the model into a folder and name that, or leave the setting out."
        ) from error
    if not pipeline.meta.get("pipeline"):
        raise ConfigurationError(f"detection.model: the model in {path} has no part that finds names of people.")
    return pipeline
