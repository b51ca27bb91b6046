"""`retentiond schedule` and `retentiond simulate`, as people type them and as scripts read them."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from agent import bootstrap
from agent.cli import main
from agent.errors import ExitCode
from tests.usecases.standing_office import CLASSES, SCHEDULE, TODAY, an_office

FILES = ("Staff/Jane Doe/contract.docx", "Cases/14/Letters/a.docx", "Other/note [1].txt", "Elsewhere/photo.jpg")
EXAMPLES = """\
    examples:
      - item: {path: Other/a.txt, modified: 2020-06-01}
        states: {2025-06-01: keep, 2025-06-02: due}
"""
TRIED = SCHEDULE.replace(CLASSES["other"], CLASSES["other"] + EXAMPLES)
WRONG = TRIED.replace("2025-06-02: due", "2025-06-02: keep, 2025-06-03: waiting")
SHORTER = SCHEDULE.replace("P5Y", "P4Y").replace('version: "1"', 'version: "2"').replace("id: standing", "id: shorter")


@dataclass(frozen=True)
class Done:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert self.code in (ExitCode.OK, ExitCode.ITEMS_FAILED), self.err
        return json.loads(self.out)


Run = Callable[..., Done]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command as from a terminal of its own, on the first of June 2026; settings name `office.yaml`."""
    (tmp_path / "office.yaml").write_text(SCHEDULE)
    settings = tmp_path / "settings.yaml"
    settings.write_text(f"schedule: {tmp_path / 'office.yaml'}\n")
    monkeypatch.setenv("RETENTIOND_CONFIG", str(settings))
    monkeypatch.setenv("RETENTIOND_STATE", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(bootstrap, "today", lambda schedule: TODAY)

    def command(*arguments: str | os.PathLike[str]) -> Done:
        monkeypatch.setattr(sys, "argv", ["retentiond", *map(os.fspath, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return Done(int(ended.value.code or 0), printed.out, printed.err)

    return command


@pytest.fixture
def estate(tmp_path: Path) -> None:
    """A catalogue of four files."""
    with an_office(tmp_path / "catalogue.sqlite") as office:
        office.file(*FILES, modified=date(2021, 9, 1))


def written(folder: Path, text: str) -> Path:
    path = folder / "written.yaml"
    path.write_text(text)
    return path


# check


def test_a_sound_schedule_is_told_to_be_sound(run: Run) -> None:
    done = run("schedule", "check")
    assert (done.code, done.err) == (0, "")
    assert done.out == "Standing, version 1: sound (5 classes).\n"
    assert run("schedule", "check", "uk-default").code == 0
    assert run("schedule", "check", "--json").json == {"schedule": "standing", "version": "1", "doubts": []}


def test_doubts_are_told_and_are_no_fault(run: Run, tmp_path: Path) -> None:
    doubtful = SCHEDULE.replace("time_zone:", "personal_keys: [person, child]\ntime_zone:").replace(
        'applies_when: {path: "New/**"}', "applies_when: {not: {path: '**'}}"
    )
    path = written(tmp_path, doubtful)
    done = run("schedule", "check", path)
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[1:] == [
        'Look again: The key "child" is among the personal keys, but no class captures it.',
        "Look again: arrived: This class can never apply: every path matches **, and it must not.",
    ]
    assert [one["about"] for one in run("schedule", "check", path, "--json").json["doubts"]] == ["", "arrived"]


@pytest.mark.parametrize("verb", ["check", "test", "show", "diff"])
def test_a_schedule_that_cannot_be_followed_is_told_by_file_line_and_field(
    verb: str, run: Run, tmp_path: Path, estate: None
) -> None:
    path = written(tmp_path, SCHEDULE.replace("period: P5Y", "period: 31 February"))
    done = run("schedule", verb, path)
    assert (done.code, done.out) == (ExitCode.CONFIGURATION, "")
    line = SCHEDULE[: SCHEDULE.index("P5Y")].count("\n") + 1
    assert done.err.startswith(f'retentiond: {path}:{line}:13: classes[other].period: "31 February" is not a period.')


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("nonsuch", "There is no shipped schedule 'nonsuch'. Known are: "),
        ("nowhere.yaml", "nowhere.yaml: cannot read the schedule (No such file or directory)."),
    ],
)
@pytest.mark.parametrize("verb", ["check", "test", "show", "diff"])
def test_a_schedule_that_is_not_there_is_told(verb: str, named: str, said: str, run: Run, estate: None) -> None:
    done = run("schedule", verb, named)
    assert done.code == ExitCode.CONFIGURATION
    assert said in done.err


# test


def test_examples_that_come_out_right_are_counted(run: Run, tmp_path: Path) -> None:
    done = run("schedule", "test", written(tmp_path, TRIED))
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        "Standing: 2 examples tried, 0 came out otherwise.",
        "Without an example: staff, letter, report, arrived.",
    ]
    assert run("schedule", "test", written(tmp_path, TRIED), "--json").json == {
        "schedule": "standing", "tried": 2, "wrong": [],
    }  # fmt: skip


def test_an_example_that_comes_out_otherwise_is_told_with_its_line_and_the_reasons(run: Run, tmp_path: Path) -> None:
    path = written(tmp_path, WRONG)
    line = WRONG[: WRONG.index("- item:")].count("\n") + 1
    done = run("schedule", "test", path)
    assert done.code == ExitCode.ITEMS_FAILED
    told = done.out.splitlines()
    assert told[0] == (f'Line {line}, class "other", Other/a.txt: on 2025-06-02 it should be keep, but it is due.')
    assert told[1].startswith('  - Class "other" (other) applies: path pattern "Other/**".')
    assert "Standing: 3 examples tried, 2 came out otherwise." in told
    facts = run("schedule", "test", path, "--json").json
    assert [(one["day"], one["expected"], one["came_out"], one["line"]) for one in facts["wrong"]] == [
        ("2025-06-02", "keep", "due", line),
        ("2025-06-03", "waiting", "due", line),
    ]


def test_an_example_under_which_another_class_rules_says_which(run: Run, tmp_path: Path) -> None:
    longer = CLASSES["other"].replace("P5Y", "P6Y")
    head = "  - id: longer\n    title: Longer\n    mandate: A law.\n    scope_notes: All of it.\n"
    done = run("schedule", "test", written(tmp_path, TRIED + head + longer))
    assert 'on 2025-06-01 it should be keep, but it is keep under class "longer".' in done.out
    assert done.code == ExitCode.ITEMS_FAILED


def test_where_every_class_has_an_example_none_is_named(run: Run, tmp_path: Path) -> None:
    start, _, _ = SCHEDULE.partition("  - id: staff")
    only = (
        f"{start}  - id: other\n    title: O\n    mandate: A law.\n    scope_notes: All.\n{CLASSES['other']}{EXAMPLES}"
    )
    assert "Without an example" not in run("schedule", "test", written(tmp_path, only)).out


# show


def test_a_schedule_is_shown_as_a_table(run: Run, tmp_path: Path) -> None:
    shown = SCHEDULE.replace("title: other", 'title: "Others [draft] [/b]"').replace(
        "    then: quarantine\n",
        "    then: quarantine\n    rows: [S0-9]\n"
        "  - {id: told, title: Told, mandate: A law., then: report, applies_when: {share: x}}\n",
    )
    done = run("schedule", "show", written(tmp_path, shown))
    assert (done.code, done.err) == (0, "")
    assert "Others [draft] [/b]" in done.out
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in done.out.splitlines() if "│" in line]
    assert ["staff", "", "staff", 'one year after the event "left" of the person', "review by a person"] in rows
    assert [
        "no-drives",
        "S0-9",
        "No case files on drives",
        "as soon as it is found here",
        "quarantine and alert",
    ] in rows
    assert ["told", "", "Told", "as soon as it is found here", "report"] in rows


