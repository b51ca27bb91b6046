"""Fields whose value is one of our own words: which of them a document says, if it says just one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent.minimisation.base import Kept, Lacking, Why
from agent.minimisation.dates import DATE
from agent.minimisation.layout import Layout, Paragraph
from agent.minimisation.vocabulary import FieldForm, Vocabulary, Words, plain

_TITLES = 8  # paragraphs at the beginning among which a title is looked for
_TITLE_CHARACTERS = 100
_BOXES = re.compile(r"[☐☑☒□■✓✗✔✘]|\[[ xX]?\]")
_TOKEN = re.compile(r"[^\W_]+(?:[./'-][^\W_]+)*")
_SENTENCES = re.compile(r"(?<=[.!?;])\s+|\n")


class _Unclear(Exception):
    """What stands at a label is not one of our words, or is not said for certain."""


class WordReader:
    """Reads one document for words."""

    def __init__(self, layout: Layout, vocabulary: Vocabulary) -> None:
        self._layout = layout
        self._vocabulary = vocabulary

    def read(self, name: str, form: FieldForm, words: Words) -> Kept | Lacking:
        """The word at the field's labels and where an outcome is announced; else that of a sentence with nothing else,
        or of the title. Where any of them is unclear, or they are not the same, so is the field."""
        said: dict[str, str] = {}
        unclear: list[str] = []
        for passage in self._layout.passages:
            if passage.label not in form.labels:
                continue
            try:
                found = self._at_label(passage.value, words)
            except _Unclear:
                found = set()
                if passage.certain:
                    unclear.append(passage.location)
            if passage.certain or self._says_only(passage.value, words):
                said |= {word: passage.location for word in found if word not in said}
        if not form.several:
            said = {**self._announced(words), **said}
            if not said and not unclear and form.alone is not None:
                said = self._alone(form.alone)
            if said:
                unclear += [one.location for one in self._superseding()]
        if not said and not unclear and form.titled:
            said = self._in_title(words)
        if unclear or (len(said) > 1 and not form.several):
            return Lacking(name, Why.UNCLEAR, tuple(dict.fromkeys((*unclear, *said.values()))))
        if not said:
            return Lacking(name, Why.MISSING)
        return Kept(name, ", ".join(sorted(said)), next(iter(said.values())))

    def _at_label(self, value: str, words: Words) -> set[str]:
        """The words in what stands at a label; none if nothing stands there. Raises `_Unclear`.

        A sentence that leaves it open, such as "may lead to dismissal", says nothing; unless it is the first one.
        """
        bare = plain(value).strip(" .-_")
        if bare in self._vocabulary.empty or not any(map(str.isalpha, bare)):
            return set()
        if _BOXES.search(value):
            raise _Unclear
        said: set[str] = set()
        for sentence in _SENTENCES.split(value):
            found = words.found_in(sentence)
            if found and self._leaves_open(words.without(sentence)):
                if not said:
                    raise _Unclear
                continue
            said |= found
        if not said:
            raise _Unclear
        return said

    def _leaves_open(self, rest: str) -> bool:
        return "?" in rest or bool(self._vocabulary.leaving_open.search(rest))

    def _announced(self, words: Words) -> dict[str, str]:
        """Words in sentences such as "My decision is a first written warning"."""
        said: dict[str, str] = {}
        for paragraph, sentence in self._sentences():
            announcing = self._vocabulary.announcing.search(sentence)
            if announcing is None or self._leaves_open(words.without(sentence)):
                continue
            for word in words.found_in(sentence[announcing.end() :]):
                said.setdefault(word, paragraph.location)
        return said

    def _alone(self, words: Words) -> dict[str, str]:
        """Words of sentences and headings that say nothing else, if two at least: "Final written warning"."""
        said: dict[str, str] = {}
        for paragraph, sentence in self._sentences():
            match = words.pattern.search(sentence)
            if match and len(match[0].split()) > 1 and self._says_only(sentence, words):
                for word in words.found_in(sentence):
                    said.setdefault(word, paragraph.location)
        return said

    def _says_only(self, text: str, words: Words) -> bool:
        """Whether the text is a word, and beside it nothing but dates, numbers and the like."""
        if _BOXES.search(text) or "?" in text:
            return False
        rest = DATE.sub(" ", self._vocabulary.topics.sub(" ", words.without(text)))
        tokens = _TOKEN.findall(plain(rest))
        return all(token in self._vocabulary.beside or any(map(str.isdigit, token)) for token in tokens)

    def _in_title(self, words: Words) -> dict[str, str]:
        for paragraph in self._layout.paragraphs[:_TITLES]:
            found = words.found_in(paragraph.text) if len(paragraph.text) <= _TITLE_CHARACTERS else set()
            if found:
                return dict.fromkeys(found, paragraph.location)
        return {}

    def _superseding(self) -> Iterator[Paragraph]:
        """Where the document says that something was changed later."""
        return (one for one in self._layout.paragraphs if self._vocabulary.superseding.search(one.text))

    def _sentences(self) -> Iterator[tuple[Paragraph, str]]:
        """Every sentence outside of tables."""
        for paragraph in self._layout.paragraphs:
            if not paragraph.in_table:
                for sentence in _SENTENCES.split(paragraph.text):
                    yield paragraph, sentence
