"""The bytes of XML as text and back. What is no XML, or could grow while it is read, is refused."""

from __future__ import annotations

import codecs
import re
from typing import NoReturn
from xml.parsers import expat

from agent.anonymisation.base import CannotAnonymise

_DEEPEST = 400
_DECLARED = re.compile(rb"<\?xml[^>]*?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class _TooDeep(Exception):
    """The markup is nested beyond what any program writes."""


def read_xml(content: bytes) -> tuple[str, bytes, str]:
    """The text, the mark before it, and the encoding. Raises `CannotAnonymise`."""
    _check(content)
    mark, encoding = next((each for each in _MARKS if content.startswith(each[0])), (b"", ""))
    if not encoding:
        declared = _DECLARED.match(content)
        encoding = declared[1].decode("ascii") if declared else "utf-8"
    try:
        return content[len(mark) :].decode(encoding), mark, encoding
    except (LookupError, UnicodeDecodeError):
        raise _damaged() from None


def write_xml(text: str, mark: bytes, encoding: str) -> bytes:
    """The bytes of a text that `read_xml` gave, and of labels, which every encoding has."""
    return mark + text.encode(encoding)


def _check(content: bytes) -> None:
    parser = expat.ParserCreate()
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    depth = 0

    def start(_: str, __: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEEPEST:
            raise _TooDeep

    def end(_: str) -> None:
        nonlocal depth
        depth -= 1

    def refuse(*_: object) -> NoReturn:
        raise CannotAnonymise(
            "The document declares a type and entities of its own in XML, which is not followed. Save it anew."
        )

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, ValueError, LookupError, _TooDeep):
        raise _damaged() from None


def _damaged() -> CannotAnonymise:
    return CannotAnonymise("The XML in the document is damaged. Open it in its program and save it anew.")
