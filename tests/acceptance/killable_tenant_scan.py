"""One real scan of an emulated tenant with work that is quick and always the same, in a process that can be killed."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import re
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path

from agent import bootstrap
from agent.catalogue.base import PassResult
from agent.catalogue.store import Catalogue
from agent.cli.logs import start_logging
from agent.execution.inline import InlineExecutor
from agent.model.analysis_version import AnalysisVersion
from agent.model.finding import Finding
from agent.model.outcome import Extraction, ExtractionStatus
from agent.settings import TenantSettings
from agent.tenancy import Budget, crawling, reach
from agent.usecases import intake
from agent.usecases.analyse import Analysis
from agent.usecases.scan import Scan
from connectors.microsoft365 import connector
from connectors.microsoft365.entries import Terms
from tests.emulator import Emulator
from tests.emulator.calls import Call
from tests.emulator.drive_items import Drive

PAGE_ITEMS, BATCH_RESULTS = 20, 40  # small: more places to be killed between
SIGNED_IN_BY = "reader-4f1d7a"
_MODULE = "tests.acceptance.killable_tenant_scan"

Waits = tuple[int, float]


class Counting:
    """Finds in each file one made-up value that depends on its bytes."""

    def __call__(self, descriptor: int, name: bytes) -> Analysis:
        content = os.pread(descriptor, 1 << 16, 0)
        digest = hashlib.sha256(content).digest()
        finding = Finding("EMAIL_ADDRESS", digest[:16], 0.9, len(content) % 7 + 1, f"line={len(name)}")
        return Analysis(Extraction(ExtractionStatus.OK, "text", (), len(content)), (finding,), 1, digest)

    def close(self) -> None:
        """Nothing to let go of."""


def settings_of(graph: Emulator, folder: Path, **more: object) -> TenantSettings:
    """The settings of the emulated tenant, whose reader's secret lies in the folder."""
    app = graph.tenant.add_app(roles={"Sites.Read.All", "Files.Read.All"}, secret=SIGNED_IN_BY)
    (folder / "secret").write_text(SIGNED_IN_BY)
    (folder / "secret").chmod(0o600)
    return TenantSettings.model_validate(
        {
            "name": "contoso",
            "tenant_id": graph.tenant.id,
            "reader": {"client_id": app.client_id, "secret_file": str(folder / "secret")},
            "login_url": graph.login_url,
            "graph_url": graph.graph_url,
            "ca_file": graph.ca_file,
            "sites": "all",
            **more,
        }
    )


def scan_tenant(
    tenant: TenantSettings, state: Path, *, sleep: Callable[[float], None] = time.sleep
) -> tuple[list[PassResult], Waits]:
    """Scans all its drives; gives the results, how often we were told to wait, and for how many seconds we did."""
    with (
        Catalogue.open(state / "catalogue.sqlite", create=True) as catalogue,
        crawling(tenant, state, sleep=sleep) as crawl,
    ):
        results = []
        for place in crawl.places:
            scan = Scan(
                place.connector,
                place.scope,
                place.scope.location,
                catalogue,
                InlineExecutor(Counting()),
                AnalysisVersion("shared", {}, "detector"),
                bootstrap.now,
                lambda items, size_bytes: None,
                kind=place.kind,
                tenant=tenant.name,
            )
            results.append(scan.run()[0])
        return results, crawl.waits()


Changed = tuple[tuple[object, str, object], ...]  # modules, names in them, and what they are to be


def small_pages(page_items: int = PAGE_ITEMS, batch_results: int = BATCH_RESULTS) -> Changed:
    """What makes pages and batches small."""

    def terms(columns: tuple[str, ...], _: int, full_every: timedelta) -> Terms:
        return Terms(columns, page_items, full_every)

    return (connector, "Terms", terms), (intake, "_BATCH_RESULTS", batch_results)


def budget(per_minute: int, per_day: int = 10**9) -> Changed:
    """What has so many units spent, whatever the licences."""
    return ((reach, "budget_of", lambda _: Budget(per_minute, per_day, per_minute, per_day)),)


def fetched(calls: Iterable[Call]) -> Counter[str]:
    """How often the content of each item was asked for."""
    asked = (re.fullmatch(r"/content/[^/]+/([^/]+)", call.path) for call in calls if call.host == "downloads")
    return Counter(found[1] for found in asked if found)


def start_scan(tenant: TenantSettings, state: Path, per_minute: int) -> BaseProcess:
    """A scan in a process of its own, which ends with exit code 0 if all of the tenant was recorded."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([_MODULE])
    state.mkdir(exist_ok=True)
    process = context.Process(target=_run, args=(tenant.model_dump_json(exclude_unset=True), str(state), per_minute))
    process.start()
    return process


def _run(tenant: str, state: str, per_minute: int) -> None:
    start_logging(verbose=False)
    for place, name, value in (*small_pages(), *budget(per_minute)):
        setattr(place, name, value)
    results, _ = scan_tenant(TenantSettings.model_validate(json.loads(tenant)), Path(state))
    sys.exit(0 if results and all(result.complete and result.reconciles for result in results) else 2)


def recorded(state: Path) -> dict[str, dict[str, tuple[object, ...]]]:
    """Every live item in the catalogue with its facts, by drive and path."""
    with closing(sqlite3.connect(state / "catalogue.sqlite")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows = database.execute(
            "SELECT s.identity, f.path, i.name, i.content_hash, i.file_id, i.outcome, i.reason, i.version,"
            " i.size_bytes, i.findings, i.generation, count(g.item_id)"
            " FROM item i JOIN folder f ON f.id = i.folder_id JOIN share s ON s.id = f.share_id"
            " LEFT JOIN finding g ON g.item_id = i.id WHERE i.state = 0 GROUP BY i.id"
        ).fetchall()
    found: dict[str, dict[str, tuple[object, ...]]] = {}
    for identity, folder, name, *more in rows:
        path = (folder + b"/" + name if folder else name).decode()
        assert path not in found.setdefault(identity, {}), f"{path} is recorded twice"
        found[identity][path] = tuple(more)
    return found


def there(drive: Drive) -> dict[str, tuple[bytes, bytes]]:
    """What lies in the emulated drive: of each file the hash of its content, and its id, by path."""
    return {
        entry.path: (hashlib.sha256(drive.content(entry.id)).digest(), entry.id.encode())
        for entry in drive.items()
        if not entry.is_folder
    }


def assert_recorded(state: Path, *drives: Drive) -> None:
    """Asserts that the catalogue has exactly what lies in the drives, each file once and with its content."""
    found = recorded(state)
    for drive in drives:
        assert {path: facts[:2] for path, facts in found.get(drive.id, {}).items()} == there(drive)
