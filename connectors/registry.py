"""Which connectors exist. The only list of them."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from connectors.base import Connector
from connectors.holding import Holding
from connectors.watching import Watch

_CLASSES = {
    "filesystem": ("connectors.filesystem.connector", "FilesystemConnector"),
}

_HOLDINGS = {
    "filesystem": ("connectors.filesystem.holding", "FilesystemHolding"),
}

_WATCHES = {
    "filesystem": ("connectors.filesystem.watching", "FolderWatch"),
}


def connector_class(kind: str) -> Callable[..., Connector]:
    """What makes connectors of that kind. Its module is imported only now. Raises `KeyError` for an unknown kind."""
    module, name = _CLASSES[kind]
    made: Callable[..., Connector] = getattr(import_module(module), name)
    return made


def holding_class(kind: str) -> Callable[..., Holding]:
    """What makes the changing half of connectors of that kind. Raises `KeyError` for an unknown kind."""
    module, name = _HOLDINGS[kind]
    made: Callable[..., Holding] = getattr(import_module(module), name)
    return made


def watch_class(kind: str) -> Callable[..., Watch]:
    """What watches sources of that kind. Raises `KeyError` for an unknown kind."""
    module, name = _WATCHES[kind]
    made: Callable[..., Watch] = getattr(import_module(module), name)
    return made
