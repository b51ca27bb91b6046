"""What has learnt to find persons: the model that is shipped, another spaCy pipeline, a transformer or GLiNER."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from agent.detection.names.places import may_begin
from agent.errors import ConfigurationError

if TYPE_CHECKING:
    from spacy.language import Language

SHIPPED = Path(__file__).parents[1] / "models" / "names"
_LABELS = frozenset({"PERSON", "PER"})
_LEAST_SCORE = 0.5
_HOW = "Write the path of a model's folder, or spacy:PATH, transformers:PATH, gliner:PATH."


class NameEngine(Protocol):
    """Finds persons in short texts."""

    @property
    def words(self) -> int:
        """How many words it has come to keep in memory."""

    @property
    def looks_near(self) -> bool:
        """Whether it sees but a few words around a name, so that the parts of a text around names are all it needs."""

    def persons(self, texts: Sequence[str]) -> list[list[tuple[int, int]]]:
        """For each text the start and end of each person's name, in characters."""


def name_engine(model: str | None) -> NameEngine:
    """The engine that `model` names: none for the shipped one, a path or `spacy:PATH` for another spaCy pipeline,
    `transformers:PATH` and `gliner:PATH` for models on disk whose libraries are installed. Nothing is downloaded.

    Raises `ConfigurationError`.
    """
    if model is None:
        return SpacyNames(SHIPPED)
    kind, colon, path = model.partition(":")
    if not colon:
        return SpacyNames(Path(model))
    if kind not in _ENGINES:
        raise ConfigurationError(f"detection.model: there is no engine {kind[:30]!r}. {_HOW}")
    if not Path(path).exists():
        raise ConfigurationError(f"detection.model: {path} does not exist. {_HOW}")
    return _ENGINES[kind](Path(path))


class SpacyNames:
    """A spaCy pipeline with a part that finds persons."""

    def __init__(self, folder: Path) -> None:
        from agent.detection.names.quick import NotReadable, QuickEntities

        self._pipeline = _load(folder)
        try:
            self._quick: QuickEntities | None = QuickEntities(self._pipeline, may_begin)
        except NotReadable:
            self._quick = None

    @property
    def words(self) -> int:
        return len(self._pipeline.vocab)

    @property
    def looks_near(self) -> bool:
        return self._quick is not None

    def persons(self, texts: Sequence[str]) -> list[list[tuple[int, int]]]:
        if self._quick is None:
            return [
                [(entity.start_char, entity.end_char) for entity in document.ents if entity.label_ in _LABELS]
                for document in self._pipeline.pipe(texts)
            ]
        documents = [self._pipeline.make_doc(text) for text in texts]
        return [
            [
                (document[start].idx, document[end - 1].idx + len(document[end - 1]))
                for start, end, label in entities
                if label in _LABELS
            ]
            for document, entities in zip(documents, self._quick.entities(documents), strict=True)
        ]


def _load(folder: Path) -> Language:
    import spacy

    try:
        pipeline = spacy.load(folder, exclude=["parser", "tagger", "lemmatizer", "attribute_ruler", "textcat"])
    except (OSError, ValueError, ImportError) as error:
        raise ConfigurationError(
            f"detection.model: {folder} is not the folder of a spaCy model that works here. {_HOW} "
            "Left out, the model that comes with the software is taken."
        ) from error
    if not pipeline.meta.get("pipeline"):
        raise ConfigurationError(f"detection.model: the model in {folder} has no part that finds names of people.")
    return pipeline


class _TransformersNames:
    """A token classifier for the transformers library."""

    words = 0
    looks_near = False

    def __init__(self, folder: Path) -> None:
        transformers = _library("transformers", folder)
        try:
            self._pipeline: Any = transformers.pipeline(
                "token-classification", model=str(folder), aggregation_strategy="simple", local_files_only=True
            )
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"detection.model: {folder} is not a token classifier. {_HOW}") from error

    def persons(self, texts: Sequence[str]) -> list[list[tuple[int, int]]]:
        return [
            [
                (found["start"], found["end"])
                for found in self._pipeline(text)
                if found["entity_group"] in _LABELS and found["score"] >= _LEAST_SCORE
            ]
            for text in texts
        ]


class _GlinerNames:
    """A GLiNER model, asked for persons."""

    words = 0
    looks_near = False

    def __init__(self, folder: Path) -> None:
        gliner = _library("gliner", folder)
        try:
            self._model: Any = gliner.GLiNER.from_pretrained(str(folder), local_files_only=True)
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"detection.model: {folder} is not a GLiNER model. {_HOW}") from error

    def persons(self, texts: Sequence[str]) -> list[list[tuple[int, int]]]:
        return [
            [
                (entity["start"], entity["end"])
                for entity in self._model.predict_entities(text, ["person"], threshold=_LEAST_SCORE)
            ]
            for text in texts
        ]


def _library(name: str, folder: Path) -> Any:
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ConfigurationError(
            f"detection.model: {folder} needs the library {name}, which is not installed. Install it beside retentiond."
        ) from error


_ENGINES: dict[str, Callable[[Path], NameEngine]] = {
    "spacy": SpacyNames,
    "transformers": _TransformersNames,
    "gliner": _GlinerNames,
}
