"""Setting a file server up makes what is lacking and nothing else, wherever it was cut off, and gives no key away."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import AgentError, ConfigurationError, SourceUnavailable, UsageError
from agent.settings import Settings, load_settings
from agent.timetable.window import read_window
from agent.usecases import set_up as plan
from agent.usecases.set_up_files import Rights, grant
from agent.usecases.set_up_machine import Machine, run_program
from agent.usecases.set_up_places import (
    Mount,
    missing_mount,
    mount_of,
    mounts,
    real_shares,
    refuse_system_folders,
    try_out,
)
from agent.usecases.set_up_seal import HOST_KEY, seal, sealed_with, why_it_does_not_open
from agent.usecases.set_up_settings import differences, filled_in, may_act, settings_of
from agent.usecases.set_up_units import dispose_drop_in, scan_drop_in
from agent.usecases.set_up_wanted import (
    Unsaid,
    Wanted,
    WantedReviewer,
    WantedShare,
    read_nights,
    read_reviewer,
    read_share,
    read_shares,
)
from agent.vault.store import Vault
from tests.usecases.server import (
    DAY,
    DISPOSE,
    GROUP,
    OFFICE,
    TEMPLATE,
    WANTED,
    Here,
    Systemd,
    facts,
    make_image,
    prepared,
)
from tests.vault.factories import an_id, put

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="gives files to other users")


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Path]:
    """A folder in which a sync costs nothing, where there is one."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else tmp_path) as folder:
        yield Path(folder)


# What is wanted


def test_a_share_is_a_name_and_an_absolute_path() -> None:
    assert read_share("office = /srv/a=b") == WantedShare("office", PurePosixPath("/srv/a=b"))


@pytest.mark.parametrize("text", ["office", "=/srv", "office=", "office=srv", "office=/srv/\nx", "a\udcff=/srv"])
def test_what_is_no_share_is_refused_with_what_was_said(text: str) -> None:
    with pytest.raises(UsageError, match="--share"):
        read_share(text)


@pytest.mark.parametrize("second", ["OFFICE=/srv/b", "b=/srv/a", "b=/srv/a/c", "b=/srv"])
def test_shares_of_one_name_or_in_one_another_are_refused(second: str) -> None:
    with pytest.raises(UsageError, match="--share"):
        read_shares(("office=/srv/a", second))


def test_a_reviewer_has_roles_and_perhaps_an_address() -> None:
    assert read_reviewer("ann:records manager, dpo:a@b.example") == WantedReviewer(
        "ann", ("records manager", "dpo"), "a@b.example"
    )
    assert read_reviewer("bob:dpo") == WantedReviewer("bob", ("dpo",))


@pytest.mark.parametrize("text", ["ann", "ann:", ":dpo", "ann:a,,b", "ann:dpo:no address", "ann:dpo:a@b:c"])
def test_what_is_no_reviewer_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--reviewer"):
        read_reviewer(text)


@pytest.mark.parametrize("text", ["20-06", "24:00-06:00", "20:00-20:00", "8pm-6am", ""])
def test_what_are_no_hours_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--nights"):
        read_nights(text)


@given(st.times(), st.times(), st.integers(0, 500))
def test_every_share_is_gone_through_within_the_nights(begins: object, ends: object, number: int) -> None:
    text = f"{begins:%H:%M}-{ends:%H:%M}"
    if text[:5] == text[6:]:
        return
    nights = read_nights(text)
    assert nights is not None

    minute, hour, *rest = nights.reconcile(number).split()

    assert rest == ["*"] * 3
    from datetime import datetime

    assert read_window([str(nights)]).is_open(datetime(2026, 3, 4, int(hour), int(minute)))  # noqa: DTZ001


# The settings


