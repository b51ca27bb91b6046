"""`retentiond event`: what changes is shown, somebody is asked, and no name is kept."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.catalogue.store import Catalogue
from agent.cli import event_acts
from agent.cli.event import event_app
from agent.errors import CatalogueError, ExitCode, UsageError
from tests.usecases.event_office import SCHEDULE, an_office

FILES = (
    "Personnel/Zebedee Quux/contract.docx",
    "Personnel/Zebedee Quux/appraisal.docx",
    "Personnel/Bob Ray/contract.docx",
    "Cases/2026-17/statement.docx",
)
ADD = ("add", "employment_ended", "person=Zebedee Quux", "--on", "31/03/2015")
TABLE = "event;key;value;on\ncase_closed;case;2026-17;2024-01-31\nemployment_ended;person;Bob Ray;2020-01-31\n"

Run = Callable[..., int]


@pytest.fixture
def schedule(tmp_path: Path) -> Path:
    file = tmp_path / "schedule.yaml"
    file.write_text(SCHEDULE)
    return file


@pytest.fixture
def run(tmp_path: Path, schedule: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs a command of `event` without a terminal, and gives its exit code."""
    state = tmp_path / "state"
    state.mkdir()
    an_office(state / "catalogue.sqlite", FILES).close()
    monkeypatch.setenv("RETENTIOND_STATE", str(state))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))

    def command(*arguments: str | os.PathLike[str]) -> int:
        given = [*map(os.fspath, arguments), "--schedule", str(schedule)]
        return event_app(given, prog_name="retentiond event", standalone_mode=False) or 0

    with open(os.devnull) as nothing:
        monkeypatch.setattr("sys.stdin", nothing)
        yield command


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[bytes], None]]:
    """Puts somebody at a terminal who types this."""
    theirs, ours = os.openpty()

    with open(theirs, "wb", buffering=0) as keyboard, open(ours) as read, open(os.dup(ours), "w") as shown:

        def sit_down(keys: bytes) -> None:
            keyboard.write(keys)
            monkeypatch.setattr("sys.stdin", read)
            monkeypatch.setattr("sys.stderr", shown)

        yield sit_down


def _catalogue(tmp_path: Path) -> Catalogue:
    return Catalogue.open(tmp_path / "state" / "catalogue.sqlite", create=False)


def _events(tmp_path: Path) -> int:
    with _catalogue(tmp_path) as catalogue:
        return len(catalogue.events.in_force())


