"""A share of a service that keeps by itself what is taken, with items that are due, and everything that acts there.

There is no vault: whatever asks for one fails.
"""

from __future__ import annotations

import copy
import hashlib
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from agent.catalogue.base import Recorded
from agent.catalogue.disposal_rows import Disposal
from agent.disposition import custody
from agent.disposition.base import Keeper, Means
from agent.disposition.custody import Ending, Returning
from agent.disposition.quarantine import Quarantine
from agent.disposition.recovery import Recovered
from agent.model.disposal import DisposalState, Obstacle
from connectors.base import FolderFound, ItemRef, Swept
from connectors.memory import MemoryConnector, ref_of
from connectors.memory_keeping import MemoryKeeping
from tests.catalogue.conftest import version
from tests.disposition.house import AT_ONCE, LONG_AGO, House, keyed
from tests.usecases.review_office import a_file

SHARE = "HR/Documents"


class Cut(BaseException):
    """As good as a crash: nothing of ours runs any more."""


@dataclass(slots=True)
class Fuse:
    """Blows at the call of that number, before it is done or just after, and again at every call behind it."""

    at: int
    after: bool = False
    blows: Callable[[], BaseException] = Cut
    calls: int = 0
    blown: bool = False

    def wrap(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def through(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            if self.blown or (self.calls == self.at and not self.after):
                self.blown = True
                raise self.blows()
            done = call(*args, **kwargs)
            if self.calls == self.at:
                self.blown = True
                raise self.blows()
            return done

        return through


class Fused:
    """Something of which every call goes through a fuse."""

    def __init__(self, inner: object, fuse: Fuse) -> None:
        self._inner = inner
        self._fuse = fuse

    def __getattr__(self, name: str) -> Any:
        return self._fuse.wrap(getattr(self._inner, name))


class KeptHouse(House):
    """As `House`, over a source in memory. The items that lie in it survive `restart`."""

    def __init__(self, folder: Path, memory: MemoryConnector | None = None, keeping: MemoryKeeping | None = None):
        super().__init__(folder)
        self.memory = memory or MemoryConnector("documents")
        self.keeping = keeping or MemoryKeeping(self.memory)
        self.rules = replace(AT_ONCE, in_place=frozenset({SHARE}))
        self.fuse: Fuse | None = None
        self._generation = 0

    def restart(self) -> None:
        """As after a crash: what was held open is not any more, and no fuse is in the way."""
        self.fuse = None
        self.keeping.close()

    def copied(self, folder: Path) -> KeptHouse:
        """Another house in which everything is as in this one, whose catalogue must be closed."""
        shutil.copytree(self.folder, folder)
        memory = copy.copy(self.memory)
        for name, value in vars(memory).items():
            if isinstance(value, dict | list):
                setattr(memory, name, value.copy())
        made = KeptHouse(folder, memory)
        made._generation = self._generation
        return made

    # Items, and what a scan finds

    def put_item(self, path: str, content: bytes = b"a case", at: datetime = LONG_AGO) -> bytes:
        """Gives the item's id."""
        self.memory.put(path.encode(), content, modified_at=at)
        return self.memory.item(ref_of(path.encode())).file_id

    def scan(self) -> None:
        """Enumerates everything anew."""
        share = self.catalogue.ensure_share(SHARE, "https://example.test/hr", self.memory.scope.identity, kind="memory")
        current = self.catalogue.begin_pass(share, version(), self.office.now())
        self._generation += 1
        results: list[Recorded] = [*self._folders(), *self._items(), Swept(self._generation)]
        self.catalogue.commit(current, results, b"end", len(results), 1, self.office.now())
        self.catalogue.end_pass(current, self.office.now())

    def _folders(self) -> Iterator[FolderFound]:
        folders = {b""}
        for ref in self.memory.refs():
            steps = ref.folder.split(b"/")
            folders |= {b"/".join(steps[:depth]) for depth in range(len(steps) + 1)}
        for folder in sorted(folders):
            yield FolderFound(folder, self.memory.folder_id(folder), self._generation)

    def _items(self) -> Iterator[Recorded]:
        for ref in sorted(self.memory.refs()):
            item = replace(self.memory.item(ref), generation=self._generation)
            content = self.memory.at(ref, item.version).content
            blank = a_file(str(ref))
            yield replace(blank, ref=ref, item=item, content_hash=hashlib.sha256(content).digest())

    def lies(self, file_id: bytes) -> str:
        """Where the item lies: its path, `in quarantine`, or `nowhere`."""
        ref = self.memory.of_id(file_id)
        kept = [id for id, stored in self.memory.kept.items() if stored.file_id == file_id]
        assert len(kept) + (ref is not None) <= 1, "an item lies in one place"
        return str(ref) if ref is not None else "in quarantine" if kept else "nowhere"

    # Acts

    @property
    def means(self) -> Means:
        journal: Any = self.catalogue.disposals
        keeping: Any = self.keeping
        if self.fuse is not None:
            journal, keeping = Fused(journal, self.fuse), Fused(keeping, self.fuse)
        keepers = {SHARE: Keeper(keeping, self.memory.scope)}
        return Means(journal, None, {}, keyed, self.office.now, lambda: self.day, "operator", keepers)

    @property
    def quarantine(self) -> Quarantine:
        return Quarantine(self.means, lambda disposal, source, target: self.derive(disposal, source, target), self.note)

    def erase(self) -> tuple[Disposal, ...]:
        return Ending(self.means).erase()[1]

    def recover(self) -> Recovered:
        return custody.recover(self.means, self.quarantine)

    def give_back(self, disposal: Disposal, to: str = "") -> Obstacle | None:
        target = ItemRef.parse(to) if to else disposal.ref
        return Returning(self.means).give_back(disposal, target, "needed for the appeal")

    def only(self) -> Disposal:
        """The one disposal there is."""
        (disposal,) = self.catalogue.disposals.of_state(*DisposalState)
        return disposal

    def get(self, disposal: Disposal) -> Disposal:
        """The same disposal as it stands now."""
        found = self.catalogue.disposals.get(disposal.number)
        assert found is not None
        return found

    def row(self, disposal: Disposal) -> tuple[int, bytes, bytes | None]:
        """The state, version and content hash of its item by the catalogue."""
        statement = "SELECT state, version, content_hash FROM item WHERE id = ?"
        with self.catalogue.connected() as connection:
            found = connection.exec_driver_sql(statement, (disposal.item_id,)).one()
        return found[0], found[1], found[2]

    def last_step(self, disposal: Disposal) -> Any:
        *_, last = self.catalogue.disposals.steps(disposal.number)
        return last

    def waiting(self) -> Counter[str]:
        return self.outlook().waiting
