"""The story of an investigations office (policy S1) on real files, by the commands that people use: scan, events, two
people's review, quarantine, restore one, hand back, destroy the rest, erase, certificate, verify."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from agent import bootstrap
from agent.age.keys import new_identity
from agent.cli.app import app
from tests.policies.scenario import FOLDER, content_of

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("reads_here")]
REASON = ("--reason", "looked at it carefully")
SETTINGS = """\
schedule: hr-investigations
shares: [{{name: office, path: {share}, copies: [{{kind: backup, what: The nightly backup, days: 35}}]}}]
reviewers:
  - {{name: ann, roles: [investigator, administrator]}}
  - {{name: ben, roles: [data protection officer]}}
disposition:
  mode: act
  cool_off_hours: 0
  quarantine_days: 0
  quiet_minutes: 0
  caps: {{percent: 100.0}}
"""


class Desk:
    """The command as each of two people, over one state directory."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.share = folder / "share"
        self.by = "ann"
        monkeypatch.setattr(bootstrap, "who", lambda: self.by)
        (folder / "settings.yaml").write_text(SETTINGS.format(share=self.share))

    def run(self, *arguments: object, code: int = 0, state: bool = True) -> str:
        where = [f"--state={self.folder / 'state'}", f"--config={self.folder / 'settings.yaml'}"] if state else []
        done = CliRunner().invoke(app, [*map(str, arguments), *where], env={"COLUMNS": "250"})
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == code, done.output
        return done.stdout

    def json(self, *arguments: object, code: int = 0) -> Any:
        return json.loads(self.run(*arguments, "--json", code=code))

    def fill(self) -> dict[str, bytes]:
        """The office of the scenario as files, and what happened, as events."""
        script = yaml.safe_load((FOLDER / "hr-investigations.yaml").read_text(encoding="utf-8"))
        texts = {file["path"]: file["text"] for file in script["files"] if "text" in file}
        files = {}
        for file in script["files"]:
            if "share" in file:
                continue
            path = file["path"]
            files[path] = content_of(path, texts[file.get("copy_of", path)])
            place = self.share / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(files[path])
            day = file.get("modified", file["made"])
            moment = datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp()
            os.utime(place, (moment, moment))
            if "labels" in file:
                os.setxattr(place, "user.retentiond.labels", ",".join(file["labels"]).encode())
        return files

    def tell_what_happened(self) -> None:
        script = yaml.safe_load((FOLDER / "hr-investigations.yaml").read_text(encoding="utf-8"))
        for fact in script["happened"]:
            if "event" in fact:
                pair = f"{fact['key']}={fact['value']}"
                self.run("event", "add", fact["event"], pair, "--on", fact["date"], "--yes")

    def due(self) -> dict[str, int]:
        return {one["path"]: one["item"] for one in self.json("review", "list", "--show", 100)["items"]}

    def approve(self, *items: int) -> None:
        for by in ("ann", "ben"):
            self.by = by
            mine = {one["item"] for one in self.json("review", "list", "--show", 100, "--mine")["items"]}
            if chosen := [item for item in items if item in mine]:
                self.run("review", "approve", *chosen, *REASON, "--yes")
        self.by = "ann"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(tmp_path, monkeypatch)


def test_the_story_of_an_investigations_office(desk: Desk) -> None:
    files = desk.fill()
    held = "Complaints/TP-31/Material/Email from the family.eml"
    desk.run("scan", "--jobs", 1)
    desk.tell_what_happened()
    desk.run("vault", "init")
    desk.run(
        "hold", "place", "Claim of the family", "--kind", "legal-hold", "--path", held, "--citation", "claim 7",
        *REASON, "--yes",
    )  # fmt: skip

    # What is due is reviewed by two people; what is held cannot be.
    due = desk.due()
    assert held not in due
    handed_back = sorted(path for path in due if path.startswith("Cases/2019-014/Evidence/"))
    report = "Cases/2019-014/Report/Final report.docx"
    material = "Complaints/TP-31/Material/Statement of the ward sister.docx"
    assert {report, *handed_back} <= due.keys()
    assert "Cases/2019-014/Anonymised/Themes.txt" not in due
    assert desk.json("dispose", "plan")["to_quarantine"] == 0
    desk.approve(*due.values())

    # Into quarantine.
    taken = desk.json("dispose", "run", "--yes")
    assert (taken["quarantined"], taken["kept"]) == (len(due), {})
    assert {path for path in files if not (desk.share / path).exists()} == due.keys()
    assert (desk.share / held).read_bytes() == files[held]

    # One comes back, as it was, and is not taken again on the old word.
    number = {one["path"]: one["disposal"] for one in desk.json("dispose", "list")["disposals"]}
    desk.run("restore", number[report], *REASON, "--yes")
    assert (desk.share / report).read_bytes() == files[report]
    assert (desk.share / report).stat().st_mtime == datetime(2019, 7, 1, 12, tzinfo=UTC).timestamp()
    assert desk.json("dispose", "plan")["to_quarantine"] == 0

    # The client's papers go back to the client; until they have arrived they stay.
    _, recipient = new_identity()
    export = desk.json("dispose", "export", "--to", "Larchmont Foods", "--recipient", recipient)
    assert export["items"] == len(handed_back)
    gone = desk.json("dispose", "run", "--yes")
    assert gone["destroyed"] == len(due) - 1 - len(handed_back)
    assert gone["in_quarantine_waiting"] == {"not_handed_over": len(handed_back)}
    desk.run("dispose", "confirm", export["export"], "--reason", "signed for by the client")
    assert desk.json("dispose", "run", "--yes")["destroyed"] == len(handed_back)

    # Beyond anybody's reach, with proof.
    assert len(desk.json("dispose", "erase")["erased"]) == len(due) - 1
    assert desk.json("vault", "list")["objects"] == []
    certificate, keys = desk.folder / "gone.txt", desk.folder / "keys.txt"
    desk.run("certificate", "issue", "--output", certificate)
    keys.write_text(desk.run("certificate", "keys"))
    assert "genuine" in desk.run("certificate", "verify", certificate, "--key", keys, state=False)
    written = certificate.read_text()
    assert "Wrenfield" not in written
    assert "ward sister" not in written
    assert "nothing was changed" in desk.run("audit", "verify")

    # The next scan finds the estate in order, and nothing left to do.
    desk.run("scan", "--jobs", 1)
    assert desk.json("dispose", "plan")["to_quarantine"] == 0
    assert material not in desk.due()
    states = {one["state"] for one in desk.json("dispose", "list", "--all")["disposals"]}
    assert states == {"erased", "restored"}
