"""The main job on the sample office share, as a user runs it."""

from __future__ import annotations

import contextlib
import hashlib
import html
import json
import os
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import Here
from tests.conftest import command_in
from tests.corpus.office_share import Manifest, make_office_share

# Each worker loads a detector, which takes most of the time; with RETENTIOND_TEST_LONG there are as many as usual.
JOBS = () if "RETENTIOND_TEST_LONG" in os.environ else ("--jobs", "1")
_LONG_AGO = 1_262_304_000 * 10**9  # before every change: under "relatime", whoever reads next moves this access time


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Manifest]:
    share = tmp_path_factory.mktemp("office") / "share"
    manifest = make_office_share(share)
    with contextlib.suppress(OSError):  # not every file system keeps such attributes
        os.setxattr(share / "Shared" / "Contacts.txt", "user.comment", b"kept as it is")
    for folder, _, files in os.walk(os.fsencode(share)):
        for name in files:
            if not os.path.islink(os.path.join(folder, name)):
                facts = os.stat(os.path.join(folder, name))
                os.utime(os.path.join(folder, name), ns=(_LONG_AGO, facts.st_mtime_ns))
    return share, manifest


@pytest.fixture
def share(made: tuple[Path, Manifest]) -> Path:
    return made[0]


@dataclass(frozen=True)
class First:
    """The first scan of the share, in a process of its own: what it told, the folder of the user who made it, and the
    share as it was before and after. For tests that only look."""

    done: subprocess.CompletedProcess[str]
    folder: Path
    before: tuple[object, object]
    after: tuple[object, object]

    @property
    def told(self) -> dict[str, Any]:
        result: dict[str, Any] = json.loads(self.done.stdout)
        return result


@pytest.fixture(scope="session")
def first(made: tuple[Path, Manifest], tmp_path_factory: pytest.TempPathFactory) -> First:
    share, _ = made
    folder = tmp_path_factory.mktemp("user")
    before = (_contents(share), _traces(share))
    done = command_in(folder)("scan", "--json", "--verbose", *JOBS, share)
    traces = _traces(share)
    return First(done, folder, before, (_contents(share), traces))


def _traces(share: Path) -> dict[bytes, tuple[object, ...]]:
    """Everything about every name in the share that a scan could change."""
    traces: dict[bytes, tuple[object, ...]] = {}
    for folder, folders, files in os.walk(os.fsencode(share)):
        for name in [b".", *folders, *files]:
            path = os.path.join(folder, name)
            facts = os.lstat(path)
            link = stat.S_ISLNK(facts.st_mode)
            attributes = () if link else tuple((key, os.getxattr(path, key)) for key in sorted(os.listxattr(path)))
            times = (facts.st_atime_ns, facts.st_mtime_ns, facts.st_ctime_ns)
            traces[path] = (facts.st_ino, facts.st_mode, facts.st_uid, facts.st_nlink, facts.st_size, times, attributes)
    return traces


def _contents(share: Path) -> dict[bytes, str]:
    hashes = {}
    for folder, _, files in os.walk(os.fsencode(share)):
        for name in files:
            path = os.path.join(folder, name)
            if not os.path.islink(path):
                hashes[path] = hashlib.sha256(_read(path)).hexdigest()
    return hashes


def _read(path: str | bytes | Path) -> bytes:
    """Leaves the access time as it is, or a scan could move it without anybody seeing."""
    with open(os.open(path, os.O_RDONLY | os.O_NOATIME), "rb") as file:
        return file.read()


def test_a_scan_accounts_for_every_file_and_leaves_no_trace(first: First) -> None:
    assert first.done.returncode == 3, first.done.stderr  # one file of the sample is damaged
    assert "Traceback" not in first.done.stdout + first.done.stderr
    assert first.before == first.after


def test_the_result_is_told_as_one_object_that_adds_up(first: First, made: tuple[Path, Manifest]) -> None:
    (_, manifest), told = made, first.told

    for key in ("skipped", "failed", "extraction", "findings", "categories", "classes"):
        assert isinstance(told[key], dict)
    assert told["seen"] == told["scanned"] + sum(told["skipped"].values()) + sum(told["failed"].values())
    assert told["seen"] == len(manifest.files) + 3  # a second name, a symbolic link, a name that is no text
    assert told["skipped"] == {"hard_link": 1, "symbolic_link": 1, "unsupported": 1}
    assert told["failed"] == {"corrupt": 1}
    assert told["extraction"]["empty"] == 1
    assert told["classes"]["payroll"] >= 14
    assert 0 < told["due"] < told["seen"]
    assert told["bytes"] > 0
    assert told["state"] == str(first.folder / "state")
    assert Path(told["report"]).is_file()


def test_what_was_planted_is_found(first: First, made: tuple[Path, Manifest]) -> None:
    _, manifest = made
    planted: dict[str, int] = {}
    for path, values in manifest.files.items():
        if not path.endswith((".png", ".mp3", ".zip")):
            for kind in {value.entity_type for value in values}:
                planted[kind] = planted.get(kind, 0) + len({v.value for v in values if v.entity_type == kind})

    found = first.told["findings"]

    for kind in ("UK_NINO", "UK_NHS", "EMAIL_ADDRESS", "IBAN_CODE", "CREDIT_CARD", "UK_POSTCODE", "PHONE_NUMBER"):
        assert found[kind] >= 0.95 * planted[kind], kind


