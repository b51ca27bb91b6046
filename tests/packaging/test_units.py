"""The units keep the services from what they must not do, and let them do their work."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.corpus import formats, office_share
from tests.packaging.unit_files import ROLES, ROOT, UNITS, allowed_calls, settings_of, words_of

WITH_SYSTEMD = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs Debian's systemd")
WITH_STRACE = pytest.mark.skipif(not shutil.which("strace"), reason="needs Debian's strace")
_EXPOSURE = 25  # of 100; a service without any of this has 96
_SET_MDWE, _REFUSE_EXEC_GAIN = 65, 1
# By ptrace a process that parses shows that it is confined; a numeric library does without mbind; and SQLite calls
# fchown only as root, which this test may be and the service is not.
_MAY_BE_REFUSED = {"ptrace", "mbind", "fchown"}


@WITH_SYSTEMD
@pytest.mark.parametrize("role", ROLES)
def test_a_service_is_exposed_little(role: str) -> None:
    unit = UNITS / f"retentiond-{role}.service"
    told = subprocess.run(
        ["systemd-analyze", "security", "--no-pager", "--offline=yes", f"--threshold={_EXPOSURE}", unit],
        capture_output=True,
        text=True,
    )

    assert told.returncode == 0, told.stdout[-200:] + told.stderr


@WITH_SYSTEMD
@pytest.mark.parametrize("role", ROLES)
def test_systemd_finds_nothing_wrong_with_a_unit(role: str, tmp_path: Path) -> None:
    text = (UNITS / f"retentiond-{role}.service").read_text(encoding="utf-8")
    unit = tmp_path / f"retentiond-{role}.service"
    unit.write_text(text.replace("ExecStart=/opt/retentiond/bin/retentiond", "ExecStart=/bin/true"), encoding="utf-8")
    told = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True)

    assert (told.returncode, told.stderr) == (0, "")


def test_the_reader_may_read_and_nothing_else() -> None:
    assert (
        words_of("scan", "AmbientCapabilities") == words_of("scan", "CapabilityBoundingSet") == {"CAP_DAC_READ_SEARCH"}
    )
    assert words_of("scan", "ReadWritePaths") == {"/var/lib/retentiond", "/run/retentiond"}


def test_what_destroys_has_no_network_and_may_write_to_no_share_by_itself() -> None:
    assert settings_of("dispose")["PrivateNetwork"] == ["yes"]
    assert words_of("dispose", "RestrictAddressFamilies") == {"AF_UNIX"}
    assert words_of("dispose", "ReadWritePaths") == {"/var/lib/retentiond", "/run/retentiond"}


def test_the_console_has_no_capability() -> None:
    assert words_of("console", "CapabilityBoundingSet") == words_of("console", "AmbientCapabilities") == set()


@pytest.mark.parametrize("role", ["scan", "console"])
def test_vault_and_keys_are_hidden_from_who_needs_neither(role: str) -> None:
    hidden = {path.removeprefix("-") for path in words_of(role, "InaccessiblePaths")}

    assert {"/var/lib/retentiond/vault", "/etc/retentiond/credstore", "/etc/credstore.encrypted"} <= hidden
    assert "LoadCredentialEncrypted" not in settings_of(role)


@pytest.mark.parametrize("role", ROLES)
def test_nothing_personal_goes_into_core_dumps_or_swap_or_to_other_users(role: str) -> None:
    settings = settings_of(role)

    assert (settings["LimitCORE"], settings["MemorySwapMax"], settings["UMask"]) == (["0"], ["0"], ["0007"])


@pytest.mark.parametrize("role", ROLES)
def test_no_service_starts_before_it_is_set_up(role: str) -> None:
    assert settings_of(role)["ConditionPathExists"] == ["/etc/retentiond/retentiond.yaml"]


@pytest.mark.parametrize("role", ROLES)
def test_openat2_is_not_lost_where_shares_are_walked(role: str) -> None:
    assert settings_of(role)["RestrictSUIDSGID"] == ["yes" if role == "console" else "no"]


@WITH_SYSTEMD
@pytest.mark.parametrize("role", ROLES)
def test_no_filter_lets_through_what_changes_the_machine(role: str) -> None:
    never = {"mount", "umount2", "ptrace", "bpf", "init_module", "kexec_load", "reboot", "swapon", "keyctl", "chroot"}
    never |= {"pivot_root", "settimeofday", "clock_settime", "perf_event_open", "process_vm_writev", "setuid"}

    assert never & allowed_calls(role) == set()
    assert ("fchown" in allowed_calls(role)) == (role == "dispose")


@WITH_SYSTEMD
def test_what_acts_gets_the_calls_it_acts_by() -> None:
    needed = {"renameat2", "linkat", "openat2", "fchown", "fchmod", "fsetxattr", "utimensat", "fallocate", "fsync"}

    assert needed | {"adjtimex", "clock_adjtime", "fcntl", "ioctl", "unlinkat", "fdatasync"} <= allowed_calls("dispose")


@WITH_SYSTEMD
@WITH_STRACE
@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_scan_makes_no_call_that_the_filter_refuses(tmp_path: Path) -> None:
    share = tmp_path / "share"
    office_share.make_office_share(share)
    if "RETENTIOND_TEST_LONG" not in os.environ:
        _leave_one_of_each_kind(share)
    scan = [sys.executable, "-m", "agent", "scan", "--state", tmp_path / "state", "--jobs", "1", share]
    traced = ["strace", "--follow-forks", "--summary-only", "--summary-sort-by=name", "--output", tmp_path / "calls"]
    subprocess.run([*traced, *scan], cwd=ROOT, capture_output=True, timeout=390)
    rows = re.findall(r"^ *[\d.]+ .*\b([a-z_0-9]+)$", (tmp_path / "calls").read_text(encoding="utf-8"), re.MULTILINE)
    made = set(rows) - {"total"} - _MAY_BE_REFUSED

    assert {"landlock_restrict_self", "openat2", "pidfd_open"} <= made
    assert made - allowed_calls("scan") == set()


def _leave_one_of_each_kind(share: Path) -> None:
    """What is there already in another file of the same kind makes no other calls, and being traced takes long."""
    kinds = set[str]()
    for file in sorted(path for path in share.rglob("*") if path.is_file() and not path.is_symlink()):
        if file.suffix in kinds and file.stat().st_nlink == 1:
            file.unlink()
        kinds.add(file.suffix)
    assert len(kinds) > 10


def test_documents_are_read_where_no_memory_may_become_code(tmp_path: Path) -> None:
    """`MemoryDenyWriteExecute=yes`. Callbacks from a library's C code take such memory if nothing else is prepared."""
    pdf = tmp_path / "letter.pdf"
    pdf.write_bytes(formats.pdf(["Dear Mr Nobody", "thank you."]))
    start = (
        "import ctypes, os, sys\n"
        f"if ctypes.CDLL(None).prctl({_SET_MDWE}, {_REFUSE_EXEC_GAIN}, 0, 0, 0): sys.exit(77)\n"
        "os.execv(sys.executable, [sys.executable, '-m', 'agent', 'extract', '--jsonl', sys.argv[1]])\n"
    )
    told = subprocess.run([sys.executable, "-c", start, pdf], cwd=ROOT, capture_output=True, text=True, timeout=100)
    if told.returncode == 77:
        pytest.skip("needs Linux 6.3")

    assert '"status": "ok"' in told.stdout, told.stdout + told.stderr
