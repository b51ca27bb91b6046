"""XML of any kind: every text, attribute and comment."""

from __future__ import annotations

from agent.anonymisation.office_rules import DATA
from agent.anonymisation.page import Page
from agent.anonymisation.work import Work
from agent.anonymisation.written import Written
from agent.anonymisation.xml_text import read_xml, write_xml


def edit(content: bytes, work: Work) -> bytes:
    """The file without what must go. Raises `CannotAnonymise`."""
    text, mark, encoding = read_xml(content)
    page = Page(text)
    work.settle(Written(page, DATA).gather())
    return write_xml(work.changed(page), mark, encoding)
