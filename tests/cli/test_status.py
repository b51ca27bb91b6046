"""`retentiond status`, as people, scripts and monitoring systems run it; with a service and without one."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent import bootstrap
from agent.catalogue.jobs import Wanted
from agent.catalogue.store import Catalogue
from agent.cli.status_words import tell
from agent.model.analysis_version import AnalysisVersion
from agent.model.service import JobName, JobResult, Role, ShareState
from agent.usecases.set_up_certificates import new_key
from tests.cli.here import command_here
from tests.conftest import Command

LETTER = "Dear Ms Amy Carter\nYour account: sort code 20-11-33, account number 12345678. Telephone 020 7946 0123.\n"
PERFORMANCE = re.compile(r"[a-z_]+=\d+(c|B)?;\d*;\d*;0")
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An office with one letter that is long due, scanned once for all."""
    folder = tmp_path_factory.mktemp("office")
    letter = folder / "share" / "Invoices" / "letter.txt"
    letter.parent.mkdir(parents=True)
    letter.write_text(LETTER)
    os.utime(letter, (1_400_000_000, 1_400_000_000))
    assert command_here(folder)("scan", folder / "share").returncode == 0
    assert command_here(folder)("due").returncode == 0
    return folder


@pytest.fixture
def scanned(tmp_path: Path, office: Path, retentiond: Command) -> Command:
    """The command in a state directory of one's own, as the scan of the office has left it."""
    shutil.copytree(office / "state", tmp_path / "state")
    return retentiond


@pytest.fixture
def catalogue(tmp_path: Path, scanned: Command) -> Iterator[Catalogue]:
    with bootstrap.open_catalogue(tmp_path / "state") as opened:
        yield opened


def now() -> datetime:
    return datetime.now(UTC)


def a_service(catalogue: Catalogue, beat_at: datetime) -> None:
    catalogue.services.beat(Role.SCAN, beat_at - HOUR, beat_at, "idle")
    catalogue.services.keep_condition(catalogue.shares()[0].name, ShareState.WATCHED, "", beat_at)
    catalogue.jobs.want(JobName, [Wanted(JobName.EVALUATE, "", "5 0 * * *", beat_at + HOUR)])


def a_run(catalogue: Catalogue, result: JobResult, said: str) -> None:
    (job,) = catalogue.jobs.all()
    run = catalogue.jobs.begin(job, now() - HOUR, now() + HOUR)
    catalogue.jobs.end(run, now() - HOUR / 2, result, said)


def lines(text: str, mark: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith(mark)]


def told(retentiond: Command) -> dict[str, Any]:
    done = retentiond("status", "--json")
    assert done.returncode == 0, done.stderr
    facts: dict[str, Any] = json.loads(done.stdout)
    return facts


def test_without_a_service_there_is_everything_that_there_was_before(scanned: Command) -> None:
    facts = told(scanned)
    assert {"state", "shares", "confinement"} <= set(facts)
    (share,) = facts["shares"]
    assert share["last_scan"]["reconciles"]
    assert share["last_scan"]["seen"] == 1
    assert facts["health"] == {"state": "ok", "problems": []}
    assert (facts["jobs"], facts["services"], facts["conditions"]) == ([], [], [])
    assert facts["counts"]["due"] == {"invoice": 1}
    # by default everything is only observed, so that nothing waits for anybody
    assert (facts["counts"]["reviews_waiting"], facts["counts"]["reviews_overdue"]) == (0, 0)

    text = scanned("status").stdout
    assert "Accounted for" in text
    assert "Due, as last decided: 1 (1 invoice)" in text
    assert "Health: ok" in text
    assert "Looked after" not in text


def a_tenant(catalogue: Catalogue, *names: str, seen: int = 2) -> None:
    """Drives and mailboxes of a tenant, each scanned once but the last, whose pass is to be gone on with."""
    version = AnalysisVersion("1", {}, "1")
    for number, name in enumerate(names):
        kind = "microsoft365-mailboxes" if name.partition("/")[0].count("@") else "microsoft365-drives"
        share = catalogue.ensure_scope(name, f"https://contoso.sharepoint.com/{name}", f"b!{name}", kind, "contoso")
        begun = catalogue.begin_pass(share, version, now(), continues=True)
        if number + 1 < len(names):
            catalogue.end_pass(begun, now() - number * HOUR)


