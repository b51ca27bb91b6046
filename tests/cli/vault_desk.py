"""The `retentiond` command over a state directory with a vault, and what may never appear in what it prints."""

from __future__ import annotations

import base64
import io
import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agent import strongroom
from agent.cli import main
from agent.cli.app import app
from agent.settings import Settings, load_settings
from agent.vault.disk import Disk
from agent.vault.store import Vault
from tests.cli.here import built
from tests.vault.factories import an_id, put

IDS = (an_id(1), an_id(2), an_id(3))


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


class Desk:
    """One state directory, and the command as a user runs it there."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.vault_directory = self.state / "vault"
        self.key_file = self.state / "vault.key"
        self.settings_file = folder / "settings.yaml"
        self.settings_file.write_text("shares: []\n")
        self.printed = ""
        self.secrets: set[str] = set()
        self._monkeypatch, self._capsys = monkeypatch, capsys
        monkeypatch.setattr("agent.cli.app.app", built(app))
        monkeypatch.setenv("RETENTIOND_STATE", str(self.state))
        monkeypatch.setenv("RETENTIOND_CONFIG", str(self.settings_file))
        monkeypatch.setenv("COLUMNS", "200")
        monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)

    def run(self, *arguments: str | Path, stdin: bytes = b"") -> Ran:
        self._note_key()
        self._monkeypatch.setattr(sys, "argv", ["retentiond", "vault", *map(str, arguments)])
        self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = self._capsys.readouterr()
        self._note_key()
        self.printed += out + err
        assert isinstance(ended.value.code, int)
        return Ran(ended.value.code, out, err)

    def did(self, *arguments: str | Path, stdin: bytes = b"") -> str:
        """What a command that succeeds prints."""
        ran = self.run(*arguments, stdin=stdin)
        assert ran.code == 0, ran
        return ran.out

    def json(self, *arguments: str | Path) -> Any:
        return json.loads(self.run(*arguments, "--json").out)

    def _note_key(self) -> None:
        for path in self.folder.rglob("*.key"):
            self.note(path.read_bytes())

    def note(self, secret: bytes) -> None:
        """From now on this must never be printed, however it is written."""
        if len(secret) == 32:
            self.secrets |= {secret.hex(), base64.b64encode(secret).decode()[:40], repr(secret)[2:-1]}

    def officer(self, name: str) -> tuple[Path, str]:
        """A new identity file and its recipient."""
        path = self.folder / f"{name}.identity"
        recipient = self.did("age-key", "--output", path).strip()
        self.secrets |= set(re.findall(r"AGE-SECRET-KEY-1\w+", path.read_text()))
        return path, recipient

    def bundle(self, *recipients: str, name: str = "bundle.age") -> Path:
        path = self.folder / name
        self.did("recovery", "make", "--output", path, *(part for one in recipients for part in ("--recipient", one)))
        return path

    def settings(self) -> Settings:
        return load_settings(self.settings_file)

    @contextmanager
    def vault(self) -> Iterator[Vault]:
        with strongroom.open_vault(self.settings(), self.state) as vault:
            yield vault

    def seal(self, *ids: str) -> None:
        with self.vault() as vault:
            put(vault, *ids)

    def object(self, id: str) -> Path:
        return self.vault_directory / "objects" / id[:2] / f"{id}.enc"

    def give_credential(self, key: bytes) -> Path:
        """As systemd does for a service that has `LoadCredentialEncrypted=retentiond-vault`."""
        directory = self.folder / "credentials"
        directory.mkdir(exist_ok=True)
        (directory / "retentiond-vault").write_bytes(key)
        self._monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(directory))
        self.note(key)
        return directory / "retentiond-vault"

    def everything(self) -> dict[str, tuple[int, bytes | None]]:
        """Every file with its content and time, to see that nothing was written."""
        return {
            str(path): (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else None)
            for path in self.folder.rglob("*")
        }


@contextmanager
def watched(desk: Desk) -> Iterator[Desk]:
    """The desk; afterwards, that it has never printed a secret and that no command ended as a defect of ours."""
    yield desk
    shown = [secret for secret in desk.secrets if secret in desk.printed]
    assert not shown, "a secret was printed"
    assert "defect of ours" not in desk.printed


def failing(monkeypatch: pytest.MonkeyPatch, at: int) -> list[str]:
    """From the call with that number on every change to a disk fails, as if the machine had stopped there."""
    calls: list[str] = []

    def wrapped(name: str) -> None:
        original = getattr(Disk, name)

        def call(self: Disk, *arguments: object, **named: object) -> object:
            calls.append(name)
            if len(calls) > at:
                raise OSError(5, "Input/output error")
            return original(self, *arguments, **named)

        monkeypatch.setattr(Disk, name, call)

    for name in ("make_directory", "create", "write", "sync", "rename_over", "link", "unlink"):
        wrapped(name)
    return calls
