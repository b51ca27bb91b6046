"""What can be read in any file: stretches of plain characters, one or two bytes each. The last resort."""

from __future__ import annotations

import re

from agent.extraction.document import Document

_WHOLE_BYTES = 64 * 1024 * 1024
_STRETCH = re.compile(rb"[\t\x20-\x7e]{8,}|(?:[\t\x20-\x7e]\0){8,}")


def read(document: Document) -> bool:
    """Writes each stretch on a line of its own, without a place: in a file like this there are none.

    Says whether there was any. Of a large file the beginning is read.
    """
    found = False
    document.stream.seek(0)
    for stretch in _STRETCH.finditer(document.stream.read(_WHOLE_BYTES)):
        found = True
        document.output.write(stretch.group().replace(b"\0", b"").decode("ascii") + "\n", document.place)
    return found
