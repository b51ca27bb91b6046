"""Anonymising a document: found, replaced, read again, until nothing is found any more."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import BinaryIO

from agent.anonymisation import delimited, mail, office, plain, webpage, workbook, xml_file
from agent.anonymisation.base import LARGEST_BYTES, Anonymised, CannotAnonymise, Finder, Recognition, Rescan
from agent.anonymisation.labels import Labels
from agent.anonymisation.work import Editor, Work

_ROUNDS = 5
_EDITORS: Mapping[str, Editor] = {
    "txt": plain.edit,
    "md": plain.edit,
    "log": plain.edit,
    "csv": delimited.edit,
    "html": webpage.edit,
    "xml": xml_file.edit,
    "docx": office.edit,
    "pptx": office.edit,
    "xlsx": workbook.edit,
    "eml": mail.edit,
}

# What can be anonymised, by the words that extraction has for formats.
FORMATS = frozenset(_EDITORS)


def anonymise(
    source: BinaryIO,
    target: BinaryIO,
    format: str,
    find: Finder,
    *,
    rescan: Rescan,
    recognition: Recognition,
    largest_bytes: int = LARGEST_BYTES,
) -> Anonymised:
    """Writes the document in `source` to `target` without what `find` says must go, and says what was done.

    A value is replaced by its type, `<PERSON>`. What was found once goes from everywhere. `rescan` must find nothing in
    the result. Neither the document nor all that is packed in it may be larger than `largest_bytes`. Equal documents
    give equal bytes.

    `target` must be empty; it is written once the document is clean, and left empty if this raises.
    Raises `CannotAnonymise`.
    """
    if format not in _EDITORS:
        raise CannotAnonymise(
            f"Documents of this format ({format}) cannot be anonymised. Convert the document, or destroy it."
        )
    source.seek(0)
    content = source.read(largest_bytes + 1)
    if len(content) > largest_bytes:
        raise CannotAnonymise(f"The document is larger than {largest_bytes} bytes. Split it, or destroy it.")
    work = Work(find, recognition, _EDITORS, Labels(), largest_bytes)
    for number in range(1, _ROUNDS + 1):
        content = _round(content, format, work)
        still = rescan(io.BytesIO(content), format)
        if not still:
            _write(target, content)
            return Anonymised(format, dict(sorted(work.replaced.items())), number, work.left)
    what = ", ".join(f"{count} × {entity_type}" for entity_type, count in sorted(still.items()))
    raise CannotAnonymise(
        f"After {_ROUNDS} rounds the document is still not clean ({what}). Look into it by hand, or destroy it."
    )


def _round(content: bytes, format: str, work: Work) -> bytes:
    """Finds and replaces; then, if anything new came to light, replaces it where it stood before it was known."""
    known = len(work.known)
    content = _EDITORS[format](content, work.begin(searching=True))
    return _EDITORS[format](content, work.begin(searching=False)) if len(work.known) > known else content


def _write(target: BinaryIO, content: bytes) -> None:
    """Writes all of it, or leaves the target empty."""
    try:
        target.write(content)
        target.flush()
    except BaseException:
        target.seek(0)
        target.truncate()
        raise
