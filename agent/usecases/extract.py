"""What the pipeline would read of files that somebody names. Nothing is stored."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from agent.errors import UsageError
from agent.extraction.base import Chunk, Extractor
from agent.model.location import read
from agent.model.outcome import Extraction, ExtractionStatus
from connectors.base import show_name


@dataclass(frozen=True, slots=True)
class Extracted:
    """How far one file could be read: `places` counts the places with text by their kind, `seconds` the time it took.

    `chunks` is the text itself, if it was asked for.
    """

    path: str
    extraction: Extraction
    places: dict[str, int]
    seconds: float
    chunks: tuple[Chunk, ...]


def extract_files(paths: Iterable[bytes], extractor: Extractor, *, keep_text: bool) -> Iterator[Extracted]:
    """One answer for each file, in the order of their names below each path.

    A file that cannot be opened ends as skipped, with the reason. Links, pipes and the like inside a folder are left
    out. Raises `UsageError` for a path that does not exist and for a folder that cannot be listed.
    """
    for path in paths:
        if not os.path.exists(path):
            raise UsageError(f"{show_name(path)}: there is no such file or folder.")
        for file in _files(path):
            yield _extract(file, extractor, keep_text)


def _files(path: bytes) -> Iterator[bytes]:
    if not os.path.isdir(path):
        yield path
        return
    for folder, folders, names in os.walk(path, onerror=_refuse):
        folders.sort()
        for name in sorted(names):
            file = os.path.join(folder, name)
            if os.path.isfile(file) and not os.path.islink(file):
                yield file


def _refuse(error: OSError) -> None:
    name = show_name(os.fsencode(error.filename or b""))
    raise UsageError(f"{name}: cannot be listed ({error.strerror}).") from error


def _extract(file: bytes, extractor: Extractor, keep_text: bool) -> Extracted:
    places: Counter[str] = Counter()
    chunks: list[Chunk] = []

    def take(chunk: Chunk) -> None:
        for _, location in chunk.every_place():
            steps = read(location)
            places[steps[-1].parts[-1][0] if steps else "document"] += 1
        if keep_text:
            chunks.append(chunk)

    began = time.monotonic()
    try:
        document = open(file, "rb", buffering=0)  # noqa: SIM115 — the error belongs to this line alone
    except OSError as error:
        reason = "permission_denied" if isinstance(error, PermissionError) else "io_error"
        extraction = Extraction(ExtractionStatus.SKIPPED, "unknown", (reason,))
    else:
        with document:
            extraction = extractor.extract(document.fileno(), os.path.basename(file), take)
    return Extracted(show_name(file), extraction, dict(places), time.monotonic() - began, tuple(chunks))
