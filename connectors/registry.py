"""Which connectors exist. The only list of them."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from connectors.base import Connector

_CLASSES = {
    "filesystem": ("connectors.filesystem.connector", "FilesystemConnector"),
}


def connector_class(kind: str) -> Callable[..., Connector]:
    """What makes connectors of that kind. Its module is imported only now. Raises `KeyError` for an unknown kind."""
    module, name = _CLASSES[kind]
    made: Callable[..., Connector] = getattr(import_module(module), name)
    return made
