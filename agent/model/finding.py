"""What detection says of a text: where something personal stands, of which type, never what it is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class DataCategory(StrEnum):
    """The legal kind of a finding. The last two groups are UK GDPR Articles 9 and 10."""

    IDENTITY = "identity"
    CONTACT = "contact"
    FINANCIAL = "financial"
    IDENTIFICATION_NUMBER = "identification_number"
    TECHNICAL = "technical"
    EMPLOYMENT = "employment"
    CASE = "case"
    HEALTH = "health"
    RACE_ETHNICITY = "race_ethnicity"
    RELIGION_BELIEF = "religion_belief"
    POLITICAL_OPINION = "political_opinion"
    TRADE_UNION = "trade_union"
    SEX_LIFE_ORIENTATION = "sex_life_orientation"
    GENETIC = "genetic"
    BIOMETRIC = "biometric"
    CRIMINAL = "criminal"


SPECIAL_CATEGORIES = frozenset(
    {
        DataCategory.HEALTH,
        DataCategory.RACE_ETHNICITY,
        DataCategory.RELIGION_BELIEF,
        DataCategory.POLITICAL_OPINION,
        DataCategory.TRADE_UNION,
        DataCategory.SEX_LIFE_ORIENTATION,
        DataCategory.GENETIC,
        DataCategory.BIOMETRIC,
    }
)

# Whether a document reveals these about somebody is for the document as a whole to say.
JUDGED_CATEGORIES = SPECIAL_CATEGORIES | {DataCategory.CRIMINAL}


@dataclass(frozen=True, slots=True)
class Span:
    """Something detected in a text, by character offsets into it. `score` lies between 0 and 1.

    `attributes` are words such as NEGATED; `why` says by a fixed vocabulary how it was found. Neither holds any text.
    """

    entity_type: str
    start: int
    end: int
    score: float
    attributes: frozenset[str] = frozenset()
    why: str = ""


NEGATED = "negated"  # it is denied ("no convictions"): still data of its category, of a lower severity
UNCERTAIN = "uncertain"  # it is suspected or alleged
THIRD_PARTY = "third_party"  # it is said of somebody beside the person that the text is about


@dataclass(frozen=True, slots=True)
class CategoryVerdict:
    """That a document as a whole reveals data of a category about somebody, and how sure that is (0 to 1)."""

    category: DataCategory
    score: float
    attributes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a document as a whole is found to be: special categories and criminal-records data, and kinds of record.

    `kinds` are (record kind, confidence between 0 and 1), the likeliest first; empty where it cannot be told.
    """

    categories: tuple[CategoryVerdict, ...] = ()
    kinds: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One distinct value detected in one item.

    `identity` is a keyed hash of the normalised value (16 bytes); the value itself is never kept.
    `location` is where it first stood, `count` how often it stood in the item, `score` the best of its scores, with the
    `attributes` and the reason (`why`) of the span that had it.
    """

    entity_type: str
    identity: bytes
    score: float
    count: int
    location: str
    attributes: frozenset[str] = frozenset()
    why: str = ""
