"""Names of persons in a text: what the model finds, what rules find, and where both are found again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import regex

from agent.detection.names.engine import NameEngine, name_engine
from agent.detection.names.rules import TITLES, names_by_rule
from agent.detection.repeats import Repeats
from agent.model.finding import Span

BY_MODEL, BY_RULE, AGAIN = 0.85, 0.8, 0.7
_PASSAGE = 1_600  # characters that the model sees at once, cut at a blank line or the end of a line
_MOST_WORDS = 150_000  # spaCy keeps every new word, and a share has no end of them: then the model is loaded anew

# Something that may be a name: a capitalised word that does not begin a sentence, capitals, or one after a title.
_MAY_BE_NAMED = regex.compile(r"(?<![.!?:]\s)(?<!^)(?<!\n)\b\p{Lu}[\p{Ll}\p{M}]|^[ \t>*-]*\p{Lu}[\p{Ll}\p{M}'’-]*\b", regex.MULTILINE)
_NAME_CHARACTERS = regex.compile(r"[\p{L}\p{M}'’.\- \t,]+")
_WORD = regex.compile(r"[\p{L}\p{M}][\p{L}\p{M}'’-]*")
_POSSESSIVE = regex.compile(r"['’]s?$")
_TITLE_BEFORE = regex.compile(rf"^(?:(?:{'|'.join(TITLES)})\b\.?[ \t]+)+", regex.IGNORECASE)
# A name that one of these ends, or begins, is that of a place, a firm, a ward, a product.
_NO_PERSON = frozenset(
    """ltd limited plc llp inc cic group holdings partners partnership solicitors associates consulting consultancy services
    trust foundation charity hospital hospice clinic surgery practice pharmacy ward unit centre center house court lodge
    hall manor cottage farm road street lane avenue close crescent drive way place square terrace gardens grove park row
    hill green walk mews yard wharf gate bridge field fields wood woods school academy college university nursery church
    chapel cathedral mosque temple synagogue parish diocese council borough county constabulary police committee board
    department dept team office bank insurance society association union federation club hotel inn arms tavern cafe bar
    restaurant shop store stores supermarket bakery garage motors transport logistics theatre museum library station
    airport festival award awards prize cup league fc report policy form act bill rules regulations agreement contract
    guidance code programme project scheme fund system software app day week month year monday tuesday wednesday thursday
    friday saturday sunday january february march april june july august september october november december summary
    notes minutes agenda appendix annex section schedule invoice statement newsletter bulletin handbook manual""".split()
)
_NEVER_ALONE = frozenset(
    """will may mark grant rose hope art bill drew dawn faith joy grace summer april june august young white black green
    brown king long church hall wood field street road park lane court house bank price day march west north south east
    pat sue rob don ray gene bob jack rusty miles chase page reading bath wells best small short strong love moon rich
    the and all any one for not dear team sir madam manager director head chair governor officer nurse doctor teacher
    union labour christian muslim jewish sikh hindu english welsh scottish irish british""".split()
)


@dataclass(frozen=True, slots=True)
class _Name:
    start: int
    end: int
    score: float
    why: str


class NameSearch:
    """Finds names of persons. `model` names another engine than the shipped model (`agent.detection.names.engine`).

    Not safe to share between threads. Raises `ConfigurationError` if the engine cannot be loaded.
    """

    def __init__(self, model: str | None = None) -> None:
        self._model = model
        self._seen: Repeats[tuple[tuple[int, int], ...]] = Repeats()
        _ = self._engine

    @cached_property
    def _engine(self) -> NameEngine:
        return name_engine(self._model)

    def find(self, text: str) -> list[Span]:
        """The PERSON spans of a text, in order, none in another: whole names, without titles and possessives."""
        found: list[_Name] = []
        for start, end in _passages(text):
            passage = text[start:end]
            if not _MAY_BE_NAMED.search(passage):
                continue
            found += [_Name(start + first, start + last, BY_MODEL, "model") for first, last in self._by_model(passage)]
            found += [_Name(start + first, start + last, BY_RULE, rule) for first, last, rule in names_by_rule(passage)]
        names = _apart(name for one in found if (name := _trimmed(text, one)) is not None)
        names = _apart([*names, *_found_again(text, names)])
        return [Span("PERSON", name.start, name.end, name.score, why=name.why) for name in names]

    def _by_model(self, passage: str) -> Sequence[tuple[int, int]]:
        known = self._seen.recall(passage)
        if known is None:
            if self._engine.words > _MOST_WORDS:
                del self._engine
            known = tuple(self._engine.persons(passage))
            self._seen.remember(passage, known, weight=60 * len(known))
        return known


def _passages(text: str) -> Iterator[tuple[int, int]]:
    """Parts that end at a blank line or a line's end where there is one near."""
    start = 0
    while len(text) - start > _PASSAGE:
        end = text.rfind("\n\n", start + _PASSAGE // 2, start + _PASSAGE)
        if end < 0:
            end = text.rfind("\n", start + _PASSAGE // 2, start + _PASSAGE)
        if end < 0:
            end = text.rfind(" ", start + _PASSAGE // 2, start + _PASSAGE)
        end = start + _PASSAGE if end < 0 else end + 1
        yield start, end
        start = end
    if start < len(text):
        yield start, len(text)


def _trimmed(text: str, name: _Name) -> _Name | None:
    """The name without what surrounds it, or none if it is that of something else."""
    start, end = name.start, name.end
    line_end = text.find("\n", start, end)
    if 0 <= line_end:
        end = line_end
    if title := _TITLE_BEFORE.match(text, start, end):
        start = title.end()
    if possessive := _POSSESSIVE.search(text, start, end):
        end = possessive.start()
    while start < end and text[start] in " \t.,;:'’\"-(":
        start += 1
    while start < end and text[end - 1] in " \t,;:'’\"-)":
        end -= 1
    if end > start and text[end - 1] == "." and not regex.search(r"\b\p{Lu}\.$", text[start:end]):
        end -= 1
    words = [word.casefold() for word in _WORD.findall(text[start:end])]
    if not words or not any(len(word) > 1 for word in words):
        return None
    if words[-1] in _NO_PERSON or (words[0] in _NO_PERSON and len(words) > 1):
        return None
    if len(words) == 1 and (words[0] in _NEVER_ALONE or words[0] in _NO_PERSON) and name.why != "title":
        return None if name.why != "model" else _Name(start, end, name.score, name.why)
    return _Name(start, end, name.score, name.why)


def _apart(names: Iterable[_Name]) -> list[_Name]:
    """The names, none overlapping another: the longer one stays, of equals the surer."""
    kept: list[_Name] = []
    for name in sorted(names, key=lambda name: (name.start - name.end, -name.score, name.start)):
        if all(name.end <= other.start or other.end <= name.start for other in kept):
            kept.append(name)
    return sorted(kept, key=lambda name: name.start)


def _found_again(text: str, names: Sequence[_Name]) -> list[_Name]:
    """Where a name that was found stands again: as a whole, in capitals, or its first or last part alone."""
    forms: set[str] = set()
    for name in names:
        words = _WORD.findall(text[name.start : name.end])
        forms.add(text[name.start : name.end])
        for word in (words[0], words[-1]):
            if len(word) > 2 and word[0].isupper() and word.casefold() not in _NEVER_ALONE | _NO_PERSON:
                forms.add(word)
                forms.add(word.upper())
    if not forms:
        return []
    longest_first = "|".join(map(regex.escape, sorted(forms, key=lambda form: (-len(form), form))))
    pattern = regex.compile(rf"(?<![\p{{L}}\d@._-])(?:{longest_first})(?![\p{{L}}\d@]|['’]\p{{L}}{{2}}|[-_.]\p{{L}})")
    again = [_Name(found.start(), found.end(), AGAIN, "again") for found in pattern.finditer(text)]
    return [name for name in again if not _part_of_something_else(text, name)]


def _part_of_something_else(text: str, name: _Name) -> bool:
    """Whether the next word, or the one before, makes it a street, a firm or a ward."""
    behind = regex.match(r"[ \t](\p{Lu}[\p{L}'’]*)", text[name.end : name.end + 30])
    return behind is not None and behind[1].casefold() in _NO_PERSON