def _json(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_what_changes_is_shown_and_the_event_recorded(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*ADD, "--note", "resigned", "--yes") == 0
    told = capsys.readouterr().out.splitlines()
    shown = told[0].split()[6]
    assert told[0] == f"To be recorded: employment_ended of person {shown} on 31 March 2015."
    assert shown.startswith("#")
    assert shown.endswith("…")
    assert told[1].startswith("Of 2 items behind it, 2 would stand differently on ")
    assert told[2:] == [
        "  waiting -> due: 2",
        "  office: Personnel/Zebedee Quux/appraisal.docx: waiting (personnel-file, review) -> "
        "due (personnel-file, review) since 2021-04-01",
        "  office: Personnel/Zebedee Quux/contract.docx: waiting (personnel-file, review) -> "
        "due (personnel-file, review) since 2021-04-01",
        "Event number 1 is recorded.",
    ]


def test_no_name_is_in_any_file_we_keep(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("add", "employment_ended", "person=Yolanda Xu", "--on", "2015-03-31", "--yes")
    run("correct", "1", "--key", "person=Yolanda Xu-Li", "--why", "married", "--yes")
    run("list", "--key", "person=yolanda xu-li", "--json")
    assert len(_json_after_text(capsys)["events"]) == 1
    kept = [file for file in (tmp_path / "state").iterdir() if file.is_file()]
    assert (tmp_path / "state" / "catalogue.sqlite") in kept
    for file in kept:
        assert b"yolanda" not in file.read_bytes().lower(), file


def _json_after_text(capsys: pytest.CaptureFixture[str]) -> Any:
    out = capsys.readouterr().out
    return json.loads(out[out.index("\n{") :])


def test_everything_is_told_as_json(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run(*ADD, "--yes", "--json")
    facts = _json(capsys)
    (event,) = facts["events"]
    assert (facts["recorded"], facts["dry_run"], facts["behind"], facts["changed"]) == (True, False, 2, 2)
    assert facts["turns"] == {"waiting -> due": 2}
    assert facts["changes"][0] == {
        "share": "office",
        "path": "Personnel/Zebedee Quux/appraisal.docx",
        "before": {"state": "waiting", "class": "personnel-file", "outcome": "review", "due_on": None},
        "after": {"state": "due", "class": "personnel-file", "outcome": "review", "due_on": "2021-04-01"},
    }
    assert facts["as_of"] <= datetime.now(UTC).date().isoformat()
    assert (event["number"], event["type"], event["key"], event["on"]) == (
        1,
        "employment_ended",
        "person",
        "2015-03-31",
    )
    assert event["value"].startswith("#")
    assert len(event["value"]) == 33
    assert (event["state"], event["origin"], event["corrects"], event["ended_at"]) == (
        "in_force",
        "command",
        None,
        None,
    )
    run("add", "employment_ended", f"person={event['value']}", "--on", "2016-03-31", "--dry-run", "--json")
    again = _json(capsys)
    assert (again["behind"], again["recorded"], again["events"]) == (2, False, []), "a kept value names the same"


def test_a_dry_run_records_nothing(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*ADD, "--dry-run") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "Nothing was recorded."
    assert _events(tmp_path) == 0


def test_without_a_terminal_nothing_is_recorded_unasked(run: Run, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nobody to ask here.*--dry-run.*--yes"):
        run(*ADD)
    assert _events(tmp_path) == 0


@pytest.mark.parametrize(("keys", "recorded"), [(b"y\n", 1), (b"n\n", 0), (b"\n", 0), (b"\x04", 0)])
def test_at_a_terminal_somebody_is_asked(
    run: Run, tmp_path: Path, terminal: Callable[[bytes], None], keys: bytes, recorded: int,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    terminal(keys)
    assert run(*ADD) == 0
    assert _events(tmp_path) == recorded
    last = capsys.readouterr().out.splitlines()[-1].strip()
    assert last == ("Event number 1 is recorded." if recorded else "Nothing was recorded.")


def test_nobody_is_asked_in_the_middle_of_json(run: Run, tmp_path: Path, terminal: Callable[[bytes], None]) -> None:
    terminal(b"y\n")
    with pytest.raises(UsageError, match="nobody to ask"):
        run(*ADD, "--json")
    assert _events(tmp_path) == 0


@pytest.mark.parametrize("pair", ["Zebedee Quux", "=Zebedee Quux", "person=", " =x", "Zebedee Quux= "])
def test_an_event_without_key_or_value_is_refused(run: Run, pair: str) -> None:
    with pytest.raises(UsageError) as told:
        run("add", "employment_ended", pair, "--on", "2015-03-31", "--yes")
    assert str(told.value) == 'KEY=VALUE: write the name of a key, "=" and its value, as in case=2026-17.'


def test_what_is_unsound_is_refused_as_it_was_typed(run: Run) -> None:
    with pytest.raises(UsageError) as told:
        run("add", "employment_end", "person=Zebedee Quux", "--on", "31/02/2015", "--yes")
    assert str(told.value).splitlines() == [
        'TYPE: No class of the schedule waits for an event "employment_end". Did you mean "employment_ended"? '
        "To record it all the same, give --unawaited.",
        '--on: "31/02/2015" is not a day: that month runs from the 1st to 28 February 2015.',
    ]


def test_what_is_planned_or_unawaited_is_recorded_if_that_is_said(run: Run, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--planned"):
        run("add", "wedding", "case=1", "--on", "2999-01-01", "--unawaited", "--yes")
    run("add", "wedding", "case=1", "--on", "2999-01-01", "--unawaited", "--planned", "--yes")
    run("correct", "1", "--type", "party", "--on", "2999-02-01", "--why", "w", "--unawaited", "--planned", "--yes")
    assert _events(tmp_path) == 1


def test_without_a_catalogue_there_is_nothing_to_record_in(run: Run, tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="there is no catalogue here yet"):
        run(*ADD, "--yes", "--state", tmp_path / "elsewhere")
    assert not (tmp_path / "elsewhere").exists()


def test_events_are_corrected_withdrawn_and_listed(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run(*ADD, "--note", "resigned", "--yes")
    run("add", "case_closed", "case=2026-17", "--on", "2024-01-31", "--yes")
    capsys.readouterr()
    run("correct", "1", "--on", "2015-04-30", "--why", "a slip", "--yes")
    corrected = capsys.readouterr().out.splitlines()
    assert ", event number 1; it becomes: employment_ended of person #" in corrected[0]
    assert corrected[0].startswith("To be corrected: employment_ended of person #")
    assert corrected[2] == "  due -> due: 2"
    assert corrected[-1] == "Event number 3 is recorded."
    run("withdraw", "2", "--why", "still open", "--yes")
    withdrawn = capsys.readouterr().out.splitlines()
    assert withdrawn[0] == "To be withdrawn: case_closed of case 2026-17 on 31 January 2024, event number 2."
    assert withdrawn[1].startswith("Of 1 item behind it, 1 would stand differently")
    assert withdrawn[-1] == "Event number 2 is withdrawn."

    run("list")
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("     3  employment_ended of person #")
    assert line.endswith(" in place of 1; resigned")
    run("list", "--all", "--type", "case_closed")
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("     2  case_closed of case 2026-17 on 31 January 2024; recorded ")
    assert "; WITHDRAWN " in line
    assert line.endswith(": still open")
    run("list", "--key", "case=2026-17")
    assert capsys.readouterr().out == "There are no such events.\n"
    run("list", "--all", "--json")
    listed = _json(capsys)["events"]
    assert [(one["number"], one["state"], one["corrects"]) for one in listed] == [
        (1, "corrected", None),
        (2, "withdrawn", None),
        (3, "in_force", 1),
    ]
    assert listed[0]["ended_why"] == "a slip"
    assert listed[0]["ended_by"] == listed[0]["recorded_by"] != ""
    assert datetime.fromisoformat(listed[0]["ended_at"]).tzinfo is not None


def test_how_items_stand_is_told_in_words(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    run("add", "case_closed", "case=2026-17", "--on", yesterday.isoformat(), "--yes")
    kept = capsys.readouterr().out
    assert "statement.docx: waiting (case-file, destroy) -> keep (case-file, destroy), due on 20" in kept
    run("add", "case_reported", "case=2026-17", "--on", yesterday.isoformat(), "--dry-run")
    assert capsys.readouterr().out.splitlines()[-2].endswith(" -> unclassified")


def test_a_long_list_of_changes_is_cut_on_a_terminal(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(event_acts, "_SHOWN", 1)
    run(*ADD, "--dry-run")
    told = capsys.readouterr().out.splitlines()
    assert len([line for line in told if "Quux" in line]) == 1
    assert "  … and 1 more." in told


def test_a_file_is_imported_whole(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "leavers.csv"
    file.write_text(TABLE)
    assert run("import", file, "--dry-run") == 0
    assert _events(tmp_path) == 0
    capsys.readouterr()
    assert run("import", file, "--yes") == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "To be recorded: 2 events from leavers.csv."
    assert told[1].startswith("Of 2 items behind it, 2 would stand differently")
    assert told[-1] == "Recorded: 2 events, numbers 1 to 2."
    with pytest.raises(UsageError, match="this very file was imported before"):
        run("import", file, "--yes")


def test_an_import_is_told_as_json(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "leavers.csv"
    file.write_text(TABLE)
    run("import", file, "--dry-run", "--json")
    facts = _json(capsys)
    assert (facts["file"], facts["recorded"], facts["events"], facts["numbers"]) == ("leavers.csv", False, 2, None)
    run("import", file, "--yes", "--json")
    facts = _json(capsys)
    assert (facts["recorded"], facts["events"], facts["numbers"], facts["changed"]) == (True, 2, [1, 2], 2)


def test_problems_of_a_file_name_nobody(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "leavers.csv"
    file.write_text("event,key,value,on\nemployment_ended,person,Zebedee Quux,2020-02-30\n")
    with pytest.raises(UsageError) as told:
        run("import", file, "--yes")
    assert str(told.value).splitlines() == [
        "leavers.csv: 1 problem; nothing was imported.",
        'leavers.csv:2: on: "2020-02-30" is not a day: that month runs from the 1st to 29 February 2020.',
    ]
    assert told.value.exit_code == ExitCode.USAGE


def test_what_is_to_be_imported_must_be_named_and_there(run: Run, tmp_path: Path) -> None:
    for arguments in ((), (tmp_path / "a.csv", "--folder", tmp_path)):
        with pytest.raises(UsageError, match="Name either one file"):
            run("import", *arguments)
    with pytest.raises(UsageError, match=r"none\.csv: cannot be read \(No such file or directory\)"):
        run("import", tmp_path / "none.csv")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "drop"
    path.mkdir()
    return path


def _drop(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text)
    then = time.time() - 60
    os.utime(folder / name, (then, then))


def test_a_drop_folder_is_emptied(run: Run, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("import", "--folder", folder, "--yes") == 0
    assert capsys.readouterr().out == "There is no CSV file in this folder.\n"
    _drop(folder, "a.csv", TABLE)
    assert run("import", "--folder", folder, "--dry-run") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "a.csv: 2 events would be recorded."
    assert run("import", "--folder", folder, "--yes") == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "To be recorded: 2 events from a.csv."
    assert told[-1] == "a.csv: 2 events recorded."
    assert (folder / "done" / "a.csv").exists()
    _drop(folder, "again.csv", TABLE)
    (folder / "fresh.csv").write_text(TABLE)
    assert run("import", "--folder", folder, "--yes") == 0
    assert capsys.readouterr().out.splitlines() == [
        "again.csv: it was imported before, so it was not imported again.",
        "fresh.csv: it is still being written, and is left for the next run.",
    ]
    assert run("import", "--folder", folder, "--yes", "--settled-after", "0") == 0
    assert not (folder / "fresh.csv").exists()
    assert _events(tmp_path) == 2


def test_a_refused_file_is_told_by_exit_code_2_and_one_out_of_reach_by_3(
    run: Run, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "sub.csv").mkdir()
    assert run("import", "--folder", folder, "--yes") == ExitCode.ITEMS_FAILED
    _drop(folder, "a.csv", TABLE)
    _drop(folder, "b.csv", "event,key\n")
    assert run("import", "--folder", folder, "--yes", "--json") == ExitCode.USAGE
    out = capsys.readouterr().out
    facts = json.loads(out[out.index("{") :])
    assert [(one["file"], one["fate"]) for one in facts["files"]] == [
        ("a.csv", "imported"),
        ("b.csv", "refused"),
        ("sub.csv", "unreadable"),
    ]
    assert (facts["files"][0]["numbers"], facts["files"][0]["changed"]) == ([1, 2], 2)
    assert facts["files"][1]["why"].startswith("b.csv: 1 problem; nothing was imported.\nb.csv:1: No column is called")
    assert facts["folder"] == str(folder)


def test_a_file_that_could_not_be_moved_is_told(
    run: Run, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the preview and the move, somebody takes the file away."""
    _drop(folder, "a.csv", TABLE)
    tell = event_acts._tell_changes

    def meanwhile(preview: Any) -> None:
        tell(preview)
        (folder / "a.csv").unlink()

    monkeypatch.setattr(event_acts, "_tell_changes", meanwhile)
    assert run("import", "--folder", folder, "--yes") == ExitCode.ITEMS_FAILED
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "a.csv: 2 events recorded.",
        "a.csv: it cannot be moved away (No such file or directory).",
    ]
    assert _events(tmp_path) == 2


def test_each_file_of_a_folder_is_asked_about(
    run: Run, folder: Path, tmp_path: Path, terminal: Callable[[bytes], None], capsys: pytest.CaptureFixture[str]
) -> None:
    _drop(folder, "a.csv", TABLE)
    _drop(folder, "b.csv", "event,key,value,on\ncase_closed,case,5,2024-01-31\n")
    with pytest.raises(UsageError, match="nobody to ask"):
        run("import", "--folder", folder)
    terminal(b"n\ny\n")
    assert run("import", "--folder", folder) == 0
    told = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert "a.csv: it was not accepted, and is left where it is." in told
    assert told[-1] == "b.csv: 1 event recorded."
    assert _events(tmp_path) == 1


def test_help_is_quick() -> None:
    heavy = ("sqlalchemy", "pydantic", "agent.bootstrap", "agent.usecases.events")
    code = f"import sys, agent.cli.event; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