def test_the_settings_keep_every_comment_and_set_what_was_chosen() -> None:
    wanted = Wanted(
        (OFFICE, WantedShare('h"r: #1', PurePosixPath("/srv/'hr' 50%"))),
        "uk-default",
        (WantedReviewer("ann", ("dpo", "a: b"), "ann@example.org"),),
        read_nights("20:00-06:00"),
    )

    text = filled_in(TEMPLATE, wanted, plan.SCHEDULE, plan.CLEAR)

    assert [line for line in TEMPLATE.splitlines() if line.lstrip().startswith("#")] == [
        line for line in text.splitlines() if line.lstrip().startswith("#")
    ]
    settings = settings_of(text)
    assert [(one.name, one.path) for one in settings.shares] == [
        ("office", "/srv/shares/office"),
        ('h"r: #1', "/srv/'hr' 50%"),
    ]
    assert {one.window for one in settings.shares} == {("20:00-06:00",)}
    assert [one.reconcile for one in settings.shares] == ["0 20 * * *", "10 20 * * *"]
    assert settings.reviewers[0].roles == ("dpo", "a: b")
    assert (settings.schedule, settings.state) == ("/etc/retentiond/schedule.yaml", "/var/lib/retentiond")
    assert settings.vault.key_file == "/etc/retentiond/credstore/retentiond-vault.key"
    assert not may_act(settings)


def test_the_units_may_write_where_backups_and_checkpoints_go_if_that_is_there() -> None:
    share, place = PurePosixPath("/srv/office"), PurePosixPath("/mnt/other place")

    assert 'ReadWritePaths=-"/mnt/other place"\n' in scan_drop_in([share], [], [], [place])
    dispose = dispose_drop_in([share], [], [place], may_act=False)
    assert 'ReadWritePaths=-"/mnt/other place"\n' in dispose
    assert 'RequiresMountsFor="/mnt' not in dispose, "a backup disk that is away must not keep it from starting"


def test_settings_that_were_left_out_keep_their_defaults() -> None:
    wanted = Wanted((OFFICE,), "uk-default", (), None)

    settings = settings_of(filled_in(TEMPLATE, wanted, plan.SCHEDULE, None))

    usual = Settings.model_validate(yaml.safe_load(TEMPLATE))
    changed = {"shares", "schedule", "state"}
    assert settings.service.metrics == "/run/retentiond"
    assert settings.model_dump(exclude={*changed, "service"}) == usual.model_dump(exclude={*changed, "service"})
    assert settings.service.model_dump(exclude={"metrics"}) == usual.service.model_dump(exclude={"metrics"})
    assert settings.shares[0].window == ()


def test_only_what_was_said_otherwise_is_a_difference() -> None:
    settings = settings_of(filled_in(TEMPLATE, WANTED, plan.SCHEDULE, None))

    assert differences(settings, None, None, Unsaid.UNSAID) == ()
    assert differences(settings, (OFFICE,), (), read_nights("20:00-06:00")) == ()
    other = (WantedReviewer("ann", ("dpo",)),)
    assert differences(settings, (WantedShare("o", OFFICE.path),), other, None) == ("--share", "--reviewer", "--nights")


# What systemd is told

