"""Where people write in the parts of Office Open XML (ECMA-376), by the names of elements and attributes.

Texts are named where programs put text; attributes where they hold what was typed, or who typed it and when.
"""

from __future__ import annotations

import re

from agent.anonymisation.coding import CELL_TEXT
from agent.anonymisation.written import Rules

NOBODY = "Author"  # as Word itself writes where it has removed personal information
LONG_AGO = "1980-01-01T00:00:00Z"

OFFICE = Rules(
    texts=frozenset({"t", "delText", "instrText", "delInstrText", "text"}),
    lines=frozenset(
        {
            *("v", "font", "div"),  # values kept beside a chart or link; controls drawn as VML
            *("oddHeader", "oddFooter", "evenHeader", "evenFooter", "firstHeader", "firstFooter"),
        }
    ),
    formulas=frozenset({"definedName", "f", "formula", "formula1", "formula2"}),
    attributes=frozenset(
        {
            *("descr", "title", "alt", "tooltip", "display", "displayName", "string", "caption", "instr", "url"),
            *("docPr.name", "cNvPr.name", "docVar.name", "docVar.val", "default.val", "listEntry.val", "name.val"),
            *("listItem.displayText", "listItem.value", "alias.val", "tag.val", "tag.name", "attr.val", "aliases.val"),
            *("helpText.val", "statusText.val", "lvlText.val", "permStart.ed", "connectString.val", "query.val"),
            *("mailSubject.val", "addressFieldName.val", "mappedName.val", "uniqueTag.val", "result.val"),
            *("s.v", "cacheField.name", "cacheField.caption", "dataField.name", "pivotField.name"),
            *(
                "worksheetSource.name",
                "sourceName",
                "queryTableField.name",
                "tableColumn.name",
                "tableColumn.totalsRowLabel",
                "table.comment",
            ),
            *("filter.val", "customFilter.val", "cfRule.text", "sheetName.val", "definedName.comment"),
            *("prompt", "promptTitle", "error", "errorTitle", "scenario.name", "scenario.comment", "inputCells.val"),
            *("protectedRange.name", "connection.name", "connection.description", "dbPr.connection", "dbPr.command"),
            *("textPr.sourceFile", "webPr.post", "customSheetView.name", "hyperlink.location", "hyperlink.docLocation"),
            *("cm.text", "control.name", "codeName", "section.name", "custShow.name", "category.name"),
        }
    ),
    names=frozenset({"bookmarkStart.name", "hyperlink.anchor", "moveFromRangeStart.name", "moveToRangeStart.name"}),
    typed={
        "v": "0",
        "n.v": "0",
        "d.v": "1980-01-01T00:00:00",
        "sharedItems.minValue": "0",
        "sharedItems.maxValue": "0",
        "sharedItems.minDate": "1980-01-01T00:00:00",
        "sharedItems.maxDate": "1980-01-01T00:00:00",
    },
    neutral={
        "author": NOBODY,
        "initials": "A",
        "userName": NOBODY,
        "refreshedBy": NOBODY,
        "scenario.user": NOBODY,
        "person.displayName": NOBODY,
        "cmAuthor.name": NOBODY,
        "author.name": NOBODY,
        "userId": NOBODY,
        "providerId": "None",
        "absPath.url": "",
        "date": LONG_AGO,
        "dateUtc": LONG_AGO,
        "date.fullDate": LONG_AGO,
        "dT": LONG_AGO,
        "dt": LONG_AGO,
        "created": LONG_AGO,
    },
    coding=CELL_TEXT,
)

_WHAT_PROGRAMS_COUNT = frozenset(
    "TotalTime Pages Words Characters Application DocSecurity Lines Paragraphs ScaleCrop LinksUpToDate Slides Notes "
    "CharactersWithSpaces SharedDoc HyperlinksChanged AppVersion revision HiddenSlides MMClips "
    "PresentationFormat".split()
)

PROPERTIES = Rules(
    lines=None,
    dull=_WHAT_PROGRAMS_COUNT,
    attributes=frozenset({"property.name"}),
    typed={
        **dict.fromkeys("i1 i2 i4 i8 int ui1 ui2 ui4 ui8 uint r4 r8 decimal".split(), "0"),
        **dict.fromkeys(("filetime", "date"), LONG_AGO),
    },
    neutral={
        "creator": "",
        "lastModifiedBy": "",
        "Manager": "",
        "created": LONG_AGO,
        "modified": LONG_AGO,
        "lastPrinted": LONG_AGO,
    },
)

# The data that controls in a document are bound to, and any other markup that nobody here can name.
DATA = Rules(lines=None, attributes=None, labelled=True)

_DRAWING = Rules(
    lines=frozenset({"text", "tspan", "title", "desc", "textPath", "a"}),
    attributes=frozenset({"title", "label", "href"}),
)

_RULES = (
    (re.compile(r".*\.svg", re.IGNORECASE), _DRAWING),
    (re.compile(r"(?:word|xl|ppt)/.*", re.IGNORECASE), OFFICE),
    (re.compile(r"docProps/.*", re.IGNORECASE), PROPERTIES),
)
_NOTHING_WRITTEN = re.compile(r"\[Content_Types\]\.xml|customXml/itemProps\d*\.xml|.*\.rels", re.IGNORECASE)


def rules_for(name: str) -> Rules | None:
    """The rules for a part of that name; none for one in which only programs write."""
    if _NOTHING_WRITTEN.fullmatch(name):
        return None
    return next((rules for pattern, rules in _RULES if pattern.fullmatch(name)), DATA)
