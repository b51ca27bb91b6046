"""Holds are placed and lifted by people, never silently, and never by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.catalogue.base import ItemResult
from agent.catalogue.holds import Covered
from agent.catalogue.store import Catalogue
from agent.detection.identity import FindingIdentity
from agent.errors import UsageError
from agent.model.condition import PathMatches, PathPattern, StorageKind
from agent.model.finding import Finding
from agent.model.hold import Hold, HoldKind, HoldScope
from agent.model.key import KeyForm
from agent.usecases.evaluate import Terms
from agent.usecases.hold_scope import ScopeWords, read_scope
from agent.usecases.holds import Coverage, Holds, HoldState
from connectors.base import Gone
from tests.catalogue.conftest import a_pass, a_result, ref_of
from tests.catalogue.empty import empty_at
from tests.retention.factories import a_class, a_schedule

IDENTITY = FindingIdentity(b"k" * 32).of
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
TODAY = date(2026, 3, 1)


def classed(class_id: str, pattern: str, *keys: str) -> Any:
    return a_class(class_id, applies_when=PathMatches((PathPattern(pattern),)), keys=keys)


SCHEDULE = a_schedule(
    classed("personnel-file", "HR/{person}/**", "person"), classed("cases", "Cases/{case}/**", "case")
)
FORM = KeyForm(SCHEDULE.hidden_keys, IDENTITY)
TERMS = Terms(SCHEDULE, FORM)


def finding(entity_type: str, value: str) -> Finding:
    return Finding(entity_type, IDENTITY(entity_type, value), 0.9, 1, "line=1")


def an_item(path: str, *findings: Finding, year: int = 2020) -> ItemResult:
    result = a_result(path.encode(), findings=findings, content_hash=None)
    assert result.item is not None
    return replace(result, item=replace(result.item, modified_at=datetime(year, 5, 17, tzinfo=UTC), marks={}))


ITEMS = (
    an_item("Cases/2026-17/letter", finding("PERSON", "Mary Major"), year=2015),
    an_item("Cases/2026-17/reply", finding("EMAIL_ADDRESS", "mary@example.org")),
    an_item("Cases/2026-18/letter", finding("PERSON", "Mary Major")),
    an_item("HR/Mary Major/contract"),
    an_item("HR/Joe Bloggs/contract"),
    an_item("todo"),
)
PATHS = [str(item.ref) for item in ITEMS]


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    with Catalogue.open(empty_at(tmp_path / "catalogue.sqlite")) as opened:
        a_pass(opened, *ITEMS)
        yield opened


@pytest.fixture
def holds(catalogue: Catalogue) -> Holds:
    return Holds(catalogue, TERMS)


def scope_of(**words: Any) -> HoldScope:
    return read_scope(ScopeWords(**words), SCHEDULE, FORM, ["office"])


def a_hold(name: str = "Major v Acme", **parts: Any) -> Hold:
    given: dict[str, Any] = {
        "kind": HoldKind.LEGAL_HOLD,
        "scope": scope_of(paths=("Cases/**",)),
        "reason": "A claim",
        "citation": "",
        "placed_by": "jo",
        "placed_at": NOON,
    }
    return Hold(0, name, **{**given, **parts})


def work_out(holds: Holds, new: Hold, *, everything: bool = False) -> Coverage:
    return holds.work_out(new, everything=everything, progress=lambda items: None)


def place(holds: Holds, name: str = "Major v Acme", *, everything: bool = False, **parts: Any) -> Hold:
    return holds.place(work_out(holds, a_hold(name, **parts), everything=everything), lambda items: None)


def covered(holds: Holds, hold: Hold) -> list[str]:
    return [str(ref) for _, ref in holds.covered(hold)]


# What a hold covers


@pytest.mark.parametrize(
    ("words", "paths"),
    [
        (
            {"paths": ("cases/**", "todo")},
            {"Cases/2026-17/letter", "Cases/2026-17/reply", "Cases/2026-18/letter", "todo"},
        ),
        ({"shares": ("OFFICE",)}, set(PATHS)),
        ({"classes": ("personnel-file",)}, {"HR/Mary Major/contract", "HR/Joe Bloggs/contract"}),
        ({"classes": ("personnel-file", "cases")}, set(PATHS) - {"todo"}),
        ({"keys": ("case=2026-17",)}, {"Cases/2026-17/letter", "Cases/2026-17/reply"}),
        ({"keys": ("person=Mary  MAJOR",)}, {"HR/Mary Major/contract"}),
        ({"persons": ("Mary Major",)}, {"Cases/2026-17/letter", "Cases/2026-18/letter", "HR/Mary Major/contract"}),
        ({"identified": ("EMAIL_ADDRESS=MARY@example.org",)}, {"Cases/2026-17/reply"}),
        ({"persons": ("Mary Major",), "paths": ("Cases/**",)}, {"Cases/2026-17/letter", "Cases/2026-18/letter"}),
        ({"query": "finding: EMAIL_ADDRESS"}, {"Cases/2026-17/reply"}),
        ({"dated_until": date(2015, 12, 31)}, {"Cases/2026-17/letter"}),
        ({"dated_from": date(2016, 1, 1), "keys": ("case=2026-17",)}, {"Cases/2026-17/reply"}),
        ({"persons": ("Nobody Here",)}, set()),
    ],
)
def test_a_hold_covers_what_its_scope_says(
    holds: Holds, catalogue: Catalogue, words: dict[str, Any], paths: set[str]
) -> None:
    hold = place(holds, scope=scope_of(**words))

    assert set(covered(holds, hold)) == paths
    for _, record in catalogue.records():
        assert holds.covering(record.item_id, TODAY) == ((hold,) if record.path in paths else ())


def test_a_scope_by_the_place_of_storage_is_told_what_sort_of_place_a_share_is(catalogue: Catalogue) -> None:
    scope = scope_of(query="stored_in: local_drive")
    assert not work_out(Holds(catalogue, TERMS), a_hold(scope=scope)).items
    local = Holds(catalogue, replace(TERMS, storage={"office": frozenset({StorageKind.LOCAL_DRIVE})}))
    assert len(work_out(local, a_hold(scope=scope)).items) == len(ITEMS)


def test_everything_is_covered_if_that_is_said(holds: Holds) -> None:
    hold = place(holds, scope=HoldScope(), everything=True)
    assert sorted(covered(holds, hold)) == sorted(PATHS)


def test_what_would_be_covered_is_told_before_anything_is_stored(holds: Holds, catalogue: Catalogue) -> None:
    before = catalogue.state_mark()
    coverage = work_out(holds, a_hold("  Major  v Acme ", reason=" A\nclaim "))

    assert (coverage.hold.name, coverage.hold.reason, coverage.hold.number) == ("Major v Acme", "A claim", 0)
    assert len(coverage.items) == 3
    assert [f"{share}:{ref}" for share, ref in coverage.first] == [f"office:{path}" for path in PATHS[:3]]
    assert catalogue.holds.all() == ()
    assert catalogue.state_mark() == before


def test_the_first_twenty_are_named_and_all_are_counted_and_covered(holds: Holds, catalogue: Catalogue) -> None:
    a_pass(catalogue, *(an_item(f"Cases/many/{number:04}") for number in range(2500)), seen=2506, hours=1)
    looked_at: list[int] = []
    scope = scope_of(paths=("Cases/many/**",))
    coverage = holds.work_out(a_hold(scope=scope), everything=False, progress=looked_at.append)

    assert len(coverage.items) == 2500
    assert coverage.items.itemsize == 8
    assert [ref.name for _, ref in coverage.first] == [b"%04d" % number for number in range(20)]
    assert looked_at == [1000, 1000, 506]
    assert len(covered(holds, holds.place(coverage, looked_at.append))) == 2500
    assert looked_at == [1000, 1000, 506]


def test_what_a_scan_tells_while_a_hold_is_worked_out_is_covered_too(
    holds: Holds, catalogue: Catalogue, tmp_path: Path
) -> None:
    coverage = work_out(holds, a_hold())
    with Catalogue.open(empty_at(tmp_path / "catalogue.sqlite"), create=False) as scan:
        a_pass(scan, an_item("Cases/2026-19/new"), an_item("new"), seen=8, hours=1)
    looked_at: list[int] = []
    hold = holds.place(coverage, looked_at.append)

    assert covered(holds, hold) == [*PATHS[:3], "Cases/2026-19/new"]
    assert sum(looked_at) == 8


def test_nobodys_name_comes_into_the_catalogue(holds: Holds, catalogue: Catalogue, tmp_path: Path) -> None:
    """Its paths name Mary Major, as paths do; nobody else stands in it."""
    persons = ("Mary MAJOR", "Zebedee Quux")
    place(
        holds,
        scope=scope_of(
            persons=persons, identified=("EMAIL_ADDRESS=zebedee@quux.example",), keys=("person=Zebedee Quux",)
        ),
    )
    with pytest.raises(UsageError):
        place(holds, "of Zebedee Quux", scope=scope_of(persons=persons))
    catalogue.close()

    written = b"".join(file.read_bytes() for file in tmp_path.iterdir()).lower()
    assert b"cases" in written
    assert IDENTITY("PERSON", "Zebedee Quux").hex().encode() in written
    for name in (b"zebedee", b"quux"):
        assert name not in written


# What is refused when placing


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ({"scope": HoldScope()}, "no scope, so it would cover every item there is. Narrow it, for example with --path"),
        ({"scope": HoldScope()}, "say --everything if that is what you want"),
        ({"everything": True}, "--everything contradicts"),
        ({"reason": " \n "}, "A hold needs a reason: say with --reason"),
        ({"reason": "bell \x07"}, "--reason: this contains characters that cannot be printed"),
        ({"name": "  "}, "at least one that is no digit"),
        ({"name": "2026"}, "at least one that is no digit"),
        ({"name": "x" * 101}, "up to 100 characters"),
        ({"name": "a\udce9"}, "name: this contains characters that cannot be printed"),
        ({"kind": HoldKind.MORATORIUM, "citation": " "}, "A moratorium rests on a statute or an order: name it with"),
        ({"review_on": date(2026, 2, 28)}, "--review: 2026-02-28 is past"),
        (
            {"from_day": date(2026, 5, 1), "until_day": date(2026, 4, 30)},
            "--until: 2026-04-30 lies before 2026-05-01, the day given with --from",
        ),
        ({"until_day": date(2026, 2, 28)}, "--until: 2026-02-28 is past"),
        (
            {"scope": HoldScope(dated_from=date(2020, 1, 2), dated_until=date(2020, 1, 1))},
            "--dated-until: 2020-01-01 lies before 2020-01-02",
        ),
    ],
)
def test_a_hold_that_cannot_be_meant_so_is_refused(
    holds: Holds, catalogue: Catalogue, parts: dict[str, Any], told: str
) -> None:
    with pytest.raises(UsageError) as caught:
        place(holds, **parts)
    assert told in str(caught.value)
    assert catalogue.holds.all() == ()


@pytest.mark.parametrize(
    "parts",
    [
        {"review_on": TODAY},
        {"until_day": TODAY},
        {"from_day": date(1990, 1, 1), "until_day": TODAY},
        {"from_day": date(2027, 1, 1), "until_day": date(2027, 1, 1)},
        {"scope": HoldScope(dated_from=TODAY, dated_until=TODAY)},
        {"kind": HoldKind.MORATORIUM, "citation": "Inquiries Act 2005 s.35"},
        {"name": "x" * 100},
    ],
)
def test_the_last_days_and_lengths_that_can_be_meant_are_accepted(holds: Holds, parts: dict[str, Any]) -> None:
    assert place(holds, **parts).number == 1


def test_today_is_the_day_it_is_where_the_schedule_applies(holds: Holds) -> None:
    late = datetime(2026, 6, 30, 23, 30, tzinfo=UTC)  # in London it is July already
    with pytest.raises(UsageError, match="--review: 2026-06-30 is past"):
        place(holds, placed_at=late, review_on=date(2026, 6, 30))


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("name", "DSAR of Mary Major"),
        ("reason", "Request by mary@example.org, received today"),
        ("citation", "Major (Mary): letter of MARY MAJOR"),
    ],
)
def test_a_text_that_names_the_person_is_refused_without_repeating_it(holds: Holds, field: str, text: str) -> None:
    scope = scope_of(persons=("Mary Major",), identified=("EMAIL_ADDRESS=mary@example.org",))
    with pytest.raises(UsageError) as caught:
        place(holds, scope=scope, **{field: text})
    assert f"{'name' if field == 'name' else '--' + field}: this names a person" in str(caught.value)
    assert "mary" not in str(caught.value).casefold()


def test_a_name_is_given_once(holds: Holds) -> None:
    first = place(holds)
    with pytest.raises(UsageError, match=r'"Major v Acme" is the name of hold 1\.'):
        work_out(holds, a_hold("major v acme"))
    holds.lift(holds.lifting("1", "settled", None, NOON), "jo")
    with pytest.raises(UsageError, match=r"is the name of hold 1, lifted on 2026-03-01\. A name stays with its hold"):
        work_out(holds, a_hold())
    assert place(holds, "Major v Acme 2").number == first.number + 1


# Lifting


def test_lifting_says_what_it_releases_and_what_another_hold_keeps(holds: Holds, catalogue: Catalogue) -> None:
    first = place(holds, "first", scope=scope_of(classes=("cases", "personnel-file")))
    second = place(holds, "second", scope=scope_of(keys=("case=2026-17",)))

    lifting = holds.lifting("First", " Settled\nout of court ", None, NOON + timedelta(days=3))
    assert (lifting.covered, lifting.held_by_others) == (5, 2)
    assert catalogue.holds.all() == (first, second)

    lifted = holds.lift(lifting, "alex")
    assert (lifted.lifted_by, lifted.lifted_why, lifted.lifted_at) == (
        "alex",
        "Settled out of court",
        NOON + timedelta(days=3),
    )
    assert covered(holds, first) == []
    assert covered(holds, second) == PATHS[:2]


@pytest.mark.parametrize(
    ("named", "why", "told_on", "at", "told"),
    [
        ("Mayor v Acme", "x", None, NOON, 'There is no hold "Mayor v Acme". Did you mean "Major v Acme"?'),
        ("7", "x", None, NOON, 'There is no hold "7". See them all:  retentiond hold list --all'),
        ("1", "  ", None, NOON, "Say with --why"),
        ("1", "bell \x07", None, NOON, "--why: this contains characters"),
        ("1", "Mary Major is content", None, NOON, "--why: this names a person"),
        ("1", "x", None, NOON - timedelta(seconds=1), "which lies ahead of the clock of this machine"),
        ("1", "x", TODAY, NOON, '--told belongs to restrictions of processing, and "Major v Acme" is none'),
        ("2", "x", None, NOON, "the person must have been told before it is lifted (UK GDPR Art. 18(3))"),
        ("2", "x", date(2026, 3, 2), NOON, "--told: 2026-03-02 lies in the future"),
        ("2", "x", date(2026, 2, 28), NOON, "--told: 2026-02-28 lies before 2026-03-01, the day on which this"),
        ("gone", "x", None, NOON, 'Hold 3, "gone", was lifted already, on 2026-03-01 by jo: done'),
    ],
)
def test_a_hold_is_not_lifted_in_a_way_that_cannot_be(
    holds: Holds, catalogue: Catalogue, named: str, why: str, told_on: date | None, at: datetime, told: str
) -> None:
    place(holds, scope=scope_of(persons=("Mary Major",)))
    place(holds, "restricted", kind=HoldKind.RESTRICTION)
    holds.lift(holds.lifting(str(place(holds, "gone").number), "done", None, NOON), "jo")
    before = catalogue.holds.all()

    with pytest.raises(UsageError) as caught:
        holds.lifting(named, why, told_on, at)
    assert told in str(caught.value)
    assert "Mary" not in str(caught.value)
    assert catalogue.holds.all() == before


def test_a_restriction_is_lifted_once_the_person_was_told(holds: Holds) -> None:
    place(holds, "restricted", kind=HoldKind.RESTRICTION)
    for told_on, at in (
        (TODAY, NOON),
        (TODAY, NOON + timedelta(days=9)),
        (date(2026, 3, 10), NOON + timedelta(days=9)),
    ):
        lifting = holds.lifting("restricted", "accuracy confirmed", told_on, at)
    assert holds.lift(lifting, "jo").told_on == date(2026, 3, 10)


def test_a_hold_that_somebody_else_lifts_meanwhile_is_not_lifted_again(holds: Holds) -> None:
    place(holds)
    mine, theirs = (holds.lifting("1", why, None, NOON) for why in ("mine", "theirs"))
    holds.lift(theirs, "alex")
    with pytest.raises(UsageError, match="lifted already, on 2026-03-01 by alex: theirs"):
        holds.lift(mine, "jo")


def test_where_no_hold_was_placed_none_is_found(holds: Holds) -> None:
    with pytest.raises(UsageError, match="No hold has been placed yet"):
        holds.show("Major", TODAY)


# Looking


def test_every_hold_is_listed_with_how_it_stands(holds: Holds, catalogue: Catalogue) -> None:
    place(holds, "now", review_on=date(2026, 3, 31))
    place(holds, "later", from_day=date(2026, 5, 1), review_on=date(2026, 3, 31), scope=scope_of(paths=("todo",)))
    place(holds, "over", until_day=date(2026, 3, 15), review_on=date(2026, 3, 10))
    place(holds, "unreviewed", scope=scope_of(paths=("none",)))
    holds.lift(holds.lifting(str(place(holds, "lifted", review_on=TODAY).number), "done", None, NOON), "jo")
    a_pass(catalogue, Gone(ref_of(b"todo")), seen=5, hours=1)

    def listed(today: date, *, lifted: bool) -> list[tuple[str, HoldState, Covered, bool]]:
        return [(one.hold.name, one.state, one.covered, one.overdue) for one in holds.listed(today, lifted=lifted)]

    on_the_day = listed(date(2026, 3, 31), lifted=True)
    assert on_the_day == [
        ("now", HoldState.IN_FORCE, Covered(3), False),
        ("later", HoldState.NOT_YET, Covered(0, 1), False),
        ("over", HoldState.ENDED, Covered(3), False),
        ("unreviewed", HoldState.IN_FORCE, Covered(0), False),
        ("lifted", HoldState.LIFTED, Covered(0), False),
    ]
    assert listed(date(2026, 3, 31), lifted=False) == on_the_day[:-1]
    assert [name for name, *_, overdue in listed(date(2026, 4, 1), lifted=True) if overdue] == ["now", "later"]


def test_one_hold_is_shown_as_it_is_listed(holds: Holds) -> None:
    place(holds)
    place(holds, "second", review_on=date(2026, 4, 1))
    for today in (TODAY, date(2026, 5, 1)):
        assert holds.show("SECOND", today) == holds.show("2", today) == holds.listed(today, lifted=False)[1]


def test_only_holds_in_force_are_told_of_an_item(holds: Holds, catalogue: Catalogue) -> None:
    first = place(holds, "first")
    second = place(holds, "second", until_day=date(2026, 3, 31))
    item_id = next(record.item_id for _, record in catalogue.records() if record.path == PATHS[0])
    assert holds.covering(item_id, date(2026, 3, 31)) == (first, second)
    assert holds.covering(item_id, date(2026, 4, 1)) == (first,)
