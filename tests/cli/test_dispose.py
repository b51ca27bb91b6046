"""`retentiond dispose`, `restore` and `tag`: what they ask, refuse, do, and tell to people and to scripts."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from agent import bootstrap
from agent.age.keys import new_identity
from agent.cli.app import app
from agent.errors import ConfigurationError, UsageError
from tests.disposition.house import MASTER, ROOT, WRITTEN, House

REASON = ("--reason", "needed for an appeal")
CASES = ("Cases/1/a.txt", "Cases/1/b.txt")


class Desk:
    """The command over a house in which two cases are approved and can go."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.by = "ann"
        monkeypatch.setattr(bootstrap, "who", lambda: self.by)
        monkeypatch.setattr("agent.acting._synchronised", lambda: True)
        for name, secret in (("master.key", MASTER), ("vault.key", ROOT.secret)):
            (folder / name).write_bytes(secret)
            (folder / name).chmod(0o600)
        (folder / "house.yaml").write_text(WRITTEN)
        house = House(folder)
        self.share = house.share
        for path in CASES:
            house.put(path, path.encode())
        house.scan()
        house.approve(*CASES)
        house.close()
        self.settings()

    def settings(self, **disposition: object) -> None:
        told = {
            "mode": "act",
            "cool_off_hours": 0,
            "quarantine_days": 0,
            "quiet_minutes": 0,
            "caps": {"percent": 100.0},
        }
        people = [
            {"name": "ann", "roles": ["case officer", "administrator"]},
            {"name": "ben", "roles": ["Privacy Lead"]},
        ]
        written = {
            "reviewers": people,
            "disposition": {**told, **disposition},
            "schedule": str(self.folder / "house.yaml"),
        }
        (self.folder / "settings.yaml").write_text(yaml.safe_dump(written))

    def run(self, *arguments: object, code: int = 0, answer: str = "") -> str:
        where = [f"--state={self.folder}", f"--config={self.folder / 'settings.yaml'}"]
        done = CliRunner().invoke(app, [*map(str, arguments), *where], input=answer, env={"COLUMNS": "250"})
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == code, done.output
        return done.stdout

    def json(self, *arguments: object, code: int = 0) -> Any:
        return json.loads(self.run(*arguments, "--json", code=code))


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(tmp_path, monkeypatch)


def test_a_plan_names_what_would_go_and_changes_nothing(desk: Desk) -> None:
    text = desk.run("dispose", "plan", "--show", 1)
    assert "office/Cases/1/a.txt  case-file, " in text
    assert "and 1 more" in text
    assert "To be taken into quarantine: 2 files" in text
    desk.settings(mode="propose")
    assert "waits: 2 files, of a class on which nothing acts yet" in desk.run("dispose", "plan")
    assert all((desk.share / path).exists() for path in CASES)


def test_it_asks_before_it_acts_and_takes_no_for_an_answer(desk: Desk) -> None:
    assert "Nothing was done." in desk.run("dispose", "run", answer="n\n")
    assert all((desk.share / path).exists() for path in CASES)
    with pytest.raises(UsageError, match="Nobody answered"):
        desk.run("dispose", "run")
    with pytest.raises(UsageError, match="With --json nobody is asked"):
        desk.json("dispose", "run")
    assert "Taken into quarantine: 2 files" in desk.run("dispose", "run", answer="y\n")
    assert not any((desk.share / path).exists() for path in CASES)


def test_quarantine_and_destruction_can_be_had_apart(desk: Desk) -> None:
    with pytest.raises(UsageError, match="--only"):
        desk.run("dispose", "run", "--only", "both", "--yes")
    assert desk.json("dispose", "run", "--only", "destroy", "--yes")["quarantined"] == 0
    assert desk.json("dispose", "run", "--only", "quarantine", "--yes")["quarantined"] == 2
    assert desk.json("dispose", "run", "--only", "quarantine", "--yes")["destroyed"] == 0
    assert desk.json("dispose", "run", "--only", "destroy", "--yes")["destroyed"] == 2
    erased = desk.json("dispose", "erase")
    assert (len(erased["erased"]), erased["survivors"]) == (2, 0)
    assert "Erased: 0 files" in desk.run("dispose", "erase")


def test_the_list_and_one_of_it_say_who_when_and_why(desk: Desk) -> None:
    desk.run("dispose", "run", "--yes")
    text = desk.run("dispose", "list")
    assert "in quarantine  office/Cases/1/a.txt  case-file" in text
    one = desk.json("dispose", "show", 1)
    assert [step["state"] for step in one["steps"]] == ["planned", "sealed", "quarantined"]
    assert [approval["by"] for approval in one["approvals"]] == ["ann", "ben"]
    assert "approved by ben as privacy lead" in desk.run("dispose", "show", 1)
    with pytest.raises(UsageError, match="There is no disposal 9"):
        desk.run("dispose", "show", 9)


