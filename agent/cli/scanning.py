"""What `retentiond scan` does, from settings to the facts it prints."""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent import bootstrap
from agent.errors import UsageError
from agent.model.sharing import OUTSIDE
from agent.usecases.difference import Comparison, Difference
from agent.usecases.scan import Scan
from connectors.base import show_name

if TYPE_CHECKING:
    from rich.console import Console

    from agent.catalogue.base import PassResult
    from agent.catalogue.store import Catalogue
    from agent.settings import Settings, TenantSettings

_FACTS = 2  # which keys the kept facts have: raised when one is added, so that older ones are computed anew


class Scanning:
    """One run of the command over one or more shares."""

    def __init__(
        self,
        console: Console,
        state: Path | None,
        config: Path | None,
        schedule: str | None,
        jobs: int,
        may_change_access_times: bool,
    ) -> None:
        settings = bootstrap.settings_from(config)
        if may_change_access_times:
            settings = settings.model_copy(update={"access_times": "may_change"})
        self._console = console
        self._state = bootstrap.state_directory(state, settings, create=True)
        self._schedule = bootstrap.schedule_from(schedule or settings.schedule)
        self._settings: Settings = bootstrap.searching(settings, self._schedule)
        self._jobs = jobs or settings.jobs

    def run(self, paths: list[Path], tenants: list[str], *, new_mount: bool) -> dict[str, Any]:
        """Scans every share and tenant, writes the report, and gives the facts of `scan --json`."""
        shares = self._shares(paths) if paths or not tenants else []
        wanted = self._tenants(tenants) if tenants or not paths else ()
        if not shares and not wanted:
            raise UsageError("Name a folder to scan, for example:  retentiond scan ~/Documents")
        with bootstrap.sole_writer(self._state), bootstrap.open_catalogue(self._state, create=True) as catalogue:
            began = time.monotonic()
            results = [self._scan(catalogue, name, path, new_mount) for name, path in shares]
            away: list[dict[str, str]] = []
            if wanted:
                from agent.cli.scanning_tenants import ScanningTenants

                told = ScanningTenants(self._console, self._state, self._settings, self._jobs).run(catalogue, wanted)
                results += told.results
                away += [{"share": share, "why": why} for share, why in told.unavailable]
            facts = self._facts(catalogue, results)
            return {**facts, "unavailable": away, "seconds": round(time.monotonic() - began, 3)}

    def _tenants(self, names: list[str]) -> tuple[TenantSettings, ...]:
        if not names:
            return self._settings.tenants
        from agent.tenancy import tenants_named

        return tuple(tenant for name in names for tenant in tenants_named(self._settings, name))

    def compare(self, paths: list[Path]) -> dict[str, Any]:
        """Analyses again what a scan would, records nothing, and gives the facts of `scan --diff --json`."""
        shares = self._shares(paths)
        if not shares:
            raise UsageError("Name a folder to compare, for example:  retentiond scan --diff ~/Documents")
        with bootstrap.sole_writer(self._state), bootstrap.open_catalogue(self._state) as catalogue:
            told = [self._compare(catalogue, name, path) for name, path in shares]
        return {
            "compared": sum(comparison.compared for comparison, _ in told),
            "not_compared": sum(comparison.not_compared for comparison, _ in told),
            "differences": [
                _difference(path, found) for (_, path), (_, all_) in zip(shares, told, strict=True) for found in all_
            ],
        }

    def _shares(self, paths: list[Path]) -> list[tuple[str, Path]]:
        """Names and places of the folders named on the command line, else of the shares in the settings."""
        named = {_whole(Path(share.path)): share.name for share in self._settings.shares}
        shares = [(named.get(path, _shown(path)), path) for path in map(_whole, paths)]
        return shares or [(name, path) for path, name in named.items()]

    def _compare(self, catalogue: Catalogue, name: str, path: Path) -> tuple[Comparison, list[Difference]]:
        from agent.cli.progress import scan_progress

        connector = bootstrap.share_connector(path, name, self._state, self._settings)
        executor = bootstrap.worker_pool(self._settings, self._state, self._jobs)
        try:
            scope = bootstrap.scope_of(connector, path)
            version = bootstrap.analysis_version(self._settings)
            with scan_progress(self._console, path.name or "/", lambda stop: seen_before(catalogue, name)) as advance:
                comparison = Comparison(connector, scope, catalogue, executor, version, advance)
                return comparison, list(comparison.differences())
        finally:
            executor.close()
            connector.close()

    def _scan(self, catalogue: Catalogue, name: str, path: Path, new_mount: bool) -> tuple[PassResult, int]:
        from agent.cli.progress import scan_progress
        from agent.usecases.estimate import count_items

        def count(stop: threading.Event) -> int | None:
            if before is not None:
                return before
            second = bootstrap.share_connector(path, name, self._state, self._settings)
            try:
                return count_items(second, bootstrap.scope_of(second, path), stop)
            finally:
                second.close()

        connector = bootstrap.share_connector(path, name, self._state, self._settings)
        before = seen_before(catalogue, name)
        executor = bootstrap.worker_pool(self._settings, self._state, self._jobs)
        try:
            scope = bootstrap.scope_of(connector, path)
            with scan_progress(self._console, path.name or "/", count) as advance:
                scan = Scan(
                    connector,
                    scope,
                    _shown(path),
                    catalogue,
                    executor,
                    bootstrap.analysis_version(self._settings),
                    bootstrap.now,
                    advance,
                    bootstrap.finding_identity(self._state),
                )
                return scan.run(new_mount=new_mount)
        finally:
            executor.close()
            connector.close()

    def _facts(self, catalogue: Catalogue, results: list[tuple[PassResult, int]]) -> dict[str, Any]:
        """The object that `scan --json` prints; README.md says what its keys mean."""
        passes = [result for result, _ in results]
        facts = {
            "seen": sum(result.seen for result in passes),
            "scanned": sum(result.scanned for result in passes),
            "skipped": _sum(result.skipped for result in passes),
            "failed": _sum(result.failed for result in passes),
            "unreached": sum(result.unreached for result in passes),
            "extraction": _sum(result.extraction for result in passes),
            "folders": sum(result.folders for result in passes),
            "folders_not_listed": [
                {"folder": folder.location, "reason": folder.reason, "failed": folder.failed}
                for result in passes
                for folder in result.folders_not_listed
            ],
            "opened": sum(opened for _, opened in results),
            "missing": sum(result.missing for result in passes),
            "tombstoned": sum(result.tombstoned for result in passes),
            "reconciles": all(result.reconciles for result in passes),
            "bytes": sum(result.size_bytes for result in passes),
        }
        return {**facts, **self._evaluation(catalogue), "state": _shown(self._state)}

    def _evaluation(self, catalogue: Catalogue) -> dict[str, Any]:
        """Counts of classes, categories and due items, and the report; both are kept as long as nothing changes."""
        from agent.usecases.evaluate import Evaluation, total

        as_of = bootstrap.today(self._schedule)
        report = self._state / "report.html"
        key = hashlib.sha256(f"{_FACTS}\0{catalogue.state_mark()}\0{as_of}\0{self._schedule!r}".encode()).hexdigest()
        kept = catalogue.evaluation(key)
        if kept is not None and report.exists():
            facts: dict[str, Any] = json.loads(kept)
            return facts
        terms = bootstrap.terms_of(self._schedule, self._settings, self._state)
        evaluation = Evaluation(catalogue, terms, as_of)
        totals = total(evaluation)
        facts = {
            "findings": dict(sorted(totals.findings.items())),
            "categories": dict(sorted(totals.categories.items())),
            "classes": dict(sorted(totals.classes.items())),
            "classes_due": {name: totals.classes_due[name] for name in sorted(totals.classes)},
            "due": totals.states["due"],
            "states": dict(sorted(totals.states.items())),
            "with_personal_data": totals.with_personal_data,
            "misplaced": totals.misplaced,
            "to_quarantine": totals.to_quarantine,
            "shared": {
                **{how.value: totals.shared[how] for how in OUTSIDE},
                "with_personal_data": totals.shared_with_personal_data,
            },
            "report": _shown(report),
        }
        bootstrap.write_report(report, "html", catalogue, terms, as_of)
        catalogue.keep_evaluation(key, json.dumps(facts))
        return facts


def _whole(path: Path) -> Path:
    """The path from the root on, without detours; links in it are left as they are."""
    return Path(os.path.abspath(path))


def _shown(path: Path) -> str:
    return show_name(os.fsencode(path))


def _difference(place: Path, found: Difference) -> dict[str, Any]:
    return {
        "path": f"{_shown(place)}/{found.path}",
        "gained": sorted(category.value for category in found.gained),
        "lost": sorted(category.value for category in found.lost),
        "kind_before": found.kind_before,
        "kind_now": found.kind_now,
        "changed": found.changed,
    }


def seen_before(catalogue: Catalogue, name: str) -> int | None:
    """How many items the last whole scan of the share saw; near enough for a progress bar."""
    for share in catalogue.shares():
        last = catalogue.last_pass(share) if share.name == name else None
        if last is not None and last.complete:
            return last.seen
    return None


def _sum(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    summed: Counter[str] = Counter()
    for count in counts:
        summed.update(count)
    return dict(sorted(summed.items()))
