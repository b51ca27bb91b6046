"""`retentiond vault`: making it, listing it, reading it, and what is said of whatever is damaged."""

from __future__ import annotations

import os
import pty
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.vault_desk import IDS, Desk, failing, watched
from tests.vault.factories import MONDAY, TUESDAY, an_id, put


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Desk]:
    """A desk without a vault yet."""
    with watched(Desk(tmp_path, monkeypatch, capsys)) as desk:
        yield desk


@pytest.fixture
def desk(bare: Desk) -> Desk:
    """A desk with a vault in which three objects lie."""
    bare.did("init")
    bare.seal(*IDS)
    return bare


# Making it


def test_init_makes_a_vault_and_a_key_that_only_the_owner_can_read(bare: Desk) -> None:
    told = bare.json("init")

    assert told["made"] is told["made_key"] is True
    assert told["directory"] == str(bare.vault_directory)
    assert told["key"] == str(bare.key_file)
    assert bare.key_file.stat().st_mode & 0o777 == 0o600
    assert bare.vault_directory.stat().st_mode & 0o777 == 0o700
    bare.seal(*IDS)
    assert bare.json("verify")["sound"] == 3


def test_init_again_changes_nothing(desk: Desk) -> None:
    before = desk.everything()

    told = desk.json("init")

    assert (told["made"], told["made_key"]) == (False, False)
    assert "There is already a vault" in desk.did("init")
    assert desk.everything() == before


def test_the_settings_say_where_everything_lies(bare: Desk) -> None:
    (bare.folder / "keys").mkdir()
    places = {"directory": "v", "slots": "keys/slots", "key_file": "keys/root.key"}
    lines = [f"  {name}: {bare.folder / place}" for name, place in places.items()]
    bare.settings_file.write_text("\n".join(["vault:", *lines]))
    bare.did("init")
    bare.seal(*IDS)

    assert (bare.folder / "v" / "keyring").exists()
    assert not (bare.folder / "v" / "slots").exists()
    assert {path.name for path in (bare.folder / "keys").iterdir()} == {"slots", "root.key"}
    assert bare.json("verify")["sound"] == 3


