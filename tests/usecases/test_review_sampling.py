"""A sample is as large as what it claims, the same for everybody who draws it again, and over at the first bad hit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import combinations
from math import comb
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import UsageError
from agent.model.condition import StorageKind
from agent.model.review import ActKind, Group, ReviewState, Sample, SampleVerdict
from agent.model.schedule import Disposition
from agent.usecases.evaluate import Terms
from agent.usecases.review_list import show_review
from agent.usecases.review_rules import Wish
from agent.usecases.review_sampling import Groups, draw, sample_size
from tests.catalogue.conftest import a_pass
from tests.usecases.review_office import FORM, NOW, TERMS, Office, a_file, an_office, quiet

LETTERS = 40
REASON = "ok"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    files = [f"Letters/{number:02}.pdf" for number in range(LETTERS)]
    others = ["Older/a.pdf", "Old/keep/b.pdf", "Cases/1/a.pdf", "Drop/g.pdf"]
    with an_office(tmp_path / "catalogue.sqlite", [*files, *others]) as catalogue:
        yield Office(catalogue)


LETTER = Group("letter", Disposition.DESTROY, "Letters/**", "pdf")


def _groups(office: Office) -> Groups:
    return Groups(office.catalogue, office.terms, office.standings())


def _draw(office: Office, by: str = "ann", percent: float = 10, seed: str = "s1", key: str = LETTER.key) -> Sample:
    return _groups(office).draw("letter", percent, by, office.now, seed, key)


def _judge(office: Office, sample: Sample, *bad: int, by: str = "ann") -> Sample:
    verdicts = [SampleVerdict(one, one not in bad, "a dispute" if one in bad else "") for one in sample.left]
    return _groups(office).judge(sample.number, verdicts, by, office.now())


# How many, and which


@pytest.mark.parametrize(
    ("population", "at_most", "size"),
    [(1, 0, 1), (10, 0, 10), (20, 0, 19), (100, 0, 95), (100, 2, 63), (1000, 20, 132), (100_000, 1000, 298),
     (1_000_000, 20_000, 149), (5, 5, 0), (5, 9, 0)],
)  # fmt: skip
def test_the_size_follows_from_the_claim(population: int, at_most: int, size: int) -> None:
    assert sample_size(population, at_most) == size


@given(st.integers(1, 300), st.integers(0, 30))
def test_a_sample_would_have_shown_one_bad_item_more_than_it_claims_in_nineteen_of_twenty_draws(
    population: int, at_most: int
) -> None:
    size = sample_size(population, at_most)
    if at_most >= population:
        assert size == 0
        return

    def missed(drawn: int) -> float:
        return comb(population - at_most - 1, drawn) / comb(population, drawn)

    assert missed(size) <= 0.05 + 1e-9
    assert missed(size - 1) > 0.05 - 1e-9, "no smaller sample would do"


def test_the_claim_holds_when_every_possible_draw_is_counted() -> None:
    population, bad, size = 12, {0, 1, 2, 3}, sample_size(12, 3)
    draws = list(combinations(range(population), size))
    assert sum(not bad.intersection(one) for one in draws) / len(draws) <= 0.05


def test_the_same_seed_draws_the_same_sample_in_whatever_order_the_items_come() -> None:
    first = draw(range(1000), 50, "seed")
    assert first == draw(reversed(range(1000)), 50, "seed")
    assert first != draw(range(1000), 50, "another")
    assert (len(set(first)), list(first)) == (50, sorted(first))
    assert draw(range(5), 2, "a") == (0, 1), "as sha256sum has it"


def test_every_item_is_drawn_equally_often() -> None:
    times = [0] * 20
    for seed in range(2000):
        for one in draw(range(20), 5, str(seed)):
            times[one] += 1
    assert all(420 < one < 580 for one in times), times


# Groups


def test_like_items_are_of_one_class_outcome_pattern_and_format(office: Office) -> None:
    groups = _groups(office)
    assert groups.possible("letter", "ann") == {
        LETTER: LETTERS,
        Group("letter", Disposition.DESTROY, "Older/**", "pdf"): 1,
    }
    assert groups.possible("case-file", "ben") == {}, "the first stage is not his"
    (case,) = groups.possible("case-file", "ann")
    assert case.pattern == "Cases/{case}/**"
    with pytest.raises(UsageError, match="has no class"):
        groups.possible("none", "ann")


def test_an_item_in_a_class_by_review_matches_no_pattern_and_one_of_a_lost_class_neither(office: Office) -> None:
    office.act("ann", LETTERS + 3, ActKind.RECLASSIFY, class_id="letter")
    assert Group("letter", Disposition.DESTROY, "", "pdf") in _groups(office).possible("letter", "ann")
    groups = _groups(office)
    item = office.under(1).item
    lost = groups.group_of(replace(item, class_id="lost"))
    assert lost is not None
    assert lost.pattern == ""
    assert groups.group_of(office.under(LETTERS + 4).item) is None, "no class rules over it"


def test_one_group_must_be_chosen_where_there_are_several(office: Office) -> None:
    with pytest.raises(UsageError, match='Class "letter" has several groups of like items'):
        _draw(office, key="")
    with pytest.raises(UsageError, match='--group: class "letter" has no group "x" that is yours to approve; it has: '):
        _draw(office, key="x")
    with pytest.raises(UsageError, match='Nothing of class "young" is due that is yours to approve'):
        _groups(office).draw("young", 2, "ann", office.now, "s")
    only = _groups(office).draw("case-file", 2, "ann", office.now, "s")
    assert (only.population, only.drawn) == (1, (LETTERS + 3,))


# Drawing


def test_a_sample_is_kept_with_its_seed_so_that_anybody_can_draw_it_again(office: Office) -> None:
    sample = _draw(office)
    assert (sample.number, sample.group, sample.population, sample.at_most) == (1, LETTER, LETTERS, 4)
    assert (sample.seed, sample.by, sample.basis) == ("s1", "ann", office.standings().basis)
    assert sample.drawn == draw(range(1, LETTERS + 1), sample_size(LETTERS, 4), "s1")
    assert sorted(office.catalogue.review_samples.marks(1)) == list(range(1, LETTERS + 1))
    assert office.catalogue.review_samples.get(1) == sample


def test_nobody_draws_until_a_convenient_sample_comes(office: Office) -> None:
    sample = _draw(office)
    assert _draw(office, seed="s2") == sample
    assert _draw(office, by="ben", seed="s2").number == 2, "another person draws another one"
    clean = _judge(office, sample)
    assert clean.clean
    assert _draw(office, seed="s3").number == 3


def test_a_sample_that_can_be_finished_no_longer_gives_way_to_another(office: Office) -> None:
    sample = _draw(office)
    a_pass(office.catalogue, a_file(f"Letters/{sample.drawn[0] - 1:02}.pdf", version=b"2"), hours=1)
    assert _draw(office, seed="s2").number == 2
    with pytest.raises(UsageError, match=f"Item {sample.drawn[0]} has changed since sample 1 was drawn"):
        _judge(office, sample)


# Judging


def test_only_what_was_drawn_is_judged_once_by_who_drew_it(office: Office) -> None:
    sample = _draw(office)
    groups = _groups(office)
    first, second = sample.drawn[:2]
    outside = next(one for one in range(1, LETTERS + 1) if one not in sample.drawn)
    for verdicts, by, said in (
        ([SampleVerdict(first, good=True)], "ben", "Sample 1 was drawn by ann, who alone can judge it"),
        ([SampleVerdict(outside, good=True)], "ann", f"Item {outside} is not among those that sample 1 has drawn"),
        ([SampleVerdict(first, good=True)] * 2, "ann", f"Item {first} is named more than once"),
        ([SampleVerdict(first, good=False)], "ann", "--reason: say what is bad"),
    ):
        with pytest.raises(UsageError, match=said):
            groups.judge(1, verdicts, by, NOW)
    with pytest.raises(UsageError, match="There is no sample 9"):
        groups.judge(9, [], "ann", NOW)
    half = groups.judge(1, [SampleVerdict(first, good=True)], "ann", NOW)
    assert half.left == sample.drawn[1:]
    with pytest.raises(UsageError, match=f"Item {first} of sample 1 was judged already"):
        groups.judge(1, [SampleVerdict(second, good=True), SampleVerdict(first, good=True)], "ann", NOW)


# What follows


def _propose(office: Office, by: str = "ann", number: int = 1):  # type: ignore[no-untyped-def]
    return office.desk(by).propose_sampled(number, Wish(0, ActKind.APPROVE, REASON), quiet)


def test_a_clean_sample_lets_all_it_speaks_for_be_approved_and_says_so_in_each_act(office: Office) -> None:
    for number, by in enumerate(("ann", "ben"), start=1):
        sample = _judge(office, _draw(office, by=by), by=by)
        bulk = _propose(office, by, number)
        assert len(bulk.items) == LETTERS
        assert office.desk(by).record_all(bulk, quiet) == (LETTERS, {})
    one = office.under(1)
    assert one.review.state is ReviewState.APPROVED
    assert [act.reason for act in one.review.approvals] == [
        f"ok By sample {number}: none of {len(sample.drawn)} drawn out of {LETTERS} was bad, "
        "so that with 95 % confidence at most 4 are."
        for number in (1, 2)
    ]
    assert office.under(LETTERS + 1).review.state is ReviewState.PROPOSED, "of another group"


def test_only_what_is_as_it_was_when_the_sample_was_drawn_is_approved_by_it(office: Office) -> None:
    sample = _judge(office, _draw(office))
    other = next(one for one in range(1, LETTERS + 1) if one not in sample.drawn)
    a_pass(office.catalogue, a_file(f"Letters/{other - 1:02}.pdf", version=b"2"), a_file("Letters/new.pdf"), hours=1)
    bulk = _propose(office)
    assert len(bulk.items) == LETTERS - 1
    assert other not in bulk.items
    assert bulk.refused == {"It has changed since you looked at it. Look again, then decide.": 1}


def test_an_unfinished_sample_or_that_of_another_person_or_schedule_approves_nothing(office: Office) -> None:
    sample = _draw(office)
    with pytest.raises(UsageError, match=r"Sample 1 is not finished: \d+ of \d+ items must still be judged"):
        _propose(office)
    _judge(office, sample)
    with pytest.raises(UsageError, match="Sample 1 was drawn by ann"):
        _propose(office, "ben")
    with pytest.raises(UsageError, match="There is no sample 2"):
        _propose(office, number=2)
    office.terms = Terms(TERMS.schedule, FORM, {"office": frozenset({StorageKind.SERVER})})
    with pytest.raises(UsageError, match="The schedule has changed since sample 1 was drawn"):
        _propose(office)


def test_the_first_bad_item_ends_the_sample_and_has_the_group_reviewed_one_by_one(office: Office) -> None:
    sample = _draw(office)
    found = _judge(office, sample, sample.drawn[0])
    assert [one.item_id for one in found.bad] == [sample.drawn[0]]
    by_one = "Its items must be reviewed one by one"
    for attempt in (lambda: _judge(office, sample), lambda: _propose(office), lambda: _draw(office, seed="again")):
        with pytest.raises(UsageError, match=by_one):
            attempt()
    with pytest.raises(UsageError, match=by_one):
        _draw(office, by="ben", seed="again")
    bulk = office.desk("ben").propose_all("letter", Wish(0, ActKind.APPROVE, REASON), quiet)
    assert list(bulk.items) == [LETTERS + 1], "only the other group can be approved together"
    assert list(bulk.refused.values()) == [LETTERS]
    assert office.why_not("ben", 1) == "", "by itself it can"
    rejected = office.desk("ben").propose_all("letter", Wish(0, ActKind.REJECT, "they are in dispute"), quiet)
    assert len(rejected.items) == LETTERS + 1, "keeping needs no sample"
    assert show_review(office.catalogue, TERMS, office.standings(), 1).one_by_one


def test_a_new_schedule_begins_with_a_clean_slate(office: Office) -> None:
    sample = _draw(office)
    _judge(office, sample, sample.drawn[0])
    office.terms = Terms(TERMS.schedule, FORM, {"office": frozenset({StorageKind.SERVER})})
    assert _draw(office, seed="again").number == 2


def test_a_bad_item_of_an_earlier_sample_stops_a_clean_one(office: Office) -> None:
    clean = _draw(office)
    theirs = _draw(office, by="ben", seed="s2")
    _judge(office, clean)
    _judge(office, theirs, theirs.drawn[0], by="ben")
    assert list(_propose(office).items) == []


def test_the_reason_with_what_the_sample_says_is_as_long_as_a_reason_may_be(office: Office) -> None:
    _judge(office, _draw(office))
    with pytest.raises(UsageError, match="500 are the most"):
        office.desk("ann").propose_sampled(1, Wish(0, ActKind.APPROVE, "x" * 480), quiet)


def test_nothing_due_after_a_day_is_in_a_group(office: Office) -> None:
    standings = office.standings(date(2020, 1, 1))
    assert Groups(office.catalogue, TERMS, standings).possible("letter", "ann") == {}