def test_a_tenant_is_told_as_a_whole_with_its_libraries_and_without_the_names_of_people(
    catalogue: Catalogue, scanned: Command
) -> None:
    a_tenant(catalogue, "HR/Documents", "Sales/Documents", "OneDrive/ann@contoso.example", "ann@contoso.example")
    catalogue.services.keep_condition("contoso", ShareState.UNAVAILABLE, "nobody can sign in", now() - 2 * HOUR)
    (office,) = [share.name for share in catalogue.shares() if not share.tenant]
    catalogue.services.keep_condition(office, ShareState.WATCHED, "", now())

    facts = told(scanned)
    tenants = {one["share"]: (one["tenant"], one["kind"]) for one in facts["shares"] if one["tenant"]}
    assert tenants == {
        "HR/Documents": ("contoso", "microsoft365-drives"),
        "Sales/Documents": ("contoso", "microsoft365-drives"),
        "OneDrive/ann@contoso.example": ("contoso", "microsoft365-drives"),
        "ann@contoso.example": ("contoso", "microsoft365-mailboxes"),
    }
    (problem,) = [one for one in facts["health"]["problems"] if one["code"] == "share_unavailable"]
    assert problem["sentence"] == "The tenant contoso has not been reachable for 2 hours."
    assert "ann@" not in json.dumps(facts["health"])
    assert set(facts["counts"]["dirty_folders"]) & set(tenants) == set()

    text = scanned("status").stdout
    rows = {row.split("│")[1].strip(): [cell.strip() for cell in row.split("│")[2:-1]] for row in lines(text, "│")}
    assert list(rows)[-5:] == [
        "contoso (tenant)",
        "HR/Documents",
        "Sales/Documents",
        "1 OneDrive",
        "1 mailbox",
    ]
    assert rows["contoso (tenant)"][0] == "3 of 4; goes on"
    assert rows["contoso (tenant)"][-1] == "unavailable (nobody can sign in)"
    assert rows["HR/Documents"][-2:] == ["yes", ""]
    assert rows["1 mailbox"][0] == "interrupted; the next scan goes on"
    assert "ann@" not in text


def test_of_a_tenant_with_very_many_libraries_the_first_are_named(catalogue: Catalogue, scanned: Command) -> None:
    a_tenant(catalogue, *(f"Site {number:03}/Documents" for number in range(40)))
    text = scanned("status").stdout
    assert text.count("/Documents") == 30
    assert "10 more libraries" in text
    assert len(told(scanned)["shares"]) == 41