def test_init_tells_why_overwriting_may_destroy_nothing_there(bare: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def doubts(path: str) -> tuple[str, ...]:
        asked.append(path)
        return ("the moon is full",)

    monkeypatch.setattr("agent.vault.medium.overwriting_doubts", doubts)

    printed = bare.did("init")

    assert printed.count("DOUBT") == 1
    assert "the moon is full" in printed
    assert "vault.slots" in printed
    assert asked == [str(path) for path in (bare.vault_directory, bare.vault_directory / "slots", bare.key_file)]
    assert bare.json("init")["doubts"] == ["the moon is full"]


def test_init_where_there_is_no_room_for_it_names_the_place(bare: Desk) -> None:
    bare.settings_file.write_text(f"vault: {{slots: {bare.folder}/nowhere/slots}}\n")

    ran = bare.run("init")

    assert ran.code == 4
    assert f"{bare.folder}/nowhere: there is no such directory" in ran.err
    assert not bare.vault_directory.exists()


def test_with_a_credential_no_key_file_is_made_or_looked_at(bare: Desk) -> None:
    bare.give_credential(secrets.token_bytes(32))

    told = bare.json("init")

    assert (told["key"], told["made_key"]) == ("systemd credential retentiond-vault", False)
    assert not bare.key_file.exists()
    bare.seal(*IDS)
    assert bare.json("verify")["sound"] == 3
    bare.state.joinpath("vault.key").write_bytes(b"nonsense")
    assert bare.json("verify")["sound"] == 3


def test_a_key_that_is_no_key_is_refused_before_anything_is_made(bare: Desk) -> None:
    bare.give_credential(b"short")

    ran = bare.run("init")

    assert (ran.code, "32 bytes" in ran.err) == (4, True)
    assert not bare.vault_directory.exists()


@pytest.mark.slow
def test_init_that_was_cut_off_anywhere_is_finished_by_running_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    at, done = 0, False
    while not done:
        folder = tmp_path / str(at)
        folder.mkdir()
        desk = Desk(folder, monkeypatch, capsys)
        with monkeypatch.context() as patch:
            calls = failing(patch, at)
            ran = desk.run("init")
            done = len(calls) <= at
        assert ran.code == 0 if done else ran.code in (4, 12), (at, ran)
        assert done or "Input/output error" in ran.err, (at, ran)
        desk.did("init")
        desk.seal(*IDS)
        assert desk.json("verify")["sound"] == 3
        at += 1
    assert at > 15


def test_init_never_makes_a_new_vault_or_key_over_what_is_left_of_one(desk: Desk) -> None:
    bundle = desk.bundle(desk.officer("a")[1], desk.officer("b")[1])
    key = desk.key_file.read_bytes()
    desk.key_file.unlink()
    ran = desk.run("init")
    assert (ran.code, "not its root key" in ran.err, "recovery restore" in ran.err) == (12, True, True)
    assert not desk.key_file.exists()
    desk.did("recovery", "restore", bundle, "--identity", desk.folder / "a.identity")
    assert desk.key_file.read_bytes() == key

    keyring, slots = desk.vault_directory / "keyring", desk.vault_directory / "slots"
    keyring.unlink()
    slots.rename(desk.folder / "slots")
    ran = desk.run("init")
    assert (ran.code, "a vault was here" in ran.err) == (12, True)
    assert not keyring.exists()
    assert not slots.exists()
    (desk.folder / "slots").rename(slots)
    shutil.rmtree(desk.vault_directory / "objects")
    ran = desk.run("init")
    assert (ran.code, "in use by a vault" in ran.err) == (12, True)


# What is said of each file that is damaged


def flip(path: Path, at: int) -> None:
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)
        file.seek(at)
        file.write(bytes([byte[0] ^ 1]))


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def filled(path: Path, place_bytes: int) -> list[int]:
    """The numbers of the places that hold something."""
    content = path.read_bytes()
    places = range(1, len(content) // place_bytes)
    return [number for number in places if any(content[number * place_bytes :][:place_bytes])]


def spoil_places(path: Path, place_bytes: int, count: int) -> None:
    for number in filled(path, place_bytes)[:count]:
        flip(path, number * place_bytes + 20)


def swap(one: Path, other: Path) -> None:
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)


_DAMAGE: dict[str, tuple[Callable[[Desk], object], int, str]] = {
    "no vault": (lambda d: shutil.rmtree(d.vault_directory), 4, "Make one:  retentiond vault init"),
    "vault for others": (lambda d: d.vault_directory.chmod(0o755), 4, "chmod 700"),
    "no key": (lambda d: d.key_file.unlink(), 4, "restore it from the recovery bundle"),
    "short key": (lambda d: cut(d.key_file), 4, "32 bytes"),
    "key for others": (lambda d: d.key_file.chmod(0o640), 4, "chmod 600"),
    "other key": (lambda d: flip(d.key_file, 5), 12, "sealed with another root key"),
    "no keyring": (lambda d: (d.vault_directory / "keyring").unlink(), 12, "put it back from a backup"),
    "other keyring": (lambda d: flip(d.vault_directory / "keyring", 3), 12, "Put it back from a backup"),
    "keyring of another vault": (lambda d: flip(d.vault_directory / "keyring", 15), 12, "that of another vault"),
    "empty keyring": (lambda d: os.truncate(d.vault_directory / "keyring", 0), 12, "Put it back from a backup"),
    "one key spoilt": (
        lambda d: spoil_places(d.vault_directory / "keyring", 128, 1),
        12,
        f"no key opens vault object {IDS[0]}",
    ),
    "keys cut off": (
        lambda d: os.truncate(d.vault_directory / "keyring", 128),
        12,
        f"no key opens vault object {IDS[2]}",
    ),
    "no slots": (lambda d: (d.vault_directory / "slots").unlink(), 12, "file of key slots is not here"),
    "other slots": (lambda d: flip(d.vault_directory / "slots", 3), 12, "Put it back from a backup"),
    "one slot spoilt": (lambda d: spoil_places(d.vault_directory / "slots", 4096, 1), 12, "next erasure ceremony"),
    "all slots spoilt": (lambda d: spoil_places(d.vault_directory / "slots", 4096, 9), 12, "does not open"),
    "no objects": (lambda d: shutil.rmtree(d.vault_directory / "objects"), 12, "directory of objects is not here"),
    "no object": (lambda d: d.object(IDS[1]).unlink(), 12, f"Vault object {IDS[1]} is missing. Put it back"),
    "object altered": (lambda d: flip(d.object(IDS[1]), 100), 12, f"Vault object {IDS[1]} is damaged: chunk 1 of"),
    "header altered": (lambda d: flip(d.object(IDS[1]), 1), 12, f"Vault object {IDS[1]} is damaged: it does not begin"),
    "object cut": (lambda d: cut(d.object(IDS[1])), 12, f"Vault object {IDS[1]} is damaged: chunk"),
    "object empty": (lambda d: os.truncate(d.object(IDS[1]), 0), 12, f"Vault object {IDS[1]} is damaged"),
    "objects swapped": (lambda d: swap(d.object(IDS[1]), d.object(IDS[2])), 12, "sealed under another id"),
}


