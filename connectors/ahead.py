"""Opening several items at once, for sources that answer slowly: the next ones are on their way while one is read."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillUnderWay
from contextlib import suppress

from connectors.base import Capabilities, Connector, Content, Found, Item, ItemRef, Known, Page, Receipt, Scope
from connectors.errors import ConnectorError

_ASK_EVERY_SECONDS = 1.0


class Ahead:
    """Passes everything on, and opens what the current page tells to be new or changed before it is asked for.

    At most `at_once` items are being opened, and as many again are open and not asked for yet, so that neither
    descriptors nor memory grow with the page. `on_wait` is called about every second while one is waited for.
    """

    def __init__(self, connector: Connector, at_once: int, on_wait: Callable[[], None] = lambda: None) -> None:
        self._connector = connector
        self._at_once = at_once
        self._on_wait = on_wait
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="opening")
        self._coming: list[Item] = []  # of this page, the next one last
        self._opening: OrderedDict[tuple[ItemRef, bytes], Future[Content]] = OrderedDict()

    @property
    def capabilities(self) -> Capabilities:
        return self._connector.capabilities

    def scopes(self) -> Sequence[Scope]:
        return self._connector.scopes()

    def changes(self, scope: Scope, known: Known, after: bytes | None = None) -> Iterator[Page]:
        return self._ahead(scope, self._connector.changes(scope, known, after))

    def look(self, scope: Scope, known: Known, folders: Sequence[bytes]) -> Iterator[Page]:
        return self._ahead(scope, self._connector.look(scope, known, folders))

    def open(self, scope: Scope, item: Item) -> Content:
        future = self._opening.pop((item.ref, item.version), None)
        if future is None:
            return self._connector.open(scope, item)
        self._begin(scope)
        while True:
            try:
                return future.result(_ASK_EVERY_SECONDS)
            except StillUnderWay:
                if future.done():  # it is the item's own error
                    raise
                self._on_wait()

    def label(self, scope: Scope, ref: ItemRef, version: bytes, label: str) -> Receipt:
        return self._connector.label(scope, ref, version, label)

    def delete(self, scope: Scope, ref: ItemRef, version: bytes) -> Receipt:
        return self._connector.delete(scope, ref, version)

    def close(self) -> None:
        self._forget()
        self._threads.shutdown(cancel_futures=True)
        self._connector.close()

    def _ahead(self, scope: Scope, pages: Iterator[Page]) -> Iterator[Page]:
        try:
            for page in pages:
                self._forget()
                found = (change for change in page.changes if isinstance(change, Found) and not change.same_content)
                self._coming = [change.item for change in found][::-1]
                self._begin(scope)
                yield page
        finally:
            self._forget()

    def _begin(self, scope: Scope) -> None:
        while self._coming and len(self._opening) < 2 * self._at_once:
            item = self._coming.pop()
            self._opening[item.ref, item.version] = self._threads.submit(self._connector.open, scope, item)

    def _forget(self) -> None:
        """Lets go of what was opened and never asked for."""
        self._coming = []
        while self._opening:
            _, future = self._opening.popitem()
            if not future.cancel():
                with suppress(ConnectorError, CancelledError):
                    future.result().close()