def test_in_a_narrow_terminal_no_number_is_cut(
    catalogue: Catalogue, scanned: Command, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    a_tenant(catalogue, "Human Resources and Development/Shared Documents of all", "Sales/Documents")
    catalogue.services.keep_condition("contoso", ShareState.UNAVAILABLE, "a long reason " * 9, now())
    facts = told(scanned)
    facts["shares"][-1]["last_scan"]["seen"] = 12_345_678
    monkeypatch.setenv("COLUMNS", "80")
    tell(facts)
    text = capsys.readouterr().out
    assert all(len(line) <= 80 for line in lines(text, "│"))
    assert "…" not in text
    assert text.count("12,345,678") == 2, "of the library, and of the tenant"


def test_how_it_stands_with_a_tenant_is_told_from_what_lies_here(
    catalogue: Catalogue, scanned: Command, tmp_path: Path
) -> None:
    config = tmp_path / "settings.yaml"
    key = tmp_path / "reader.pem"
    key.write_bytes(new_key("reader", now() - timedelta(days=710)))
    key.chmod(0o600)
    guid = "11111111-2222-3333-4444-555555555555"
    config.write_text(
        f"tenants: [{{name: contoso, tenant_id: {guid}, reader: {{client_id: {guid}, certificate_file: {key}}}}}]\n"
    )
    facts = json.loads(scanned("status", "--json", config=config).stdout)
    (tenant,) = facts["tenants"]
    assert (tenant["tenant"], tenant["gates"]) == ("contoso", {})
    assert tenant["certificates_expire_at"]["reader"].startswith(f"{now() + timedelta(days=20):%Y-%m-%d}")
    (problem,) = facts["health"]["problems"]
    assert (problem["code"], problem["state"]) == ("certificate_expires", "warning")
    assert "Tenant contoso: the reader's certificate expires on 20" in scanned("status", config=config).stdout
    assert not list((tmp_path / "state").glob("*.gate"))


def test_reviews_that_wait_are_counted_where_there_is_something_to_approve(scanned: Command, tmp_path: Path) -> None:
    config = tmp_path / "settings.yaml"
    config.write_text("disposition: {mode: propose}\nreviewers: [{name: ann, roles: [reviewer]}]\n")
    facts = json.loads(scanned("status", "--json", config=config).stdout)
    assert facts["counts"]["reviews_waiting"] == 1


def test_the_service_is_told_with_its_jobs_and_shares(catalogue: Catalogue, scanned: Command) -> None:
    a_service(catalogue, now())
    a_run(catalogue, JobResult.DONE, "1 file was decided on.")
    facts = told(scanned)
    (service,), (job,), (condition,) = facts["services"], facts["jobs"], facts["conditions"]
    assert (service["role"], service["alive"], service["doing"]) == ("scan", True, "idle")
    assert (job["job"], job["last"]["result"], job["failures"]) == ("evaluate", "done", 0)
    assert job["succeeded_at"] == job["last"]["ended_at"]
    assert (condition["share"], condition["state"]) == (facts["shares"][0]["share"], "watched")
    text = scanned("status").stdout
    for words in ("Service scan: alive", "evaluate", "1 file was decided on.", "watched"):
        assert words in text


def test_a_share_that_was_never_reached_is_told_too(catalogue: Catalogue, scanned: Command) -> None:
    a_service(catalogue, now())
    catalogue.services.keep_condition("archive", ShareState.UNAVAILABLE, "not mounted", now() - 2 * HOUR)
    done = scanned("status")
    assert "unavailable (not mounted)" in done.stdout
    assert "The share archive has not been reachable for 2 hours." in done.stdout


def test_a_job_that_failed_and_a_service_that_is_silent_are_problems(catalogue: Catalogue, scanned: Command) -> None:
    a_service(catalogue, now() - HOUR)
    for _ in range(2):
        a_run(catalogue, JobResult.FAILED, "The disk is full.")
    facts = told(scanned)
    assert facts["health"]["state"] == "critical"
    assert [one["code"] for one in facts["health"]["problems"]] == ["service_silent", "job_failed"]
    assert (facts["jobs"][0]["failures"], facts["jobs"][0]["succeeded_at"]) == (2, None)
    text = scanned("status").stdout
    assert "Service scan: NOT ALIVE" in text
    assert "The job evaluate has failed 2 times in a row." in text


def test_mail_that_did_not_get_through_is_told_with_the_address(
    catalogue: Catalogue, scanned: Command, tmp_path: Path
) -> None:
    config = tmp_path / "settings.yaml"
    mail = "{host: localhost, security: none, sender: r@example.org, administrators: [root@example.org]}"
    config.write_text(f"service: {{mail: {mail}}}\n")
    catalogue.notices.record("undelivered", "root@example.org", "", now())
    done = scanned("status", "--json", config=config)
    assert [one["address"] for one in json.loads(done.stdout)["mail_undelivered"]] == ["root@example.org"]
    assert "did not get through to root@example.org" in scanned("status", config=config).stdout


@pytest.mark.parametrize(
    ("silent", "results", "code", "word"),
    [
        (timedelta(), [JobResult.DONE], 0, "OK"),
        (timedelta(), [JobResult.FAILED], 1, "WARNING"),
        (timedelta(), [JobResult.FAILED] * 3, 2, "CRITICAL"),
        (timedelta(hours=1), [JobResult.DONE], 2, "CRITICAL"),
    ],
)
def test_a_monitoring_system_gets_one_line_and_its_own_exit_codes(
    catalogue: Catalogue, scanned: Command, silent: timedelta, results: list[JobResult], code: int, word: str
) -> None:
    a_service(catalogue, now() - silent)
    for result in results:
        a_run(catalogue, result, "")
    done = scanned("status", "--check")
    assert (done.returncode, done.stdout.count("\n")) == (code, 1)
    said, bar, performance = done.stdout.strip().partition(" | ")
    assert said.startswith(f"RETENTIOND {word} - ")
    assert bar
    assert [one for one in performance.split() if not PERFORMANCE.fullmatch(one)] == []
    assert "due=1;;;0" in performance


def test_what_cannot_be_found_out_is_unknown_and_not_a_warning(retentiond: Command, tmp_path: Path) -> None:
    nothing = retentiond("status", "--check")
    assert (nothing.returncode, nothing.stdout.startswith("RETENTIOND UNKNOWN - ")) == (3, True)
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "catalogue.sqlite").write_bytes(b"no database" * 1000)
    damaged = retentiond("status", "--check")
    assert (damaged.returncode, damaged.stdout.count("\n"), damaged.stderr) == (3, 1, "")
    config = tmp_path / "settings.yaml"
    config.write_text("no_such_key: 1\n")
    assert retentiond("status", "--check", config=config).returncode == 3


def test_a_schedule_that_cannot_be_read_leaves_the_rest_of_the_status(scanned: Command, tmp_path: Path) -> None:
    config = tmp_path / "settings.yaml"
    config.write_text("schedule: /there/is/none.yaml\n")
    done = scanned("status", "--json", config=config)
    assert done.returncode == 0
    assert json.loads(done.stdout)["counts"]["reviews_waiting"] is None


def test_looking_makes_nothing(scanned: Command, tmp_path: Path) -> None:
    (tmp_path / "state" / "master.key").unlink()
    assert scanned("status").returncode == 0
    assert scanned("status", "--check").returncode == 0
    assert not (tmp_path / "state" / "master.key").exists()
