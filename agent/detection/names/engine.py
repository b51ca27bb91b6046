"""What has learnt to find persons: the model that is shipped, another spaCy pipeline, a transformer or GLiNER."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from agent.errors import ConfigurationError

if TYPE_CHECKING:
    from spacy.language import Language

SHIPPED = Path(__file__).parents[1] / "models" / "names"
_LABELS = frozenset({"PERSON", "PER"})
_LEAST_SCORE = 0.5
_HOW = "Write the path of a model's folder, or spacy:PATH, transformers:PATH, gliner:PATH."


class NameEngine(Protocol):
    """Finds persons in a short text."""

    @property
    def words(self) -> int:
        """How many words it has come to keep in memory."""

    def persons(self, text: str) -> Iterable[tuple[int, int]]:
        """Start and end of each person's name, in characters."""


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
        self._pipeline = _load(folder)

    @property
    def words(self) -> int:
        return len(self._pipeline.vocab)

    def persons(self, text: str) -> Iterable[tuple[int, int]]:
        document = self._pipeline(text)
        return [(entity.start_char, entity.end_char) for entity in document.ents if entity.label_ in _LABELS]


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

    def __init__(self, folder: Path) -> None:
        transformers = _library("transformers", folder)
        try:
            self._pipeline: Any = transformers.pipeline(
                "token-classification", model=str(folder), aggregation_strategy="simple", local_files_only=True
            )
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"detection.model: {folder} is not a token classifier. {_HOW}") from error

    def persons(self, text: str) -> Iterable[tuple[int, int]]:
        return [
            (found["start"], found["end"])
            for found in self._pipeline(text)
            if found["entity_group"] in _LABELS and found["score"] >= _LEAST_SCORE
        ]


class _GlinerNames:
    """A GLiNER model, asked for persons."""

    words = 0

    def __init__(self, folder: Path) -> None:
        gliner = _library("gliner", folder)
        try:
            self._model: Any = gliner.GLiNER.from_pretrained(str(folder), local_files_only=True)
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"detection.model: {folder} is not a GLiNER model. {_HOW}") from error

    def persons(self, text: str) -> Iterable[tuple[int, int]]:
        found = self._model.predict_entities(text, ["person"], threshold=_LEAST_SCORE)
        return [(entity["start"], entity["end"]) for entity in found]


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
