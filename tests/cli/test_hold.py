"""`retentiond hold` says what it does before it does it, and never who a hold is about."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from agent import bootstrap
from agent.catalogue.store import Catalogue
from agent.cli.hold import hold_app
from agent.errors import CatalogueError, UsageError
from agent.model.finding import Finding
from agent.model.hold import HoldKind, HoldScope
from connectors.base import Gone
from tests.catalogue.conftest import a_pass, a_result, ref_of
from tests.catalogue.factories import a_hold

_SCHEDULE = """\
id: mine
title: Ours
version: "1"
organisation: Example Ltd
time_zone: Europe/London
classes:
  - id: personnel-file
    title: Personnel files
    mandate: A law
    scope_notes: All of them.
    applies_when:
      path: "HR/{person}/**"
    keys: [person]
    trigger: {event: employment_ended, key: person}
    period: P6Y
    outcome: review
  - id: cases
    title: Cases
    mandate: A law
    scope_notes: All of them.
    applies_when:
      path: "Cases/{case}/**"
    keys: [case]
    trigger: modified
    period: P6Y
    outcome: review
"""
_PLACE = ("place", "Smith v Acme", "--kind", "legal-hold", "--reason", "Claim 2026-17")
TODAY = datetime.now(UTC).date()


class Office:
    """A state directory with a catalogue, and the command over it."""

    def __init__(self, folder: Path) -> None:
        self.state = folder / "state"
        self.state.mkdir()
        self._settings, self._schedule = folder / "settings.yaml", folder / "schedule.yaml"
        self._settings.write_text("shares: []\n")
        self._schedule.write_text(_SCHEDULE)
        self.printed = ""
        identity = bootstrap.finding_identity(self.state)
        mary = (Finding("PERSON", identity("PERSON", "Mary Major"), 0.9, 1, "line=1"),)
        items = [a_result(b"Cases/2026-17/%02d" % number, content_hash=None, findings=()) for number in range(25)]
        items += [a_result(b"Cases/2026-18/letter", findings=mary), a_result(b"HR/Joe Bloggs/contract", findings=())]
        with self.catalogue(create=True) as catalogue:
            a_pass(catalogue, *items)

    def catalogue(self, *, create: bool = False) -> Catalogue:
        return bootstrap.open_catalogue(self.state, create=create)

    def run(self, *arguments: str, answer: str = "", **environment: str) -> str:
        """What the command printed on standard output; an error of it is raised."""
        where = ("--state", str(self.state), "--config", str(self._settings), "--schedule", str(self._schedule))
        done = CliRunner().invoke(hold_app, [*arguments, *where], input=answer, env={"COLUMNS": "250", **environment})
        self.printed += done.output
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == 0, done.output
        return done.stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self.run(*arguments, "--json"))

    def names(self) -> list[str]:
        with self.catalogue() as catalogue:
            return [hold.name for hold in catalogue.holds.all()]


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


# Placing


def test_placing_names_the_first_items_and_counts_all(office: Office) -> None:
    lines = office.run(*_PLACE, "--path", "Cases/**", "--yes").splitlines()

    assert lines[0] == "Scope:"
    assert "It would cover 26 items:" in lines
    assert [line for line in lines if line.startswith("  office: ")] == [
        f"  office: Cases/2026-17/{number:02}" for number in range(20)
    ]
    assert lines[-2:] == ["  and 6 more", 'Placed: hold 1, "Smith v Acme" (legal hold). It covers 26 items.']
    with office.catalogue() as catalogue:
        (hold,) = catalogue.holds.all()
    assert (hold.placed_by, hold.reason, hold.kind) == (bootstrap.who(), "Claim 2026-17", HoldKind.LEGAL_HOLD)
    assert datetime.now(UTC) - hold.placed_at < timedelta(minutes=1)


def test_everything_that_can_be_said_of_a_hold_is_kept_and_told(office: Office) -> None:
    told = office.json(
        *("place", "Inquiry", "--kind", "moratorium", "--reason", "Inquiry 7", "--citation", "Inquiries Act 2005 s.35"),
        *("--path", "Cases/**", "--path", "HR/**", "--share", "office", "--query", "not: {path: '**/01'}"),
        *("--class", "cases", "--class", "personnel-file", "--key", "case=2026-17", "--key", "person=Joe Bloggs"),
        *("--dated-from", "2019-01-01", "--dated-until", "2020-12-31"),
        *("--from", "2020-01-01", "--until", "2999-12-31", "--review", "2998-01-01", "--yes"),
    )

    hold = told["hold"]
    joe = "#" + bootstrap.finding_identity(office.state)("PERSON", "joe bloggs").hex()[:8] + "…"
    assert (told["placed"], told["covered"], len(told["first"])) == (True, 25, 20)
    assert told["first"][0] == {"share": "office", "path": "Cases/2026-17/00"}
    assert (hold["number"], hold["kind"], hold["citation"]) == (1, "moratorium", "Inquiries Act 2005 s.35")
    assert (hold["from_day"], hold["until_day"], hold["review_on"]) == ("2020-01-01", "2999-12-31", "2998-01-01")
    assert hold["scope"] == {
        "everything": False,
        "condition": "all_of:\n- path:\n  - Cases/**\n  - HR/**\n- share:\n  - office\n- not:\n    path: '**/01'\n",
        "classes": ["cases", "personnel-file"],
        "keys": [{"key": "case", "value": "2026-17"}, {"key": "person", "value": joe}],
        "persons": [],
        "dated_from": "2019-01-01",
        "dated_until": "2020-12-31",
    }
    shown = office.run("show", "Inquiry")
    for words in (
        'hold 1, "Inquiry" (moratorium): in force until 2999-12-31\n',
        "Citation: Inquiries Act 2005 s.35\n",
        "  items for which this holds:\n      all_of:\n",
        "  of the class cases or personnel-file\n",
        f"  with the key case = 2026-17 or person = {joe}\n",
        "  last modified on 2019-01-01 or later\n  last modified on 2020-12-31 or earlier\n",
        f"Placed by {bootstrap.who()} on {TODAY}",
        "Review by 2998-01-01\n",
        "Covers 25 items\n",
        "  office: HR/Joe Bloggs/contract\n",
    ):
        assert words in shown


def test_a_dry_run_places_nothing(office: Office) -> None:
    told = office.json(*_PLACE, "--key", "case=2026-18", "--dry-run")
    said = office.run(*_PLACE, "--key", "case=2026-18", "--dry-run")

    assert (told["placed"], told["covered"], told["hold"]["number"]) == (False, 1, None)
    assert told["first"] == [{"share": "office", "path": "Cases/2026-18/letter"}]
    assert said.endswith(
        "It would cover 1 item:\n  office: Cases/2026-18/letter\nThis was a dry run: nothing was placed.\n"
    )
    assert office.names() == []


def test_a_hold_is_placed_if_it_is_confirmed(office: Office) -> None:
    assert office.run(*_PLACE, "--path", "none", answer="n\n").endswith("Nothing was placed.\n")
    assert office.names() == []
    with pytest.raises(UsageError, match=r"Nobody answered, so nothing was placed\. Add --yes"):
        office.run(*_PLACE, "--path", "none")
    assert office.names() == []

    said = office.run(*_PLACE, "--path", "none", answer="y\n")
    assert "It would cover no item seen so far. Items seen later are covered if its scope fits them." in said
    assert said.endswith('Placed: hold 1, "Smith v Acme" (legal hold). It covers no item.\n')
    assert office.names() == ["Smith v Acme"]


def test_with_json_nobody_is_asked(office: Office) -> None:
    with pytest.raises(UsageError, match=r"With --json nobody is asked\. Add --yes to place it, or --dry-run"):
        office.run(*_PLACE, "--path", "**", "--json")
    office.run(*_PLACE, "--path", "**", "--yes")
    with pytest.raises(UsageError, match=r"With --json nobody is asked\. Add --yes to lift it\."):
        office.run("lift", "1", "--why", "done", "--json")
    assert office.json("show", "1")["state"] == "in_force"


def test_only_a_hold_on_everything_may_be_without_a_limit(office: Office) -> None:
    with pytest.raises(UsageError, match="--everything"):
        office.run(*_PLACE, "--yes")
    told = office.json(*_PLACE, "--everything", "--yes")

    assert (told["covered"], told["hold"]["scope"]["everything"]) == (27, True)
    assert "Scope:\n  everything\n" in office.run("show", "1")


@pytest.mark.parametrize("option", ["--dated-from", "--dated-until", "--from", "--until", "--review"])
def test_a_day_that_is_none_is_told_with_its_option(office: Office, option: str) -> None:
    with pytest.raises(UsageError, match=f"{option}: '31/03/2026' is not a day"):
        office.run(*_PLACE, "--path", "**", option, "31/03/2026")


def test_an_unknown_kind_is_told_with_those_there_are(office: Office) -> None:
    done = CliRunner().invoke(hold_app, ["place", "x", "--kind", "legal_hold"])
    assert done.exit_code == 2
    assert "subject-request" in done.output


def test_without_a_catalogue_nothing_is_made(tmp_path: Path, office: Office) -> None:
    office.state = tmp_path / "elsewhere"
    office.state.mkdir()
    with pytest.raises(CatalogueError, match="there is no catalogue here yet"):
        office.run(*_PLACE, "--everything", "--yes")
    assert list(office.state.iterdir()) == []


def test_on_a_terminal_the_items_looked_at_are_counted(office: Office) -> None:
    office.run(*_PLACE, "--everything", "--yes", FORCE_COLOR="1")
    assert "27 items" in office.printed
    assert "Looking through the catalogue" in office.printed


# Who a hold is about


def test_nobodys_name_is_kept_or_printed(office: Office) -> None:
    """Whatever is typed, and whether it can be followed or not."""
    about = (
        "--kind",
        "subject-request",
        "--person",
        "Zebedee Quux",
        "--person-id",
        "EMAIL_ADDRESS=zebedee@quux.example",
    )
    about = (*about, "--key", "person=Zebedee Quux")
    office.run("place", "DSAR 17", "--reason", "Request 17", *about, "--yes")
    office.json("place", "DSAR 18", "--reason", "Request 18", *about, "--yes")
    for wrong in (
        ("--reason", "Zebedee Quux asks", *about),
        ("--reason", "x", *about, "--person-id", "Zebedee Quux"),
        ("--reason", "x", *about, "--person-id", "EMAIL=zebedee@quux.example"),
        ("--reason", "x", *about, "--key", "Zebedee Quux"),
        ("--reason", "x", *about, "--key", "persons=Zebedee Quux"),
        ("--reason", "x", *about, "--key", "person=#Zebedee Quux"),
    ):
        with pytest.raises(UsageError) as caught:
            office.run("place", "wrong", *wrong, "--yes")
        office.printed += str(caught.value)
    for command in (("list", "--all"), ("show", "1")):
        office.run(*command)
        office.json(*command)
    with pytest.raises(UsageError) as caught:
        office.run("lift", "1", "--why", "Zebedee Quux withdrew", "--yes")
    office.printed += str(caught.value)
    office.run("lift", "1", "--why", "withdrawn", "--yes")

    assert office.names() == ["DSAR 17", "DSAR 18"]
    kept = b"".join(file.read_bytes() for file in office.state.iterdir()).decode("latin-1")
    for text in (office.printed, kept):
        assert "DSAR 17" in text
        assert "zebedee" not in text.casefold()
        assert "quux" not in text.casefold()


def test_items_about_a_person_are_found_by_the_keyed_hash_alone(office: Office) -> None:
    told = office.json(
        "place", "DSAR", "--kind", "subject-request", "--reason", "R 17", "--person", "mary  MAJOR", "--yes"
    )

    mary = bootstrap.finding_identity(office.state)("PERSON", "Mary Major").hex()
    assert told["first"] == [{"share": "office", "path": "Cases/2026-18/letter"}]
    assert told["hold"]["scope"]["persons"] == [f"#{mary[:8]}…"]
    assert f"  about #{mary[:8]}… (keyed hash of a person)\n" in office.run("show", "DSAR")


@pytest.mark.slow
def test_what_a_scan_found_is_held_by_the_value_that_was_found(
    retentiond: Callable[..., Any], tmp_path: Path, office: Office
) -> None:
    """From a document to its hold: the scan and the hold must come to one identity."""
    share = tmp_path / "share"
    share.mkdir()
    (share / "letter.txt").write_text("Please write to jane.doe@example.org about it.\n")
    (share / "other.txt").write_text("Please write to somebody.else@example.org about it.\n")
    done = retentiond("scan", share, "--state", office.state)
    assert done.returncode == 0, done.stderr

    told = office.json(
        *("place", "DSAR", "--kind", "subject-request", "--reason", "Request 17"),
        *("--person-id", "EMAIL_ADDRESS=Jane.Doe@Example.org", "--yes"),
    )

    assert [item["path"] for item in told["first"]] == ["letter.txt"]


# Looking


def test_holds_are_listed_with_their_items_and_their_reviews(office: Office) -> None:
    assert office.run("list") == "No hold stands.\n"
    assert office.run("list", "--all") == "No hold has been placed yet.\n"
    office.run(*_PLACE, "--path", "Cases/**", "--review", "2999-01-01", "--yes")
    with office.catalogue() as catalogue:
        every = [record.item_id for _, record in catalogue.records()]
        catalogue.holds.place(a_hold("old [bold]", review_on=date(2020, 1, 2), kind=HoldKind.RESTRICTION), every[-2:])
        catalogue.holds.place(a_hold("to come", from_day=date(2999, 1, 1)), ())
        catalogue.holds.place(a_hold("over", until_day=date(2020, 1, 1)), ())
        catalogue.holds.place(a_hold("ended", until_day=date(2020, 1, 1)), ())
        catalogue.holds.lift(5, "jo", "settled", datetime(2026, 4, 1, tzinfo=UTC), None)
        a_pass(catalogue, Gone(ref_of(b"HR/Joe Bloggs/contract")), seen=26, hours=1)

    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in office.run("list").splitlines() if "│" in line]
    user, today = bootstrap.who(), str(TODAY)
    assert rows == [
        ["1", "Smith v Acme", "legal hold", "in force", "26", "", "2999-01-01", today, user],
        [
            *("2", "old [bold]", "restriction of processing", "in force", "1", "1"),
            *("2020-01-02 OVERDUE REVIEW", "2026-03-01", "jo"),
        ],
        ["3", "to come", "legal hold", "from 2999-01-01 on", "0", "", "", "2026-03-01", "jo"],
        ["4", "over", "legal hold", "ended with 2020-01-01", "0", "", "", "2026-03-01", "jo"],
    ]
    told = office.json("list")["holds"]
    assert [(one["number"], one["state"], one["covered"], one["gone"], one["review_overdue"]) for one in told] == [
        (1, "in_force", 26, 0, False),
        (2, "in_force", 1, 1, True),
        (3, "not_yet", 0, 0, False),
        (4, "ended", 0, 0, False),
    ]
    assert "lifted on 2026-04-01" in office.run("list", "--all")
    assert len(office.json("list", "--all")["holds"]) == 5
    shown = office.run("show", "2")
    assert "Review by 2020-01-02: OVERDUE REVIEW\n" in shown
    assert "GONE although held: 1 item\n" in shown


def test_a_hold_is_shown_as_one_json_object_with_all_its_items(office: Office) -> None:
    office.run(*_PLACE, "--path", "Cases/**", "--yes")
    office.run("place", "none", "--kind", "legal-hold", "--reason", "x", "--path", "none", "--yes")

    told = office.json("show", "smith V acme")
    assert (told["number"], told["covered"], told["state"]) == (1, 26, "in_force")
    assert told["items"][-1] == {"share": "office", "path": "Cases/2026-18/letter"}
    assert len(told["items"]) == 26
    assert office.json("show", "2")["items"] == []


def test_a_hold_that_does_not_exist_is_told_so(office: Office) -> None:
    for command in (("show", "none"), ("lift", "none", "--why", "x", "--yes")):
        with pytest.raises(UsageError, match="No hold has been placed yet"):
            office.run(*command)


# Lifting


def test_lifting_says_what_is_released_and_what_stays_held(office: Office) -> None:
    office.run(*_PLACE, "--path", "Cases/**", "--yes")
    for name, pattern in (("two", "Cases/*/01"), ("three", "**/0[12]"), ("four", "Cases/*/0?")):
        office.run("place", name, "--kind", "legal-hold", "--reason", "x", "--path", pattern, "--yes")

    assert office.run("lift", "3", "--why", "done", "--yes").startswith(
        'Lifting hold 3, "three" (legal hold), releases no item.\n'
    )
    told = office.json("lift", "Smith v Acme", "--why", "Settled", "--yes")
    assert (told["lifted"], told["released"], told["still_held"]) == (True, 26, 10)
    assert (told["hold"]["lifted_by"], told["hold"]["lifted_why"]) == (bootstrap.who(), "Settled")
    said = office.run("lift", "4", "--why", "done", "--yes")
    assert said == (
        'Lifting hold 4, "four" (legal hold), releases 10 items; 1 of them stays held by another hold.\n'
        'Lifted: hold 4, "four" (legal hold).\n'
    )
    shown = office.run("show", "4")
    assert f"(legal hold): lifted on {TODAY}\n" in shown
    assert f"Lifted by {bootstrap.who()} on {TODAY}" in shown
    assert "UTC: done\n" in shown
    assert shown.endswith("Covers no item\n")


def test_several_that_stay_are_told_as_several(office: Office) -> None:
    office.run(*_PLACE, "--path", "Cases/**", "--yes")
    office.run("place", "two", "--kind", "legal-hold", "--reason", "x", "--path", "Cases/*/0?", "--yes")

    assert "releases 26 items; 10 of them stay held by another hold.\n" in office.run(
        "lift", "1", "--why", "x", "--yes"
    )


def test_a_hold_is_lifted_if_it_is_confirmed(office: Office) -> None:
    office.run(*_PLACE, "--path", "Cases/**", "--yes")
    assert office.run("lift", "1", "--why", "done", answer="n\n").endswith("Nothing was lifted.\n")
    with pytest.raises(UsageError, match=r"Nobody answered, so nothing was lifted\."):
        office.run("lift", "1", "--why", "done")
    assert office.json("show", "1")["lifted_at"] is None

    assert office.run("lift", "1", "--why", "done", answer="y\n").endswith(
        'Lifted: hold 1, "Smith v Acme" (legal hold).\n'
    )
    assert office.json("show", "1")["lifted_by"] == bootstrap.who()


def test_a_restriction_is_lifted_only_after_the_person_was_told(office: Office) -> None:
    office.run("place", "Art. 18", "--kind", "restriction", "--reason", "R 9", "--path", "HR/**", "--yes")
    with pytest.raises(UsageError, match="--told DATE"):
        office.run("lift", "Art. 18", "--why", "accuracy confirmed", "--yes")
    with pytest.raises(UsageError, match="--told: 'today' is not a day"):
        office.run("lift", "Art. 18", "--why", "accuracy confirmed", "--told", "today", "--yes")

    with office.catalogue() as catalogue:
        (hold,) = catalogue.holds.all()
    told_on = str(bootstrap.today(bootstrap.schedule_from("uk-default")))
    office.run("lift", "Art. 18", "--why", "accuracy confirmed", "--told", told_on, "--yes")
    assert office.json("show", "1")["told_on"] == told_on
    assert f"The person was told on {told_on}\n" in office.run("show", "1")
    assert hold.scope != HoldScope()


# The command itself


def test_every_command_has_help_with_an_example() -> None:
    group = get_command(hold_app)
    assert "retentiond hold" in (group.help or "").partition("Example:")[2]
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        assert f"retentiond hold {name}" in (command.help or "").partition("Example:")[2]


def test_its_help_loads_nothing_heavy() -> None:
    code = "import sys\nimport agent.cli.hold\nprint({'sqlalchemy', 'yaml', 'rich.table'} & set(sys.modules))\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