def test_what_is_restored_is_told_and_so_is_what_cannot_be(desk: Desk) -> None:
    desk.run("dispose", "run", "--yes")
    with pytest.raises(UsageError, match="--reason: say why"):
        desk.run("restore", 1, "--yes")
    with pytest.raises(UsageError, match="several items cannot go to one place"):
        desk.run("restore", 1, 2, "--to", "x", *REASON, "--yes")
    assert "Disposal 1: restored to Cases/1/a.txt." in desk.run("restore", 1, *REASON, answer="y\n")
    with pytest.raises(UsageError, match="Disposal 1 is restored, so nothing can be restored"):
        desk.run("restore", 1, *REASON, "--yes")
    (desk.share / CASES[1]).write_bytes(b"a new file")
    assert "something else lies in its place. It stays in quarantine." in desk.run(
        "restore", 2, *REASON, "--yes", code=3
    )
    assert "restored to Elsewhere/b.txt" in desk.run("restore", 2, "--to", "Elsewhere/b.txt", *REASON, "--yes")
    assert (desk.share / "Elsewhere/b.txt").read_bytes() == CASES[1].encode()


def test_a_pause_stops_everything_and_only_an_administrator_ends_it(desk: Desk) -> None:
    with pytest.raises(UsageError, match="--reason"):
        desk.run("dispose", "pause")
    desk.by = "ben"
    desk.run("dispose", "pause", "--reason", "an inquiry was announced")
    assert "PAUSED since" in desk.run("dispose", "list")
    told = desk.json("dispose", "run", "--yes", code=3)
    assert (told["quarantined"], told["kept"]) == (0, {"paused": 2})
    with pytest.raises(UsageError, match="ended by an administrator"):
        desk.run("dispose", "resume", "--reason", "the inquiry is over")
    with pytest.raises(UsageError, match="paused already"):
        desk.run("dispose", "pause", "--reason", "an inquiry was announced")
    desk.by = "ann"
    desk.run("dispose", "resume", "--reason", "the inquiry is over")
    with pytest.raises(UsageError, match="not paused"):
        desk.run("dispose", "resume", "--reason", "the inquiry is over")
    assert desk.json("dispose", "run", "--yes")["quarantined"] == 2


def test_caps_are_kept_unless_an_administrator_says_why(desk: Desk) -> None:
    desk.settings(caps={"items": 1})
    assert "beyond the daily caps of share office: 1 file (--over-caps)" in desk.run("dispose", "plan")
    desk.by = "ben"
    with pytest.raises(UsageError, match="takes an administrator"):
        desk.run("dispose", "run", "--over-caps", *REASON, "--yes")
    desk.by = "ann"
    with pytest.raises(UsageError, match="--reason"):
        desk.run("dispose", "run", "--over-caps", "--yes")
    assert desk.json("dispose", "run", "--yes")["quarantined"] == 1
    assert desk.json("dispose", "run", "--yes")["quarantined"] == 0
    assert desk.json("dispose", "run", "--over-caps", *REASON, "--yes")["quarantined"] == 1


def test_a_clock_that_nothing_confirms_needs_an_administrator(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.acting._synchronised", lambda: False)
    with pytest.raises(UsageError, match="--clock-is-right"):
        desk.run("dispose", "run", "--yes")
    assert desk.json("dispose", "run", "--clock-is-right", *REASON, "--yes")["quarantined"] == 2


def test_nobody_else_acts_meanwhile(desk: Desk) -> None:
    from agent.acting import sole_actor

    with sole_actor(desk.folder), pytest.raises(UsageError, match="another process is carrying out disposals"):
        desk.run("dispose", "recover")
    assert desk.json("dispose", "recover")["unsettled"] == {}
    assert "Left behind by an earlier run: 0 finished" in desk.run("dispose", "recover")


def test_without_a_vault_nothing_can_be_taken(desk: Desk) -> None:
    import shutil

    shutil.rmtree(desk.folder / "vault")
    with pytest.raises(ConfigurationError, match="vault init"):
        desk.run("dispose", "run", "--yes")


def test_exports_are_listed_and_confirmed(desk: Desk) -> None:
    assert "Nothing was exported yet." in desk.run("dispose", "exports")
    _, recipient = new_identity()
    with pytest.raises(UsageError, match="Nothing in quarantine waits"):
        desk.run("dispose", "export", "--to", "Acme", "--recipient", recipient)
    with pytest.raises(UsageError, match="There is no export 1"):
        desk.run("dispose", "confirm", 1, *REASON)


def test_marks_are_written_and_taken_away_without_making_a_file_count_as_changed(desk: Desk) -> None:
    house = House(desk.folder)
    house.put("Letters/c.txt", b"a letter")
    house.scan()
    house.close()
    told = desk.json("tag")
    assert (told["marked"], told["left"]) == (1, {"under_review": 2})
    letter = desk.share / "Letters/c.txt"
    assert os.getxattr(letter, "user.retentiond.decided.class") == b"letter"
    assert os.getxattr(letter, "user.retentiond.decided.due") == b"2021-05-18"
    assert desk.json("tag", "--class", "letter")["as_before"] == 1
    with pytest.raises(UsageError, match='has no class "leter"'):
        desk.run("tag", "--class", "leter")
    assert "Marked: 1 file" in desk.run("tag", "--remove")
    assert os.listxattr(letter) == []
