"""Property sets of old Office files ([MS-OLEPS]): author, title and the like, and what people have added themselves."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping

_TEXTS = {0x1E: "narrow", 0x1F: "wide"}
_NAMES, _CODE_PAGE = 0, 1
_UTF_16 = 1200
_MOST_PROPERTIES = 2_000


def properties(data: bytes, known: Mapping[int, str]) -> Iterator[tuple[str, str]]:
    """Name and text of each property in the stream: the `known` ones by number, and those that a person has added.

    The latter lie in the second section, under names of their own. Ends where the stream is not sound.
    """
    try:
        (sections,) = struct.unpack_from("<I", data, 24)
        for number in range(min(sections, 2)):
            (start,) = struct.unpack_from("<I", data, 28 + 20 * number + 16)
            yield from _section(data[start:], known if number == 0 else {})
    except (struct.error, UnicodeDecodeError, LookupError):
        return


def _section(data: bytes, known: Mapping[int, str]) -> Iterator[tuple[str, str]]:
    (count,) = struct.unpack_from("<I", data, 4)
    offsets = dict(struct.unpack_from("<II", data, 8 + 8 * number) for number in range(min(count, _MOST_PROPERTIES)))
    page = struct.unpack_from("<H", data, offsets[_CODE_PAGE] + 4)[0] if _CODE_PAGE in offsets else 1252
    names = known or (_dictionary(data, offsets[_NAMES], page) if _NAMES in offsets else {})
    for number, offset in offsets.items():
        kind, length = struct.unpack_from("<II", data, offset)
        if number in (_NAMES, _CODE_PAGE) or kind not in _TEXTS or (known and number not in known):
            continue
        wide = _TEXTS[kind] == "wide" or page == _UTF_16
        size = length * 2 if _TEXTS[kind] == "wide" else length
        text = _decoded(data[offset + 8 : offset + 8 + size], page, wide=wide)
        if text:
            yield names.get(number, ""), text


def _dictionary(data: bytes, offset: int, page: int) -> dict[int, str]:
    """The names of the properties by their number ([MS-OLEPS] 2.17)."""
    (count,) = struct.unpack_from("<I", data, offset)
    names = {}
    position = offset + 4
    for _ in range(min(count, _MOST_PROPERTIES)):
        number, length = struct.unpack_from("<II", data, position)
        wide = page == _UTF_16
        size = length * 2 if wide else length
        names[number] = _decoded(data[position + 8 : position + 8 + size], page, wide=wide)
        position += 8 + (size + 3 & ~3 if wide else size)
    return names


def _decoded(data: bytes, page: int, *, wide: bool) -> str:
    encoding = "utf-16-le" if wide else "utf-8" if page == 65001 else f"cp{page}"
    return data.decode(encoding, "replace").strip("\0")