@pytest.mark.usefixtures("reads_here")
def test_a_second_scan_opens_nothing_and_says_so(first: First, here: Here, share: Path, tmp_path: Path) -> None:
    before = first.told
    shutil.copytree(first.folder / "state", tmp_path / "state")
    second = json.loads(here("scan", "--json", share).stdout)

    assert before["opened"] > 100
    assert second["opened"] == 0
    same = before.keys() - {"opened", "bytes", "seconds", "state", "report"}
    assert {key: before[key] for key in same} == {key: second[key] for key in same}
    said = here("scan", share).stdout
    assert "no file was opened" in said
    assert "every one accounted for" in said


@pytest.mark.usefixtures("reads_here")
def test_no_output_repeats_a_value_from_the_files(
    first: First, here: Here, made: tuple[Path, Manifest], tmp_path: Path
) -> None:
    share, manifest = made
    state = tmp_path / "state"
    shutil.copytree(first.folder / "state", state)
    outputs = {"scan": (first.done.stdout + first.done.stderr).encode("utf-8", "surrogateescape")}

    def run(*arguments: str | os.PathLike[str]) -> None:
        done = here(*arguments)
        outputs[" ".join(map(os.fspath, arguments))] = done.stdout_bytes + done.stderr_bytes

    with_findings = share / "Clients" / "Tenants 2026.xlsx"
    run("scan", share)
    run("status", "--json")
    run("report", "--format", "csv")
    run("report", "--format", "json")
    run("report", "--format", "html")
    run("explain", with_findings)
    run("explain", "--json", with_findings)
    run("detect", with_findings, share / "Scans" / "damaged.pdf")
    run("detect", "--json", with_findings)
    outputs.update({str(file): file.read_bytes() for file in state.rglob("*") if file.is_file()})

    assert {file.name for file in state.iterdir()} >= {"catalogue.sqlite", "report.html", "master.key"}
    assert len(manifest.values) > 200
    for name, output in outputs.items():
        if not name.endswith((".key", ".lock")):
            assert len(output) > 50, f"{name}: an empty output proves nothing"
        for value in manifest.values:
            for spelling in {value, html.escape(value), json.dumps(value)[1:-1], value.replace(" ", "")}:
                assert spelling.encode() not in output, f"{name} repeats a planted value of {len(value)} characters"


def test_the_search_for_planted_values_can_find_one(made: tuple[Path, Manifest]) -> None:
    """The control: in the share itself, every value is there."""
    share, manifest = made
    for path, values in manifest.files.items():
        if path.endswith((".txt", ".csv", ".json", ".log", ".md", ".html")):
            content = _read(share / path).decode("cp1252" if path.endswith(".txt") else "utf-8")
            assert all(value.value in content for value in values), path


def test_why_a_file_is_due_is_explained_with_its_date(first: First, here: Here, share: Path, tmp_path: Path) -> None:
    shutil.copytree(first.folder / "state", tmp_path / "state")
    file = next((share / "HR" / "Recruitment" / "2025 Caretaker").glob("* CV.docx"))

    before = json.loads(here("explain", "--json", file, "--at", "2024-01-01").stdout)
    after = json.loads(here("explain", "--json", file, "--at", "2030-01-01").stdout)
    said = here("explain", file, "--at", "2030-01-01").stdout

    assert after["decision"]["class"] == "recruitment"
    assert (before["decision"]["state"], after["decision"]["state"]) != ("due", "keep")
    assert after["decision"]["state"] == "due"
    assert "six months" in said or "6 months" in said


def test_the_sample_is_the_same_for_the_same_seed(tmp_path: Path, made: tuple[Path, Manifest]) -> None:
    again = make_office_share(tmp_path / "again")

    assert again == made[1]
    first = {path.removeprefix(os.fsencode(made[0])): digest for path, digest in _contents(made[0]).items()}
    second = {
        path.removeprefix(os.fsencode(tmp_path / "again")): digest
        for path, digest in _contents(tmp_path / "again").items()
    }
    assert first == second


def test_the_sample_does_not_go_where_something_is(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")

    with pytest.raises(FileExistsError):
        make_office_share(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.usefixtures("counts_here")
def test_files_are_opened_no_faster_than_allowed(here: Here, tmp_path: Path) -> None:
    for share in ("first", "other", "few"):
        (tmp_path / share).mkdir()
        for number in range(4):
            (tmp_path / share / f"{number}.txt").write_text("x")
    (tmp_path / "settings.yaml").write_text("files_per_second: 2\n")

    here("scan", "--json", tmp_path / "first")  # the first scan of a process takes longer
    free = json.loads(here("scan", "--json", tmp_path / "other").stdout)
    told = json.loads(here("scan", "--json", tmp_path / "few", "--config", tmp_path / "settings.yaml").stdout)

    assert (free["opened"], told["opened"]) == (4, 4)
    assert told["seconds"] >= 1.5
    assert told["seconds"] >= free["seconds"] + 1, "it takes that long without being held back"


@pytest.mark.usefixtures("counts_here")
def test_our_own_state_inside_the_share_is_left_out(here: Here, tmp_path: Path) -> None:
    (tmp_path / "share").mkdir()
    (tmp_path / "share" / "a.txt").write_text("x")
    state = tmp_path / "share" / "kept here"

    first = json.loads(here("scan", "--json", "--state", state, tmp_path / "share").stdout)
    second = json.loads(here("scan", "--json", "--state", state, tmp_path / "share").stdout)

    assert (first["seen"], second["seen"], second["opened"]) == (1, 1, 0)
    assert second["folders_not_listed"] == [{"folder": "kept here", "reason": "own_state", "failed": False}]