ODD = [PurePosixPath(path) for path in ("/srv/a b", "/srv/50%n", '/srv/q"uo', "/srv/back\\slash", "/srv/é;#$HOME'")]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_reads_the_very_paths(tmp_path: Path) -> None:
    unit = tmp_path / "retentiond-dispose.service"
    unit.write_text("[Service]\nExecStart=/bin/true\n")
    unit.with_name(f"{unit.name}.d").mkdir()
    (unit.with_name(f"{unit.name}.d") / "shares.conf").write_text(dispose_drop_in(ODD, (), may_act=True))

    read = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)],
        env={"SYSTEMD_LOG_LEVEL": "debug", "PATH": os.environ["PATH"], "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    ).stdout.splitlines()

    told = [line.strip() for line in read]
    for path in ODD:
        assert f"RequiresMountsFor: {path} (origin-file)" in told
    assert f"ReadWritePaths: {' '.join(f'-{path}' for path in ODD)}" in told


def test_no_share_may_be_written_to_while_nothing_may_act() -> None:
    observing, acting = (dispose_drop_in([OFFICE.path], (), may_act=acts) for acts in (False, True))

    assert "ReadWritePaths=" not in observing
    assert "stay read-only" in observing
    assert 'ReadWritePaths=-"/srv/shares/office"' in acting
    assert 'RequiresMountsFor="/srv/shares/office"' in observing


def test_the_unit_that_scans_never_gets_to_write_to_a_share_or_to_see_a_key() -> None:
    text = scan_drop_in([OFFICE.path], (), [PurePosixPath("/var/lib/retentiond/vault.key")])

    assert "ReadWritePaths" not in text
    assert 'InaccessiblePaths=-"/var/lib/retentiond/vault.key"' in text


@pytest.mark.parametrize(("mode", "acts"), [({"mode": "act"}, True), ({"classes": {"a": "act"}}, True), ({}, False)])
def test_one_class_that_may_act_is_enough(mode: dict[str, object], acts: bool) -> None:
    assert may_act(Settings.model_validate({"disposition": mode})) is acts


# The shares


TABLE = (Mount(PurePosixPath("/"), "ext4", False), Mount(PurePosixPath("/srv/a"), "nfs4", False))


def test_a_path_lies_on_the_deepest_mount_above_it() -> None:
    assert mount_of(PurePosixPath("/srv/a/b"), TABLE).is_remote
    assert not mount_of(PurePosixPath("/srv/ab"), TABLE).is_remote
    assert mount_of(PurePosixPath(os.path.realpath("/tmp")), mounts()).kind


def test_a_share_that_should_be_mounted_and_is_not_is_told() -> None:
    fstab = "# /dev/x /srv/c\n/dev/sda1 / ext4 defaults 0 1\nnas:/v /srv/with\\040space nfs defaults 0 0\n"

    assert missing_mount(PurePosixPath("/srv/with space/b"), fstab, TABLE) == PurePosixPath("/srv/with space")
    assert missing_mount(PurePosixPath("/srv/other"), fstab, TABLE) is None
    assert missing_mount(PurePosixPath("/srv/a"), "nas:/v /srv/a nfs defaults 0 0\n", TABLE) is None


def test_a_link_is_named_by_where_it_leads(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "office").symlink_to(tmp_path / "data")
    machine = Machine(tmp_path)

    assert real_shares([WantedShare("o", PurePosixPath("/office"))], machine.at, tmp_path) == (
        WantedShare("o", PurePosixPath("/data")),
    )
    both = [WantedShare("o", PurePosixPath("/office")), WantedShare("d", PurePosixPath("/data"))]
    with pytest.raises(UsageError, match="overlap"):
        real_shares(both, machine.at, tmp_path)


def test_a_share_that_is_not_there_or_leads_away_is_told(tmp_path: Path) -> None:
    (tmp_path / "image").mkdir()
    (tmp_path / "image/away").symlink_to(tmp_path)
    machine = Machine(tmp_path / "image")

    for path in ("/nowhere", "/away"):
        with pytest.raises(SourceUnavailable, match=path):
            real_shares([WantedShare("o", PurePosixPath(path))], machine.at, machine.root)


@pytest.mark.parametrize("path", ["/", "/etc/x", "/var/lib", "/var/lib/retentiond/vault", "/tmp/x", "/usr"])
def test_folders_of_the_system_are_no_shares(path: str) -> None:
    with pytest.raises(ConfigurationError, match="Share 'o'"):
        refuse_system_folders([WantedShare("o", PurePosixPath(path))], [PurePosixPath("/var/lib/retentiond")])


def test_nothing_of_a_trial_is_left_not_even_its_time(tmp_path: Path) -> None:
    (tmp_path / ".retentiond-trial").mkdir()
    (tmp_path / ".retentiond-trial/b").touch()  # left by one that was cut off
    os.utime(tmp_path, ns=(1_000_000_000, 2_000_000_001))
    before = tmp_path.stat()

    trial = try_out(tmp_path)

    assert trial is not None
    assert trial.never_replaces
    assert list(tmp_path.iterdir()) == []
    assert tmp_path.stat().st_mtime_ns == before.st_mtime_ns


# Making it


@needs_root
def test_everything_gets_its_owner_and_mode(tmp_path: Path) -> None:
    machine = Machine(make_image(tmp_path / "image"))

    did = tuple(prepared(machine).run())

    assert all(one.lacked for one in did if one.what not in ("files in it", "way of systemd to the root key"))
    found = {path: there[:3] for path, there in facts(machine.root).items()}
    assert found["etc/retentiond"] == (0o750, 0, GROUP)
    assert found["etc/retentiond/retentiond.yaml"] == (0o640, 0, GROUP)
    assert found["etc/retentiond/schedule.yaml"] == (0o640, 0, GROUP)
    assert found["etc/retentiond/credstore"] == (0o710, 0, DISPOSE)
    assert found["etc/retentiond/credstore/retentiond-vault.key"] == (0o400, DISPOSE, DISPOSE)
    assert found["var/lib/retentiond"] == (0o2770, 0, GROUP)
    assert found["var/lib/retentiond/master.key"] == (0o640, 0, GROUP)
    assert found["var/lib/retentiond/vault"] == (0o700, DISPOSE, DISPOSE)
    assert found["var/lib/retentiond/vault/slots"] == (0o600, DISPOSE, DISPOSE)
    assert found["etc/systemd/system/retentiond-scan.service.d/shares.conf"] == (0o644, 0, 0)
    assert load_settings(machine.at(plan.SETTINGS)).vault.key_file == str(plan.CLEAR)


@needs_root
def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    machine = Machine(make_image(tmp_path / "image"))
    tuple(prepared(machine).run())
    before = facts(machine.root)

    again = prepared(machine)

    assert again.pending() == ()
    assert not any(one.lacked for one in again.run())
    assert facts(machine.root) == before


_CHANGES = (
    "mkdir", "link", "rename", "replace", "unlink", "fchown", "fchmod", "chown", "fsync", "symlink", "ftruncate",
    "pwrite",
)  # fmt: skip


def _cut_off(machine: Machine, at: int) -> bool:
    """Sets up in a process that dies before its change of that number; whether it came to its end."""
    child = os.fork()
    if child == 0:
        left = at
        for name in _CHANGES:
            original = getattr(os, name)

            def changing(*arguments: object, _original: object = original, **named: object) -> object:
                nonlocal left
                left -= 1
                if left < 0:
                    os._exit(9)
                return _original(*arguments, **named)  # type: ignore[operator]

            setattr(os, name, changing)
        try:
            tuple(prepared(machine).run())
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, 9)
    return code == 0


