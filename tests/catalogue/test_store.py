"""What goes into the catalogue comes out of it, and what it says adds up."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from agent.catalogue.base import FolderNotListed, ItemResult
from agent.catalogue.store import Catalogue
from agent.model.analysis_version import AnalysisVersion
from agent.model.finding import DataCategory
from agent.model.outcome import Extraction, ExtractionStatus, Outcome, OutcomeKind
from connectors.base import FailReason, FolderFailed, FolderGone, FolderSkipped, Gone, ItemRef, SkipReason
from tests.catalogue.conftest import BEGAN, SCANNED, VERDICT, a_pass, a_result, begin, ref_of, version


def test_an_item_is_read_back_as_it_was_stored(catalogue: Catalogue) -> None:
    stored = a_result(b"HR/caf\xe9 \n.pdf")
    a_pass(catalogue, stored)
    (share,) = catalogue.shares()
    ((ref, record),) = catalogue.records()
    assert ref == stored.ref
    assert stored.item is not None
    assert stored.extraction is not None
    assert record.path == "HR/caf\\xe9 \\x0a.pdf"
    assert (record.share, record.format, record.size_bytes) == ("office", "pdf", 100)
    assert (record.modified_at, record.created_at) == (stored.item.modified_at, stored.item.created_at)
    assert record.accessed_at == stored.item.accessed_at
    assert record.first_seen_at == BEGAN + timedelta(seconds=30)
    assert (record.outcome, record.extraction) == (SCANNED, ExtractionStatus.PARTIAL)
    assert record.verdict == VERDICT
    assert record.categories == {DataCategory.CONTACT, DataCategory.CRIMINAL}
    assert (record.findings, record.marks) == ({"EMAIL_ADDRESS": 1}, {"user.retentiond.class": "payroll"})
    assert catalogue.record(share, stored.ref) == record
    assert catalogue.findings(share, stored.ref) == stored.findings


def test_an_item_that_no_one_has_told_is_none(catalogue: Catalogue) -> None:
    share = begin(catalogue).share
    assert catalogue.record(share, ref_of(b"none")) is None
    assert catalogue.findings(share, ref_of(b"none")) == ()


def test_an_item_told_again_takes_the_place_of_the_old_one(catalogue: Catalogue) -> None:
    a_pass(catalogue, a_result(b"a"))
    a_pass(catalogue, a_result(b"a", b"2", findings=(), finding_total=0), hours=1)
    ((ref, record),) = catalogue.records()
    assert record.findings == {}
    assert record.first_seen_at == BEGAN + timedelta(seconds=30)
    assert catalogue.findings(catalogue.shares()[0], ref) == ()


def test_what_is_known_is_told_by_folder(catalogue: Catalogue) -> None:
    a_pass(catalogue, a_result(b"a"), a_result(b"HR/b", b"2"), a_result(b"HR/deep/er/c", b"3"))
    known = catalogue.known(begin(catalogue, hours=1))
    assert known.versions(b"") == {b"a": b"1"}
    assert known.versions(b"HR") == {b"b": b"2"}
    assert known.versions(b"HR/deep") == {}
    assert known.folders(b"") == {b"HR"}
    assert known.folders(b"HR") == {b"deep"}
    assert known.folders(b"HR/deep") == {b"er"}
    assert known.versions(b"nowhere") == {}
    assert known.folders(b"nowhere") == set()


def test_an_item_to_be_tried_again_or_analysed_differently_is_not_at_its_version(catalogue: Catalogue) -> None:
    a_pass(catalogue, a_result(b"a", retry=True), a_result(b"b"))
    assert catalogue.known(begin(catalogue, hours=1)).versions(b"") == {b"a": b"", b"b": b"1"}
    assert set(catalogue.known(begin(catalogue, version("another"), hours=2)).versions(b"").values()) == {b""}


def test_a_pass_that_was_interrupted_goes_on_behind_its_last_batch(catalogue: Catalogue, path: Path) -> None:
    current = begin(catalogue)
    catalogue.commit(current, [a_result(b"a")], b"behind a", 1, 0, BEGAN)
    catalogue.commit(current, [a_result(b"b")], b"behind b", 1, 1, BEGAN)
    catalogue.close()
    with Catalogue.open(path, create=False) as again:
        resumed = begin(again, hours=5)
        assert (resumed.resumed, resumed.cursor, resumed.seen, resumed.folders) == (True, b"behind b", 2, 1)
        assert resumed.number == current.number
        again.commit(resumed, [a_result(b"c")], b"behind c", 1, 0, BEGAN)
        result = again.end_pass(resumed, BEGAN + timedelta(hours=6))
    assert (result.seen, result.scanned, result.reconciles, result.seconds) == (3, 3, True, 6 * 3600)


def test_a_pass_under_another_version_begins_anew(catalogue: Catalogue) -> None:
    current = begin(catalogue)
    catalogue.commit(current, [a_result(b"a")], b"behind a", 1, 0, BEGAN)
    other = begin(catalogue, version("another"))
    assert (other.resumed, other.cursor, other.seen, other.number) == (False, None, 0, 2)


@pytest.mark.parametrize(
    ("under", "again"),
    [
        (version(), ""),
        (version(pdf="2"), "pdf zip killed"),
        (version(detector="2"), "pdf txt zip"),
        (version(shared="2"), "pdf txt zip picture offline killed"),
    ],
    ids=["nothing", "a reader", "the detector", "everything"],
)
def test_after_a_change_only_what_it_affects_counts_as_changed(
    catalogue: Catalogue, under: AnalysisVersion, again: str
) -> None:
    def read(name: str, status: ExtractionStatus, characters: int, *met: str) -> ItemResult:
        extraction = Extraction(status, "any", (), characters, frozenset(met))
        return a_result(name.encode(), extraction=extraction)

    a_pass(
        catalogue,
        read("pdf", ExtractionStatus.OK, 10, "pdf"),
        read("txt", ExtractionStatus.OK, 10, "txt"),
        read("zip", ExtractionStatus.OK, 10, "zip", "txt", "pdf"),
        read("picture", ExtractionStatus.PARTIAL, 0, "png"),
        read("killed", ExtractionStatus.KILLED, 0, "*"),
        a_result(b"offline", outcome=Outcome(OutcomeKind.SKIPPED, "offline"), extraction=None, findings=()),
    )
    known = catalogue.known(begin(catalogue, under))
    assert {name.decode() for name, seen in known.versions(b"").items() if seen == b""} == set(again.split())


def test_coverage_counts_every_end(catalogue: Catalogue) -> None:
    encrypted = Extraction(ExtractionStatus.ENCRYPTED, "docx")
    result = a_pass(
        catalogue,
        a_result(b"a"),
        a_result(b"b", outcome=Outcome(OutcomeKind.SKIPPED, "encrypted"), extraction=encrypted, findings=()),
        a_result(b"c", outcome=Outcome(OutcomeKind.SKIPPED, "fifo"), extraction=None, findings=()),
        replace(
            a_result(b"d", outcome=Outcome(OutcomeKind.FAILED, "io_error"), extraction=None), item=None, findings=()
        ),
    )
    assert (result.seen, result.scanned) == (4, 1)
    assert result.skipped == {"encrypted": 1, "fifo": 1}
    assert result.failed == {"io_error": 1}
    assert result.extraction == {"partial": 1, "encrypted": 1}
    assert result.size_bytes == 100
    assert result.complete
    assert result.reconciles


def test_a_pass_that_counted_more_than_it_told_does_not_reconcile(catalogue: Catalogue) -> None:
    assert not a_pass(catalogue, a_result(b"a"), seen=2).reconciles


def test_what_is_gone_is_buried_when_every_folder_was_listed(catalogue: Catalogue) -> None:
    a_pass(catalogue, a_result(b"a"), a_result(b"HR/b"), a_result(b"HR/deep/c"), a_result(b"HR.old/d"))
    result = a_pass(catalogue, Gone(ref_of(b"a")), FolderGone(b"HR"), seen=1, hours=1)
    assert (result.tombstoned, result.missing, result.reconciles) == (3, 0, True)
    assert [ref.path for ref, _ in catalogue.records()] == [b"HR.old/d"]
    share = catalogue.shares()[0]
    assert catalogue.findings(share, ref_of(b"HR/deep/c")) == ()
    assert catalogue.known(begin(catalogue, hours=2)).folders(b"") == {b"HR.old"}


def test_what_is_gone_is_only_missing_while_a_folder_could_not_be_listed(catalogue: Catalogue) -> None:
    a_pass(catalogue, a_result(b"a"), a_result(b"HR/b"), a_result(b"HR/deep/c"))
    result = a_pass(catalogue, Gone(ref_of(b"a")), FolderFailed(b"HR", FailReason.IO_ERROR), seen=0, hours=1)
    assert (result.tombstoned, result.missing, result.unreached, result.reconciles) == (0, 1, 2, True)
    assert result.folders_not_listed == (FolderNotListed("HR", "io_error", True),)
    assert len(catalogue.findings(catalogue.shares()[0], ref_of(b"a"))) == 1, "it may come back"
    back = a_pass(catalogue, a_result(b"a"), seen=3, hours=2)
    assert (back.missing, back.reconciles) == (0, True)


def test_items_below_nested_folders_that_were_not_listed_are_counted_once(catalogue: Catalogue) -> None:
    a_pass(catalogue, a_result(b"HR/b"), a_result(b"HR/deep/c"))
    skipped = [FolderSkipped(b"HR", SkipReason.OTHER_MOUNT), FolderFailed(b"HR/deep", FailReason.IO_ERROR)]
    assert a_pass(catalogue, *skipped, seen=0, hours=1).unreached == 2


def test_the_root_itself_may_be_what_could_not_be_listed(catalogue: Catalogue) -> None:
    a_pass(catalogue, a_result(b"a"), a_result(b"HR/b"))
    result = a_pass(catalogue, FolderFailed(b"", FailReason.IO_ERROR), seen=0, hours=1)
    assert (result.unreached, result.reconciles) == (2, True)
    assert result.folders_not_listed[0].location == "/"


def test_a_name_that_comes_back_after_its_tombstone_is_seen_for_the_first_time(catalogue: Catalogue) -> None:
    a_pass(catalogue, a_result(b"a"))
    a_pass(catalogue, Gone(ref_of(b"a")), hours=1)
    a_pass(catalogue, a_result(b"a", b"9"), hours=2)
    ((_, record),) = catalogue.records()
    assert record.first_seen_at == BEGAN + timedelta(hours=2, seconds=30)


def test_the_name_under_which_a_file_is_held_is_known(catalogue: Catalogue) -> None:
    first = a_result(b"a")
    assert first.item is not None
    linked = replace(first.item, link_count=2, file_id=b"inode 5")
    other = replace(linked, ref=ref_of(b"HR/b"))
    hard_link = Outcome(OutcomeKind.SKIPPED, "hard_link")
    a_pass(catalogue, replace(first, item=linked), replace(a_result(b"HR/b", outcome=hard_link), item=other))
    share = catalogue.shares()[0]
    assert catalogue.holder_of(share, b"inode 5") == ItemRef(b"", b"a")
    assert catalogue.holder_of(share, b"inode 6") is None


def test_two_shares_do_not_mix(catalogue: Catalogue) -> None:
    a_pass(catalogue, a_result(b"a"), a_result(b"HR/b"))
    other = catalogue.ensure_share("archive", "/srv/archive", "fs:9")
    current = catalogue.begin_pass(other, version(), BEGAN)
    assert catalogue.known(current).versions(b"") == {}
    catalogue.commit(current, [a_result(b"a", b"7"), FolderGone(b"HR")], b"c", 1, 1, BEGAN)
    assert catalogue.end_pass(current, BEGAN).reconciles
    assert [(record.share, ref.path) for ref, record in catalogue.records()] == [
        ("archive", b"a"),
        ("office", b"a"),
        ("office", b"HR/b"),
    ]
    assert [share.name for share in catalogue.shares()] == ["archive", "office"]


def test_a_share_keeps_its_identity_until_another_one_is_accepted(catalogue: Catalogue) -> None:
    first = catalogue.ensure_share("office", "/srv/office", "fs:2")
    assert catalogue.ensure_share("office", "/mnt/office", "other") == replace(first, location="/mnt/office")
    assert catalogue.accept_identity(first, "other").identity == "other"
    assert catalogue.ensure_share("office", "/mnt/office", "fs:2").identity == "other"


def test_findings_are_summed_by_type_over_live_items(catalogue: Catalogue) -> None:
    a_pass(catalogue, a_result(b"a"), a_result(b"b"))
    (share,) = catalogue.shares()
    assert catalogue.findings_summary(share) == {"EMAIL_ADDRESS": (2, 1)}
    a_pass(catalogue, Gone(ref_of(b"a")), seen=1, hours=1)
    assert catalogue.findings_summary(share) == {"EMAIL_ADDRESS": (1, 1)}


def test_the_state_mark_changes_with_the_facts_and_only_then(catalogue: Catalogue) -> None:
    marks = [catalogue.state_mark()]
    a_pass(catalogue, a_result(b"a"))
    marks.append(catalogue.state_mark())
    a_pass(catalogue, Gone(ref_of(b"a")), hours=1)
    marks.append(catalogue.state_mark())
    assert len(set(marks)) == 3
    a_pass(catalogue, seen=0, hours=2)
    assert catalogue.state_mark() == marks[-1]


def test_one_evaluation_is_kept_under_its_key(catalogue: Catalogue) -> None:
    assert catalogue.evaluation("k") is None
    catalogue.keep_evaluation("k", "first")
    catalogue.keep_evaluation("l", "second")
    assert (catalogue.evaluation("k"), catalogue.evaluation("l")) == (None, "second")


def test_records_can_be_read_while_a_scan_writes(catalogue: Catalogue) -> None:
    a_pass(catalogue, *(a_result(b"%d" % number) for number in range(1500)))
    current = begin(catalogue, hours=1)
    read = 0
    for _ in catalogue.records():
        read += 1
        if read == 10:
            catalogue.commit(current, [a_result(b"new")], b"c", 1, 0, BEGAN)
    assert read == 1500
