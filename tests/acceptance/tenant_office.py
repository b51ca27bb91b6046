"""An office that keeps its files in SharePoint: an emulated tenant, settings that name it, and two people at the
command."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from agent import bootstrap
from agent.cli.app import app
from tests.emulator import Emulator

READER_SECRET, WRITER_SECRET = "reader-secret-8f2c1d", "writer-secret-5a9e7b"
OFFICER = "officer@contoso.example"
TOKEN_STARTS = (
    "eyJ0eXAi",
    "eyJhbGci",
)  # of what a sign-in sends and is given; long enough not to stand in an id by chance
WORDS = "Margaret Ashdown", "QQ123456C"  # stand in documents, and nowhere else
REASON = ("--reason", "looked at it carefully")
SCHEDULE = """\
id: contoso
title: Records of Contoso
version: "1"
organisation: Contoso Ltd
time_zone: Europe/London
classes:
  - id: leaver
    title: Papers of leavers
    mandate: Limitation Act 1980, s. 5
    scope_notes: What is kept of people who have left.
    applies_when: {path: "Leavers/**"}
    trigger: modified
    period: P6Y
    outcome: destroy
    stages: [manager, data protection officer]
"""
SETTINGS = """\
schedule: {folder}/schedule.yaml
tenants:
  - name: contoso
    tenant_id: {tenant}
    reader: {{client_id: {reader}, secret_file: {folder}/reader}}
    writer: {{client_id: {writer}, secret_file: {folder}/writer}}
    login_url: {login}
    graph_url: {graph}
    ca_file: {ca}
    sites: all
    onedrives: none
    mailboxes: {mailboxes}
    quarantine_officers: [{officer}]
    share_of_limit: 1.0
    licences: 100000
reviewers:
  - {{name: ann, roles: [manager, administrator]}}
  - {{name: ben, roles: [data protection officer]}}
disposition:
  mode: act
  cool_off_hours: 0
  quarantine_days: 0
  quiet_minutes: 0
  caps: {{percent: 100.0}}
service:
  jitter_minutes: 0
"""
LONG_AGO = datetime(2015, 3, 2, 12, tzinfo=UTC)


class TenantOffice:
    """The command as each of two people, over one state directory and one library in an emulated tenant."""

    def __init__(
        self, folder: Path, graph: Emulator, monkeypatch: pytest.MonkeyPatch | None = None, mailboxes: str = "none"
    ) -> None:
        self.folder = folder
        self.graph = graph
        self.by = "ann"
        self.output = ""  # everything the commands have printed
        if monkeypatch is not None:
            monkeypatch.setattr(bootstrap, "who", lambda: self.by)
        tenant = graph.tenant
        reading = {"Sites.Read.All", "Files.Read.All", "User.Read.All", "Mail.Read"}
        writing = {"Sites.FullControl.All", "Mail.ReadWrite"}
        self.reader = tenant.add_app(roles=reading, secret=READER_SECRET)
        self.writer = tenant.add_app(roles=writing, secret=WRITER_SECRET)
        self.site = tenant.add_site("HR", path="/sites/hr", data_location="GBR")
        self.library = self.site.add_library("Documents")
        for name, secret in (("reader", READER_SECRET), ("writer", WRITER_SECRET)):
            (folder / name).write_text(secret)
            (folder / name).chmod(0o600)
        (folder / "schedule.yaml").write_text(SCHEDULE)
        settings = SETTINGS.format(
            folder=folder,
            tenant=tenant.id,
            reader=self.reader.client_id,
            writer=self.writer.client_id,
            login=graph.login_url,
            graph=graph.graph_url,
            ca=graph.ca_file,
            officer=OFFICER,
            mailboxes=mailboxes,
        )
        self.settings = folder / "settings.yaml"
        self.settings.write_text(settings)
        self.state = folder / "state"

    def file(self, path: str, *, modified_at: datetime = LONG_AGO) -> str:
        """Puts a document about somebody there; gives its id."""
        text = f"{path}\nStaff record of {WORDS[0]}, National Insurance number {WORDS[1]}.\n"
        return self.library.put(path, text.encode(), modified_at=modified_at, created_at=modified_at)

    def run(self, *arguments: object, code: int = 0, state: bool = True) -> str:
        where = [f"--state={self.state}", f"--config={self.settings}"] if state else []
        done = CliRunner().invoke(app, [*map(str, arguments), *where], env={"COLUMNS": "250"})
        self.output += done.output
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == code, done.output
        return done.stdout

    def json(self, *arguments: object, code: int = 0) -> Any:
        return json.loads(self.run(*arguments, "--json", code=code))

    def due(self) -> dict[str, int]:
        return {one["path"]: one["item"] for one in self.json("review", "list", "--show", 100)["items"]}

    def approve(self, *items: int) -> None:
        for by in ("ann", "ben"):
            self.by = by
            self.run("review", "approve", *items, *REASON, "--yes")
        self.by = "ann"

    def disposals(self) -> dict[str, dict[str, Any]]:
        return {one["path"]: one for one in self.json("dispose", "list", "--all")["disposals"]}
