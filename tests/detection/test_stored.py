"""The files of models: what is damaged is told by the file's name."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest

from agent.detection.stored import made_of
from agent.errors import ConfigurationError


def test_the_arrays_of_a_file_are_given_by_name(tmp_path: Path) -> None:
    numpy.savez(tmp_path / "good.npz", one=numpy.arange(3), two=numpy.zeros(2))
    assert sorted(made_of(tmp_path / "good.npz", dict)) == ["one", "two"]


@pytest.mark.parametrize("what", ["absent", "cut", "empty", "objects", "lacking"])
def test_a_file_that_cannot_be_used_is_told_by_its_name(tmp_path: Path, what: str) -> None:
    file = tmp_path / "model.npz"
    if what == "objects":
        numpy.savez(file, one=numpy.asarray([object()], dtype=object))
    elif what != "absent":
        numpy.savez(file, one=numpy.arange(1000))
        file.write_bytes(file.read_bytes()[: {"cut": 300, "empty": 0}.get(what)])
    with pytest.raises(ConfigurationError, match=r"model\.npz"):
        made_of(file, lambda arrays: arrays["two"])
