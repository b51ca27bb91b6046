"""The connector to the drives of a tenant: libraries of SharePoint sites, and OneDrives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from connectors.base import Capabilities, Item, ItemRef, Known, Page, Receipt, Scope
from connectors.content import OpenContent
from connectors.errors import (
    ItemChanged,
    ItemNotFound,
    NotSignedIn,
    ScopeUnavailable,
    Throttled,
    Unsupported,
)
from connectors.microsoft365.content import Spool, open_item
from connectors.microsoft365.delta import drive_changes
from connectors.microsoft365.entries import Terms
from connectors.microsoft365.graph import Graph
from connectors.microsoft365.links import quoted
from connectors.microsoft365.sites import Unreachable, Wanted, find_drives
from connectors.microsoft365.unavailable import why
from connectors.microsoft365.version import Version

_WRITING = frozenset({"Sites.ReadWrite.All", "Sites.Manage.All", "Sites.FullControl.All", "Files.ReadWrite.All"})


def _utc_now() -> datetime:
    return datetime.now(UTC)


class DriveConnector:
    """Reads the drives that are wanted; each is a scope, known by its id.

    A drive's own change feed says what changed. `roles` gives the application's roles, from which follows whether it
    may label and delete. At most `spool_bytes` of content lie in memory at any moment, more goes to files without names
    in `spool_directory`; files beyond `largest_bytes` are refused. After `full_every_days` a drive is enumerated anew.
    `spend` is told of downloaded bytes and may wait. `close` closes `graph`.
    """

    def __init__(
        self,
        graph: Graph,
        wanted: Wanted,
        *,
        roles: Callable[[], frozenset[str]] = frozenset,
        spool_bytes: int = 64 << 20,
        spool_directory: Path | None = None,
        largest_bytes: int = 4 << 30,
        full_every_days: float = 7,
        page_items: int = 200,
        now: Callable[[], datetime] = _utc_now,
        spend: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._graph = graph
        self._wanted = wanted
        self._roles = roles
        self._spool = Spool(spool_bytes, spool_directory)
        self._largest_bytes = largest_bytes
        self._terms = Terms(wanted.columns, page_items, timedelta(days=full_every_days))
        self._now = now
        self._spend = spend
        self._data_locations: Mapping[str, str] = {}
        self.unreachable: tuple[Unreachable, ...] = ()

    @property
    def capabilities(self) -> Capabilities:
        may_write = False
        with suppress(NotSignedIn):
            may_write = bool(self._roles() & _WRITING)
        return Capabilities(
            keeps_access_time=True,
            file_ids=True,
            case_sensitive=False,
            marks=True,
            label=may_write,
            delete=may_write,
            looks=False,
            continues=True,
            copies=True,
        )

    def scopes(self) -> Sequence[Scope]:
        """The drives. What was wanted and did not answer is in `unreachable` afterwards, with the reason."""
        drives = find_drives(self._graph, self._wanted)
        self._data_locations = drives.data_locations
        self.unreachable = drives.unreachable
        return drives.scopes

    def changes(self, scope: Scope, known: Known, after: bytes | None = None) -> Iterator[Page]:
        location = self._data_locations.get(scope.identity, "")
        yield from drive_changes(self._graph, scope, known, after, self._terms, self._now, location)

    def look(self, scope: Scope, known: Known, folders: Sequence[bytes]) -> Iterator[Page]:
        raise Unsupported("this source tells by itself what changed")

    def open(self, scope: Scope, item: Item) -> OpenContent:
        version = _decided(item.version)
        with _ending_the_run():
            return open_item(self._graph, scope.identity, version, self._spool, self._largest_bytes, self._spend)

    def label(self, scope: Scope, ref: ItemRef, version: bytes, label: str) -> Receipt:
        if not self.capabilities.label:
            raise Unsupported("the application may only read")
        decided = _decided(version)
        path = _path(scope, decided)
        with _ending_the_run():
            there = self._graph.get(f"{path}?$select=id,eTag&$expand=retentionLabel")
            if there.get("eTag") != decided.etag:
                raise ItemChanged("the item has moved on")
            borne = there.get("retentionLabel")
            if isinstance(borne, Mapping) and borne.get("name") == label:
                return Receipt(ref, False, "already labelled")
            self._graph.send("PATCH", f"{path}/retentionLabel", {"name": label}, headers={"If-Match": decided.etag})
        return Receipt(ref, True, "labelled")

    def delete(self, scope: Scope, ref: ItemRef, version: bytes) -> Receipt:
        """Moves the item to the site's recycle bin."""
        if not self.capabilities.delete:
            raise Unsupported("the application may only read")
        decided = _decided(version)
        with _ending_the_run():
            try:
                self._graph.send("DELETE", _path(scope, decided), headers={"If-Match": decided.etag})
            except ItemNotFound:
                return Receipt(ref, False, "already gone")
        return Receipt(ref, True, "recycled")

    def close(self) -> None:
        self._graph.close()


def _decided(version: bytes) -> Version:
    decoded = Version.decode(version)
    if decoded is None or not decoded.etag:
        raise ItemChanged("the item has moved on")
    return decoded


def _path(scope: Scope, version: Version) -> str:
    return f"/drives/{quoted(scope.identity)}/items/{quoted(version.item_id)}"


@contextmanager
def _ending_the_run() -> Iterator[None]:
    """What would be refused for every item alike is said of the scope: whoever reads it shall come back later."""
    try:
        yield
    except (Throttled, NotSignedIn) as error:
        raise ScopeUnavailable(why(error)) from error