def test_a_schedule_is_shown_to_scripts(run: Run, tmp_path: Path) -> None:
    text = SCHEDULE.replace(
        CLASSES["other"],
        CLASSES["other"] + "    extend_up_to: P1Y\n    stages: [manager, DPO]\n    rows: [S1-1]\n",
    ).replace("classes:", "recipients: [{name: HMRC, contact: c, receives: [other]}]\nclasses:")
    facts = run("schedule", "show", written(tmp_path, text), "--json").json
    assert (facts["schedule"], facts["organisation"]) == ("standing", "Example Ltd")
    assert facts["placement"][0] == {
        "id": "no-drives", "rows": [], "title": "No case files on drives", "quarantine": True,
    }  # fmt: skip
    assert facts["recipients"] == [{"name": "HMRC", "receives": ["other"]}]
    assert "health" in facts["special_categories"]
    staff, *_, other, arrived = facts["classes"]
    assert staff["may_be_extended_by"] is None
    assert (arrived["id"], arrived["goes"]) == ("arrived", "one month after its creation")
    assert other == {
        "id": "other", "rows": ["S1-1"], "title": "other", "mandate": "A law.",
        "goes": "five years after its last change", "then": "destroy", "outcome": "destroy", "keeps": [],
        "may_be_extended_by": "one year", "stages": ["manager", "DPO"],
    }  # fmt: skip


# diff and simulate


def test_a_new_schedule_is_compared_with_the_one_in_the_settings(run: Run, estate: None, tmp_path: Path) -> None:
    done = run("schedule", "diff", written(tmp_path, SHORTER))
    assert (done.code, done.err) == (0, "")
    told = done.out.splitlines()
    assert told[0] == "standing 1 on 2026-06-01, and shorter 2 on 2026-06-01: 4 files."
    assert told[-3] == (
        "1 would stand otherwise: 1 become due, 0 no longer are, 1 change their date, 0 their class. "
        "Due would be 100 bytes."
    )
    assert told[-2:] == [
        "  Other/note [1].txt  (office)",
        "    to be kept from 2026-09-02 under other  ->  due from 2025-09-02 under other",
    ]


