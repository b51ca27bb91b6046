"""Scanning a large tenant of Microsoft 365: how long, what it costs there and here, and whether it behaves.

The tenant is emulated in a process of its own, so that time and memory of the one that scans are measured alone. It is
scanned as the command does it: crawl, gate, TLS, catalogue. Only the analysis is left out: contents are hashed.

python -m benchmarks.tenant [ITEMS] [CHANGED_PERCENT] [--drives N] [--units UNITS_PER_MINUTE] [--delay MILLISECONDS]
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import resource
import secrets
import tempfile
import threading
import time
from array import array
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any

from agent.catalogue.base import PassResult
from agent.catalogue.store import Catalogue
from agent.cli.logs import start_logging
from agent.execution.inline import InlineExecutor
from agent.model.analysis_version import AnalysisVersion
from agent.model.outcome import Extraction, ExtractionStatus
from agent.settings import TenantSettings
from agent.tenancy import Budget, crawling, reach
from agent.usecases.analyse import Analysis, content_hash
from agent.usecases.scan import Scan
from benchmarks.memory import resident
from tests.emulator import Emulator, Fault
from tests.emulator.calls import Call
from tests.emulator.drive_items import Drive
from tests.emulator.throttle import Limits

_LARGEST_LIMIT = 6_250  # units per minute that Microsoft allows one application at most
_OUR_SHARE = 0.6  # of the limit: the default of the settings
_CHECK_EVERY = 50  # of so many calls one is held against Graph's description
_MARKS = (1, 10, 25, 50, 75, 100)  # percent of the first crawl after which the memory is told


# The tenant, in a process of its own


@dataclass
class _Ledger:
    """What the emulator was asked, added up, so that it need not remember every call of a large crawl."""

    statuses: Counter[str] = field(default_factory=Counter)
    contents: int = 0
    early: int = 0
    leaks: int = 0
    moments: array[float] = field(default_factory=lambda: array("d"))
    units: array[float] = field(default_factory=lambda: array("d"))

    def take(self, log: list[Call], *, younger_too: bool = False) -> None:
        """Enters the calls that have been answered, and takes them off the log."""
        settled = time.time() - 120
        done = 0
        for call in list(log):
            if not (call.status or call.at < settled or younger_too):
                break
            done += 1
            self._enter(call)
        del log[:done]

    def most_in_a_minute(self) -> float:
        """The most units in any 60 seconds."""
        most = inside = 0.0
        first = 0
        for at, units in zip(self.moments, self.units, strict=True):
            inside += units
            while self.moments[first] <= at - 60:
                inside -= self.units[first]
                first += 1
            most = max(most, inside)
        return most

    def _enter(self, call: Call) -> None:
        self.statuses[f"{call.host} {call.status}"] += 1
        self.contents += call.host == "downloads" and call.status in (200, 206)
        self.early += call.gate_closed
        self.leaks += call.has_bearer and call.host not in ("graph", "login", "imds")
        if call.host in ("graph", "downloads"):
            self.moments.append(call.at)
            self.units.append(call.cost)


def _serve(pipe: Connection, secret: str, items: int, drives: int, units: int, delay_seconds: float) -> None:
    """A tenant of so many items, until the pipe says `end`; answers what it asks for."""
    ledger = _Ledger()
    with Emulator(check_every=_CHECK_EVERY, limits=Limits(units_per_minute=units)) as graph:
        app = graph.tenant.add_app(roles={"Sites.Read.All", "Files.Read.All"}, secret=secret)
        site = graph.tenant.add_site("HR", path="/sites/hr", data_location="GBR")
        libraries = [site.add_library(f"Documents {number}") for number in range(drives)]
        for number, library in enumerate(libraries):
            library.fill(items // drives + (number < items % drives), seed=number + 1)
        if delay_seconds:
            for host in ("graph", "downloads"):
                graph.faults.add(Fault(host=host, times=None, delay_seconds=delay_seconds))
        ended = threading.Event()

        def enter() -> None:
            while not ended.wait(2.0):
                ledger.take(graph.log)

        folding = threading.Thread(target=enter)
        folding.start()
        pipe.send((graph.tenant.id, app.client_id, graph.login_url, graph.graph_url, graph.ca_file))
        while (asked := pipe.recv()) != "end":
            if asked == "content":
                pipe.send(_content_of(libraries))
            elif asked == "told":
                ledger.take(graph.log)
                pipe.send((ledger, ledger.most_in_a_minute(), len(graph.violations)))
            else:
                pipe.send(_change(libraries, float(asked)))
        ended.set()
        folding.join()


def _content_of(libraries: list[Drive]) -> dict[str, tuple[int, str]]:
    """For each drive, how many files it has, and a digest of all their paths and contents."""
    found = {}
    for library in libraries:
        lines = [
            entry.path.encode() + b"\0" + hashlib.sha256(library.content(entry.id)).digest()
            for entry in library.items()
            if not entry.is_folder
        ]
        found[library.id] = (len(lines), _digest(lines))
    return found


def _change(libraries: list[Drive], share: float) -> tuple[int, dict[str, int]]:
    """What people do to that share of each drive; gives how many contents are new by it, and what was done."""
    chance = Random(7)
    done: Counter[str] = Counter()
    for library in libraries:
        entries = list(library.items())
        files = [entry.path for entry in entries if not entry.is_folder]
        folders = [entry for entry in entries if entry.is_folder]
        for number, entry in enumerate(folders[:: max(1, len(folders) // 5)][:5]):
            library.rename(entry.id, f"Renamed {number}")
            done["folders renamed"] += 1
        ids = [library.id_of(entry.path) for entry in library.items() if not entry.is_folder]
        touched = chance.sample(ids, k=max(4, round(len(files) * share)))
        for number, item_id in enumerate(touched):
            path = library.path_of(item_id) or ""
            match number % 10:
                case 0:
                    library.remove(item_id)
                    done["removed"] += 1
                case 1 | 2:
                    library.move(item_id, f"Moved/{number:07}.txt")
                    done["moved"] += 1
                case 3 | 4 | 5:
                    library.put(f"New/{number:07}.txt", b"New document %d of %d\n" % (number, len(library.id)))
                    done["new"] += 1
                case _:
                    library.put(path, b"Edited document %d: %s\n" % (number, path.encode()))
                    done["edited"] += 1
    return done["new"] + done["edited"], dict(done)


def _digest(lines: list[bytes]) -> str:
    return hashlib.sha256(b"\n".join(sorted(lines))).hexdigest()


# The scanner


class _Hashing:
    """Work that only hashes."""

    def __call__(self, descriptor: int, name: bytes) -> Analysis:
        return Analysis(Extraction(ExtractionStatus.OK, "text", (), 1), (), 0, content_hash(descriptor))

    def close(self) -> None:
        """Nothing to let go of."""


class _Growth:
    """Prints the memory of this process as the crawl of so many items goes on."""

    def __init__(self, items: int) -> None:
        self.items = items
        self.done = 0
        self.began = time.monotonic()

    def __call__(self, items: int, _size_bytes: int) -> None:
        before, self.done = self.done, self.done + items
        for mark in _MARKS:
            if before < self.items * mark // 100 <= self.done:
                peak = max(resident(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6)
                seconds = time.monotonic() - self.began
                print(f"  {mark:3} % after {seconds:7.1f} s: {resident():4.0f} MB, at most {peak:.0f} MB", flush=True)


def _scan(tenant: TenantSettings, state: Path, growth: _Growth) -> tuple[list[PassResult], int, tuple[int, float]]:
    """One pass over all drives; gives the results, how many items were opened, and how often and long we waited."""
    results, opened = [], 0
    with Catalogue.open(state / "catalogue.sqlite", create=True) as catalogue, crawling(tenant, state) as crawl:
        assert not crawl.unreachable, "a drive was not reached"
        for place in crawl.places:
            result, count = Scan(
                place.connector,
                place.scope,
                place.scope.location,
                catalogue,
                InlineExecutor(_Hashing()),
                AnalysisVersion("hashing", {}, ""),
                _now,
                growth,
                kind=place.kind,
                tenant=tenant.name,
            ).run()
            results.append(result)
            opened += count
        return results, opened, crawl.waits()


def _recorded(state: Path) -> dict[str, tuple[int, str]]:
    """What the catalogue says, in the form of `_content_of`."""
    with Catalogue.open(state / "catalogue.sqlite", create=False) as catalogue, catalogue.connected() as connection:
        lines: dict[str, list[bytes]] = {share.identity: [] for share in catalogue.shares()}
        rows = connection.exec_driver_sql(
            "SELECT s.identity, f.path, i.name, i.content_hash FROM item i JOIN folder f ON f.id = i.folder_id "
            "JOIN share s ON s.id = f.share_id WHERE i.state = 0"
        )
        for identity, folder, name, digest in rows:
            lines[identity].append((folder + b"/" + name if folder else name) + b"\0" + (digest or b""))
    return {identity: (len(found), _digest(found)) for identity, found in lines.items()}


def _now() -> Any:
    from agent import bootstrap

    return bootstrap.now()


def _pass(pipe: Connection, tenant: TenantSettings, state: Path, items: int, wanted: int, word: str) -> bool:
    """Does one pass and prints what came of it; whether all is as it must be."""
    pipe.send("told")
    before, _, _ = pipe.recv()
    growth = _Growth(items)
    began, cpu_began = time.monotonic(), time.process_time()
    results, opened, (throttled, waited) = _scan(tenant, state, growth)
    seconds, cpu = time.monotonic() - began, time.process_time() - cpu_began
    pipe.send("told")
    after, most, violations = pipe.recv()
    pipe.send("content")
    same = pipe.recv() == _recorded(state)
    requests = len(after.moments) - len(before.moments)
    units = sum(after.units) - sum(before.units)
    contents = after.contents - before.contents
    seen = sum(result.seen for result in results)
    print(f"{word}: {seen:,} items in {seconds:.1f} s, of which {cpu:.1f} s processor")
    print(f"  {requests:,} requests, {units:,.0f} units: {units / _OUR_SHARE / _LARGEST_LIMIT:.0f} minutes at ", end="")
    print(f"{_OUR_SHARE:.0%} of Microsoft's largest limit; at most {most:,.0f} in 60 s")
    print(f"  {contents:,} contents fetched ({wanted:,} were new), {opened:,} opened")
    print(f"  answers: {dict(sorted((after.statuses - before.statuses).items()))}")
    print(f"  told to wait {throttled} times, waited {waited:.1f} s (all requests together)")
    print(f"  early calls {after.early}, leaks {after.leaks}, breaches of Graph's description {violations}, ", end="")
    print(f"catalogue {'as the tenant' if same else 'NOT AS THE TENANT'}", flush=True)
    whole = all(result.complete and result.reconciles for result in results)
    return whole and same and contents == wanted and not (after.early or after.leaks or violations)


def measure(items: int, changed: float, drives: int, units: int, delay_seconds: float) -> bool:
    """Scans a tenant of so many items, changes a share of it, and scans again; whether all was as it must be."""

    def budget_of(tenant: TenantSettings) -> Budget:
        """More than the largest real one, with which this would take hours."""
        return Budget(units, 10**9, int(units * _OUR_SHARE), 10**9)

    reach.budget_of = budget_of
    secret = secrets.token_hex()
    spawn = multiprocessing.get_context("spawn")
    pipe, other = spawn.Pipe()
    server = spawn.Process(target=_serve, args=(other, secret, items, drives, units, delay_seconds))
    server.start()
    try:
        tenant_id, client_id, login, root, ca_file = pipe.recv()
        with tempfile.TemporaryDirectory(prefix="retentiond-tenant-") as scratch:
            state = Path(scratch)
            (state / "secret").write_text(secret)
            (state / "secret").chmod(0o600)
            tenant = TenantSettings.model_validate(
                {
                    "name": "contoso",
                    "tenant_id": tenant_id,
                    "reader": {"client_id": client_id, "secret_file": str(state / "secret")},
                    "login_url": login,
                    "graph_url": root,
                    "ca_file": ca_file,
                    "sites": "all",
                }
            )
            print(
                f"{items:,} items in {drives} drives; the emulator allows {units:,} units per minute, of which we use "
                f"{_OUR_SHARE:.0%}; {delay_seconds * 1000:.0f} ms to each answer; contents are hashed, not analysed",
                flush=True,
            )
            good = _pass(pipe, tenant, state, items, items, "First crawl")
            pipe.send(str(changed))
            wanted, done = pipe.recv()
            print(f"Then {', '.join(f'{count:,} {what}' for what, count in sorted(done.items()))}")
            good &= _pass(pipe, tenant, state, 0, wanted, "Second crawl")
            good &= _pass(pipe, tenant, state, 0, 0, "Third crawl, nothing changed")
        pipe.send("end")
        server.join()
        return good and server.exitcode == 0
    finally:
        server.kill()
        server.join()


def _main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tenant", description=__doc__)
    parser.add_argument("items", type=int, nargs="?", default=100_000)
    parser.add_argument("changed", type=float, nargs="?", default=1.0, help="per cent")
    parser.add_argument("--drives", type=int, default=2)
    parser.add_argument("--units", type=int, default=100_000, help="that the emulator allows per minute")
    parser.add_argument("--delay", type=float, default=0.0, help="milliseconds before the emulator answers")
    given = parser.parse_args()
    start_logging(verbose=False)
    good = measure(given.items, given.changed / 100, given.drives, given.units, given.delay / 1000)
    print("All was as it must be." if good else "NOT ALL WAS AS IT MUST BE.")
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(_main())