@pytest.mark.parametrize("what", sorted(_DAMAGE))
def test_whatever_is_damaged_is_told_with_what_to_do(desk: Desk, what: str) -> None:
    damage, code, says = _DAMAGE[what]
    assert desk.run("verify").code == 0

    damage(desk)

    before = desk.everything()
    ran = desk.run("verify")
    assert (ran.code, says in ran.out + ran.err) == (code, True), ran
    sampled = desk.run("verify", "--sample", "100", "--seed", "1")
    assert (sampled.code, says in sampled.out + sampled.err) == (code, True), sampled
    assert desk.everything() == before


def test_one_damaged_object_is_named_once_and_the_others_are_read_all_the_same(desk: Desk) -> None:
    flip(desk.object(IDS[0]), 100)
    desk.object(IDS[1]).unlink()

    ran = desk.run("verify")

    assert [ran.out.count(id) for id in IDS] == [1, 1, 0]
    assert "1 object (" in ran.out
    told = desk.json("verify")
    assert not told["good"]
    assert told["sound"] == 1
    assert [one["id"] for one in told["damaged"]] == [*IDS[:2]]
    assert all("backup" in one["said"] for one in told["damaged"])


def test_what_only_lies_about_is_told_and_is_no_damage(desk: Desk) -> None:
    unfinished = desk.object(an_id(4)).with_suffix(".part")
    unfinished.parent.mkdir()
    unfinished.write_bytes(b"half")
    (desk.vault_directory / "objects" / "let\nter.doc").write_text("x")

    ran = desk.run("verify")
    assert ran.code == 0
    assert f"a copy of vault object {an_id(4)} was never finished" in ran.out
    assert "let\\nter.doc is none of the vault's objects" in ran.out or "let\\x0ater.doc is none" in ran.out
    strays = desk.json("list", "--strays")["strays"]
    assert strays["parts"] == [an_id(4)]
    assert len(strays["foreign"]) == 1
    assert an_id(4) in desk.did("list", "--strays")


def test_a_missing_object_is_told_even_if_the_sample_does_not_reach_it(desk: Desk) -> None:
    desk.object(IDS[1]).unlink()
    seed = next(str(n) for n in range(9) if not desk.json("verify", "--sample", "1", "--seed", str(n))["damaged"])

    ran = desk.run("verify", "--sample", "1", "--seed", seed)

    assert ran.code == 12
    assert f"vault object {IDS[1]} is missing, its key is here" in ran.out
    assert IDS[1] in desk.did("list", "--strays")


# Listing and reading