def test_a_comparison_is_told_to_scripts_with_every_count(run: Run, estate: None, tmp_path: Path) -> None:
    facts = run("schedule", "diff", written(tmp_path, SHORTER), "--json").json
    assert facts == {
        "before": {"schedule": "standing", "version": "1", "as_of": "2026-06-01"},
        "after": {"schedule": "shorter", "version": "2", "as_of": "2026-06-01"},
        "compared": 4, "changed": 1, "becomes_due": 1, "no_longer_due": 0, "changes_date": 1, "changes_class": 0,
        "states_before": {"keep": 1, "unclassified": 1, "waiting": 2},
        "states_after": {"due": 1, "unclassified": 1, "waiting": 2},
        "due_bytes": 100, "due_by_class": {"other": 1}, "due_by_outcome": {"destroy": 1},
        "items": [
            {
                "share": "office", "path": "Other/note [1].txt",
                "before": {
                    "state": "keep", "class": "other", "placement": None, "outcome": "destroy", "due_on": "2026-09-02",
                },
                "after": {
                    "state": "due", "class": "other", "placement": None, "outcome": "destroy", "due_on": "2025-09-02",
                },
            }
        ],
    }  # fmt: skip


def test_two_schedules_are_compared_on_a_day_that_is_named(run: Run, estate: None, tmp_path: Path) -> None:
    office, shorter = tmp_path / "office.yaml", written(tmp_path, SHORTER)
    facts = run("schedule", "diff", office, "--old", shorter, "--at", "2025-09-02", "--json").json
    assert (facts["before"]["schedule"], facts["after"]["schedule"]) == ("shorter", "standing")
    assert facts["before"]["as_of"] == facts["after"]["as_of"] == "2025-09-02"
    assert (facts["no_longer_due"], facts["becomes_due"]) == (1, 0)
    assert run("schedule", "diff", office, "--json").json["changed"] == 0


def test_more_changes_than_are_shown_are_counted(run: Run, estate: None, tmp_path: Path) -> None:
    done = run("schedule", "diff", written(tmp_path, SHORTER.replace("review", "anonymise")), "--show", "1")
    assert done.out.splitlines()[-1] == "  ... and 1 more; see --show and --json."
    assert run("schedule", "diff", "uk-default", "--show", "-1").code == ExitCode.USAGE


def test_another_day_is_simulated(run: Run, estate: None) -> None:
    done = run("simulate", "--at", "2026-09-02")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("standing 1 on 2026-06-01, and standing 1 on 2026-09-02: 4 files.")
    assert "to be kept from 2026-09-02 under other  ->  due from 2026-09-02 under other" in done.out
    assert "without a retention class" in done.out


def test_another_schedule_is_simulated_on_another_day(run: Run, estate: None, tmp_path: Path) -> None:
    facts = run("simulate", "--at", "2025-09-02", "--policy", written(tmp_path, SHORTER), "--json").json
    assert (facts["before"]["as_of"], facts["after"]["as_of"]) == ("2026-06-01", "2025-09-02")
    assert (facts["after"]["schedule"], facts["becomes_due"]) == ("shorter", 1)
    same = run(
        "simulate", "--policy", tmp_path / "office.yaml", "--schedule", written(tmp_path, SHORTER), "--json"
    ).json
    assert (same["before"]["schedule"], same["after"]["schedule"], same["no_longer_due"]) == ("shorter", "standing", 1)
    alone = run("simulate", "--schedule", written(tmp_path, SHORTER), "--at", "2026-06-01", "--json").json
    assert (alone["before"]["schedule"], alone["after"]["schedule"], alone["changed"]) == ("shorter", "shorter", 0)


def test_what_a_placement_rule_moves_is_named_by_the_rule(run: Run, estate: None, tmp_path: Path) -> None:
    moved = SCHEDULE.replace('all_of: [{stored_in: local_drive}, {path: "Cases/**"}]', "share: office")
    done = run("schedule", "diff", written(tmp_path, moved))
    assert "waiting for an event under letter  ->  due from 2026-01-01 under no-drives" in done.out
    facts = run("schedule", "diff", written(tmp_path, moved), "--json").json
    assert facts["due_by_class"] == {"no-drives": 4}
    assert (facts["items"][0]["after"]["placement"], facts["items"][0]["after"]["class"]) == ("no-drives", "letter")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["simulate"], "Say what is to be otherwise: another day with --at, another schedule with --policy."),
        (["simulate", "--at", "31/02/2026"], "--at: '31/02/2026' is not a day. Write it as YYYY-MM-DD"),
        (["schedule", "diff", "uk-default", "--at", "2026-02-31"], "--at: '2026-02-31' is not a day."),
    ],
)
def test_what_cannot_be_compared_is_told(arguments: list[str], said: str, run: Run, estate: None) -> None:
    done = run(*arguments)
    assert (done.code, done.out) == (ExitCode.USAGE, "")
    assert said in done.err


def test_before_the_first_scan_there_is_nothing_to_compare(run: Run) -> None:
    for arguments in (["schedule", "diff", "uk-default"], ["simulate", "--at", "2030-01-01"]):
        done = run(*arguments)
        assert (done.code, done.out) == (ExitCode.CATALOGUE, "")
        assert "there is no catalogue here yet. Run a scan first" in done.err