def _cut_off_everywhere(folder: Path) -> int:
    """Cuts the set-up off before each of its changes and runs it again; how many changes there are."""
    whole = Machine(make_image(folder / "whole"))
    tuple(prepared(whole).run())
    expected = facts(whole.root)
    rights = {path: there[:3] for path, there in expected.items()}
    texts = {path: there[3] for path, there in expected.items() if path.endswith((".yaml", ".conf"))}
    for at in itertools.count():
        machine = Here(make_image(folder / "cut"), Systemd(works=False))
        ended = _cut_off(machine, at)
        left = facts(machine.root)
        assert {path: left[path][3] for path in texts if path in left}.items() <= texts.items(), "a half-written file"
        keys = {path: there[3] for path, there in left.items() if path.endswith(".key")}
        assert all(len(key) == 32 for key in keys.values()), "a half-written key"
        if plan.SETTINGS.name in {Path(path).name for path in left}:
            assert rights.keys() <= left.keys(), "the service could have started half set up"
        tuple(prepared(machine).run())
        found = facts(machine.root)
        assert {path: there[:3] for path, there in found.items()} == rights
        assert {path: found[path][3] for path in texts} == texts
        assert {path: found[path][3] for path in keys} == keys, "a key was replaced"
        shutil.rmtree(machine.root)
        if ended:
            return at
    raise AssertionError


