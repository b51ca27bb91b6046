"""The lexicons: which words are terms, and which only look like them."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.detection.special.lexicon import CATEGORIES, HOMONYM, Lexicon, lower, shipped_lexicon, shipped_lexicons
from agent.errors import ConfigurationError


def categories_of(text: str) -> set[str]:
    lexicon = shipped_lexicon()
    hits = [*lexicon.terms(text), *lexicon.patterned(text)]
    return {str(CATEGORIES[hit.category]) for hit in hits if hit.category >= 0 and hit.tier < HOMONYM}


@pytest.mark.parametrize(
    ("text", "category", "found"),
    [
        ("type 2 diabetes", "health", True),
        ("her migraines", "health", True),
        ("cystic fibrosis", "health", True),
        ("depression in demand", "health", False),
        ("a two-stroke engine", "health", False),
        ("White British", "race_ethnicity", True),
        ("Black Friday", "race_ethnicity", False),
        ("an Irish Traveller", "race_ethnicity", True),
        ("a practising Muslim", "religion_belief", True),
        ("at Mass every morning", "religion_belief", True),
        ("a mass of paper", "religion_belief", False),
        ("14 Church Lane", "religion_belief", False),
        ("stood for Labour", "political_opinion", True),
        ("labour costs", "political_opinion", False),
        ("UNISON rep", "trade_union", True),
        ("the European Union", "trade_union", False),
        ("his boyfriend", "sex_life_orientation", True),
        ("pride of place", "sex_life_orientation", False),
        ("the BRCA2 variant", "genetic", True),
        ("a carrier bag", "genetic", False),
        ("thumbprint taken", "biometric", True),
        ("rule of thumb", "biometric", False),
        ("a suspended sentence", "criminal", True),
        ("exercise caution", "criminal", False),
        ("SP30", "criminal", True),
        ("the charger", "criminal", False),
    ],
)
def test_terms_are_found_and_homonyms_are_not(text: str, category: str, found: bool) -> None:
    assert (category in categories_of(text)) is found


def test_the_first_pass_over_patterns_loses_no_match() -> None:
    text = "charged under SP30; 20 mg twice; c.5946delT; IC1 male; his fingerprint; Religion: Sikh; she's openly gay. é"
    lexicon = shipped_lexicon()
    every = [
        (match.start(), match.end(), category)
        for category, pattern in lexicon._patterns
        for match in pattern.finditer(text)
    ]
    assert len(every) > 6
    assert sorted((hit.start, hit.end, hit.category) for hit in lexicon.patterned(text)) == sorted(every)


def test_a_term_is_a_whole_word() -> None:
    assert "health" not in categories_of(
        "cancerous-looking numbers, or so the romance goes".replace("cancerous", "xcancer")
    )


def test_every_category_has_a_lexicon() -> None:
    lexicon = shipped_lexicon()
    told = {meaning.category for meanings in lexicon._by_index for meaning in meanings}
    assert set(range(len(CATEGORIES))) <= told
    assert len(shipped_lexicons()) == len(CATEGORIES) + 2  # and the medical terms, and the contexts


def test_a_text_in_lower_case_keeps_its_offsets() -> None:
    text = "İstanbul DIYARBAKIR’s İ"
    assert len(lower(text)) == len(text)
    hits = shipped_lexicon().terms("İİİ asthma")
    assert next((hit.start, hit.end) for hit in hits if hit.category == 0) == (4, 10)


@pytest.mark.parametrize(
    "content", ["category: astrology\nstrong: [a]", "- a", "category: [", "category: health\npatterns: ['(']"]
)
def test_a_lexicon_that_cannot_be_used_is_told_by_its_name(tmp_path: Path, content: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(content)
    with pytest.raises(ConfigurationError, match=r"mine\.yaml"):
        Lexicon([file])
