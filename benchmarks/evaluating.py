"""How long it takes until everybody knows how a million items stand, and again after one event or another schedule."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from random import Random

from agent import bootstrap
from agent.catalogue.base import ItemResult
from agent.catalogue.events import NewEvent
from agent.catalogue.store import Catalogue
from agent.detection.identity import FindingIdentity
from agent.model.analysis_version import AnalysisVersion
from agent.model.event import Event
from agent.model.key import KeyForm
from agent.model.outcome import Extraction, ExtractionStatus, Outcome, OutcomeKind
from agent.usecases.evaluate import Terms
from agent.usecases.standing import bring_up_to_date
from connectors.base import Item, ItemRef

_TODAY = date(2026, 3, 31)
_BEHIND = 10_000  # items in the case that is closed
_BLOCK = 10_000
_FOLDERS = ("HR/Personnel/{}", "HR/Recruitment/{}", "Payroll/20{:02}", "Cases/{}", "Clients/{}", "Marketing/{}")


def measure(scratch: Path, count: int) -> None:
    """Prints the times over `count` items, the memory of this process, and the size of the catalogue."""
    schedule = bootstrap.schedule_from("uk-default")
    terms = Terms(schedule, KeyForm(schedule.hidden_keys, FindingIdentity(b"k" * 32).of))
    path = scratch / f"evaluate-{count}.sqlite"
    with Catalogue.open(path, create=True) as catalogue:
        filled = _timed(lambda: _fill(catalogue, count))
        print(
            f"Deciding on {count:,} items under {schedule.id} ({len(schedule.classes)} classes); "
            f"{_BEHIND:,} in one case, the others in folders of a hundred. Filling the catalogue took {filled:.0f} s"
        )
        first = _timed(lambda: bring_up_to_date(catalogue, terms, _TODAY))
        print(f"  all of them: {first:.1f} s, {count / first:,.0f} items/s; memory at most {_memory():.0f} MB")
        again = _timed(lambda: bring_up_to_date(catalogue, terms, _TODAY))
        print(f"  again, nothing changed: {again:.2f} s")
        closed = Event("case_closed", "case", "big-1", date(2019, 12, 31))
        told = _timed(lambda: catalogue.events.add([NewEvent(closed, "benchmark")], bootstrap.now(), "benchmark"))
        changed: list[int] = []
        after = _timed(lambda: changed.append(bring_up_to_date(catalogue, terms, _TODAY)))
        print(f"  one event with {changed[0]:,} items behind it: recorded in {told:.2f} s, decided on in {after:.2f} s")
        due: list[int] = []
        page = _timed(lambda: due.append(sum(1 for _ in islice(catalogue.standings.due(_TODAY), 100))))
        whole = _timed(lambda: due.append(sum(1 for _ in catalogue.standings.due(_TODAY))))
        counted = _timed(lambda: catalogue.standings.counts(_TODAY))
        print(
            f"  the due list: first {due[0]} in {page * 1000:.0f} ms, all {due[1]:,} in {whole:.1f} s, "
            f"counts by state in {counted:.2f} s; memory at most {_memory():.0f} MB"
        )
        other = Terms(bootstrap.schedule_from("hr-investigations"), terms.form)
        switched = _timed(lambda: bring_up_to_date(catalogue, other, _TODAY))
        print(f"  another schedule ({other.schedule.id}): {switched:.1f} s")
    print(f"  catalogue: {path.stat().st_size / 1e6:,.0f} MB")


def _timed(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def _fill(catalogue: Catalogue, count: int) -> None:
    share = catalogue.ensure_share("office", "/srv/office", "1")
    at = datetime(2026, 1, 1, tzinfo=UTC)
    current = catalogue.begin_pass(share, AnalysisVersion("1", {}, "1"), at)
    results = _results(count)
    while block := [result for result, _ in zip(results, range(_BLOCK), strict=False)]:
        catalogue.commit(current, block, b"", len(block), 0, at)
    catalogue.end_pass(current, at)


def _results(count: int) -> Iterator[ItemResult]:
    chance = Random(7)
    began = datetime(2010, 1, 1, tzinfo=UTC)
    for number in range(count):
        batch = number // 100
        folder = "Cases/big-1" if number < _BEHIND else _FOLDERS[batch % len(_FOLDERS)].format(batch % 97)
        ref = ItemRef(f"{folder}/{batch}".encode(), b"document %d.docx" % number)
        modified = began + timedelta(minutes=chance.randrange(8_000_000))
        item = Item(ref, b"1", chance.randrange(100_000), modified, modified, modified, file_id=b"%d" % number)
        extraction = Extraction(ExtractionStatus.OK, "docx", (), 1000, frozenset({"docx"}))
        yield ItemResult(ref, item, Outcome(OutcomeKind.SCANNED), extraction, chance.randbytes(32))
