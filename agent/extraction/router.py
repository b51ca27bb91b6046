"""Which reader reads which format, and how reading a document ended."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import replace
from typing import BinaryIO

from agent.extraction.base import Chunk, Limits
from agent.extraction.budget import Budget, LimitReached
from agent.extraction.document import Document, Encrypted, Unread, Unreadable, Unsupported
from agent.extraction.formats import recognition, strings
from agent.extraction.output import Output
from agent.extraction.readers import READERS
from agent.extraction.sniff import sniff
from agent.model.location import inside
from agent.model.outcome import Extraction, ExtractionStatus

# Of a format that nobody here can name, what looks like text is read.
_GUESSED = frozenset({"unknown"})
# The readers that find other documents in theirs.
_CARRIERS = frozenset(
    "archives embedded mail mail_store mailbox old_slides old_word old_workbook opendocument outlook packed pdf rtf "
    "slides word workbook".split()
)


def load_readers(limits: Limits) -> None:
    """Imports every reader and what it needs, so that the first document of a kind does not pay for it."""
    recognition.prepare(limits.ocr)
    for name in set(READERS.values()):
        importlib.import_module(f"agent.extraction.formats.{name}")


def read_document(
    stream: BinaryIO,
    size: int,
    name: bytes,
    limits: Limits,
    on_chunk: Callable[[Chunk], None],
    on_picture: Callable[[], None] = lambda: None,
) -> Extraction:
    """Reads the document and all that is inside it. Never raises for what it contains, but for want of memory."""
    budget = Budget(limits, on_picture)
    output = Output(budget, on_chunk)
    document = Document(stream, size, name, output, budget)
    reasons: list[str] = []
    met: set[str] = set()
    status, kind = _read(document, reasons, met)
    output.flush()
    if status is ExtractionStatus.OK and not output.characters:
        status = _without_text(reasons)
    if status in (ExtractionStatus.CORRUPT, ExtractionStatus.UNSUPPORTED) and output.characters:
        status = ExtractionStatus.PARTIAL
    if status is ExtractionStatus.OK and reasons:
        status = ExtractionStatus.PARTIAL
    if status is ExtractionStatus.CORRUPT:
        _read_strings(document, reasons)
    return Extraction(status, kind, tuple(dict.fromkeys(reasons)), output.characters, frozenset(met))


def read_strings(
    stream: BinaryIO,
    size: int,
    name: bytes,
    limits: Limits,
    on_chunk: Callable[[Chunk], None],
    on_picture: Callable[[], None] = lambda: None,
) -> Extraction:
    """Reads what looks like text in a document that no reader survives."""
    budget = Budget(limits)
    output = Output(budget, on_chunk)
    reasons: list[str] = []
    _read_strings(Document(stream, size, name, output, budget), reasons)
    return Extraction(ExtractionStatus.CORRUPT, "unknown", tuple(reasons), output.characters)


def _read_strings(document: Document, reasons: list[str]) -> None:
    """Adds what looks like text; the document stays one that could not be read, but what is in it is not missed."""
    try:
        strings.read(document)
    except LimitReached as limit:
        reasons.append(limit.reason)
    document.output.flush()
    if document.output.characters:
        reasons.append("strings_only")


def _without_text(reasons: list[str]) -> ExtractionStatus:
    """How a sound document without text ended: it is empty, or nothing inside it could be read."""
    if not reasons:
        return ExtractionStatus.EMPTY
    alike = {"part_unsupported": ExtractionStatus.UNSUPPORTED, "part_encrypted": ExtractionStatus.ENCRYPTED}
    return alike.get(reasons[0], ExtractionStatus.CORRUPT) if len(set(reasons)) == 1 else ExtractionStatus.CORRUPT


def _read(document: Document, reasons: list[str], met: set[str]) -> tuple[ExtractionStatus, str]:
    """How reading ended and what the format was; words that say why are added to `reasons`, formats to `met`."""
    kind = "unknown"
    try:
        kind = sniff(document.stream, document.size, document.name)
        met.add(kind)
        if kind == "empty":
            return ExtractionStatus.EMPTY, kind
        if kind == "encrypted_office":
            return ExtractionStatus.ENCRYPTED, "ole"
        if kind in _GUESSED and strings.read(document):
            reasons.append("unknown_format")
            return ExtractionStatus.PARTIAL, kind
        if kind not in READERS:
            return ExtractionStatus.UNSUPPORTED, kind
        _reader(kind, met)(document, reasons)
    except LimitReached as limit:
        reasons.append(limit.reason)
        return ExtractionStatus.PARTIAL, kind
    except Encrypted:
        return ExtractionStatus.ENCRYPTED, kind
    except Unsupported as fault:
        reasons.append(fault.reason)
        return ExtractionStatus.UNSUPPORTED, kind
    except Unread as fault:
        reasons.append(fault.reason)
        return ExtractionStatus.PARTIAL, kind
    except Unreadable as fault:
        reasons.append(fault.reason)
        return ExtractionStatus.CORRUPT, kind
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 — whatever a parser raises may quote the document: it ends here, as one word
        reasons.append("parser_fault")
        return ExtractionStatus.CORRUPT, kind
    return ExtractionStatus.OK, kind


def _reader(kind: str, met: set[str]) -> Callable[[Document, list[str]], None]:
    read = importlib.import_module(f"agent.extraction.formats.{READERS[kind]}").read
    if READERS[kind] not in _CARRIERS:
        return lambda document, reasons: read(document)

    def carrier(document: Document, reasons: list[str]) -> None:
        def nested(outer: Document, stream: BinaryIO, size: int, name: bytes, location: str) -> None:
            outer.output.flush()  # should the inner one end the process, what came before it is kept
            outer.budget.enter(outer.depth + 1)
            inner = replace(
                outer, stream=stream, size=size, name=name, depth=outer.depth + 1, place=inside(outer.place, location)
            )
            why: list[str] = []
            status, _ = _read(inner, why, met)
            if status is ExtractionStatus.PARTIAL and "limit" in why[-1]:
                raise LimitReached(why[-1])
            if status is ExtractionStatus.PARTIAL:
                reasons.extend(why)
            elif status not in (ExtractionStatus.OK, ExtractionStatus.EMPTY):
                reasons.append(f"part_{status.value}")

        read(document, nested)

    return carrier
