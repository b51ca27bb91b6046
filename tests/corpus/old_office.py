"""The old formats of Office, as small as they can be, with nothing but the standard library."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

_SECTOR = 512
_FREE, _END, _FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
_SMALLEST = 4096  # smaller streams would need a stream of mini sectors; ours are filled up with zeros


def compound(streams: Mapping[str, bytes]) -> bytes:
    """An OLE compound file ([MS-CFB]); `/` in a name stands for a storage."""
    entries: list[dict[str, object]] = [{"name": "Root Entry", "type": 5, "children": []}]
    places = {"": 0}

    def storage(path: str) -> int:
        if path not in places:
            parent, _, name = path.rpartition("/")
            _add(entries, storage(parent), {"name": name, "type": 1, "children": []})
            places[path] = len(entries) - 1
        return places[path]

    for path, data in streams.items():
        parent, _, name = path.rpartition("/")
        _add(entries, storage(parent), {"name": name, "type": 2, "data": data.ljust(_SMALLEST, b"\0")})
    return _written(entries)


def _add(entries: list[dict[str, object]], parent: int, entry: dict[str, object]) -> None:
    entries.append(entry)
    children = entries[parent]["children"]
    assert isinstance(children, list)
    children.append(len(entries) - 1)


def _written(entries: list[dict[str, object]]) -> bytes:
    directory_sectors = -(-len(entries) * 128 // _SECTOR)
    chains: list[int] = []
    body = b""
    starts: dict[int, int] = {}

    def chain(count: int) -> int:
        first = len(chains)
        chains.extend(range(first + 1, first + count))
        chains.append(_END)
        return first

    data_sectors = sum(-(-len(data) // _SECTOR) for entry in entries if isinstance(data := entry.get("data"), bytes))
    fat_sectors = 1
    while fat_sectors * 128 < fat_sectors + directory_sectors + data_sectors:
        fat_sectors += 1
    chains.extend([_FAT] * fat_sectors)
    directory = chain(directory_sectors)
    for number, entry in enumerate(entries):
        data = entry.get("data")
        if isinstance(data, bytes):
            starts[number] = chain(-(-len(data) // _SECTOR))
            body += data.ljust(-(-len(data) // _SECTOR) * _SECTOR, b"\0")
    header = struct.pack(
        "<8s16s5H6s9I",
        *(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", bytes(16), 0x3E, 3, 0xFFFE, 9, 6, bytes(6)),
        *(0, fat_sectors, directory, 0, _SMALLEST, _END, 0, _END, 0),
    )
    header += struct.pack("<109I", *range(fat_sectors), *[_FREE] * (109 - fat_sectors))
    table = struct.pack(f"<{fat_sectors * 128}I", *chains, *[_FREE] * (fat_sectors * 128 - len(chains)))
    listed = b"".join(_entry(entries, number, starts) for number in range(len(entries)))
    return header + table + listed.ljust(directory_sectors * _SECTOR, b"\0") + body


def _entry(entries: list[dict[str, object]], number: int, starts: Mapping[int, int]) -> bytes:
    entry = entries[number]
    name = str(entry["name"]).encode("utf-16-le") + b"\0\0"
    children = entry.get("children") or []
    assert isinstance(children, list)
    data = entry.get("data")
    sibling = next(
        (
            group[place + 1]
            for other in entries
            if isinstance(group := other.get("children"), list) and number in group[:-1]
            for place in [group.index(number)]
        ),
        _FREE,
    )
    return struct.pack(
        "<64sHBBIII16sIQQIQ",
        *(name.ljust(64, b"\0"), len(name), entry["type"], 1, _FREE, sibling, children[0] if children else _FREE),
        *(bytes(16), 0, 0, 0, starts.get(number, _END)),
        len(data) if isinstance(data, bytes) else 0,
    )


def doc(stories: Sequence[str], *, wide: bool = False, encrypted: bool = False) -> bytes:
    """A Word document of body, footnotes and headers, in one piece of narrow or wide characters."""
    text = "".join(stories)
    start = 0x800
    lengths = [len(story) for story in stories] + [0] * (8 - len(stories))
    block = bytearray(start)
    struct.pack_into("<HH6xH", block, 0, 0xA5EC, 0xC1, 0x0200 | (0x0100 if encrypted else 0))
    struct.pack_into("<8i", block, 0x4C, *lengths)
    where = start if wide else (start * 2) | 0x40000000
    pieces = struct.pack("<II", 0, len(text)) + struct.pack("<HIH", 0, where, 0)
    clx = b"\x02" + struct.pack("<I", len(pieces)) + pieces
    struct.pack_into("<II", block, 0x01A2, 0, len(clx))
    encoded = text.encode("utf-16-le" if wide else "cp1252")
    return compound({"WordDocument": bytes(block) + encoded, "1Table": clx})


def ppt(slides: Sequence[Sequence[str]]) -> bytes:
    """A presentation: the outline of its slides."""

    def record(kind: int, content: bytes, version: int = 0) -> bytes:
        return struct.pack("<HHI", version, kind, len(content)) + content

    listed = b"".join(
        record(0x03F3, bytes(20)) + b"".join(record(0x0FA0, text.encode("utf-16-le")) for text in slide)
        for slide in slides
    )
    return compound({"PowerPoint Document": record(0x03E8, record(0x0FF0, listed, 0xF), 0xF)})


def xls(sheet: str, rows: Sequence[Sequence[str]], *, encrypted: bool = False) -> bytes:
    """A workbook of one sheet of labels (BIFF8, [MS-XLS])."""

    def record(kind: int, content: bytes) -> bytes:
        return struct.pack("<HH", kind, len(content)) + content

    def begin(kind: int) -> bytes:
        return record(0x0809, struct.pack("<HHHHII", 0x0600, kind, 0x0DBB, 1996, 0, 6))

    name = sheet.encode("latin-1")
    locked = record(0x002F, bytes(6)) if encrypted else b""
    before = len(begin(5) + locked) + 4 + 8 + len(name) + 4
    bound = record(0x0085, struct.pack("<IBBBB", before, 0, 0, len(name), 0) + name)
    cells = b"".join(
        record(0x0204, struct.pack("<HHHHB", row, column, 0, len(value), 0) + value.encode("latin-1"))
        for row, values in enumerate(rows)
        for column, value in enumerate(values)
    )
    end = record(0x000A, b"")
    return compound({"Workbook": begin(5) + locked + bound + end + begin(0x10) + cells + end})


def message(properties: Mapping[str, str]) -> dict[str, bytes]:
    """The streams of an Outlook message with these texts, by property tag ([MS-OXPROPS])."""
    streams = {f"__substg1.0_{tag}001F": text.encode("utf-16-le") for tag, text in properties.items()}
    return {"__properties_version1.0": bytes(32), **streams}
