"""Which version of which reader is in force. Loads nothing."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, version

from agent.extraction.readers import READERS

# Raise a reader's number whenever it may give other text for the same bytes, and the shared one for what all go
# through: telling formats apart, decoding, cutting into chunks.
_SHARED_REVISION = 3
_REVISIONS = {
    "access": 1,
    "archives": 1,
    "delimited": 1,
    "embedded": 1,
    "epub": 1,
    "html": 2,
    "json_values": 1,
    "mail": 1,
    "mail_store": 1,
    "mailbox": 1,
    "old_slides": 2,
    "old_word": 2,
    "old_workbook": 2,
    "opendocument": 2,
    "outlook": 1,
    "packed": 2,
    "pdf": 2,
    "picture": 2,
    "rtf": 2,
    "slides": 2,
    "sqlite": 1,
    "text": 1,
    "word": 2,
    "workbook": 2,
    "xml": 1,
}
_LIBRARIES = {
    "access": ("access-parser", "construct"),
    "embedded": ("olefile",),
    "epub": ("selectolax",),
    "html": ("selectolax",),
    "mail": ("selectolax",),
    "mail_store": ("libpff-python", "selectolax"),
    "old_slides": ("olefile",),
    "old_word": ("olefile",),
    "old_workbook": ("olefile", "python-calamine"),
    "outlook": ("olefile", "selectolax"),
    "packed": ("libarchive-c",),
    "pdf": ("pypdfium2",),
}
_RECOGNITION = ("tesserocr", "pillow")
_WITH_PICTURES = frozenset({"pdf", "picture"})


def shared_version() -> str:
    """What touches every document."""
    return f"python {sys.version_info.major}.{sys.version_info.minor}; extraction {_SHARED_REVISION}"


def reader_versions(ocr: str) -> dict[str, str]:
    """The version by format; `ocr` names the languages in which text in pictures is recognised."""
    return {kind: _reader_version(reader, ocr) for kind, reader in READERS.items()}


def _reader_version(reader: str, ocr: str) -> str:
    libraries = _LIBRARIES.get(reader, ())
    if ocr and reader in _WITH_PICTURES:
        libraries += _RECOGNITION
    parts = [f"{reader} {_REVISIONS[reader]}", *(f"{name} {_installed(name)}" for name in libraries)]
    if ocr and reader in _WITH_PICTURES:
        parts.append(f"ocr {ocr}")
    return ", ".join(parts)


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # an extra that is not there: once it is, what needs it is read again
        return "missing"
