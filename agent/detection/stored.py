"""The files of the models that are shipped: arrays of numbers, read without running anything."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from agent.errors import ConfigurationError

if TYPE_CHECKING:
    from numpy.typing import NDArray

T = TypeVar("T")


def made_of(file: Path, make: Callable[[dict[str, NDArray[Any]]], T]) -> T:
    """What `make` makes of the arrays in a `.npz` file.

    Raises `ConfigurationError` if the file is not there, is damaged, holds objects, or lacks what `make` needs.
    """
    import numpy

    try:
        with file.open("rb") as opened, numpy.load(opened, allow_pickle=False) as stored:
            return make({name: stored[name] for name in stored.files})
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise ConfigurationError(f"The model {file.name} cannot be used: {type(error).__name__}.") from error