@needs_root
def test_wherever_it_is_cut_off_a_new_run_finishes(memory: Path) -> None:
    assert _cut_off_everywhere(memory) > 60


@needs_root
def test_a_file_that_is_written_over_in_place_would_befacts(memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def in_place(path: Path, content: bytes, rights: Rights) -> None:
        with path.open("wb", buffering=0) as file:
            file.write(content[:100])
            os.fsync(file.fileno())
            file.write(content[100:])
        os.chown(path, rights.uid, rights.gid)
        os.chmod(path, rights.mode)

    monkeypatch.setattr("agent.usecases.set_up.write_file", in_place)

    with pytest.raises(AssertionError, match="half-written"):
        _cut_off_everywhere(memory)


@needs_root
def test_what_is_replaced_is_kept_under_another_name(tmp_path: Path) -> None:
    machine = Machine(make_image(tmp_path / "image"))
    tuple(prepared(machine).run())
    settings = machine.at(plan.SETTINGS)
    for number, text in enumerate(("shares: []\n", "jobs: 2\n", "jobs: 2\n"), start=1):
        settings.write_text(text)

        did = {one.what: one for one in prepared(machine).run()}["settings"]

        suffix = "" if number == 1 else ".2"
        assert did.kept == settings.with_name(f"retentiond.yaml.before-{DAY}{suffix}")
        assert did.kept.read_text() == text
        assert load_settings(settings).shares[0].name == "office"


@needs_root
def test_settings_that_are_still_the_shipped_ones_are_not_kept(tmp_path: Path) -> None:
    machine = Machine(make_image(tmp_path / "image"))
    machine.at(plan.ETC).mkdir()
    machine.at(plan.SETTINGS).write_text(TEMPLATE)

    did = {one.what: one for one in prepared(machine).run()}["settings"]

    assert did.lacked
    assert did.kept is None


@needs_root
def test_two_cannot_set_up_one_machine_at_once(tmp_path: Path) -> None:
    machine = Machine(make_image(tmp_path / "image"))
    first = prepared(machine).run()
    next(first)

    with pytest.raises(UsageError, match="another"):
        tuple(prepared(machine).run())
    tuple(first)


@needs_root
def test_files_from_before_the_service_are_opened_to_the_group_but_keys_are_not(tmp_path: Path) -> None:
    machine = Machine(make_image(tmp_path / "image"))
    state = machine.at("/var/lib/retentiond")
    state.mkdir(parents=True)
    for name in ("catalogue.sqlite", "scan.lock", "vault.key", "report.html"):
        (state / name).write_bytes(b"x" * 32)
        (state / name).chmod(0o600)

    tuple(prepared(machine).run())

    modes = {path.name: path.stat().st_mode & 0o777 for path in state.iterdir() if path.is_file()}
    assert (modes["catalogue.sqlite"], modes["scan.lock"]) == (0o660, 0o660)
    assert (modes["vault.key"], modes["report.html"]) == (0o600, 0o600)


@needs_root
@pytest.mark.parametrize("planted", ["link", "second name"])
def test_rights_are_not_given_to_what_somebody_has_put_there(tmp_path: Path, planted: str) -> None:
    secret = tmp_path / "shadow"
    secret.write_text("root:…")
    secret.chmod(0o600)
    trap = tmp_path / "master.key"
    if planted == "link":
        trap.symlink_to(secret)
    else:
        trap.hardlink_to(secret)

    with pytest.raises(ConfigurationError):
        grant(trap, Rights(0, GROUP, 0o640))

    assert (secret.stat().st_gid, secret.stat().st_mode & 0o777) == (0, 0o600)


# Keys


@needs_root
def test_a_sealed_key_is_never_in_the_clear(tmp_path: Path) -> None:
    systemd = Systemd()
    machine = Here(make_image(tmp_path / "image"), systemd)

    ready = prepared(machine)
    tuple(ready.run())

    key = systemd(("systemd-creds", "decrypt", str(machine.at(plan.SEALED)), "-"), b"").output
    assert len(key) == 32
    files = facts(machine.root)
    assert not any(key in there[3] for there in files.values())
    assert not any(word.encode() == key or key.hex() in word for call in systemd.seen for word in call)
    assert not machine.at(plan.CLEAR).exists()
    assert files["etc/retentiond/credstore/retentiond-vault.cred"][:3] == (0o600, 0, 0)
    assert files["etc/credstore.encrypted/retentiond-vault"][3] == str(plan.SEALED).encode()
    assert load_settings(machine.at(plan.SETTINGS)).vault.key_file is None
    ready.root_key.check_opens()


@needs_root
def test_where_systemd_cannot_seal_the_key_is_a_file_and_why_is_told(tmp_path: Path) -> None:
    machine = Here(make_image(tmp_path / "image"), Systemd(works=False))

    ready = prepared(machine)
    tuple(ready.run())

    assert ready.root_key.is_clear
    assert "local credential key" in ready.root_key.why_clear


@needs_root
def test_a_sealed_key_that_another_machine_sealed_is_told(tmp_path: Path) -> None:
    systemd = Systemd()
    ready = prepared(Here(make_image(tmp_path / "image"), systemd))
    tuple(ready.run())
    systemd.works = False

    with pytest.raises(ConfigurationError, match="bundle"):
        ready.root_key.check_opens()


@needs_root
def test_a_vault_that_was_used_gets_no_second_key(tmp_path: Path) -> None:
    machine = Machine(make_image(tmp_path / "image"))
    tuple(prepared(machine).run())
    vault = machine.at("/var/lib/retentiond/vault")
    key = machine.at(plan.CLEAR)
    secret = key.read_bytes()
    os.chown(vault, 0, 0)
    from agent.vault.keys import RootKey

    with Vault(str(vault), RootKey(secret)) as opened:
        put(opened, an_id(1))
    os.chown(vault, DISPOSE, DISPOSE)
    key.unlink()

    with pytest.raises(AgentError, match="not its root key"):
        tuple(prepared(machine).run())

    assert not key.exists()
    assert (vault.stat().st_uid, vault.stat().st_gid) == (DISPOSE, DISPOSE)


@needs_root
@pytest.mark.parametrize("path", ["/var/lib/retentiond/master.key", str(plan.CLEAR)])
def test_a_key_of_another_length_is_told_and_left_alone(tmp_path: Path, path: str) -> None:
    machine = Machine(make_image(tmp_path / "image"))
    tuple(prepared(machine).run())
    machine.at(path).write_bytes(b"short")
    machine.at(path).chmod(0o600)

    with pytest.raises(ConfigurationError, match="32 bytes"):
        tuple(prepared(machine).run())

    assert machine.at(path).read_bytes() == b"short"


@needs_root
def test_an_empty_vault_directory_that_is_there_already_becomes_a_vault(tmp_path: Path) -> None:
    machine = Machine(make_image(tmp_path / "image"))
    vault = machine.at("/var/lib/retentiond/vault")
    vault.mkdir(parents=True)
    os.chown(vault, DISPOSE, DISPOSE)

    tuple(prepared(machine).run())

    assert (vault / "keyring").stat().st_uid == DISPOSE


@pytest.mark.skipif(shutil.which("systemd-creds") is None, reason="systemd is not installed")
@needs_root
def test_systemd_itself_seals_and_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYSTEMD_CREDENTIAL_SECRET", str(tmp_path / "host.key"))
    key = os.urandom(32)

    sealing = seal(run_program, "retentiond-vault", key)
    if sealing.sealed is None:
        pytest.skip(f"systemd cannot seal here: {sealing.why_not}")
    file = tmp_path / "sealed"
    file.write_bytes(sealing.sealed)

    assert why_it_does_not_open(run_program, "retentiond-vault", file) == ""
    assert why_it_does_not_open(run_program, "another-name", file)
    assert sealed_with(sealing.sealed) in (HOST_KEY, "the TPM2 and the host key of this machine")
    assert key not in sealing.sealed
