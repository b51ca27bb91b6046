"""Open content behind a descriptor, as connectors hand it out."""

from __future__ import annotations

import os
from collections.abc import Callable
from types import TracebackType
from typing import Self


class OpenContent:
    """Owns the descriptor. `is_current(descriptor)` asks the source whether it still holds what was opened."""

    def __init__(self, descriptor: int, is_current: Callable[[int], bool]) -> None:
        self._descriptor: int | None = descriptor
        self._is_current = is_current

    def fileno(self) -> int:
        """Raises `ValueError` once the content is closed."""
        if self._descriptor is None:
            raise ValueError("the content is closed")
        return self._descriptor

    def still_current(self) -> bool:
        return self._is_current(self.fileno())

    def close(self) -> None:
        """Safe to call twice."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
