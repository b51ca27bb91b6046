"""What is gathered from a real catalogue, without changing anything in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.catalogue.jobs import Wanted
from agent.catalogue.store import Catalogue
from agent.model.analysis_version import AnalysisVersion
from agent.model.service import JobName, JobResult, ShareState
from agent.observing.base import Facts, JobFacts
from agent.usecases.observed import observed
from agent.usecases.review_standing import ReviewStandings
from tests.disposition.house import House
from tests.observing.facts import a_tenant
from tests.usecases.review_office import PEOPLE, TERMS, TODAY, an_office

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    files = ["Cases/1/a.pdf", "Cases/2/b.pdf", "Letters/c.pdf", "Young/d.pdf"]
    with an_office(tmp_path / "catalogue.sqlite", files) as made:
        ReviewStandings(made, TERMS, TODAY, PEOPLE).bring_up_to_date()
        yield made


def see(catalogue: Catalogue, **known: object) -> Facts:
    return observed(catalogue, NOW, TODAY, **known)  # type: ignore[arg-type]


def ran(catalogue: Catalogue, name: JobName, *results: JobResult | None) -> JobFacts:
    """The job after runs that ended so, an hour apart, the last of them an hour ago; none is still under way."""
    catalogue.jobs.want(JobName, [Wanted(name, "", "0 1 * * *", NOW + HOUR)])
    for number, result in enumerate(results):
        began_at = NOW - (len(results) - number) * HOUR
        run = catalogue.jobs.begin(catalogue.jobs.all()[0], began_at, NOW + HOUR)
        if result is not None:
            catalogue.jobs.end(run, began_at + HOUR / 2, result, "")
    (job,) = see(catalogue).jobs
    return job


def test_what_is_due_is_counted_by_class(catalogue: Catalogue) -> None:
    facts = see(catalogue)
    assert facts.due == {"case-file": 2, "letter": 1}
    assert facts.shares[0].seen == 4
    assert (facts.holds, facts.paused, facts.reviews, facts.undelivered) == (0, False, None, 0)
    assert (facts.vault.items, facts.vault.size_bytes, facts.vault.destroyed) == (0, 0, 0)


def test_the_drives_and_mailboxes_of_a_tenant_are_told_as_one_and_nobody_is_named(catalogue: Catalogue) -> None:
    ended = {"HR/Documents": NOW - HOUR, "OneDrive/ann@contoso.example": NOW - 3 * HOUR, "ann@contoso.example": None}
    for name, at in ended.items():
        share = catalogue.ensure_scope(name, name, f"b!{name}", "microsoft365-drives", "contoso")
        begun = catalogue.begin_pass(share, AnalysisVersion("1", {}, "1"), NOW - 4 * HOUR, continues=True)
        if at is not None:
            catalogue.end_pass(begun, at)
    catalogue.services.keep_condition("contoso", ShareState.RECONCILE_ONLY, "", NOW)

    facts = see(catalogue, throttled={"contoso": (3, 9.5), "HR/Documents": (1, 1.0)}, tenants=[a_tenant()])

    by_name = {share.name: share for share in facts.shares}
    assert set(by_name) == {catalogue_share(catalogue), "contoso"}
    tenant = by_name["contoso"]
    assert (tenant.places, tenant.complete, tenant.reconciles, tenant.scanned_at) == (3, False, True, None)
    assert (tenant.throttled, tenant.throttled_seconds) == (3, 9.5)
    assert tenant.condition is not None
    assert "ann@" not in repr(facts.shares)
    assert facts.tenants == (a_tenant(),)

    (last,) = [share for share in catalogue.shares() if share.name == "ann@contoso.example"]
    begun = catalogue.begin_pass(last, AnalysisVersion("1", {}, "1"), NOW - 4 * HOUR, continues=True)
    catalogue.end_pass(begun, NOW)
    tenant = {share.name: share for share in see(catalogue).shares}["contoso"]
    assert (tenant.complete, tenant.scanned_at) == (True, NOW - 3 * HOUR), "the one scanned the longest ago counts"


def catalogue_share(catalogue: Catalogue) -> str:
    (share,) = [share.name for share in catalogue.shares() if not share.tenant]
    return share


def test_the_failures_of_a_job_are_counted_back_to_its_last_success(catalogue: Catalogue) -> None:
    done, failed, lost, stopped = JobResult.DONE, JobResult.FAILED, JobResult.LOST, JobResult.STOPPED
    job = ran(catalogue, JobName.BACKUP, failed, done, failed, stopped, lost)
    assert (job.failures, job.succeeded_at, job.failed) == (2, NOW - 4 * HOUR + HOUR / 2, True)


def test_a_job_that_never_succeeded_or_is_under_way_is_told_as_such(catalogue: Catalogue) -> None:
    job = ran(catalogue, JobName.BACKUP, JobResult.FAILED, None)
    assert (job.failures, job.succeeded_at, job.failed, job.job.running) == (1, None, False, True)


@pytest.mark.parametrize(
    ("results", "good"),
    [([], None), ([JobResult.DONE], True), ([JobResult.DONE, JobResult.FAILED], False),
     ([JobResult.FAILED, JobResult.LOST, JobResult.STOPPED], False), ([JobResult.LOST], None)],
)  # fmt: skip
def test_a_sample_of_the_vault_is_as_good_as_the_last_that_was_read(
    catalogue: Catalogue, results: list[JobResult], good: bool | None
) -> None:
    ran(catalogue, JobName.VAULT_SAMPLE, *results)
    assert see(catalogue).vault.sample_good is good


def test_a_checkpoint_counts_as_published_only_where_it_leaves_the_machine(catalogue: Catalogue) -> None:
    job = ran(catalogue, JobName.CHECKPOINT, JobResult.DONE)
    assert see(catalogue).audit.anchored_at is None
    assert see(catalogue, anchoring=True).audit.anchored_at == job.succeeded_at


def test_a_share_that_was_never_scanned_is_there_if_the_service_looks_after_it(catalogue: Catalogue) -> None:
    catalogue.services.keep_condition("archive", ShareState.UNAVAILABLE, "not mounted", NOW)
    names = {share.name: share.condition for share in see(catalogue).shares}
    assert names["archive"] is not None
    assert names["archive"].state is ShareState.UNAVAILABLE


def test_the_vault_and_the_audit_log_are_told_as_they_are(tmp_path: Path) -> None:
    house = House(tmp_path)
    for name in ("a", "b"):
        house.put(f"Cases/1/{name}.txt", b"the first case")
    house.scan()
    house.approve("Cases/1/a.txt", "Cases/1/b.txt")
    house.take()
    house.scan()
    vault = see(house.catalogue).vault
    assert (vault.items, vault.size_bytes, vault.destroyed) == (2, 28, 0)
    house.destroy(house.ripe()[:1])
    facts = see(house.catalogue)
    assert (facts.vault.items, facts.vault.size_bytes, facts.vault.destroyed) == (1, 14, 1)
    assert facts.audit.entries == facts.audit.checkpointed > 0
    assert facts.audit.checkpoint_at is not None
    house.close()


def test_dirty_folders_and_what_only_the_process_knows_are_told(catalogue: Catalogue) -> None:
    (share,) = catalogue.shares()
    catalogue.dirty.add(share, [b"Cases", b"Letters"], NOW - HOUR)
    (told,) = see(catalogue, throttled={share.name: (3, 1.5)}, errors={"KeyError": 1}).shares
    assert (told.dirty_folders, told.dirty_since) == (2, NOW - HOUR)
    assert (told.throttled, told.throttled_seconds) == (3, 1.5)
    assert see(catalogue, errors={"KeyError": 1}).errors == {"KeyError": 1}


def test_looking_changes_nothing(catalogue: Catalogue) -> None:
    before = catalogue.state_mark()
    assert {field.name for field in fields(see(catalogue))} > {"due"}
    assert catalogue.state_mark() == before
