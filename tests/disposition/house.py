"""A share with real files that are due, people who approve them, a real vault, and everything that acts."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from agent.audit.log import AuditLog
from agent.catalogue.base import ItemResult
from agent.catalogue.disposal_rows import Disposal, Plan
from agent.catalogue.store import Catalogue
from agent.disposition.base import Means, Source, Told
from agent.disposition.destroy import Destruction
from agent.disposition.guards import Caps
from agent.disposition.quarantine import Quarantine
from agent.disposition.recovery import Recovered, Recovery
from agent.disposition.remainders import NotDerived
from agent.disposition.restore import Restoring
from agent.keys import derive
from agent.model.disposal import DisposalState
from agent.model.review import ActKind
from agent.retention.loader import load_schedule
from agent.usecases.dispose import ACT, Disposing, Outlook, Rules
from agent.usecases.evaluate import Terms
from agent.usecases.trail import Trail
from agent.vault.keys import RootKey
from agent.vault.store import Vault
from connectors.base import Found, KnowsNothing
from connectors.filesystem.connector import FilesystemConnector
from connectors.filesystem.holding import FilesystemHolding
from connectors.holding import Holding
from tests.catalogue.conftest import version
from tests.catalogue.empty import empty_at
from tests.usecases.review_office import FORM, NOW, SCHEDULE, TODAY, Office, quiet
from tests.vault.factories import make

_FURTHER = """\
  - id: named
    title: Papers that name people
    mandate: A law.
    scope_notes: They are of use without the names.
    applies_when:
      path: "Names/**"
    trigger: modified
    period: P1Y
    outcome: anonymise
  - id: outcomes
    title: Papers of which the outcome stays
    mandate: A law.
    scope_notes: Only the outcome is needed.
    applies_when:
      path: "Outcomes/**"
    trigger: modified
    period: P1Y
    outcome: minimise
    keep: [outcome]
  - id: returns
    title: Papers of others
    mandate: A contract.
    scope_notes: They go back.
    applies_when:
      path: "Returns/**"
    trigger: modified
    period: P1Y
    outcome: hand_back
  - id: parts
    title: Parts of a file of which the rest stays
    mandate: A law.
    scope_notes: Only some parts are kept for longer.
    applies_when:
      path: "Parts/**"
    trigger: modified
    period: P1Y
    outcome: thin
