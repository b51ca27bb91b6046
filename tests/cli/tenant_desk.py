"""An administrator's desk: the command, settings that name the emulated tenant, and two app registrations in it."""

from __future__ import annotations

import datetime as dt
import io
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.cli import main
from agent.cli.app import app
from agent.usecases.set_up_certificates import new_key
from tests.cli.here import built
from tests.emulator import App, Emulator

HR = "https://contoso.sharepoint.com/sites/hr"
KEY = new_key("retentiond reader contoso", dt.datetime.now(dt.UTC))
SECRET = "wr1ter"  # noqa: S105 — the emulator's


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


class Terminal(io.StringIO):
    """Where somebody types."""

    def isatty(self) -> bool:
        return True


def run_here(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: object, typed: str | None = None
) -> Ran:
    """Runs the command in this process, which has the libraries loaded already; somebody `typed` that, or nobody is
    there."""
    monkeypatch.setattr("agent.cli.app.app", built(app))
    monkeypatch.setattr(sys, "argv", ["retentiond", *map(str, arguments)])
    monkeypatch.setattr(sys, "stdin", io.StringIO() if typed is None else Terminal(typed))
    monkeypatch.setenv("COLUMNS", "200")
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main()
    out, err = capsys.readouterr()
    assert isinstance(ended.value.code, int)
    assert "defect of ours" not in err
    return Ran(ended.value.code, out, err)


class TenantDesk:
    """What an administrator has: `reader` and `writer` are the app registrations, `settings` a file he can edit."""

    def __init__(
        self, graph: Emulator, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.graph, self._folder, self._monkeypatch, self._capsys = graph, folder, monkeypatch, capsys
        self.reader: App = graph.tenant.add_app(roles={"Sites.Selected"}, certificate=KEY)
        self.writer: App = graph.tenant.add_app(roles={"Sites.Selected"}, secret=SECRET)
        self.settings = folder / "retentiond.yaml"
        self._keep("reader.pem", KEY)
        self._keep("writer.secret", SECRET.encode())
        self.write()

    def write(self, **more: Any) -> None:
        """Writes the settings: a tenant with a reader, which is to look at HR, and more as it is given."""
        tenant = {
            "name": "contoso",
            "tenant_id": self.graph.tenant.id,
            "reader": {"client_id": self.reader.client_id, "certificate_file": str(self._folder / "reader.pem")},
            "ca_file": self.graph.ca_file,
            "login_url": self.graph.login_url,
            "graph_url": self.graph.graph_url,
            "sites": [HR],
        }
        self.settings.write_text(yaml.safe_dump({"tenants": [tenant | more]}))

    def with_writer(self, **more: Any) -> None:
        """The same with a writer."""
        writer = {"client_id": self.writer.client_id, "secret_file": str(self._folder / "writer.secret")}
        self.write(writer=writer, quarantine_officers=["dpo@contoso.example"], **more)

    def run(self, *arguments: str, typed: str | None = None) -> Ran:
        """Runs `retentiond m365 …` with these settings."""
        places = ("--config", self.settings, "--state", self._folder / "state")
        return run_here(self._monkeypatch, self._capsys, "m365", *arguments, *places, typed=typed)

    def said(self, *arguments: str, code: int = 0) -> Any:
        """What it prints as JSON."""
        ran = self.run(*arguments, "--json")
        assert ran.code == code, ran
        return json.loads(ran.out)

    def _keep(self, name: str, content: bytes) -> None:
        (self._folder / name).write_bytes(content)
        (self._folder / name).chmod(0o600)
