"""Marks of our own on a file: extended attributes."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping

from connectors.base import ItemRef
from connectors.errors import ItemChanged, Unsupported
from connectors.filesystem.attributes import MARK_PREFIX
from connectors.filesystem.facts import version_of
from connectors.filesystem.faults import acting
from connectors.filesystem.files import open_file
from connectors.filesystem.walk import open_folder


def mark(root: int, ref: ItemRef, version: bytes, marks: Mapping[str, str]) -> bytes:
    """Sets marks; gives the new version. Raises the errors of `Holding.mark`."""
    with acting():
        folder = open_folder(root, ref.folder)
        try:
            descriptor = open_file(folder, ref.name)
        finally:
            os.close(folder)
    try:
        with acting(descriptor):
            before = os.fstat(descriptor)
            if version_of(before) != version:
                raise ItemChanged("the file is another one than was listed")
            for name, value in marks.items():
                _set(descriptor, MARK_PREFIX + name, value.encode())
            os.fsync(descriptor)
            after = os.fstat(descriptor)
            if (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
                raise ItemChanged("the file was written to while it was marked")
            return version_of(after)
    finally:
        os.close(descriptor)


def _set(descriptor: int, name: str, value: bytes) -> None:
    """A mark that is as it should be is left alone: setting it again would be a change of the file."""
    try:
        if _get(descriptor, name) == value:
            return
        if value:
            os.setxattr(descriptor, name, value)
        else:
            os.removexattr(descriptor, name)
    except OSError as error:
        if error.errno != errno.ENOTSUP:
            raise
        raise Unsupported("files here cannot carry marks") from None


def _get(descriptor: int, name: str) -> bytes:
    try:
        return os.getxattr(descriptor, name)
    except OSError as error:
        if error.errno != errno.ENODATA:
            raise
        return b""
