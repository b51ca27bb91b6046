"""A long document is told in several stories, and ends as it would in one."""

from __future__ import annotations

import pytest

from agent.anonymisation import story
from tests.anonymisation.desk import JANE, SHEET, Words, book, paragraph, run, word

LINES = [f"line {number} of {JANE}" for number in range(12)]

DOCUMENTS = {
    "txt": "\r\n".join(LINES).encode(),
    "csv": "\n".join(["Item,Remark", *(f"{line},x" for line in LINES)]).encode(),
    "docx": word(
        "".join(map(paragraph, LINES)),
        **{"customXml/item1.xml": f"<list>{''.join(f'<a>{line}</a>' for line in LINES)}</list>"},
    ),
    "xlsx": book(
        "".join(f'<row><c t="inlineStr"><is><t>{line}</t></is></c></row>' for line in LINES),
        xl__worksheets__sheet2_xml=f"<worksheet {SHEET}><sheetData/>"
        + "".join(f'<hyperlink tooltip="{line}"/>' for line in LINES)
        + "</worksheet>",
    ),
}


@pytest.mark.parametrize("format", DOCUMENTS)
def test_a_long_document_ends_as_it_would_in_one_story(format: str, monkeypatch: pytest.MonkeyPatch) -> None:
    find_whole, find_parts = Words(), Words()
    whole = run(DOCUMENTS[format], format, find_whole)

    monkeypatch.setattr(story, "_MOST_PIECES", 6)
    parts = run(DOCUMENTS[format], format, find_parts)

    assert parts == whole
    assert whole[1].replaced["PERSON"] >= len(LINES)
    assert len(find_parts.seen) > len(find_whole.seen) + 1
    assert all(text.endswith("\n") for text in find_parts.seen if JANE in text and text != find_parts.seen[-1])
