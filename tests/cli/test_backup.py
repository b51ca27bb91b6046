"""`retentiond backup`: what it asks, refuses, does and says; and the whole drill, to another state and back to work."""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from agent import bootstrap
from agent.age.keys import new_identity
from agent.audit.verify import Trouble
from agent.cli.backup import backup_app
from agent.errors import CatalogueError, ConfigurationError, ExitCode, UsageError
from agent.usecases.backup_manifest import BackupDamaged
from tests.acceptance.test_disposal_story import REASON
from tests.acceptance.test_disposal_story import Desk as Office
from tests.disposition.house import MASTER, ROOT, WRITTEN, House, trail

CASES = ("Cases/1/a.txt", "Cases/1/b.txt")


class Desk:
    """The command over a house with one case in quarantine, an officer's identity, and a directory for backups."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.state, self.backups = folder / "state", folder / "backups"
        for made in (self.state, self.backups):
            made.mkdir(mode=0o700)
        for name, secret in (("master.key", MASTER), ("vault.key", ROOT.secret)):
            (self.state / name).write_bytes(secret)
            (self.state / name).chmod(0o600)
        (folder / "house.yaml").write_text(WRITTEN)
        self.settings()
        house = House(self.state)
        for path in CASES:
            house.put(path, path.encode())
        house.scan()
        house.approve(CASES[0])
        house.take()
        house.close()
        secret, self.recipient = new_identity()
        self.identity = folder / "officer.key"
        self.identity.write_text(secret + "\n")
        self.keys = folder / "keys.age"
        monkeypatch.setattr(bootstrap, "trail", lambda state: trail())
        monkeypatch.delenv("RETENTIOND_STATE", raising=False)
        monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)

    def settings(self, days: int = 0) -> None:
        told = {"schedule": str(self.folder / "house.yaml"), "vault": {"key_backup_days": days}}
        (self.folder / "settings.yaml").write_text(yaml.safe_dump(told))

    def run(self, command: str, *arguments: object, code: int = 0, given: bytes = b"") -> str:
        where = [] if command == "restore" else [f"--state={self.state}", f"--config={self.folder / 'settings.yaml'}"]
        done = CliRunner().invoke(backup_app, [command, *map(str, arguments), *where], input=given)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == code, done.output
        return done.stdout

    def json(self, command: str, *arguments: object, code: int = 0) -> Any:
        return json.loads(self.run(command, *arguments, "--json", code=code))

    def make(self, *arguments: object) -> Path:
        return Path(self.json("make", self.folder / f"{len(os.listdir(self.folder))}.tar", *arguments)["backup"])


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(tmp_path, monkeypatch)


def test_make_says_what_is_in_it_and_that_no_key_is(desk: Desk) -> None:
    text = desk.run("make", desk.backups)

    assert "readable by its owner alone" in text
    assert "With the list of 1 object in the vault" in text
    assert "No key is in it" in text
    (name,) = os.listdir(desk.backups)
    assert name.startswith("retentiond-backup-")


def test_make_and_keep_tell_what_they_deleted_and_left(desk: Desk) -> None:
    desk.run("make", desk.backups)
    (old,) = desk.backups.iterdir()
    old = old.rename(desk.backups / "retentiond-backup-20200101T000000Z.tar")
    foreign = desk.backups / "retentiond-backup-20200102T000000Z.tar"
    foreign.write_bytes(b"of somebody else")

    told = desk.json("make", desk.backups, "--keep", 1, "--with-vault")

    assert (told["deleted"], told["left_alone"]) == ([str(old)], [str(foreign)])
    assert told["vault"]["with_objects"] is True
    Path(told["backup"]).rename(old)
    text = desk.run("make", desk.backups, "--keep", 1)
    assert f"Deleted, since there are newer ones: {old}" in text
    assert f"nothing proves that it is ours: {foreign}" in text


def test_keys_are_told_with_what_they_mean_for_erasure(desk: Desk) -> None:
    keys = ("--keys", desk.keys, "--recipient", desk.recipient)
    text = desk.run("make", desk.backups / "first", *keys)
    assert "key slots are not in it" in text
    desk.keys.unlink()
    with pytest.raises(ConfigurationError, match="key_backup_days"):
        desk.run("make", desk.backups / "second", *keys, "--with-slots")
    desk.settings(days=5)
    text = desk.run("make", desk.backups / "second", *keys, "--with-slots")
    assert "what is erased from now on is not beyond recovery. Delete it by" in text
    assert not [line for line in text.splitlines() if "No key is in it" in line]


def test_options_that_do_not_belong_together_are_refused_before_anything_is_written(desk: Desk) -> None:
    for wrong in (
        ["--with-slots"],
        ["--recipient", desk.recipient],
        ["--keys", desk.keys],
        ["--keys", desk.identity.read_text(), "--recipient", desk.recipient],
        ["--checkpoints", desk.folder / "nothing"],
    ):
        with pytest.raises(UsageError) as refused:
            desk.run("make", desk.backups, *wrong)
        assert "AGE-SECRET-KEY-1Q" not in str(refused.value)
        assert desk.identity.read_text().strip() not in str(refused.value)
    assert os.listdir(desk.backups) == []


def test_making_and_verifying_never_make_a_master_key(desk: Desk) -> None:
    path = desk.make()
    (desk.state / "master.key").unlink()

    with pytest.raises(ConfigurationError, match="Put it back"):
        desk.run("make", desk.backups)
    told = desk.json("verify", path)

    assert told["good"]
    assert any("master key is needed" in said for said in told["not_checked"])
    assert not (desk.state / "master.key").exists()
    with pytest.raises(CatalogueError, match="Run a scan first"):
        CliRunner().invoke(
            backup_app, ["make", str(desk.backups), f"--state={desk.folder / 'empty'}"], catch_exceptions=False
        )
    assert not (desk.folder / "empty").exists()


def test_verify_tells_what_is_there_and_ends_well(desk: Desk) -> None:
    path = desk.make()

    told = desk.json("verify", path)

    assert (told["good"], told["faults"], told["not_checked"], told["notes"]) == (True, [], [], [])
    assert told["vault_now"] == {"same": 1, "gone": 0, "new": 0, "fates_asked": True}
    text = desk.run("verify", path)
    assert f"{path}: good." in text
    assert "Vault, as it is now: 1 object as in the backup" in text


def test_verify_where_the_vault_cannot_be_opened_checks_what_it_can(desk: Desk) -> None:
    path = desk.make()
    (desk.state / "vault.key").unlink()
    assert desk.json("verify", path)["vault_now"]["fates_asked"] is False
    (desk.state / "vault" / "slots").unlink()
    text = desk.run("verify", path)
    assert "NOT CHECKED: Whether the vault still holds what the index names" in text
    assert f"{path}: good." in text


def test_verify_ends_with_13_for_a_damaged_backup_and_with_the_codes_of_audit_verify_for_its_log(desk: Desk) -> None:
    path = desk.make()
    data = path.read_bytes()
    at = data.index(b"key_backup_days")
    path.write_bytes(data[:at] + b"K" + data[at + 1 :])
    assert "DAMAGED: settings.yaml is not what was written there" in desk.run("verify", path, code=ExitCode.NOT_WHOLE)
    assert desk.json("verify", path, code=ExitCode.NOT_WHOLE)["good"] is False

    path.write_bytes(data)
    note = desk.folder / "checkpoints"
    note.write_bytes(_checkpoint_of_more_entries())
    told = desk.json("verify", path, "--checkpoints", note, code=ExitCode.LOG_ROLLED_BACK)
    assert told["log"]["findings"][0]["trouble"] == Trouble.ROLLBACK.value
    assert "ROLLBACK:" in desk.run("verify", path, "--checkpoints", note, code=ExitCode.LOG_ROLLED_BACK)


def _checkpoint_of_more_entries() -> bytes:
    from agent.audit.checkpoint import create

    return create(10_000, b"r" * 32, trail().signing_key) + b"\n"


def test_verify_of_what_is_none_is_a_plain_message(desk: Desk) -> None:
    (desk.folder / "text").write_text("hello " * 1000)
    with pytest.raises(BackupDamaged) as told:
        desk.run("verify", desk.folder / "text")
    assert told.value.exit_code == ExitCode.NOT_WHOLE
    with pytest.raises(UsageError, match="cannot be read"):
        desk.run("verify", desk.folder / "nothing")


def test_restore_says_what_is_left_to_do(desk: Desk) -> None:
    desk.settings(days=5)
    path = desk.make("--keys", desk.keys, "--recipient", desk.recipient, "--with-slots")
    new = desk.folder / "new"

    text = desk.run("restore", path, "--state", new, "--keys", desk.keys, "--identity", desk.identity)

    assert f"Put {new}/restored/settings.yaml back where it lay: {desk.folder}/settings.yaml" in text
    assert f"Put {new}/restored/schedule.yaml back where it lay: {desk.folder}/house.yaml" in text
    assert "were not in the backup: put them from their own copy" in text
    assert "the keys of what was erased after this backup" in text
    assert "shred --remove" in text
    assert "What was done after" in text


def test_restore_takes_the_identity_from_standard_input(desk: Desk) -> None:
    path = desk.make("--keys", desk.keys, "--recipient", desk.recipient)
    given = desk.identity.read_bytes()

    desk.run("restore", path, "--state", desk.folder / "new", "--keys", desk.keys, "--identity", "-", given=given)

    assert (desk.folder / "new" / "master.key").read_bytes() == MASTER


def test_restore_asks_for_keys_or_for_a_plain_word_that_there_are_none(desk: Desk) -> None:
    path, new = desk.make(), desk.folder / "new"
    for wrong in ([], ["--keys", desk.keys], ["--identity", desk.identity]):
        with pytest.raises(UsageError, match="--without-keys"):
            desk.run("restore", path, "--state", new, *wrong)
    with pytest.raises(UsageError, match="not both"):
        desk.run("restore", path, "--state", new, "--without-keys", "--keys", desk.keys)
    with pytest.raises(UsageError, match="never an age identity itself") as refused:
        desk.run("restore", path, "--state", new, "--keys", desk.keys, "--identity", desk.identity.read_text())
    assert desk.identity.read_text().strip() not in str(refused.value)
    assert not new.exists()
    text = desk.run("restore", path, "--state", new, "--without-keys")
    assert f"Put master.key into {new} (mode 0600) before any other command runs there." in text


def test_restore_names_the_places_that_the_settings_name(desk: Desk) -> None:
    shutil.move(desk.state / "vault", desk.folder / "elsewhere")
    with open(desk.folder / "settings.yaml", "a") as settings:
        settings.write(f"  directory: {desk.folder / 'elsewhere'}\n")
    path = desk.make()

    text = desk.run("restore", path, "--state", desk.folder / "new", "--without-keys")

    assert f"It says where vault.directory is ({desk.folder}/elsewhere)" in text


# The drill

PRIVATE = stat.S_IRWXG | stat.S_IRWXO


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    office = Office(tmp_path, monkeypatch)
    with open(tmp_path / "settings.yaml", "a") as settings:
        settings.write("vault: {key_backup_days: 7}\n")
    yield office


def _backup(*arguments: object) -> Any:
    done = CliRunner().invoke(backup_app, [*map(str, arguments), "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def _facts(office: Office) -> dict[str, Any]:
    """What people see of a state: the same of the restored one as of the one that was backed up."""
    held = "Complaints/TP-31/Material/Email from the family.eml"
    return {
        "status": office.json("status"),
        "explained": office.json("explain", office.share / held, "--at", "2030-01-01"),
        "events": office.json("event", "list"),
        "holds": office.json("hold", "list"),
        "disposals": office.json("dispose", "list", "--all"),
        "reviews": office.json("review", "list", "--show", 100),
        "log": office.json("audit", "verify"),
        "vault": office.json("vault", "verify"),
    }


@pytest.mark.slow
def test_the_whole_drill_on_a_scanned_office(office: Office) -> None:
    folder = office.folder
    files = office.fill()
    office.run("scan", "--jobs", 1)
    office.tell_what_happened()
    office.run("vault", "init")
    held = "Complaints/TP-31/Material/Email from the family.eml"
    office.run(
        "hold", "place", "Claim of the family", "--kind", "legal-hold", "--path", held, "--citation", "claim 7",
        *REASON, "--yes",
    )  # fmt: skip
    due = office.due()
    office.approve(*due.values())
    assert office.json("dispose", "run", "--yes", "--only", "quarantine")["quarantined"] == len(due) > 1
    office.run("audit", "checkpoint", "--to", folder / "checkpoints")
    before = _facts(office)
    assert before["log"]["good"]

    # The backup, with keys for an officer.
    secret, recipient = new_identity()
    (folder / "officer.key").write_text(secret)
    (folder / "backups").mkdir()
    where = (f"--state={folder / 'state'}", f"--config={folder / 'settings.yaml'}")
    keys = ("--keys", folder / "keys.age", "--recipient", recipient, "--with-slots")
    made = _backup("make", folder / "backups", "--with-vault", "--checkpoints", folder / "checkpoints", *keys, *where)
    assert made["vault"]["objects"] == len(due)
    told = _backup("verify", made["backup"], *where)
    assert (told["good"], told["not_checked"], told["notes"]) == (True, [], [])

    # The machine is lost: state, vault and settings are gone, the share is there.
    shutil.rmtree(folder / "state")
    (folder / "settings.yaml").unlink()
    assert _backup("verify", made["backup"], f"--state={folder / 'state'}")["good"]
    new = folder / "state"
    told = _backup(
        "restore", made["backup"], "--state", new, "--keys", folder / "keys.age", "--identity", folder / "officer.key"
    )
    assert (told["master_key"], told["vault_opens"], told["objects"]) == (True, True, len(due))
    assert not [path for path in [new, *new.rglob("*")] if path.stat().st_mode & PRIVATE]
    shutil.copy(new / "restored" / "settings.yaml", folder / "settings.yaml")

    # Everything is as it was, and work goes on: what was in quarantine comes back, byte for byte.
    assert _facts(office) == before
    office.run("audit", "verify", "--checkpoints", folder / "checkpoints")
    number = {one["path"]: one["disposal"] for one in office.json("dispose", "list")["disposals"]}
    for path in sorted(due)[:2]:
        office.run("restore", number[path], *REASON, "--yes")
        assert (office.share / path).read_bytes() == files[path]
    office.run("scan", "--jobs", 1)
    assert office.json("dispose", "plan")["to_quarantine"] == 0
    fsck = office.json("fsck")
    assert fsck["whole"], fsck
    assert office.json("dispose", "run", "--yes", "--only", "destroy")["destroyed"] >= 1
    assert "nothing was changed" in office.run("audit", "verify", "--checkpoints", folder / "checkpoints")
