"""Everything a file has beside its content: collected when it is taken, and given to the one that is made anew."""

from __future__ import annotations

import base64
import errno
import json
import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.filesystem import changes

_VERSION = 1
_FLAGS_KEPT = 0x40 | 0x80 | 0x1  # nodump, noatime, secure deletion: what a file may have without getting in our way
# Where permissions are put into bits, the bits follow from the list; setting it last would undo them.
_LIST = "system.posix_acl_access"


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
    """What a file had. Times are in nanoseconds since 1970, `data` the stretches (start, end) that are not holes."""

    mode: int
    uid: int
    gid: int
    accessed: int
    modified: int
    size_bytes: int
    flags: int
    attributes: Mapping[str, bytes] = field(repr=False)
    data: Sequence[tuple[int, int]]
    folders: Sequence[FolderProperties] = ()

    @property
    def sparse(self) -> bool:
        """Whether there are holes in it."""
        return sum(end - start for start, end in self.data) < self.size_bytes


def collect(descriptor: int, folders: Sequence[FolderProperties]) -> Properties:
    """The properties of an open file. Raises `OSError`."""
    facts = os.fstat(descriptor)
    return Properties(
        mode=stat.S_IMODE(facts.st_mode),
        uid=facts.st_uid,
        gid=facts.st_gid,
        accessed=facts.st_atime_ns,
        modified=facts.st_mtime_ns,
        size_bytes=facts.st_size,
        flags=changes.flags_of(descriptor) & _FLAGS_KEPT,
        attributes=attributes_of(descriptor),
        data=data_in(descriptor, facts.st_size),
        folders=folders,
    )


def collect_folder(descriptor: int, name: bytes) -> FolderProperties:
    """The properties of an open folder."""
    facts = os.fstat(descriptor)
    return FolderProperties(name, stat.S_IMODE(facts.st_mode), facts.st_uid, facts.st_gid, attributes_of(descriptor))


def attributes_of(descriptor: int) -> dict[str, bytes]:
    """All extended attributes that we may read, lists of permissions among them; none where there are none."""
    try:
        names = os.listxattr(descriptor)
    except OSError:
        return {}
    found = {}
    for name in names:
        try:
            found[name] = os.getxattr(descriptor, name)
        except OSError:
            continue  # one that vanished meanwhile, or that only its maker may read
    return found


def data_in(descriptor: int, size: int) -> tuple[tuple[int, int], ...]:
    """The stretches of the file that are not holes."""
    found, end = [], 0
    try:
        while end < size:
            start = os.lseek(descriptor, end, os.SEEK_DATA)
            end = os.lseek(descriptor, start, os.SEEK_HOLE)
            found.append((start, end))
    except OSError as error:
        if error.errno != errno.ENXIO:  # nothing but a hole behind `end`
            return ((0, size),)  # this file system knows no holes
    finally:
        os.lseek(descriptor, 0, os.SEEK_SET)
    return tuple(found)


def apply(descriptor: int, properties: Properties, *, keep_times: bool) -> tuple[str, ...]:
    """Gives them to an open file; tells in words what it would not take.

    The order matters: changing the owner clears the set-user bits, and a list of permissions sets the mode.
    """
    lacking = []
    if not _done(lambda: os.fchown(descriptor, properties.uid, properties.gid)):
        lacking.append("owner")
    if not _set_attributes(descriptor, properties.attributes):
        lacking.append("attributes")
    if not _done(lambda: os.fchmod(descriptor, properties.mode)):
        lacking.append("mode")
    if properties.flags and not _done(
        lambda: changes.set_flags(descriptor, changes.flags_of(descriptor) | properties.flags)
    ):
        lacking.append("flags")
    if keep_times and not _done(lambda: os.utime(descriptor, ns=(properties.accessed, properties.modified))):
        lacking.append("times")
    found = os.fstat(descriptor)
    if stat.S_IMODE(found.st_mode) != properties.mode and "mode" not in lacking:
        lacking.append("mode")
    return tuple(lacking)


def apply_to_folder(descriptor: int, properties: FolderProperties) -> None:
    """The same for a folder, as far as it can be done."""
    _done(lambda: os.fchown(descriptor, properties.uid, properties.gid))
    _set_attributes(descriptor, properties.attributes)
    _done(lambda: os.fchmod(descriptor, properties.mode))


def _set_attributes(descriptor: int, attributes: Mapping[str, bytes]) -> bool:
    there = attributes_of(descriptor)
    whole = True
    for name in sorted(attributes, key=lambda name: (name != _LIST, name)):
        if there.get(name) != attributes[name]:
            whole &= _done(lambda name=name: os.setxattr(descriptor, name, attributes[name]))
    for name in there.keys() - attributes.keys():  # given by the folder, such as its default list of permissions
        whole &= _done(lambda name=name: os.removexattr(descriptor, name))
    return whole


def _done(act: Any) -> bool:
    try:
        act()
    except OSError as error:
        if error.errno in (errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.ESTALE):
            raise
        return False
    return True


# As bytes


def write(properties: Properties) -> bytes:
    """The properties as they are sealed; `read` gives the same again."""
    parts = {
        "version": _VERSION,
        "mode": properties.mode,
        "uid": properties.uid,
        "gid": properties.gid,
        "accessed": properties.accessed,
        "modified": properties.modified,
        "size": properties.size_bytes,
        "flags": properties.flags,
        "attributes": _encoded(properties.attributes),
        "data": [list(stretch) for stretch in properties.data],
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
    return json.dumps(parts, sort_keys=True).encode()


def read(data: bytes) -> Properties:
    """What `write` wrote."""
    parts = json.loads(data)
    return Properties(
        parts["mode"],
        parts["uid"],
        parts["gid"],
        parts["accessed"],
        parts["modified"],
        parts["size"],
        parts["flags"],
        _decoded(parts["attributes"]),
        tuple((start, end) for start, end in parts["data"]),
        tuple(
            FolderProperties(
                base64.b64decode(one["name"]), one["mode"], one["uid"], one["gid"], _decoded(one["attributes"])
            )
            for one in parts["folders"]
        ),
    )


def _encoded(attributes: Mapping[str, bytes]) -> dict[str, str]:
    return {name: base64.b64encode(value).decode() for name, value in attributes.items()}


def _decoded(attributes: Mapping[str, str]) -> dict[str, bytes]:
    return {name: base64.b64decode(value) for name, value in attributes.items()}
