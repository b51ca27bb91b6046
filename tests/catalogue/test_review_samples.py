"""Samples are kept with all they speak for and with what was found in them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from agent.catalogue.store import Catalogue
from agent.errors import UsageError
from agent.model.review import (
    Group,
    Sample,
    SampleVerdict,
)
from agent.model.schedule import Disposition
from tests.catalogue.conftest import a_pass, a_result

AT = datetime(2026, 6, 1, 12, 30, 15, 123456, tzinfo=UTC)
ON = "b" * 64


@pytest.fixture
def due(catalogue: Catalogue) -> Catalogue:
    a_pass(catalogue, a_result(b"Cases/1/letter"), a_result(b"Cases/2/letter", content_hash=b"i" * 32))
    return catalogue


GROUP = Group("cases", Disposition.DESTROY, "Cases/**", "docx")


def _sample(**parts: object) -> Sample:
    return replace(Sample(0, GROUP, ON, "seed", 2, 0, (1,), "ann", AT), **parts)  # type: ignore[arg-type]


def test_a_sample_is_read_back_with_what_was_found(due: Catalogue) -> None:
    first = due.review_samples.add(_sample(), {1: "m1", 2: "m2"})
    assert first == _sample(number=1)
    assert due.review_samples.marks(1) == {1: "m1", 2: "m2"}
    assert due.review_samples.get(9) is None
    assert due.review_samples.marks(9) == {}
    other = due.review_samples.add(_sample(group=replace(GROUP, pattern="")), {1: "m1"})
    verdict = SampleVerdict(1, good=False, reason="a dispute")
    before = due.state_mark()
    due.review_samples.judge(1, [verdict], "ann", AT)
    assert due.state_mark() != before
    assert due.review_samples.get(1) == replace(first, verdicts=(verdict,))
    assert due.review_samples.of(GROUP) == (replace(first, verdicts=(verdict,)),)
    assert due.review_samples.get(2) == other


def test_an_item_is_judged_once(due: Catalogue) -> None:
    due.review_samples.add(_sample(drawn=(1, 2)), {1: "m1", 2: "m2"})
    due.review_samples.judge(1, [SampleVerdict(1, good=True)], "ann", AT)
    with pytest.raises(UsageError, match="Item 1 of sample 1 was judged already"):
        due.review_samples.judge(1, [SampleVerdict(2, good=True), SampleVerdict(1, good=False)], "ann", AT)
    found = due.review_samples.get(1)
    assert found is not None
    assert found.left == (2,)


def test_groups_with_something_bad_are_told_under_the_basis_on_which_it_was_found(due: Catalogue) -> None:
    due.review_samples.add(_sample(), {1: "m1"})
    assert due.review_samples.escalated(ON) == frozenset()
    due.review_samples.judge(1, [SampleVerdict(1, good=False, reason="why")], "ann", AT)
    assert due.review_samples.escalated(ON) == {GROUP.key}
    assert due.review_samples.escalated("another") == frozenset()
