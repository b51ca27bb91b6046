"""Plain text, and text in which markup does no harm: notes, logs, Markdown."""

from __future__ import annotations

from agent.extraction.charset import text_of_whole_lines
from agent.extraction.document import Document
from agent.model.location import at, inside


def read(document: Document) -> None:
    """Writes the text with the number of each line."""
    before = inside(document.place, at(line=""))
    number = 1
    for text in text_of_whole_lines(document.stream):
        document.output.write_lines(text, before, number)
        number += text.count("\n")
