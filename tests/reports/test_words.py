from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import chain

import pytest

from agent.model.decision import DecisionState
from agent.model.finding import DataCategory
from agent.model.outcome import ExtractionStatus, ItemReason, OutcomeKind
from agent.model.schedule import Disposition
from agent.model.sharing import Sharing
from agent.reports import words
from connectors.base import FailReason, SkipReason

VOCABULARIES = (
    SkipReason,
    FailReason,
    ItemReason,
    OutcomeKind,
    ExtractionStatus,
    DecisionState,
    Disposition,
    DataCategory,
    Sharing,
)


@pytest.mark.parametrize("word", [member.value for member in chain.from_iterable(VOCABULARIES)])
def test_every_word_of_our_vocabularies_has_plain_english(word: str) -> None:
    assert word in words._WORDS
    assert "_" not in words.say(word)


def test_no_word_is_kept_that_no_vocabulary_has() -> None:
    known = {member.value for member in chain.from_iterable(VOCABULARIES)}

    assert set(words._WORDS) - known == {""}


def test_a_word_we_do_not_know_is_shown_readably() -> None:
    assert words.say("too_many_members") == "too many members"


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        ("scanned", "read and searched"),
        ("skipped(symbolic_link)", "symbolic link, not followed"),
        ("failed(permission_denied)", "no permission"),
    ],
)
def test_an_outcome_is_told_by_its_reason(outcome: str, said: str) -> None:
    assert words.say_outcome(outcome) == said


@pytest.mark.parametrize(
    ("size_bytes", "said"),
    [(0, "0 bytes"), (999, "999 bytes"), (1_000, "1.0 kB"), (999_960, "1.0 MB"), (1_400_000, "1.4 MB"),
     (5 * 10**15, "5,000.0 TB")],
)  # fmt: skip
def test_sizes_are_decimal_and_never_a_thousand_of_a_unit(size_bytes: int, said: str) -> None:
    assert words.say_size(size_bytes) == said


def test_days_and_moments_are_british() -> None:
    assert words.say_day(date(2026, 11, 4)) == "4 Nov 2026"
    assert words.say_moment(datetime(2026, 11, 4, 9, 5, tzinfo=UTC)) == "4 Nov 2026, 09:05 UTC"


def test_numbers_have_separators_and_the_right_plural() -> None:
    assert words.say_number(1234567) == "1,234,567"
    assert words.say_count(1, "file has", "files have") == "1 file has"
    assert words.say_count(2000, "file") == "2,000 files"
