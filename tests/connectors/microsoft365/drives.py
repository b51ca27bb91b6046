"""A tenant of the emulator with one library, a connector to it, and a caller that remembers what it is told."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from connectors.base import Found, Item, Known, KnowsNothing, Page, Scope, Skipped
from connectors.errors import ScopeUnavailable
from connectors.microsoft365.connector import DriveConnector
from connectors.microsoft365.gate import TenantGate
from connectors.microsoft365.graph import Graph
from connectors.microsoft365.sites import Wanted
from tests.connectors.microsoft365.callers import Caller
from tests.emulator import App, Emulator
from tests.emulator.drive_items import Drive

READER = frozenset({"Sites.Read.All", "User.Read.All"})
WRITER = frozenset({"Sites.ReadWrite.All", "User.Read.All"})


class EmulatedTokens:
    """Gives out the emulator's tokens without asking its sign-in."""

    def __init__(self, emulator: Emulator, app: App) -> None:
        self._emulator = emulator
        self._app = app
        self._token = emulator.token_for(app)
        self.issued = 1

    def callback(self) -> dict[str, str]:
        return {"access_token": self._token, "token_type": "Bearer"}

    def renew(self, issued: int | None = None) -> None:
        self._token = self._emulator.token_for(self._app)
        self.issued += 1


def graph_of(emulator: Emulator, app: App, **terms: Any) -> Graph:
    """An unhurried way to the emulator that never really sleeps: its clock is moved on instead."""
    clock = emulator.clock
    gate = TenantGate(None, now=clock.time, sleep=clock.advance, patience_seconds=terms.pop("patience_seconds", 900.0))
    return Graph(
        EmulatedTokens(emulator, app),
        gate,
        root=emulator.graph_url,
        ca_file=emulator.ca_file,
        sleep=clock.advance,
        **terms,
    )


class Library:
    """One library, and the connector under test. Satisfies `connectors.testing.MovingSource`."""

    def __init__(self, emulator: Emulator, app: App, drive: Drive, **terms: Any) -> None:
        self.emulator = emulator
        self.app = app
        self.drive = drive
        self.graph = graph_of(emulator, app)
        self._terms = terms
        self.connector = self.another_connector()
        self.scope = Scope(f"{drive.site.name}/{drive.name}", drive.id)

    def another_connector(self, **terms: Any) -> DriveConnector:
        """As after a restart: it remembers nothing."""
        wanted = terms.pop("wanted", None) or self._terms.get("wanted") or Wanted(all_sites=True)
        given = {"now": self.emulator.clock.now, "roles": lambda: frozenset(self.app.roles), **self._terms, **terms}
        given.pop("wanted", None)
        return DriveConnector(self.graph, wanted, **given)

    # A person's deeds, in the words of the contract

    def put(self, path: bytes, content: bytes) -> str:
        return self.drive.put(path.decode(), content)

    def move(self, path: bytes, to: bytes) -> None:
        self.drive.move(self.drive.id_of(path.decode()), to.decode())

    def remove(self, path: bytes) -> None:
        self.drive.remove(self.drive.id_of(path.decode()))

    # What the connector makes of it

    def pages(self, known: Known, after: bytes | None = None, **terms: Any) -> list[Page]:
        """All pages of a run; nothing is stored."""
        connector = self.another_connector(**terms) if terms else self.connector
        return list(connector.changes(self.scope, known, after))

    def item(self, path: str) -> Item:
        """The item as an enumeration tells it to somebody who knows nothing."""
        items = [one.item for one in told(self.pages(KnowsNothing()), Found, Skipped) if str(one.item.ref) == path]
        assert len(items) == 1, f"{path} was told {len(items)} times"
        return items[0]

    def run(self, caller: Caller, *, stop_after: int | None = None, **terms: Any) -> list[Page]:
        """A run as the service does it; all that is told is stored. Or one that dies after so many pages."""
        pages = []
        connector = self.another_connector(**terms) if terms else self.connector
        for page in connector.changes(self.scope, caller, caller.cursor):
            caller.take(page)
            pages.append(page)
            if len(pages) == stop_after:
                caller.lose()
                return pages
        caller.finish()
        return pages

    def read(self, item: Item) -> bytes:
        with self.connector.open(self.scope, item) as content:
            return os.pread(content.fileno(), 1 << 30, 0)

    def calls(self, path: str, method: str = "GET") -> list[Any]:
        """What was asked of Graph with that in its path."""
        return [
            call for call in self.emulator.log if call.host == "graph" and call.method == method and path in call.path
        ]


def told(pages: list[Page], *kinds: type[Any]) -> list[Any]:
    """The changes of these kinds, in order; all of them if none is named."""
    return [change for page in pages for change in page.changes if not kinds or isinstance(change, kinds)]


def paths_of(drive: Drive) -> list[str]:
    """Where the files of the drive lie."""
    return sorted(entry.path for entry in drive.items() if not entry.is_folder)


@contextmanager
def library(*, roles: frozenset[str] = READER, check: bool = True, **terms: Any) -> Iterator[Library]:
    with Emulator(check=check) as emulator:
        app = emulator.tenant.add_app(roles=set(roles))
        drive = emulator.tenant.add_site("HR").add_library("Documents")
        made = Library(emulator, app, drive, **terms)
        yield made
        made.connector.close()


@contextmanager
def careful_library(**terms: Any) -> Iterator[Library]:
    """One in which, whatever goes wrong, nobody else sees our bearer and nobody calls before he may."""
    with library(page_items=2, **terms) as made:
        yield made
        assert made.emulator.leaks == [], "our bearer went to a host that must not see it"
        assert made.emulator.early_calls == [], "somebody called while the gate was closed"


def reading(there: Library) -> Caller:
    """A caller that has just read all of the library."""
    caller = Caller(there.drive)
    there.run(caller)
    caller.told.clear()
    caller.read.clear()
    return caller


def unavailable(there: Library, caller: Caller) -> str:
    """The run fails as a whole, and what was known stays known; gives the reason."""
    before = caller.paths
    with pytest.raises(ScopeUnavailable) as failed:
        there.run(caller)
    assert caller.paths == before
    return str(failed.value)
