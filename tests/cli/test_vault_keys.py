"""`retentiond vault`: its root key and the recovery bundle, none of which is ever printed."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.acting import sole_actor
from agent.age.keys import new_identity
from tests.cli.vault_desk import IDS, Desk, failing, watched
from tests.vault.factories import assert_readable

needs_age = pytest.mark.skipif(not shutil.which("age"), reason="the command age is not installed")


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


# The root key


def test_rotating_the_key_overwrites_the_old_one_and_voids_old_bundles(desk: Desk) -> None:
    (identity, one), (_, other) = desk.officer("a"), desk.officer("b")
    bundle, former = desk.bundle(one, other), desk.key_file.read_bytes()
    old_file = os.open(desk.key_file, os.O_RDONLY)

    assert "Make a new one" in desk.did("rotate-key")

    assert desk.key_file.read_bytes() != former
    assert os.pread(old_file, 32, 0) == bytes(32)
    os.close(old_file)
    assert desk.json("verify")["sound"] == 3
    ran = desk.run("recovery", "test", bundle, "--identity", identity)
    assert (ran.code, "not the one in force" in ran.err) == (12, True)
    desk.bundle(one, other, name="new.age")
    desk.did("recovery", "test", desk.folder / "new.age", "--identity", identity)
    desk.key_file.write_bytes(former)
    assert desk.run("verify").code == 12


@pytest.mark.slow
def test_rotating_that_was_cut_off_anywhere_is_finished_by_running_it_again(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = tmp_path / "original"
    shutil.copytree(desk.state, original)
    former = desk.key_file.read_bytes()
    at, done = 0, False
    while not done:
        shutil.rmtree(desk.state)
        shutil.copytree(original, desk.state)
        with monkeypatch.context() as patch:
            calls = failing(patch, at)
            ran = desk.run("rotate-key")
            done = len(calls) <= at
        assert ran.code == 0 if done else ran.code in (4, 12), (at, ran)
        assert done or "Input/output error" in ran.err
        desk.did("rotate-key")
        assert desk.json("verify")["sound"] == 3
        assert desk.key_file.read_bytes() != former
        assert not [path for path in desk.state.iterdir() if path.suffix in (".next", ".former")]
        at += 1
    assert at > 20


def test_the_key_is_not_rotated_while_somebody_carries_out_disposals(desk: Desk) -> None:
    key = desk.key_file.read_bytes()
    with sole_actor(desk.state):
        ran = desk.run("rotate-key")

    assert (ran.code, "another process is carrying out disposals" in ran.err) == (2, True)
    assert desk.key_file.read_bytes() == key


def test_a_credential_is_rotated_end_to_end_by_the_steps_that_are_told(bare: Desk) -> None:
    credential = bare.give_credential(secrets.token_bytes(32))
    bare.did("init")
    bare.seal(*IDS)
    (identity, one), (_, other) = bare.officer("a"), bare.officer("b")
    bundle = bare.bundle(one, other)
    before = bare.everything()

    told = bare.run("rotate-key")

    assert told.code == 2
    for step in ("head -c 32", "systemd-creds encrypt --name=retentiond-vault", "--new-key-from", "recovery make"):
        assert step in told.err
    assert bare.everything() == before
    new = bare.folder / "new.key"
    new.write_bytes(secrets.token_bytes(32))
    new.chmod(0o600)
    for _ in range(2):  # as after a crash
        assert "systemd credential retentiond-vault" in bare.did("rotate-key", "--new-key-from", new)
    assert bare.run("verify").code == 12
    credential.write_bytes(new.read_bytes())
    assert bare.json("verify")["sound"] == 3
    assert bare.run("recovery", "test", bundle, "--identity", identity).code == 12
    ran = bare.run("rotate-key", "--new-key-from", new)
    assert (ran.code, "in force already" in ran.err) == (2, True)


def test_from_a_key_file_to_a_credential(desk: Desk) -> None:
    new = desk.folder / "new.key"
    new.write_bytes(secrets.token_bytes(32))
    new.chmod(0o600)

    told = desk.did("rotate-key", "--new-key-from", new)

    assert f"shred --remove {desk.key_file}" in told
    desk.give_credential(new.read_bytes())
    desk.key_file.unlink()
    assert desk.json("verify")["sound"] == 3


@pytest.mark.parametrize(
    ("content", "mode", "code", "says"),
    [(None, 0, 2, "no such file"), (b"x" * 31, 0o600, 4, "32 bytes"), (b"x" * 32, 0o644, 4, "chmod 600")],
)
def test_a_new_key_that_is_none_changes_nothing(
    desk: Desk, content: bytes | None, mode: int, code: int, says: str
) -> None:
    new = desk.folder / "new"
    if content is not None:
        new.write_bytes(content)
        new.chmod(mode)

    ran = desk.run("rotate-key", "--new-key-from", new)

    assert (ran.code, says in ran.err) == (code, True)
    assert desk.json("verify")["sound"] == 3


# The recovery bundle


def test_what_is_done_with_keys_is_told_as_json_too(desk: Desk) -> None:
    (identity, one), (_, other) = desk.officer("a"), desk.officer("b")
    bundle = desk.folder / "bundle.age"
    with desk.vault() as vault:
        id = vault.id

    assert desk.json("rotate-key") == {"rotated": True, "key": str(desk.key_file)}
    made = desk.json("recovery", "make", "--recipient", one, "--recipient", other, "--output", bundle)
    assert made == {"vault": id, "bundle": str(bundle)}
    desk.key_file.unlink()
    assert desk.json("recovery", "restore", bundle, "--identity", identity) == {
        "vault": id,
        "key": str(desk.key_file),
        "opens_the_vault": True,
    }


def test_a_lost_key_comes_back_from_the_bundle_by_any_officer(desk: Desk) -> None:
    (first, one), (second, other) = desk.officer("a"), desk.officer("b")
    bundle = desk.bundle(one, other)
    key = desk.key_file.read_bytes()
    for identity in (first, second):
        desk.did("recovery", "test", bundle, "--identity", identity)
        desk.key_file.unlink()
        assert "opens the vault" in desk.did("recovery", "restore", bundle, "--identity", identity)
        assert desk.key_file.read_bytes() == key
        assert desk.key_file.stat().st_mode & 0o777 == 0o600
    with desk.vault() as vault:
        assert_readable(vault, *IDS)


def test_the_key_can_come_back_before_the_vault_does(desk: Desk) -> None:
    (identity, one), (_, other) = desk.officer("a"), desk.officer("b")
    bundle = desk.bundle(one, other)
    shutil.move(desk.state, desk.folder / "backup")

    assert "not (wholly) here yet" in desk.did("recovery", "restore", bundle, "--identity", identity)

    shutil.copytree(desk.folder / "backup" / "vault", desk.vault_directory)
    assert desk.json("verify")["sound"] == 3


def test_testing_a_bundle_writes_nothing(desk: Desk) -> None:
    (identity, one), (_, other) = desk.officer("a"), desk.officer("b")
    bundle = desk.bundle(one, other)
    before = desk.everything()

    assert desk.json("recovery", "test", bundle, "--identity", identity)["good"] is True

    assert desk.everything() == before


def test_a_bundle_of_another_vault_or_of_former_days_is_not_restored(desk: Desk) -> None:
    (identity, one), (_, other) = desk.officer("a"), desk.officer("b")
    bundle = desk.bundle(one, other)
    desk.did("rotate-key")
    desk.key_file.rename(desk.folder / "kept.key")
    ran = desk.run("recovery", "restore", bundle, "--identity", identity)
    assert (ran.code, "nothing was written" in ran.err, desk.key_file.exists()) == (12, True, False)

    shutil.rmtree(desk.vault_directory)
    shutil.copy(desk.folder / "kept.key", desk.key_file)
    newer = desk.folder / "newer.age"
    desk.did("init")
    desk.did("recovery", "make", "--recipient", one, "--recipient", other, "--output", newer)
    shutil.rmtree(desk.vault_directory)
    desk.did("init")
    for arguments in (("test",), ("restore",)):
        if arguments == ("restore",):
            desk.key_file.unlink()
        ran = desk.run("recovery", *arguments, newer, "--identity", identity)
        assert (ran.code, "of another vault" in ran.err) == (12, True)
    assert not desk.key_file.exists()


def test_a_key_that_is_there_is_never_replaced_by_a_bundle(desk: Desk) -> None:
    (identity, one), (_, other) = desk.officer("a"), desk.officer("b")
    bundle = desk.bundle(one, other)

    ran = desk.run("recovery", "restore", bundle, "--identity", identity)

    assert (ran.code, "never replaced" in ran.err) == (4, True)
    assert desk.run("recovery", "make", "--recipient", one, "--recipient", other, "--output", bundle).code == 4
    assert desk.run("recovery", "make", "--recipient", one, "--output", desk.folder / "x.age").code == 2


def test_a_damaged_bundle_is_told(desk: Desk) -> None:
    (identity, one), (_, other) = desk.officer("a"), desk.officer("b")
    bundle = desk.bundle(one, other)
    bundle.write_text(bundle.read_text()[:-100])

    ran = desk.run("recovery", "test", bundle, "--identity", identity)

    assert (ran.code, "damaged" in ran.err) == (12, True)
    assert desk.run("recovery", "test", desk.folder / "none.age", "--identity", identity).code == 4


def test_an_identity_on_the_command_line_is_refused_and_not_repeated(desk: Desk) -> None:
    (path, one), (_, other) = desk.officer("a"), desk.officer("b")
    bundle = desk.bundle(one, other)
    secret = path.read_text().splitlines()[-1]
    for arguments in (
        ("recovery", "test", bundle, "--identity", secret),
        ("recovery", "restore", bundle, "--identity", f" {secret.lower()}"),
        ("recovery", "test", secret, "--identity", path),
        ("recovery", "make", "--recipient", secret, "--recipient", one, "--output", desk.folder / "x.age"),
        ("rotate-key", "--new-key-from", secret),
        ("age-key", "--output", secret),
    ):
        ran = desk.run(*arguments)
        assert ran.code == 2
        assert secret not in ran.out + ran.err
        assert secret.lower() not in (ran.out + ran.err).lower()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "there is no age identity in it"),
        (b"# only a comment\n", "there is no age identity in it"),
        (b"\xff\xfe\x00nonsense", "line 1: This is not an age identity"),
        (b"# a\n\nAGE-SECRET-KEY-1QQQQQQ\n", "line 3: This is not an age identity"),
        (b"age-encryption.org/v1\n-> scrypt", "itself encrypted"),
        (b"-----BEGIN AGE ENCRYPTED FILE-----\n", "itself encrypted"),
    ],
)
def test_an_identity_file_that_holds_none_is_told(desk: Desk, content: bytes, says: str) -> None:
    bundle = desk.bundle(desk.officer("a")[1], desk.officer("b")[1])
    path = desk.folder / "identity"
    path.write_bytes(content)

    for ran in (
        desk.run("recovery", "test", bundle, "--identity", path),
        desk.run("recovery", "test", bundle, "--identity", "-", stdin=content),
    ):
        assert (ran.code, says in ran.err) == (2, True), ran
        assert "QQQQQQ" not in ran.err
    missing = desk.run("recovery", "test", bundle, "--identity", desk.folder / "none")
    assert (missing.code, "cannot be read" in missing.err) == (2, True)


def test_one_file_may_hold_several_identities_and_it_may_come_on_standard_input(desk: Desk) -> None:
    (path, one), (_, other) = desk.officer("a"), desk.officer("b")
    bundle = desk.bundle(one, other)
    stranger, _ = new_identity()
    several = f"# mine\n{stranger}\n\n{path.read_text()}".encode()

    desk.did("recovery", "test", bundle, "--identity", "-", stdin=several)
    ran = desk.run("recovery", "test", bundle, "--identity", "-", stdin=f"{stranger}\n{stranger}".encode())

    assert (ran.code, "not made for this identity" in ran.err) == (12, True)


def test_an_identity_file_is_its_owners_and_never_replaced(bare: Desk) -> None:
    path, recipient = bare.officer("a")
    content = path.read_text()

    assert path.stat().st_mode & 0o777 == 0o600
    assert f"# public key: {recipient}" in content
    assert recipient.startswith("age1")
    ran = bare.run("age-key", "--output", path)
    assert (ran.code, "never replaces" in ran.err, path.read_text()) == (2, True, content)
    told = bare.json("age-key", "--output", bare.folder / "b")
    assert f"# public key: {told['recipient']}\n" in (bare.folder / "b").read_text()
    bare.secrets.add((bare.folder / "b").read_text().splitlines()[-1])
    assert bare.run("age-key", "--output", bare.folder / "none" / "x").code == 2


@needs_age
def test_the_age_commands_and_ours_understand_each_other(desk: Desk) -> None:
    theirs = desk.folder / "theirs.identity"
    subprocess.run(["age-keygen", "-o", theirs], check=True, capture_output=True)
    asked = subprocess.run(["age-keygen", "-y", theirs], check=True, capture_output=True, text=True)
    ours, recipient = desk.officer("ours")
    said = subprocess.run(["age-keygen", "-y", ours], check=True, capture_output=True, text=True)
    assert said.stdout.strip() == recipient

    bundle = desk.bundle(asked.stdout.strip(), recipient)

    desk.did("recovery", "test", bundle, "--identity", theirs)
    opened = subprocess.run(["age", "-d", "-i", ours, bundle], check=True, capture_output=True, text=True)
    assert desk.key_file.read_bytes().hex() in opened.stdout
    locked = desk.folder / "locked.identity"
    subprocess.run(["age", "-a", "-r", recipient, "-o", locked, theirs], check=True)
    ran = desk.run("recovery", "test", bundle, "--identity", locked)
    assert (ran.code, "age -d" in ran.err) == (2, True)
    unlocked = subprocess.run(["age", "-d", "-i", ours, locked], check=True, capture_output=True)
    desk.did("recovery", "test", bundle, "--identity", "-", stdin=unlocked.stdout)
