"""Scanning a source that tells by itself what changed: what is recorded follows items and folders by their ids."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.catalogue.base import PassResult, Share
from agent.catalogue.store import Catalogue
from agent.errors import SourceUnavailable
from agent.execution.inline import InlineExecutor
from agent.model.analysis_version import AnalysisVersion
from agent.model.finding import Finding
from agent.model.outcome import Extraction, ExtractionStatus
from agent.usecases.analyse import Analysis, content_hash
from agent.usecases.scan import Scan
from connectors.base import ItemRef
from connectors.errors import NotSignedIn, PermissionDenied, Throttled
from connectors.memory_drive import MemoryDrive
from tests.catalogue.empty import empty_at


class Reading:
    """Work that finds one value in each document."""

    def __call__(self, descriptor: int, name: bytes) -> object:
        digest = content_hash(descriptor)
        found = Finding("EMAIL_ADDRESS", digest[:16], 0.9, 1, "line=1")
        return Analysis(Extraction(ExtractionStatus.OK, "txt", (), 7), (found,), 1, digest)

    def close(self) -> None:
        """Nothing to let go of."""


class Tenant:
    """A drive, a catalogue, and scans between them."""

    def __init__(self, catalogue: Path, page_size: int = 3) -> None:
        self.drive = MemoryDrive("HR/Documents", "b!1", page_size)
        self.catalogue = Catalogue.open(empty_at(catalogue), create=False)
        self.version = AnalysisVersion("first", {}, "")
        self._clock = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        self._clock += timedelta(seconds=1)
        return self._clock

    def scan(self, pages: int | None = None) -> PassResult:
        """A pass, or so many pages of it."""
        self.drive.opened.clear()
        left = iter(range(pages if pages is not None else 10**9))
        scan = Scan(
            self.drive,
            self.drive.scope,
            "https://contoso.example/hr",
            self.catalogue,
            InlineExecutor(Reading()),
            self.version,
            self.now,
            lambda _items, _bytes: None,
            kind="microsoft365-drives",
            tenant="contoso",
        )
        result, _ = scan.run(stop=lambda: next(left, None) is None)
        return result

    @property
    def opened(self) -> list[str]:
        return sorted(str(ref) for ref in self.drive.opened)

    @property
    def share(self) -> Share:
        (share,) = self.catalogue.shares()
        return share

    def live(self) -> dict[bytes, int]:
        """Where live items are recorded, with their numbers."""
        return {ref.path: record.item_id for ref, record in self.catalogue.records()}


@pytest.fixture
def tenant(tmp_path: Path) -> Iterator[Tenant]:
    made = Tenant(tmp_path / "catalogue.sqlite")
    for path in (b"a.txt", b"HR/b.txt", b"HR/Leavers/c.txt", b"HR/Leavers/2019/d.txt", b"Pay/e.txt"):
        made.drive.put(path, b"content of " + path)
    yield made
    made.catalogue.close()


def test_a_first_pass_reads_everything_and_a_second_nothing(tenant: Tenant) -> None:
    first = tenant.scan()
    assert (first.seen, first.scanned, first.reconciles, len(tenant.opened)) == (5, 5, True, 5)
    second = tenant.scan()
    assert (second.seen, second.scanned, second.reconciles, tenant.opened) == (5, 5, True, [])
    assert (tenant.share.kind, tenant.share.tenant) == ("microsoft365-drives", "contoso")


def test_a_moved_folder_keeps_its_items_with_their_numbers_and_nothing_is_read(tenant: Tenant) -> None:
    tenant.scan()
    before = tenant.live()
    tenant.drive.move(b"HR/Leavers", b"Pay/Gone")
    assert tenant.scan().reconciles
    assert tenant.opened == []
    assert tenant.live() == {path.replace(b"HR/Leavers/", b"Pay/Gone/"): number for path, number in before.items()}
    assert tenant.catalogue.findings(tenant.share, ItemRef(b"Pay/Gone/2019", b"d.txt"))


def test_an_item_that_trades_its_name_with_another_keeps_its_number(tenant: Tenant) -> None:
    tenant.scan()
    before = tenant.live()
    tenant.drive.move(b"a.txt", b"swap")
    tenant.drive.move(b"Pay/e.txt", b"a.txt")
    tenant.drive.move(b"swap", b"Pay/e.txt")
    tenant.scan()
    after = tenant.live()
    assert (after[b"a.txt"], after[b"Pay/e.txt"]) == (before[b"Pay/e.txt"], before[b"a.txt"])
    assert tenant.opened == []


def test_folders_that_trade_their_names_keep_what_is_in_them(tenant: Tenant) -> None:
    tenant.scan()
    before = tenant.live()
    tenant.drive.move(b"HR", b"swap")
    tenant.drive.move(b"Pay", b"HR")
    tenant.drive.move(b"swap", b"Pay")
    tenant.scan()
    after = tenant.live()
    assert after[b"Pay/Leavers/c.txt"] == before[b"HR/Leavers/c.txt"]
    assert after[b"HR/e.txt"] == before[b"Pay/e.txt"]
    assert tenant.opened == []


def test_a_folder_that_takes_the_place_of_the_one_it_lay_in_keeps_what_is_in_it(tenant: Tenant) -> None:
    tenant.scan()
    before = tenant.live()
    tenant.drive.move(b"HR/Leavers", b"swap")
    tenant.drive.remove(b"HR")
    tenant.drive.move(b"swap", b"HR")
    tenant.scan()
    after = tenant.live()
    assert sorted(after) == [b"HR/2019/d.txt", b"HR/c.txt", b"Pay/e.txt", b"a.txt"]
    assert after[b"HR/c.txt"] == before[b"HR/Leavers/c.txt"]


def test_a_new_item_under_an_old_name_is_another_one(tenant: Tenant) -> None:
    tenant.scan()
    before = tenant.live()
    tenant.drive.remove(b"a.txt")
    tenant.drive.put(b"a.txt", b"something else")
    result = tenant.scan()
    assert tenant.live()[b"a.txt"] != before[b"a.txt"]
    assert (tenant.opened, result.tombstoned) == (["a.txt"], 1)


def test_a_change_that_is_not_of_the_content_is_recorded_without_reading(tenant: Tenant) -> None:
    tenant.scan()
    tenant.drive.touch(b"a.txt")
    tenant.scan()
    assert tenant.opened == []
    known = tenant.catalogue.known_under(tenant.share, tenant.version)
    there = known.item_of(tenant.drive.id_of(b"a.txt"))
    assert there is not None
    assert there.version == tenant.drive._version(tenant.drive.id_of(b"a.txt"))


def test_what_is_gone_is_buried_and_comes_back_as_the_same_name_seen_for_the_first_time(tenant: Tenant) -> None:
    tenant.scan()
    tenant.drive.remove(b"HR")
    result = tenant.scan()
    assert result.tombstoned == 3
    assert sorted(tenant.live()) == [b"Pay/e.txt", b"a.txt"]
    tenant.drive.put(b"HR/b.txt", b"again")
    tenant.scan()
    assert b"HR/b.txt" in tenant.live()


def test_a_source_that_has_forgotten_what_happened_enumerates_anew_and_reads_only_what_changed(tenant: Tenant) -> None:
    tenant.scan()
    tenant.drive.remove(b"HR/Leavers")
    tenant.drive.put(b"a.txt", b"second")
    tenant.drive.forget_log()
    result = tenant.scan()
    assert tenant.opened == ["a.txt"]
    assert (result.reconciles, result.tombstoned) == (True, 2)
    assert sorted(tenant.live()) == [b"HR/b.txt", b"Pay/e.txt", b"a.txt"]


def test_nothing_is_taken_for_gone_before_an_enumeration_has_come_to_its_end(tenant: Tenant) -> None:
    tenant.scan()
    tenant.drive.remove(b"a.txt")
    tenant.drive.forget_log()
    result = tenant.scan(pages=1)
    assert not result.complete
    assert b"a.txt" in tenant.live()
    tenant.scan()
    assert b"a.txt" not in tenant.live()


def test_what_could_not_be_read_is_tried_in_the_next_pass_though_nothing_happened(tenant: Tenant) -> None:
    tenant.drive.fail_to_open(b"a.txt", PermissionDenied("no"))
    assert dict(tenant.scan().failed) == {"permission_denied": 1}
    tenant.drive.fail_to_open(b"a.txt", None)
    assert tenant.scan().scanned == 5
    assert tenant.opened == ["a.txt"]


def test_what_lies_there_at_a_version_that_nobody_knows_is_read_in_the_next_pass(tenant: Tenant) -> None:
    tenant.scan()
    with tenant.catalogue.recording() as connection:  # as when it was taken, and given back again
        connection.exec_driver_sql("UPDATE item SET version = x'' WHERE name = ?", (b"a.txt",))
    tenant.scan()
    assert tenant.opened == ["a.txt"]


def test_another_version_of_the_analysis_reads_everything_again(tenant: Tenant) -> None:
    tenant.scan()
    tenant.version = AnalysisVersion("second", {}, "")
    assert tenant.scan().scanned == 5
    assert len(tenant.opened) == 5
    tenant.scan()
    assert tenant.opened == []


@pytest.mark.parametrize("error", [Throttled("wait", 3600.0), NotSignedIn("who are you?")])
def test_a_tenant_that_lets_nobody_in_ends_the_pass_and_fails_no_item(tenant: Tenant, error: Exception) -> None:
    tenant.drive.fail_to_open(b"a.txt", error)  # type: ignore[arg-type]
    with pytest.raises(SourceUnavailable):
        tenant.scan()
    tenant.drive.fail_to_open(b"a.txt", None)
    result = tenant.scan()
    assert (result.scanned, dict(result.failed)) == (5, {})


def test_a_drive_whose_site_gets_another_name_stays_the_same_share(tenant: Tenant) -> None:
    tenant.scan()
    number = tenant.share.id
    tenant.drive.scope = type(tenant.drive.scope)("People/Documents", "b!1", "memory")
    tenant.scan()
    assert (tenant.share.id, tenant.share.name, tenant.opened) == (number, "People/Documents", [])


def test_two_drives_of_one_name_are_two_shares(tenant: Tenant) -> None:
    tenant.scan()
    tenant.drive.scope = type(tenant.drive.scope)("HR/Documents", "b!another", "memory")
    tenant.scan()
    assert [share.name for share in tenant.catalogue.shares()] == ["HR/Documents", "HR/Documents (!another)"]


EXAMPLES = 60 if "RETENTIOND_TEST_LONG" in os.environ else 20
_NAMES = (b"a", b"b", b"c")


def _change(drive: MemoryDrive, chance: random.Random) -> None:
    """Something that people do to a drive."""
    folder = b"/".join(chance.choice(_NAMES) for _ in range(chance.randrange(3)))
    path = (folder + b"/" if folder else b"") + chance.choice(_NAMES) + b".txt"
    there = drive.paths()
    folders = sorted({part for one in there for part in _folders(one)})
    what = chance.randrange(7)
    if what <= 1 or not there:
        drive.put(path, b"%d" % chance.randrange(10**6))
    elif what == 2:
        drive.remove(chance.choice(there))
    elif what == 3 and folders:
        drive.remove(chance.choice(folders))
    elif what == 4:
        one = chance.choice(there)
        if path not in there and (not folder or folder in folders):
            drive.move(one, path)
    elif what == 5 and folders:
        one, to = chance.choice(folders), folder + b"/x" if folder else b"x%d" % chance.randrange(3)
        inside = to == one or to.startswith(one + b"/")
        if not inside and (not folder or folder in folders):
            with suppress(FileExistsError):
                drive.move(one, to)
    elif what == 6:
        drive.touch(chance.choice(there))


def _folders(path: bytes) -> Iterator[bytes]:
    parts = path.split(b"/")[:-1]
    yield from (b"/".join(parts[:end]) for end in range(1, len(parts) + 1))


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32 - 1), page_size=st.integers(1, 5))
def test_whatever_people_do_the_catalogue_ends_as_the_drive_is(
    tmp_path_factory: pytest.TempPathFactory, seed: int, page_size: int
) -> None:
    chance = random.Random(seed)
    tenant = Tenant(tmp_path_factory.mktemp("scan") / "catalogue.sqlite", page_size)
    try:
        for _ in range(4):
            for _ in range(chance.randrange(8)):
                _change(tenant.drive, chance)
            if chance.random() < 0.2:
                tenant.drive.forget_log()
            if chance.random() < 0.3:
                tenant.scan(pages=chance.randrange(1, 4))
                for _ in range(chance.randrange(3)):
                    _change(tenant.drive, chance)
            result = tenant.scan()
            assert result.reconciles
            assert sorted(tenant.live()) == tenant.drive.paths()
            assert result.seen == len(tenant.drive.paths())
        numbers = list(tenant.live().values())
        assert len(numbers) == len(set(numbers))
        for path in tenant.drive.paths():
            folder, _, name = path.rpartition(b"/")
            known = tenant.catalogue.known_under(tenant.share, tenant.version).item_of(tenant.drive.id_of(path))
            assert known is not None
            assert known.ref == ItemRef(folder, name)
            assert known.version == tenant.drive._version(tenant.drive.id_of(path))
    finally:
        tenant.catalogue.close()
