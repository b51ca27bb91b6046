"""What stands near a capitalised word that nobody is known to be called: whether it makes it a name, or a place."""

from __future__ import annotations

import regex

from agent.detection.names.gazetteer import family_names, given_names
from agent.detection.names.rules import TITLES

_TITLE_NEAR = regex.compile(rf"(?:{'|'.join(TITLES)})\.?[ \t]+$", regex.IGNORECASE)
_PLACE_BEFORE = regex.compile(r"(?:\b(?:in|near|at|into|outside)[ \t]|\d[ \t]\p{Lu}\p{Ll}+[ \t]\p{Lu}\p{Ll}+,[ \t])$")
_PLACE_BEHIND = regex.compile(r",?[ \t]+[A-Z]{1,2}\d[A-Z\d]?[ \t]?\d[A-Z]{2}\b")


def _is_a_place(text: str, start: int, end: int, word: str) -> bool:
    """Whether a single word that nobody is known to be called stands where a town does: in Stroud, Otley LS21 3AB."""
    if word in given_names():
        return False
    return bool(_PLACE_BEFORE.search(text, max(0, start - 40), start) or _PLACE_BEHIND.match(text, end))


# What somebody does, or how somebody is spoken to: it makes an unknown word with a capital a name.
_DOES = regex.compile(
    r"(?:['’]s)?[ \t]+(?:said|says|has|had|hasn['’]t|is|isn['’]t|was|wasn['’]t|will|would|asked|asks|told|rang|phoned"
    r"|called|came|comes|went|goes|wants?|wanted|needs?|can|can['’]t|cannot|could|did|didn['’]t|does|doesn['’]t|confirmed|agreed"
    r"|emailed|reported|explained|thinks?|thought|felt|feels|knows?|knew|works?|worked|left|started|stayed|mentioned"
    r"|replied|wrote|sent|signed|took|takes|gave|gives|got|gets|made|makes|saw|sees|let|put|brought|likes?|lives?|also"
    r"|then|who|whose|himself|herself)\b"
)
_SPOKEN_TO = regex.compile(
    r"(?:^|\n|[ \t(])(?:dear|hi|hello|hiya|thanks|cheers|ta|for|by|to|with|from|and|told|asked|ask|tell|met|saw|her|his"
    r"|my|son|daughter|wife|husband|mum|dad|brother|sister|partner|friend|colleague|manager|called|named)[ \t,]+$",
    regex.IGNORECASE,
)


def is_hardly_a_name(text: str, start: int, end: int, word: str) -> bool:
    """Whether a single word that the model takes for a name is not known as one, and nothing near speaks for it."""
    if word in given_names() or word in family_names():
        return False
    if _is_a_place(text, start, end, word) or text[start:end].isupper():
        return True
    titled = _TITLE_NEAR.search(text, max(0, start - 12), start) is not None
    spoken = _DOES.match(text, end, end + 30) or _SPOKEN_TO.search(text, max(0, start - 24), start)
    line = text.rfind("\n", 0, start) + 1 == start and text[end : end + 1] in ("\n", ":", ",", "")
    return not (titled or spoken or line)