placement:
"""
WRITTEN = SCHEDULE.replace("placement:\n", _FURTHER)
RULES = load_schedule(WRITTEN, "house.yaml")
TERMS = Terms(RULES, FORM)
MASTER = b"m" * 32
ROOT = RootKey(b"r" * 32)
LONG_AGO = datetime(2020, 5, 17, 12, tzinfo=UTC)
AT_ONCE = Rules(lambda _: ACT, timedelta(0), timedelta(0), Caps(1_000_000, 1 << 50, 100.0))


def trail() -> Trail:
    return Trail.derived(lambda purpose: derive(MASTER, purpose), "retentiond/test")


def keyed(data: bytes) -> bytes:
    return hmac.digest(b"d" * 32, data, "sha256")


def nothing_remains(disposal: Disposal, source: int, target: int) -> str:
    raise NotDerived


class House:
    """Everything in one folder. The office's clock goes on with every act; `day` is the day on which things happen."""

    def __init__(self, folder: Path, holding: Holding | None = None) -> None:
        self.folder = folder
        self.share = folder / "share"
        self.share.mkdir(exist_ok=True)
        self.day = TODAY
        self.catalogue = Catalogue.open(empty_at(folder / "catalogue.sqlite"), witness=trail())
        self.office = Office(self.catalogue, TERMS, began=self.catalogue.newest_moment() or NOW)
        self.connector = FilesystemConnector(os.fsencode(self.share), "office")
        (self.scope,) = self.connector.scopes()
        self.holding = holding or FilesystemHolding(os.fsencode(self.share), "office", quiet_seconds=0)
        if not (folder / "vault").exists():
            make(folder / "vault")
        self.vault = Vault(str(folder / "vault"), ROOT)
        self.derive = nothing_remains
        self.note: Callable[[Disposal], bytes] | None = None
        self.rules = AT_ONCE
        self.run = 0

    def close(self) -> None:
        for one in (self.catalogue, self.connector, self.holding, self.vault):
            one.close()

    # Files, and what a scan finds

    def put(self, path: str, content: bytes = b"a case", at: datetime = LONG_AGO) -> Path:
        file = self.share / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        os.utime(file, (at.timestamp(), at.timestamp()))
        return file

    def scan(self) -> None:
        """A pass as a scan makes it, without reading what is in the files."""
        share = self.catalogue.ensure_share("office", str(self.share), self.scope.identity)
        current = self.catalogue.begin_pass(share, version(), self.office.now())
        for page in self.connector.changes(
            self.scope, self.catalogue.known(current) if current.number > 1 else KnowsNothing()
        ):
            results = [self._result(change) if isinstance(change, Found) else change for change in page.changes]
            self.catalogue.commit(current, results, page.cursor, page.seen, page.folders, self.office.now())
        self.catalogue.end_pass(current, self.office.now())

    def _result(self, change: Found) -> ItemResult:
        from tests.usecases.review_office import a_file

        with self.connector.open(self.scope, change.item) as opened:
            content = os.pread(opened.fileno(), change.item.size_bytes, 0)
        blank = a_file(os.fsdecode(change.item.ref.path))
        return replace(blank, ref=change.item.ref, item=change.item, content_hash=hashlib.sha256(content).digest())

    def number(self, path: str) -> int:
        share = self.catalogue.shares()[0]
        from connectors.base import ItemRef

        found = self.catalogue.reviews.item_at(share.id, ItemRef.parse(path))
        assert found is not None, path
        return found

    # People

    def approve(self, *paths: str) -> None:
        """By two people, each of all of them at once."""
        for by in ("ann", "ben") if paths else ():
            desk = self.office.desk(by)
            proposed = desk.propose([self.office.wish(self.number(path), ActKind.APPROVE) for path in paths])
            assert proposed.refused == ()
            desk.record(proposed)

    # Acts

    @property
    def means(self) -> Means:
        sources = {"office": Source(self.holding, self.scope)}
        return Means(
            self.catalogue.disposals, self.vault, sources, keyed, self.office.now, lambda: self.day, "operator"
        )

    @property
    def quarantine(self) -> Quarantine:
        return Quarantine(self.means, lambda disposal, source, target: self.derive(disposal, source, target), self.note)

    @property
    def disposing(self) -> Disposing:
        return Disposing(self.catalogue, TERMS, self.office.standings(self.day), self.rules, self.office.now)

    def outlook(self) -> Outlook:
        return self.disposing.outlook()

    def take(self, plans: Sequence[Plan] | None = None) -> Told:
        outlook = self.outlook() if plans is None else Outlook([*plans])
        return self.disposing.take(outlook, self.means, self.quarantine, "", quiet)

    def ripe(self) -> list[Disposal]:
        from collections import Counter

        return [*self.disposing.ripe(Counter())]

    def destroy(self, ripe: list[Disposal] | None = None) -> Told:
        return self.disposing.destroy(self.ripe() if ripe is None else ripe, self.means, quiet)

    def erase(self) -> tuple[Disposal, ...]:
        return Destruction(self.means).erase()[1]

    def recover(self) -> Recovered:
        return Recovery(self.means, self.quarantine).run()

    def restoring(self) -> Restoring:
        return Restoring(self.means)

    def states(self) -> list[str]:
        return [one.state.value for one in self.catalogue.disposals.of_state(*DisposalState)]

    def held(self) -> list[str]:
        return [*self.holding.in_hold(self.scope)]

    def honest(self) -> None:
        """The log agrees with the catalogue."""
        with self.catalogue.connected() as connection:
            assert [*trail().disagreements(self.catalogue, AuditLog(connection))] == []
