"""Damages documents of every format at random and hands them to the extractor: each must get a status.

python -m tests.extraction.fuzz [COUNT [SEED [FOLDER]]]

Files in FOLDER are damaged, too.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import random
import sqlite3
import sys
import tarfile
import tempfile
import time
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import olefile

from agent.extraction.base import Limits
from agent.extraction.process import ProcessExtractor
from agent.model.outcome import Extraction, ExtractionStatus
from tests.corpus import flat_office, formats, old_office

_SMALL = 100_000
_INSIDE = 0.4
LIMITS = Limits(wall_seconds=10, cpu_seconds=10, reading_seconds=5, expanded_bytes=64 * 1024 * 1024)


def seeds() -> dict[str, bytes]:
    """A sound document of each format."""
    lines = [f"paragraph {number} with AB 12 34 56 C in it" for number in range(40)]
    rows = [["Name", "NI number"], *([f"Zoe {number}", "AB 12 34 56 C"] for number in range(40))]
    text = "\n".join(lines).encode()
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        entry = tarfile.TarInfo("a.txt")
        entry.size = len(text)
        archive.addfile(entry, io.BytesIO(text))
    mail = formats.eml({"From": "a@x.example", "To": "b@x.example"}, lines, ("a.docx", formats.docx(lines)))
    with sqlite3.connect(":memory:") as database:
        database.execute("CREATE TABLE staff (name TEXT, number TEXT)")
        database.executemany("INSERT INTO staff VALUES (?, ?)", rows)
        database.commit()
        stored = database.serialize()
    database.close()
    message = old_office.message({"0037": "subject", "1000": "body", "0C1A": "Zoe"})
    return {
        "txt": text,
        "csv": "\n".join(",".join(row) for row in rows).encode(),
        "json": b'{"a": [{"b": "AB 12 34 56 C"}, 5, null, "\\u00eb"]}',
        "xml": b"<?xml version='1.0'?><a><b c='d'>AB 12 34 56 C</b></a>" * 1,
        "html": b"<html><body><table><tr><td>AB 12 34 56 C</td></tr></table></body></html>",
        "rtf": rb"{\rtf1\ansi {\fonttbl{\f0 A;}} AB 12 34 56 C \u8364? \'e9\par {\header h}}",
        "docx": formats.docx(lines, rows),
        "xlsx": formats.xlsx("Pay", rows),
        "pdf": formats.pdf(lines),
        "eml": mail,
        "mbox": b"From a@x.example Mon Mar  3 10:12:00 2025\n" + mail,
        "zip": formats.zipped({"a.docx": formats.docx(lines), "b.txt": text}),
        "tar": tar.getvalue(),
        "gz": gzip.compress(text, mtime=0),
        "bz2": bz2.compress(text),
        "xz": lzma.compress(text),
        "doc": old_office.doc(["\r".join(lines), "a note\r"]),
        "ppt": old_office.ppt([lines[:3], lines[3:6]]),
        "xls": old_office.xls("Pay", rows),
        "msg": old_office.compound(message),
        "sqlite": stored,
        "jpg": b"\xff\xd8\xff\xe1\x00\x2aExif\0\0II*\0\x08\0\0\0\x01\0\x3b\x01\x02\0\x06\0\0\0\x1a\0\0\0\0\0\0\0"
        b"Idris\0",
    }


def more_seeds(folder: Path) -> dict[str, bytes]:
    """The small files in a folder, by name."""
    files = sorted(file for file in folder.iterdir() if file.is_file() and file.stat().st_size < _SMALL)
    return {file.name: file.read_bytes() for file in files}


def damaged_inside(content: bytes, other: bytes, chance: random.Random) -> bytes:
    """A ZIP archive or a compound file with one of its members damaged, and sound itself; anything else as it is."""
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        build = formats.zipped
    elif content.startswith(b"\xd0\xcf"):
        with olefile.OleFileIO(content) as ole:
            members = {"/".join(name): ole.openstream(name).read() for name in ole.listdir()}
        build = old_office.compound
    else:
        return content
    name = chance.choice(sorted(members))
    return build({**members, name: damaged(members[name], other, chance)})


def _opens(content: bytes) -> bool:
    try:
        damaged_inside(content, content, random.Random(0))
    except (OSError, ValueError, zipfile.BadZipFile, RuntimeError, NotImplementedError, LookupError, zlib.error):
        return False
    return True


def damaged(content: bytes, other: bytes, chance: random.Random) -> bytes:
    """The document with bits flipped, bytes overwritten, cut off, repeated, or spliced with another one."""
    data = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        if not data:
            break
        place = chance.randrange(len(data))
        length = min(len(data) - place, chance.choice([1, 2, 4, 8, 64, 512]))
        match chance.randrange(7):
            case 0:
                data[place] ^= 1 << chance.randrange(8)
            case 1:
                data[place : place + length] = chance.randbytes(length)
            case 2:
                data[place : place + length] = chance.choice([b"\0", b"\xff", b"\x7f"]) * length
            case 3:
                del data[place:]
            case 4:
                data[place:place] = data[place : place + length] * chance.choice([1, 2, 50])
            case 5:
                del data[place : place + length]
            case _:
                start = chance.randrange(len(other))
                data[place : place + length] = other[start : start + chance.choice([4, 64, 2_000])]
    return bytes(data)


def run(count: int, seed: int, folder: Path | None = None) -> Iterator[tuple[str, Extraction, float]]:
    """Format, answer and seconds for each damaged document."""
    chance = random.Random(seed)
    whole = {**seeds(), **more_seeds(flat_office.FOLDER), **(more_seeds(folder) if folder else {})}
    kinds = sorted(whole)
    inner = {kind for kind in kinds if _opens(whole[kind])}
    extractor = ProcessExtractor(LIMITS)
    descriptor = os.memfd_create("document", os.MFD_CLOEXEC)
    try:
        for _ in range(count):
            kind = chance.choice(kinds)
            damage = damaged_inside if chance.random() < _INSIDE and kind in inner else damaged
            data = damage(whole[kind], whole[chance.choice(kinds)], chance)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, data, 0)
            began = time.monotonic()
            answer = extractor.extract(descriptor, f"document.{kind}".encode(), lambda chunk: None)
            if answer.status is ExtractionStatus.KILLED:
                kept = Path(tempfile.gettempdir()) / f"killed-{seed}-{kind}-{began:.0f}"
                kept.write_bytes(data)
            yield kind.rpartition(".")[2], answer, time.monotonic() - began
    finally:
        extractor.close()
        os.close(descriptor)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 32)
    sys.stdout.write(f"{count:,} documents, seed {seed}\n")
    began = time.monotonic()
    told: Counter[tuple[str, str]] = Counter()
    slowest = (0.0, "")
    for kind, answer, seconds in run(count, seed, Path(sys.argv[3]) if len(sys.argv) > 3 else None):
        told[kind, answer.status.value] += 1
        slowest = max(slowest, (seconds, f"{kind}, {answer.status.value} {' '.join(answer.reasons)}"))
    for kind in sorted({kind for kind, _ in told}):
        statuses = ", ".join(f"{status} {number}" for (of, status), number in sorted(told.items()) if of == kind)
        sys.stdout.write(f"  {kind:<8} {statuses}\n")
    total, seconds = sum(told.values()), time.monotonic() - began
    sys.stdout.write(f"{total:,} answers in {seconds:.0f} s, slowest {slowest[0]:.1f} s ({slowest[1]})\n")


if __name__ == "__main__":
    main()
