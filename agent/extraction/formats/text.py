"""Plain text, and text in which markup does no harm: notes, logs, Markdown."""

from __future__ import annotations

from agent.extraction.charset import text_lines
from agent.extraction.document import Document
from agent.model.location import at, inside

_MOST_BLANK = 10_000


def read(document: Document) -> None:
    """Writes the text line by line."""
    before = inside(document.place, at(line=""))
    number = 0
    blank = ""  # empty lines go with the next one: a file may be made of nothing else
    for number, line in enumerate(text_lines(document.stream), 1):
        if line == "\n" and len(blank) < _MOST_BLANK:
            blank += line
            continue
        if blank:
            document.output.write(blank, f"{before}{number - len(blank)}")
            blank = ""
        document.output.write(line, f"{before}{number}")
    document.output.write(blank, f"{before}{number - len(blank) + 1}")
