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


@dataclass(frozen=True, slots=True)
class Span:
    """Something detected in a text, by character offsets into it. `score` lies between 0 and 1."""

    entity_type: str
    start: int
    end: int
    score: float


@dataclass(frozen=True, slots=True)
class Finding:
    """One distinct value detected in one item.

    `identity` is a keyed hash of the normalised value (16 bytes); the value itself is never kept.
    `location` is where it first stood, `count` how often it stood in the item, `score` the best of its scores.
    """

    entity_type: str
    identity: bytes
    score: float
    count: int
    location: str
