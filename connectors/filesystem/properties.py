"""Everything a file has beside its content: collected when it is taken, and written for being sealed with it."""

from __future__ import annotations

import base64
import errno
import heapq
import json
import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.errors import SourceFault, Unsupported
from connectors.filesystem import changes
from connectors.filesystem.extents import Stretch, holes_in
from connectors.filesystem.linux import beyond_stat, open_beneath
from connectors.filesystem.walk import open_folder

_VERSION = 1
_LIMIT_BYTES = 4 << 20  # a share's user could hang any amount of attributes on a file, and it all passes through memory
_HOLES_KEPT = 10_000
_FLAGS_KEPT = 0x1 | 0x8 | 0x40 | 0x80  # chattr +s, +S, +d, +A: what a file may have without getting in our way
# CIFS does not list these, but answers when asked: attributes and birth time as Windows knows them, and its lists.
_UNLISTED = ("user.cifs.dosattrib", "user.cifs.creationtime", "system.cifs_ntsd")
_NOT_TOLD = (errno.ENODATA, errno.ENOTSUP, errno.EPERM, errno.EACCES)


@dataclass(frozen=True, slots=True)
class FolderProperties:
    """What a folder on the way had, so that it can be made again: name, mode, owner, attributes."""

    name: bytes
    mode: int
    uid: int
    gid: int
    attributes: Mapping[str, bytes] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Properties:
    """What a file had. Times are in nanoseconds since 1970; `born` is for the record, since nobody can set it.

    `folders` are those on the way to it, the outermost first.
    """

    mode: int
    uid: int
    gid: int
    accessed: int
    modified: int
    born: int | None
    flags: int
    attributes: Mapping[str, bytes] = field(repr=False)
    holes: Sequence[Stretch]
    folders: Sequence[FolderProperties] = ()


def collect(descriptor: int, folders: Sequence[FolderProperties]) -> Properties:
    """The properties of an open file. Raises `OSError`."""
    facts = os.fstat(descriptor)
    holes = heapq.nlargest(_HOLES_KEPT, holes_in(descriptor, facts.st_size), key=lambda hole: hole[1] - hole[0])
    os.lseek(descriptor, 0, os.SEEK_SET)
    return Properties(
        mode=stat.S_IMODE(facts.st_mode),
        uid=facts.st_uid,
        gid=facts.st_gid,
        accessed=facts.st_atime_ns,
        modified=facts.st_mtime_ns,
        born=beyond_stat(descriptor).born,
        flags=_flags_of(descriptor),
        attributes=attributes_of(descriptor),
        holes=sorted(holes),
        folders=folders,
    )


def collect_folder(descriptor: int, name: bytes) -> FolderProperties:
    """The properties of a folder, which may be open as a mere place (`O_PATH`). Raises `OSError`."""
    facts = os.fstat(descriptor)
    return FolderProperties(name, stat.S_IMODE(facts.st_mode), facts.st_uid, facts.st_gid, attributes_of(descriptor))


def way_to(root: int, folder: bytes) -> tuple[int, tuple[FolderProperties, ...]]:
    """A descriptor of the folder, and what it and all those on the way to it have. Raises `OSError`."""
    found = []
    here = open_folder(root, b"")
    try:
        for step in folder.split(b"/") if folder else ():
            deeper = open_beneath(here, step, os.O_PATH | os.O_DIRECTORY)
            os.close(here)
            here = deeper
            found.append(collect_folder(here, step))
        return open_folder(here, b""), tuple(found)
    finally:
        os.close(here)


def _flags_of(descriptor: int) -> int:
    try:
        return changes.flags_of(descriptor) & _FLAGS_KEPT
    except OSError:
        return 0  # this file system has none


def attributes_of(descriptor: int) -> dict[str, bytes]:
    """All extended attributes that we may read, lists of permissions among them. Raises `OSError`."""
    place = b"/proc/self/fd/%d" % descriptor  # works for mere places too
    found = {}
    for name in (*_listed(place), *_UNLISTED):
        try:
            found[name] = os.getxattr(place, name)
        except OSError as error:
            if error.errno not in _NOT_TOLD:
                raise
    return found


def _listed(place: bytes) -> list[str]:
    try:
        return os.listxattr(place)
    except OSError as error:
        if error.errno not in _NOT_TOLD:
            raise
        return []


def write(properties: Properties) -> bytes:
    """The properties as they are sealed; `read` gives the same again. Raises `SourceFault` if that is too much."""
    parts = {
        "version": _VERSION,
        "mode": properties.mode,
        "uid": properties.uid,
        "gid": properties.gid,
        "accessed": properties.accessed,
        "modified": properties.modified,
        "born": properties.born,
        "flags": properties.flags,
        "attributes": _encoded(properties.attributes),
        "holes": properties.holes,
        "folders": [
            {
                "name": base64.b64encode(one.name).decode(),
                "mode": one.mode,
                "uid": one.uid,
                "gid": one.gid,
                "attributes": _encoded(one.attributes),
            }
            for one in properties.folders
        ],
    }
    data = json.dumps(parts, sort_keys=True).encode()
    if len(data) > _LIMIT_BYTES:
        raise SourceFault("the file or its folders have more attributes than could be kept with it")
    return data


def read(data: bytes) -> Properties:
    """What `write` wrote. Raises `Unsupported` for what a later release wrote."""
    parts = json.loads(data)
    if parts["version"] != _VERSION:
        raise Unsupported("a later release has taken this file; only that can put it back with all that it had")
    return Properties(
        mode=parts["mode"],
        uid=parts["uid"],
        gid=parts["gid"],
        accessed=parts["accessed"],
        modified=parts["modified"],
        born=parts["born"],
        flags=parts["flags"],
        attributes=_decoded(parts["attributes"]),
        holes=[(start, end) for start, end in parts["holes"]],
        folders=tuple(_folder(one) for one in parts["folders"]),
    )


def _folder(one: Mapping[str, Any]) -> FolderProperties:
    name = base64.b64decode(one["name"])
    return FolderProperties(name, one["mode"], one["uid"], one["gid"], _decoded(one["attributes"]))


def _encoded(attributes: Mapping[str, bytes]) -> dict[str, str]:
    return {name: base64.b64encode(value).decode() for name, value in attributes.items()}


def _decoded(attributes: Mapping[str, str]) -> dict[str, bytes]:
    return {name: base64.b64decode(value) for name, value in attributes.items()}
