"""Plain text, and text in which markup does no harm: notes, logs, Markdown."""

from __future__ import annotations

from agent.extraction.charset import text_lines
from agent.extraction.document import Document
from agent.model.location import at, inside


def read(document: Document) -> None:
    """Writes the text line by line."""
    for number, line in enumerate(text_lines(document.stream), 1):
        document.output.write(line, inside(document.place, at(line=number)))
