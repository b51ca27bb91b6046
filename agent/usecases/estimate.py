"""How many items a scope holds, for a progress bar that can tell the time left."""

from __future__ import annotations

import threading

from connectors.base import Connector, KnowsNothing, Scope
from connectors.errors import ConnectorError


def count_items(connector: Connector, scope: Scope, stop: threading.Event) -> int | None:
    """The number of items a pass will see, or none if `stop` is set or the scope fails before the end."""
    total = 0
    try:
        for page in connector.changes(scope, KnowsNothing()):
            total += page.seen
            if stop.is_set():
                return None
    except ConnectorError:
        return None
    return total
