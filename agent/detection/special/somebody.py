"""Whether a text in which nobody is named speaks of somebody nevertheless: of "him", of "the patient"."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_PRONOUNS = "i me my mine myself he him his himself she her hers herself they them their theirs".split()
_TITLES = "mr mrs ms miss mx dr rev revd cllr sgt".split()
# Whom records are about; not who acts by them, such as a line manager or a contractor.
_ROLES = (
    "accused|aged|applicant|appellant|apprentice|attendee|baby|bloke|boy|brother|caller|candidate|carer|child|children|"
    "claimant|client|colleague|complainant|customer|daughter|deceased|defendant|delegate|donor|driver|employee|father|"
    "gentleman|girl|girlfriend|boyfriend|guest|guy|household|husband|inmate|lad|lady|lass|learner|lodger|man|member|men|"
    "mother|mum|dad|neighbour|nurse|offender|operative|parent|participant|partner|passenger|patient|pensioner|prisoner|"
    "pupil|resident|respondent|service user|sister|son|staff member|student|subject|suspect|teacher|tenant|trainee|"
    "victim|visitor|volunteer|wife|witness|woman|women|worker|yo|y/o"
).split("|")
_TICKED = r"\[ ?[xX] ?\]|\xe2\x9c\x93"  # a form that somebody has filled


@lru_cache(maxsize=1)
def _search() -> Callable[[bytes], bool]:
    import hyperscan

    words = "|".join([*_PRONOUNS, *_TITLES, *(f"{role}s?" for role in _ROLES)])
    database = hyperscan.Database()
    database.compile(
        expressions=[rf"\b(?:{words})\b".encode(), _TICKED.encode()],
        ids=[0, 1],
        flags=hyperscan.HS_FLAG_CASELESS | hyperscan.HS_FLAG_SINGLEMATCH,
    )

    def search(text: bytes) -> bool:
        found: list[int] = []
        database.scan(text, match_event_handler=lambda number, *_: found.append(number))
        return bool(found)

    return search


def speaks_of_somebody(text: str) -> bool:
    """Whether a pronoun, a title, a ticked box or a word for whom a record is about stands in a text."""
    return _search()(text.encode("utf-8", "replace"))
