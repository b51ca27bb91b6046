"""A house whose items stand in every way there is, and the checker over it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from agent.audit.checkpoint import SigningKey
from agent.catalogue.disposal_rows import Disposal, Step
from agent.certificate.issue import signing_key
from agent.disposition.base import new_id
from agent.fsck.base import Kind, Report, Standing, VaultFiles
from agent.fsck.check import check
from agent.model.disposal import DisposalState, Obstacle
from agent.usecases.certify import Certifying
from agent.usecases.certify import House as Stated
from connectors.base import ItemRef
from connectors.errors import SourceFault
from connectors.filesystem.holding import FilesystemHolding
from tests.disposition.house import ROOT, RULES, House, trail

PATH = "Cases/1/a.txt"
NAMED = "Names/a.txt"
LOG_KEY = trail().signing_key.verifier.text
_CERTIFICATE_KEY: SigningKey = signing_key("retentiond/test", b"c" * 32)


class Faulty(FilesystemHolding):
    """A holding of which some acts end with a fault of the share."""

    failing: frozenset[str] = frozenset()

    def let_go(self, *given: Any) -> Any:
        if "let_go" in self.failing:
            raise SourceFault("the test has it fail")
        return super().let_go(*given)

    def make(self, *given: Any, **further: Any) -> Any:
        if "make" in self.failing:
            raise SourceFault("the test has it fail")
        return super().make(*given, **further)


def shorter(disposal: Disposal, source: int, target: int) -> str:
    os.write(target, os.pread(source, 5, 0))
    return ""


class Estate(House):
    """`stand` brings an item into a state, by those who act; the rest damages what lies there behind their backs."""

    def __init__(self, folder: Path) -> None:
        (folder / "share").mkdir()
        self.faulty = Faulty(os.fsencode(folder / "share"), "office", quiet_seconds=0)
        super().__init__(folder, self.faulty)
        self.derive = shorter
        self.hold = self.share / ".retentiond-hold"
        self.objects = folder / "vault" / "objects"
        self.holds: dict[str, Path] = {}

    # Bringing an item into a state

    def stand(self, state: str, path: str = PATH) -> Disposal:
        """The disposal of the item at that path, in that state."""
        self.put(path, f"a case about {path}".encode())
        self.scan()
        self.approve(path)
        made: Callable[[str], None] = getattr(self, f"_{state}")
        made(path)
        return self.catalogue.disposals.of_item(self._item(path))[-1]

    def _item(self, path: str) -> int:
        (found,) = self.sql(
            "SELECT DISTINCT d.item_id FROM disposal d JOIN disposal_step s ON s.disposal_id = d.id "
            "WHERE s.id = (SELECT MAX(id) FROM disposal_step)"
        )
        return int(found[0])

    def _planned(self, path: str) -> None:
        journal = self.catalogue.disposals
        run = journal.begin_run("test", self.office.now(), "operator")
        (plan,) = self.outlook().plans
        derived = new_id() if path == NAMED else None
        journal.plan(run, [(new_id(), derived, plan)], self.office.now(), "operator", self.day)

    def _planned_and_held(self, path: str) -> None:
        self._planned(path)
        (disposal,) = self.catalogue.disposals.of_state(DisposalState.PLANNED)
        self.holding.take(self.scope, disposal.ref, disposal.version, disposal.vault_id).close()

    def _conflict(self, path: str) -> None:
        self._planned_and_held(path)
        self.put(path, b"what somebody else put there")
        self.recover()

    def _sealed(self, path: str) -> None:
        self.faulty.failing = frozenset({"let_go"})
        self.take()
        self.faulty.failing = frozenset()

    def _sealed_and_let_go(self, path: str) -> None:
        self._sealed(path)
        (disposal,) = self.catalogue.disposals.of_state(DisposalState.SEALED)
        self.holding.let_go(self.scope, disposal.vault_id)

    def _quarantined(self, path: str) -> None:
        self.take()

    def _restoring(self, path: str) -> None:
        self.take()
        self.faulty.failing = frozenset({"make"})
        self.restoring().give_back(self._last(), ItemRef.parse(path), "needed")
        self.faulty.failing = frozenset()

    def _restored(self, path: str) -> None:
        self.take()
        self.restoring().give_back(self._last(), ItemRef.parse(path), "needed")

    def _destroying(self, path: str) -> None:
        self.take()
        self.catalogue.disposals.destroying([self._last()], self.office.now(), "operator", self.day)

    def _destroying_and_gone(self, path: str) -> None:
        self._destroying(path)
        self.vault.remove(self._last().vault_id)

    def _destroyed(self, path: str) -> None:
        self.take()
        self.destroy([self._last()])

    def _erased(self, path: str) -> None:
        self._destroyed(path)
        self.erase()

    def _erased_with_tomb(self, path: str) -> None:
        """Cut off before the vault forgets the item."""
        self._destroyed(path)
        self.vault.erase(self.day)
        self.means.record(Step(self._last(), DisposalState.ERASED, hidden_name=b"#hidden"))

    def _certified(self, path: str) -> None:
        self._erased(path)
        stated = Stated("retentiond test", (), 35, {})
        desk = Certifying(self.catalogue, RULES, trail(), _CERTIFICATE_KEY, stated)
        desk.issue(desk.pending(), "1" * 32, self.office.now(), "ann")

    def _abandoned(self, path: str) -> None:
        self._planned_and_held(path)
        self.recover()

    def _abandoned_as_gone(self, path: str) -> None:
        self._planned(path)
        (self.share / path).unlink()
        self.means.record(Step(self._last(), DisposalState.ABANDONED, why=Obstacle.GONE))

    def _relocated(self, path: str) -> None:
        self._planned_and_held(path)
        target = ItemRef.parse("Elsewhere/b.txt")
        one = self._last()
        self.holding.put_back(self.scope, one.vault_id, target)
        self.means.record(Step(one, DisposalState.RELOCATED, target=target, version=one.version))

    def _last(self) -> Disposal:
        return max(self.catalogue.disposals.of_state(*DisposalState), key=lambda one: one.number)

    # Damaging

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Runs a statement on the database as it lies there, with nothing that would hold it back."""
        return run_sql(self.folder / "catalogue.sqlite", statement, *values)

    def object_of(self, id: str) -> Path:
        return self.objects / id[:2] / f"{id}.enc"

    def flip(self, file: Path, offset: int) -> None:
        """Changes one bit of a file."""
        with open(file, "r+b") as opened:
            opened.seek(offset)
            (byte,) = opened.read(1)
            opened.seek(offset)
            opened.write(bytes([byte ^ 1]))

    # Checking

    def files(self) -> VaultFiles:
        return VaultFiles(self.folder / "vault", self.folder / "vault" / "slots", ROOT.secret)

    def check(self, **options: Any) -> Report:
        given: dict[str, Any] = {"log_key": LOG_KEY, "holds": self.holds, "vault": self.files(), **options}
        shares = given.pop("shares", {"office": self.share})
        return check(self.folder / "catalogue.sqlite", shares, given.pop("vault"), **given)


def run_sql(catalogue: Path, statement: str, *values: object) -> list[tuple[Any, ...]]:
    """Runs a statement on a catalogue as it lies there, with nothing that would hold it back."""
    with closing(sqlite3.connect(catalogue, timeout=10)) as database, database:
        if not statement.startswith("SELECT"):
            for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                database.execute(f"DROP TRIGGER {name}")
        return database.execute(statement, values).fetchall()


def standings(report: Report) -> dict[Standing, int]:
    """Those that some item has."""
    return {standing: count for standing, count in report.standings.items() if count}


def kinds(report: Report) -> set[Kind]:
    return set(report.problem_counts)


def words(report: Report) -> str:
    return "\n".join(problem.said for problem in report.problems)
