"""`retentiond fsck`, as a user runs it."""

from __future__ import annotations

import fcntl
import json
import os
import sys
from typing import Any

import pytest

from agent.cli import main
from agent.errors import ExitCode
from tests.disposition.house import MASTER, ROOT
from tests.fsck.estate import LOG_KEY, PATH, Estate


class Command:
    """The command over an estate, whose folder serves as the state directory."""

    def __init__(self, estate: Estate, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.state = estate.folder
        (self.state / "settings.yaml").write_text("shares: []\n")
        self.key_file = self.state / "vault.key"
        self.key_file.touch(0o600)
        self.key_file.write_bytes(ROOT.secret)
        self._monkeypatch, self._capsys = monkeypatch, capsys
        monkeypatch.setenv("RETENTIOND_STATE", str(self.state))
        monkeypatch.setenv("RETENTIOND_CONFIG", str(self.state / "settings.yaml"))
        monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)

    def run(self, *options: str, key: str | None = LOG_KEY) -> tuple[int, str, str]:
        given = [] if key is None else ["--key", key]
        self._monkeypatch.setattr(sys, "argv", ["retentiond", "fsck", *given, *options])
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = self._capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, out, err

    def json(self, *options: str, key: str | None = LOG_KEY) -> Any:
        return json.loads(self.run(*options, "--json", key=key)[1])


@pytest.fixture
def command(estate: Estate, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(estate, monkeypatch, capsys)


def test_what_is_whole_ends_well(estate: Estate, command: Command) -> None:
    estate.stand("quarantined")
    estate.put("Letters/a.txt")
    estate.scan()
    assert command.run() == (
        ExitCode.OK,
        "2 items ever seen: 1 live, 1 vaulted.\n"
        "1 object read from end to end; 5 entries of the audit log recomputed, 5 checkpoints compared, "
        "signatures checked.\n"
        "Nothing is lost.\n",
        "",
    )


def test_a_problem_has_an_exit_code_of_its_own_and_names_no_path_unasked(estate: Estate, command: Command) -> None:
    disposal = estate.stand("restored")
    (estate.share / PATH).unlink()
    code, out, err = command.run()
    assert (code, err) == (ExitCode.NOT_WHOLE, "")
    assert out.startswith(f"LOST: Item {disposal.item_id} is LOST")
    assert "1 item ever seen: 1 wrong." in out
    assert out.endswith("Not whole: 1 lost.\n")
    assert "a.txt" not in out
    assert f"\n  {PATH}\n" in command.run("--paths")[1]


def test_json_tells_the_same(estate: Estate, command: Command) -> None:
    disposal = estate.stand("sealed")
    estate.object_of(disposal.vault_id).unlink()
    told = command.json()
    (problem,) = told.pop("problems")
    assert (problem["kind"], problem["item"]) == ("unreadable", disposal.item_id)
    assert set(problem) == {"kind", "item", "said"}
    (note,) = told.pop("notes")
    assert set(note) == {"item", "said"}
    assert {name: count for name, count in told.pop("standings").items() if count} == {"wrong": 1}
    assert told == {
        "whole": False,
        "items": 1,
        "problem_counts": {"unreadable": 1},
        "note_count": 1,
        "objects_read": 0,
        "log": {"entries": 4, "checkpoints": 4, "signatures_checked": True},
    }
    with_paths = command.json("--paths")
    assert with_paths["problems"][0]["place"] == with_paths["notes"][0]["place"] == PATH


def test_notes_alone_end_well(estate: Estate, command: Command) -> None:
    estate.stand("planned_and_held")
    code, out, _ = command.run()
    assert code == ExitCode.OK
    assert "Note: Item 1 has a disposal that is not finished (planned). Run:  retentiond dispose recover\n" in out
    assert f"\n  {PATH}\n" in command.run("--paths")[1]


def test_what_is_too_much_to_show_is_counted(estate: Estate, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    estate.stand("restored")
    monkeypatch.setattr("agent.fsck.findings.MOST_TOLD", 1)
    for name in ("one", "two", "three", "draft-1", "draft-2"):
        (estate.hold / name).write_bytes(b"")
    code, out, _ = command.run()
    assert code == ExitCode.NOT_WHOLE
    assert "3 more problems and notes of these kinds were counted and are not shown." in out
    assert "Not whole: 3 foreign." in out


def test_a_sample_is_a_percentage(estate: Estate, command: Command) -> None:
    estate.stand("quarantined")
    for percent in ("0", "-1", "100.5"):
        code, _, err = command.run("--sample", percent)
        assert (code, err) == (ExitCode.USAGE, "retentiond: --sample: give a percentage above 0, up to 100.\n")
    assert command.json("--sample", "100")["objects_read"] == 1
    assert command.json("--sample", "0.0000001")["objects_read"] == 0


def test_without_the_vault_no_root_key_is_needed(estate: Estate, command: Command) -> None:
    estate.stand("quarantined")
    command.key_file.unlink()
    assert command.run()[0] == ExitCode.CONFIGURATION
    assert command.json("--no-vault")["standings"]["unread"] == 1


def test_where_there_never_was_a_vault_none_is_missed(estate: Estate, command: Command) -> None:
    estate.put("Letters/a.txt")
    estate.scan()
    command.key_file.unlink()
    (estate.folder / "vault").rename(estate.folder / "away")
    assert command.run()[0] == ExitCode.OK
    (estate.folder / "away").rename(estate.folder / "vault")


def test_the_vault_lies_where_the_settings_say(estate: Estate, command: Command) -> None:
    estate.stand("quarantined")
    (estate.folder / "vault").rename(estate.folder / "elsewhere")
    (estate.folder / "elsewhere/slots").rename(estate.folder / "my-slots")
    (estate.folder / "settings.yaml").write_text(
        f"vault: {{directory: {estate.folder}/elsewhere, slots: {estate.folder}/my-slots}}\n"
    )
    assert command.json()["standings"]["vaulted"] == 1


def test_the_key_of_this_machine_checks_signatures_unless_another_is_given(estate: Estate, command: Command) -> None:
    estate.stand("quarantined")
    assert command.json(key=None)["log"]["signatures_checked"] is False
    assert "signatures not checked" in command.run(key=None)[1]
    assert not (estate.folder / "master.key").exists()
    master = estate.folder / "master.key"
    master.touch(0o600)
    master.write_bytes(MASTER)
    told = command.json(key=None)
    assert told["log"]["signatures_checked"] is True
    assert set(told["problem_counts"]) == {"log"}  # this house has given its log a name of its own
    assert command.json()["whole"] is True
    assert command.run(key="nonsense")[0] == ExitCode.USAGE


def test_nobody_may_act_meanwhile(estate: Estate, command: Command) -> None:
    lock = estate.folder / "dispose.lock"
    lock.touch()
    assert command.run()[0] == ExitCode.OK
    descriptor = os.open(lock, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    code, _, err = command.run()
    os.close(descriptor)
    assert code == ExitCode.USAGE
    assert "another process is carrying out disposals here. Wait for it." in err


def test_without_a_catalogue_it_says_so(estate: Estate, command: Command) -> None:
    code, _, err = command.run("--state", str(estate.folder / "nowhere"))
    assert code == ExitCode.CATALOGUE
    assert "there is no catalogue here" in err