def test_list_tells_the_fate_and_size_of_each_object(desk: Desk) -> None:
    with desk.vault() as vault:
        put(vault, an_id(7), on=TUESDAY)
        vault.remove(an_id(7))
        vault.remove(IDS[2])
    size = desk.object(IDS[0]).stat().st_size

    assert desk.json("list")["objects"] == [
        {"id": IDS[0], "fate": "sealed", "stored_bytes": size},
        {"id": IDS[1], "fate": "sealed", "stored_bytes": desk.object(IDS[1]).stat().st_size},
        {"id": IDS[2], "fate": "destroyed", "stored_bytes": 0},
        {"id": an_id(7), "fate": "destroyed", "stored_bytes": 0},
    ]
    assert re.search(rf"^{IDS[0]}  sealed +{size} bytes$", desk.did("list"), re.MULTILINE)
    assert "4 objects (2 sealed, 2 destroyed)" in desk.did("list")
    with desk.vault() as vault:
        vault.erase(MONDAY)
    assert "4 objects (2 sealed, 2 erased)" in desk.did("list")
    assert desk.did("list", "--strays") == "Everything in the vault belongs to an item.\n"
    assert desk.json("verify")["sound"] == 2


def test_an_empty_vault_is_sound(bare: Desk) -> None:
    bare.did("init")

    assert bare.did("list") == "The vault is empty.\n"
    assert "Nothing is damaged" in bare.did("verify")
    assert bare.json("verify", "--daily")["sound"] == 0


def test_only_the_objects_that_are_named_are_read(desk: Desk) -> None:
    flip(desk.object(IDS[0]), 100)

    assert desk.json("verify", IDS[1], IDS[2], IDS[1])["sound"] == 2
    assert desk.run("verify", IDS[0]).code == 12


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["0123"], "'0123' is no vault id"),
        ([an_id(9)], "is not in the vault"),
        ([IDS[0], "--sample", "5"], "only one of them"),
        (["--daily", "--sample", "5"], "only one of them"),
        (["--seed", "5"], "--seed belongs to"),
        (["--sample", "0"], "above 0"),
        (["--sample", "nan"], "above 0"),
        (["--sample", "101"], "above 0"),
    ],
)
def test_what_cannot_be_meant_is_refused(desk: Desk, arguments: list[str], says: str) -> None:
    ran = desk.run("verify", *arguments)

    assert (ran.code, says in ran.err) == (2, True), ran


def test_an_object_that_is_destroyed_cannot_be_verified(desk: Desk) -> None:
    with desk.vault() as vault:
        vault.remove(IDS[0])

    ran = desk.run("verify", IDS[0])

    assert (ran.code, "is destroyed, so there is nothing to read" in ran.err) == (2, True)


def test_a_sample_prints_the_seed_by_which_it_can_be_drawn_again(desk: Desk) -> None:
    desk.seal(*map(an_id, range(10, 30)))
    flip(desk.object(IDS[0]), 100)

    ran = desk.run("verify", "--sample", "10")

    (seed,) = re.findall(r"A sample of 10 %: 3 of 23 objects\..* --sample 10 --seed (\d+)", ran.out)
    first, again = (desk.json("verify", "--sample", "10", "--seed", seed) for _ in range(2))
    assert first == again
    assert first["sample"] == {"percent": 10.0, "seed": int(seed), "of": 23}
    assert first["sound"] + len(first["damaged"]) == 3
    assert bool(first["damaged"]) == (ran.code == 12)
    drawn = {desk.json("verify", "--sample", "10")["sample"]["seed"] for _ in range(3)}
    assert len(drawn) == 3


def test_the_daily_sample_is_as_large_as_the_settings_say(desk: Desk) -> None:
    desk.settings_file.write_text("vault: {sample_percent: 60.0}\n")

    told = desk.json("verify", "--daily")

    assert (told["sample"]["percent"], told["sound"]) == (60.0, 2)


def test_a_bar_is_shown_where_somebody_can_see_it(desk: Desk) -> None:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    done = subprocess.run(
        [sys.executable, "-m", "agent", "vault", "verify", "--json"],
        stdout=subprocess.PIPE,
        stderr=theirs,
        env=environment,
        check=True,
        timeout=60,
    )
    os.close(theirs)
    shown = os.read(ours, 65_536)
    os.close(ours)
    assert b"Verifying" in shown
    assert b'"sound": 3' in done.stdout


@pytest.mark.parametrize("command", ["list", "verify", "rotate-key", "recovery make --recipient x --output y"])
def test_without_a_vault_every_command_says_how_to_make_one(bare: Desk, command: str) -> None:
    ran = bare.run(*command.split())

    assert (ran.code, "retentiond vault init" in ran.err) == (4, True)
    assert not bare.state.exists()
