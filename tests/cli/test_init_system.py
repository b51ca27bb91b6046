"""`retentiond init --system` asks little, says what it found, and leaves a machine that the service can start on."""

from __future__ import annotations

import io
import json
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agent.cli import main
from agent.cli.app import app
from agent.errors import ExitCode
from agent.settings import load_settings
from agent.usecases.set_up_places import Mount, most_watches
from tests.cli.here import built
from tests.usecases.server import DISPOSE, GROUP, TEMPLATE, facts, make_image

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="prepares a machine, for which it must be root")

OFFICE = ("--share", "office=/srv/shares/office")


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


class Server:
    """The image of a machine, and the command as its administrator runs it."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self._monkeypatch, self._capsys = monkeypatch, capsys
        monkeypatch.setenv("COLUMNS", "200")
        monkeypatch.delenv("RETENTIOND_STATE", raising=False)
        monkeypatch.delenv("RETENTIOND_CONFIG", raising=False)

    @property
    def settings(self) -> Path:
        return self.root / "etc/retentiond/retentiond.yaml"

    def run(self, *arguments: str | Path, typed: str | None = None) -> Ran:
        self._monkeypatch.setattr("agent.cli.app.app", built(app))
        self._monkeypatch.setattr(sys, "argv", ["retentiond", *map(str, arguments)])
        self._monkeypatch.setattr(sys, "stdin", io.StringIO() if typed is None else Terminal(typed))
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = self._capsys.readouterr()
        assert isinstance(ended.value.code, int)
        assert "defect of ours" not in err
        return Ran(ended.value.code, out, err)

    def init(self, *arguments: str | Path, typed: str | None = None) -> Ran:
        return self.run("init", "--system", "--root", self.root, *arguments, typed=typed)

    def did(self, *arguments: str | Path, typed: str | None = None) -> str:
        """What it prints when it succeeds."""
        ran = self.init(*arguments, typed=typed)
        assert ran.code == 0, ran
        return ran.out

    def json(self, *arguments: str | Path) -> Any:
        return json.loads(self.did(*arguments, "--json"))

    def check(self) -> str:
        checked = self.run("check", "--config", self.settings, "--schedule", self.root / "etc/retentiond/schedule.yaml")
        assert checked.code == 0, checked
        return checked.out

    def dispose_drop_in(self) -> str:
        return (self.root / "etc/systemd/system/retentiond-dispose.service.d/shares.conf").read_text()


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Server:
    return Server(make_image(tmp_path / "image"), monkeypatch, capsys)


def refused(ran: Ran, code: ExitCode, *words: str) -> None:
    assert ran.code == code, ran
    assert ran.err.startswith("retentiond: ")
    for word in words:
        assert word in ran.err


def test_what_it_writes_passes_check_and_names_what_was_chosen(server: Server) -> None:
    reviewer = ("--reviewer", "ann:records manager,dpo:ann@example.org")

    out = server.did(*OFFICE, *reviewer, "--schedule", "hr-investigations", "--nights", "21:30-05:00", "--yes")

    assert "sound (1 shares, 0 tenants)" in server.check()
    settings = load_settings(server.settings)
    assert [(one.name, one.path, one.window, one.reconcile) for one in settings.shares] == [
        ("office", "/srv/shares/office", ("21:30-05:00",), "30 21 * * *")
    ]
    assert settings.reviewers[0].email == "ann@example.org"
    assert settings.disposition.mode == "observe"
    assert "Mode: observe. Nothing is disposed of" in out
    assert "docs/how-to/switch-on-disposition.md" in out
    for step in ("systemctl enable --now retentiond-scan", "retentiond vault recovery make", "retentiond status"):
        assert step in out
    found = facts(server.root)
    assert found["etc/retentiond/retentiond.yaml"][:3] == (0o640, 0, GROUP)
    assert found["var/lib/retentiond/vault"][:3] == (0o700, DISPOSE, DISPOSE)


def test_no_key_is_printed(server: Server) -> None:
    ran = server.init(*OFFICE, "--yes")

    for key in server.root.rglob("*.key"):
        secret = key.read_bytes()
        assert secret.hex() not in ran.out + ran.err
        assert repr(secret)[2:-1] not in ran.out + ran.err


def test_what_a_share_can_do_is_said_in_plain_words(server: Server) -> None:
    out = server.did(*OFFICE, "--yes")

    assert "Reading keeps access times." in out
    assert re.search(r"Files (can|cannot) carry tags", out)
    assert "afe quarantine" in out
    assert "told at once in 2 folders" in out


def test_looking_at_a_share_leaves_it_as_it_was(server: Server) -> None:
    share = server.root / "srv/shares/office"
    os.utime(share, ns=(1_500_000_000_000_000_001, 1_500_000_000_000_000_002))
    os.utime(share / "letters", ns=(1_500_000_000_000_000_003, 1_500_000_000_000_000_004))
    before = [(path, path.stat().st_atime_ns, path.stat().st_mtime_ns) for path in (share, share / "letters")]

    server.did(*OFFICE, "--yes")

    assert [(path, path.stat().st_atime_ns, path.stat().st_mtime_ns) for path in (share, share / "letters")] == before


def test_a_second_run_says_that_everything_is_there(server: Server) -> None:
    server.did(*OFFICE, "--yes")
    before = facts(server.root)

    assert "Everything is there already: nothing was changed." in server.did()
    assert "nothing was changed" in server.did(*OFFICE, "--schedule", "uk-default", "--nights", "20:00-06:00", "--yes")
    assert server.json()["changed"] is False
    assert facts(server.root) == before


def test_json_tells_everything(server: Server) -> None:
    told = server.json(*OFFICE)

    assert told["changed"] is True
    assert told["shares"][0]["folders"] == 2
    assert {step["what"] for step in told["steps"]} >= {"settings", "vault", "master key", "retention schedule"}
    assert told["mode"] == "observe"
    assert told["root_key"]["sealed"] is False
    assert told["systemd_told"] is None
    assert told["next"][0]["command"] == "systemctl enable --now retentiond-scan"


# What cannot be done is said, and nothing is written


def test_without_a_terminal_and_without_options_it_says_what_to_type(server: Server) -> None:
    before = facts(server.root)

    refused(server.init(), ExitCode.USAGE, "--share office=/srv/shares/office --yes")

    assert facts(server.root) == before


def test_users_that_are_missing_are_told_with_the_command_that_makes_them(server: Server, tmp_path: Path) -> None:
    server.root = make_image(tmp_path / "bare", accounts=False)

    ran = server.init(*OFFICE, "--yes")

    refused(ran, ExitCode.CONFIGURATION, "retentiond-scan", f"systemd-sysusers --root={server.root}")
    assert not server.settings.exists()


def test_without_root_it_says_what_to_run(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    refused(server.init(*OFFICE, "--yes"), ExitCode.USAGE, "sudo retentiond init --system")


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (("--share", "office=/srv/nowhere"), ExitCode.SOURCE_UNAVAILABLE, "/srv/nowhere"),
        (("--share", "office"), ExitCode.USAGE, "NAME=PATH"),
        (("--share", "all=/"), ExitCode.CONFIGURATION, "documents"),
        ((*OFFICE, "--share", "a=/srv/shares/office/letters"), ExitCode.USAGE, "overlap"),
        ((*OFFICE, "--schedule", "nobody-knows"), ExitCode.CONFIGURATION, "uk-default"),
        ((*OFFICE, "--nights", "late"), ExitCode.USAGE, "HH:MM-HH:MM"),
        ((*OFFICE, "--reviewer", "ann"), ExitCode.USAGE, "ROLE"),
        ((*OFFICE, "/srv"), ExitCode.USAGE, "--share"),
        ((*OFFICE, "--config", "x.yaml"), ExitCode.USAGE, "--system"),
    ],
)
def test_a_mistake_is_told_before_anything_is_written(
    server: Server, arguments: tuple[str, ...], code: ExitCode, word: str
) -> None:
    before = facts(server.root)

    refused(server.init(*arguments, "--yes"), code, word)

    assert facts(server.root) == before


def test_options_of_the_service_are_refused_without_system(server: Server) -> None:
    refused(server.run("init", *OFFICE), ExitCode.USAGE, "--system")


def test_a_damaged_schedule_is_told_with_its_line(server: Server, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("id: mine\nclasses: nothing\n")

    ran = server.init(*OFFICE, "--schedule", tmp_path / "mine.yaml", "--yes")

    refused(ran, ExitCode.CONFIGURATION, "mine.yaml")
    assert not server.settings.exists()


# What is there already


def test_settings_that_say_something_else_are_not_replaced_without_force(server: Server) -> None:
    server.did(*OFFICE, "--yes")
    before = facts(server.root)

    refused(server.init(*OFFICE, "--nights", "always", "--yes"), ExitCode.USAGE, "--nights", "--force")
    refused(server.init("--reviewer", "ann:dpo", "--yes"), ExitCode.USAGE, "--reviewer", "--force")
    refused(server.init("--schedule", "education-group", "--yes"), ExitCode.USAGE, "--schedule", "--force")

    assert facts(server.root) == before


def test_force_replaces_settings_and_schedule_and_keeps_the_old_ones_and_every_key(server: Server) -> None:
    server.did(*OFFICE, "--yes")
    old = server.settings.read_text()
    keys = {path: path.read_bytes() for path in server.root.rglob("*.key")}

    out = server.did(*OFFICE, "--nights", "always", "--schedule", "education-group", "--force", "--yes")

    kept = list(server.settings.parent.glob("retentiond.yaml.before-*"))
    assert [one.read_text() for one in kept] == [old]
    assert kept[0].stat().st_mode & 0o777 == 0o640
    assert str(kept[0]) in out
    assert len(list(server.settings.parent.glob("schedule.yaml.before-*"))) == 1
    assert load_settings(server.settings).shares[0].window == ()
    assert {path: path.read_bytes() for path in server.root.rglob("*.key")} == keys
    server.check()


def test_the_settings_that_came_with_the_package_are_filled_in(server: Server) -> None:
    server.settings.parent.mkdir()
    server.settings.write_text(TEMPLATE)

    server.did(*OFFICE, "--yes")

    assert load_settings(server.settings).shares[0].name == "office"
    assert list(server.settings.parent.glob("*.before-*")) == []


def test_once_a_class_may_act_a_new_run_lets_the_service_write_to_the_shares(server: Server) -> None:
    server.did(*OFFICE, "--yes")
    assert "ReadWritePaths=" not in server.dispose_drop_in()
    text = server.settings.read_text()
    server.settings.write_text(text.replace("  classes: {}", "  classes: {recruitment: act}"))

    out = server.did()

    assert 'ReadWritePaths=-"/srv/shares/office"' in server.dispose_drop_in()
    assert "can write to the shares" in out
    assert "enable --now retentiond-scan retentiond-dispose" in out

    server.settings.write_text(text)
    server.did()

    assert "ReadWritePaths=" not in server.dispose_drop_in()


def test_a_vault_elsewhere_may_be_written_to_and_is_hidden_from_the_unit_that_scans(server: Server) -> None:
    server.did(*OFFICE, "--yes")
    (server.root / "srv/keys").mkdir()
    text = server.settings.read_text().replace("  directory: null", "  directory: /srv/keys/vault", 1)
    server.settings.write_text(text)

    server.did()

    scan = (server.root / "etc/systemd/system/retentiond-scan.service.d/shares.conf").read_text()
    assert 'InaccessiblePaths=-"/srv/keys/vault"' in scan
    assert 'ReadWritePaths="/srv/keys/vault"' in server.dispose_drop_in()
    assert (server.root / "srv/keys/vault/keyring").stat().st_uid == DISPOSE


# Questions


def test_at_a_terminal_five_questions_are_asked_each_with_its_reason_and_a_default(server: Server) -> None:
    ran = server.init(typed="\n\n\n\n\n")

    assert ran.code == 0, ran
    assert len(re.findall(r"\[[^\]]+\]:", ran.err)) == 5
    assert ran.err.count("?") >= 5
    assert load_settings(server.settings).shares[0].path == "/srv/shares/office"
    assert load_settings(server.settings).shares[0].window == ("20:00-06:00",)


def test_what_the_options_said_is_not_asked_again(server: Server) -> None:
    ran = server.init(*OFFICE, "--schedule", "uk-default", "--nights", "always", "--reviewer", "a:dpo", typed="y\n")

    assert ran.code == 0, ran
    assert len(re.findall(r"\[[^\]]+\]:", ran.err)) == 1


def test_an_answer_that_cannot_be_read_is_asked_for_again(server: Server) -> None:
    ran = server.init(typed="nonsense\noffice=/srv/nowhere\npapers=/srv/shares/office\n\n\n\n\n")

    assert ran.code == 0, ran
    assert "NAME=PATH" in ran.err
    assert "/srv/nowhere" in ran.err
    assert load_settings(server.settings).shares[0].name == "papers"


def test_who_says_no_finds_everything_as_it_was(server: Server) -> None:
    before = facts(server.root)

    ran = server.init(typed="\n\n\n\nn\n")

    assert ran.code == 0
    assert "To be set up" in ran.err
    assert facts(server.root) == before


# Notes


def test_an_empty_share_too_few_watches_and_missing_reviewers_are_noted(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.cli.init_words.most_watches", lambda: 1)
    monkeypatch.setattr("agent.cli.init_system.mount_of", lambda *_: Mount(Path("/"), "ext4", False))
    (server.root / "srv/shares/empty").mkdir()

    notes = "\n".join(server.json(*OFFICE, "--share", "e=/srv/shares/empty")["notes"])

    assert "/srv/shares/empty is empty" in notes
    assert "fs.inotify.max_user_watches=" in notes
    assert "reviewers" in notes
    assert "units are not installed" in notes


def test_roles_that_nobody_holds_are_noted(server: Server) -> None:
    notes = server.json(*OFFICE, "--schedule", "education-group", "--reviewer", "ann:privacy lead")["notes"]

    assert any("owner of the purpose" in note and "privacy lead" not in note for note in notes)


def test_a_remote_share_is_said_to_be_gone_through_at_night(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.cli.init_system.mount_of", lambda *_: Mount(Path("/srv"), "nfs4", True))

    out = server.did(*OFFICE, "--yes")

    assert "lies on another machine" in out
    assert "Nothing can be written here" in out


def test_the_kernel_says_how_many_folders_may_be_watched(tmp_path: Path) -> None:
    assert most_watches() is None or (most_watches() or 0) > 0
    assert most_watches(tmp_path) is None
