"""Extended attributes of a file: labels, and the flags by which a store says that the content lies elsewhere."""

from __future__ import annotations

import os
import re
import struct

MARK_PREFIX = "user.retentiond."
_SAMBA = "user.DOSATTRIB"
_CIFS = "user.cifs.dosattrib"

# FILE_ATTRIBUTE_OFFLINE, _RECALL_ON_OPEN and _RECALL_ON_DATA_ACCESS ([MS-FSCC] 2.6)
_RECALL = 0x1000 | 0x40000 | 0x400000
_HEX = re.compile(rb"0x([0-9A-Fa-f]{1,8})")


def _place(directory: int, name: bytes) -> bytes:
    # Python knows no getxattrat; this way through /proc ends at our descriptor, whatever the path has become.
    return b"/proc/self/fd/%d/%s" % (directory, name)


def supported(directory: int) -> bool:
    """Whether files here can carry extended attributes and we can read them."""
    try:
        os.listxattr(_place(directory, b"."), follow_symlinks=False)
    except OSError:
        return False
    return True


def read(directory: int, name: bytes) -> tuple[dict[str, str], bool]:
    """The labels of a file by name, and whether its content is kept offline.

    A file whose attributes cannot be read has none.
    """
    place = _place(directory, name)
    try:
        names = os.listxattr(place, follow_symlinks=False)
    except OSError:
        return {}, False
    marks = {key: _text(place, key) for key in names if key.startswith(MARK_PREFIX)}
    return marks, any(_attributes(place, key) & _RECALL for key in (_SAMBA, _CIFS) if key in names)


def _value(place: bytes, key: str) -> bytes:
    try:
        return os.getxattr(place, key, follow_symlinks=False)
    except OSError:
        return b""


def _text(place: bytes, key: str) -> str:
    return _value(place, key).decode("utf-8", "replace")


def _attributes(place: bytes, key: str) -> int:
    value = _value(place, key)
    return dos_attributes(value) if key == _SAMBA else int.from_bytes(value[:4], "little")


def dos_attributes(value: bytes) -> int:
    """The DOS attributes in Samba's `user.DOSATTRIB`, old (text) or new (xattr.idl, versions 3 to 5); 0 if neither."""
    if text := _HEX.match(value):
        return int(text.group(1), 16)
    if len(value) >= 16:
        _, version, again, attributes = struct.unpack_from("<HHH6xI", value)
        if version == again and 3 <= version <= 5:
            return int(attributes)
    return 0
