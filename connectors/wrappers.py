"""Connectors around connectors: each adds one rule to any source."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from connectors.base import Capabilities, Connector, Content, Item, ItemRef, Known, Page, Receipt, Scope


class ReadOnly:
    """Lets through what reads and answers what would change with a receipt that says so: a dry run."""

    def __init__(self, connector: Connector) -> None:
        self._connector = connector

    @property
    def capabilities(self) -> Capabilities:
        return self._connector.capabilities

    def scopes(self) -> Sequence[Scope]:
        return self._connector.scopes()

    def changes(self, scope: Scope, known: Known, after: bytes | None = None) -> Iterator[Page]:
        return self._connector.changes(scope, known, after)

    def open(self, scope: Scope, item: Item) -> Content:
        return self._connector.open(scope, item)

    def label(self, scope: Scope, ref: ItemRef, version: bytes, label: str) -> Receipt:
        return Receipt(ref, False, f"read-only: would set the label {label!r}")

    def delete(self, scope: Scope, ref: ItemRef, version: bytes) -> Receipt:
        return Receipt(ref, False, "read-only: would delete")

    def close(self) -> None:
        self._connector.close()


class RateLimited:
    """Spares the source: opens at most `opens_per_second` items, evenly spread. Everything else passes at once."""

    def __init__(
        self,
        connector: Connector,
        opens_per_second: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if opens_per_second <= 0:
            raise ValueError("opens_per_second must be above 0")
        self._connector = connector
        self._interval = 1 / opens_per_second
        self._clock = clock
        self._sleep = sleep
        self._next = 0.0

    @property
    def capabilities(self) -> Capabilities:
        return self._connector.capabilities

    def scopes(self) -> Sequence[Scope]:
        return self._connector.scopes()

    def changes(self, scope: Scope, known: Known, after: bytes | None = None) -> Iterator[Page]:
        return self._connector.changes(scope, known, after)

    def open(self, scope: Scope, item: Item) -> Content:
        now = self._clock()
        if now < self._next:
            self._sleep(self._next - now)
        self._next = max(now, self._next) + self._interval
        return self._connector.open(scope, item)

    def label(self, scope: Scope, ref: ItemRef, version: bytes, label: str) -> Receipt:
        return self._connector.label(scope, ref, version, label)

    def delete(self, scope: Scope, ref: ItemRef, version: bytes) -> Receipt:
        return self._connector.delete(scope, ref, version)

    def close(self) -> None:
        self._connector.close()
