"""XML, and the parser that all formats made of XML share: it reads on as far as the markup is sound."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from typing import BinaryIO
from xml.parsers import expat

from agent.extraction.budget import Budget, LimitReached
from agent.extraction.document import Damaged, Document
from agent.extraction.formats import text
from agent.model.location import at, inside

_BLOCK_BYTES = 64 * 1024
_DEEPEST = 400

Started = Callable[[str, dict[str, str]], None]
Ended = Callable[[str], object]
Said = Callable[[str], object]


def parse(stream: BinaryIO, budget: Budget, started: Started, ended: Ended, said: Said) -> expat.XMLParserType:
    """Streams the markup to the three functions; names come without their prefix.

    Raises `Damaged` where the markup breaks off, with what came before already told. A document that declares
    entities is refused there and then: nothing is expanded, nothing fetched.
    """
    parser = make_parser(started, ended, said)
    try:
        while block := stream.read(_BLOCK_BYTES):
            budget.expand(len(block))
            parser.Parse(block, False)
        parser.Parse(b"", True)
    except (expat.ExpatError, ValueError):  # ValueError: an encoding that expat does not know
        raise Damaged("damaged_markup") from None
    return parser


def make_parser(started: Started, ended: Ended, said: Said) -> expat.XMLParserType:
    """A parser that calls the three functions, refuses entities and minds the depth."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    depth = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEEPEST:
            raise LimitReached("depth_limit")
        started(name.rpartition(":")[2], attributes)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        ended(name.rpartition(":")[2])

    def refuse(*_: object) -> None:
        raise Damaged("entity_declared")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = said
    parser.EntityDeclHandler = refuse
    return parser


def write_packet(document: Document, packet: bytes, place: str) -> None:
    """Writes the texts and attributes of a piece of markup that lies inside something else, all at one place.

    As far as it is sound: what is around it stands without it.
    """
    names = [""]

    def write(name: str, value: str) -> None:
        if value.strip():
            document.output.write(f"{name}: {value.strip()}\n", place)

    def started(name: str, attributes: dict[str, str]) -> None:
        names.append(name)
        for key, value in attributes.items():
            if not key.startswith("xmlns"):
                write(key.rpartition(":")[2], value)

    with contextlib.suppress(Damaged):
        parse(io.BytesIO(packet), document.budget, started, lambda _: names.pop(), lambda text: write(names[-1], text))


def read(document: Document) -> None:
    """Writes each text and attribute behind the name of its element, with the line on which it stands.

    Where it can't be read as markup from the start, or declares entities, it is read as plain text, which is safe.
    """
    try:
        _read(document)
    except Damaged:
        if not document.output.written:
            text.read(document)
        raise


def _read(document: Document) -> None:
    names: list[str] = []
    texts: list[str] = []

    def write(name: str, value: str) -> None:
        if value.strip():
            place = inside(document.place, at(line=parser.CurrentLineNumber))
            document.output.write(f"{name.replace('_', ' ')}: {value.strip()}\n", place)

    def told() -> None:
        write(names[-1] if names else "", "".join(texts))
        texts.clear()

    def started(name: str, attributes: dict[str, str]) -> None:
        told()
        names.append(name)
        for key, value in attributes.items():
            if not key.startswith("xmlns"):
                write(key.rpartition(":")[2], value)

    def ended(_: str) -> None:
        told()
        names.pop()

    parser = make_parser(started, ended, texts.append)
    document.stream.seek(0)
    try:
        while block := document.stream.read(_BLOCK_BYTES):
            parser.Parse(block, False)
        parser.Parse(b"", True)
    except (expat.ExpatError, ValueError):
        told()
        raise Damaged("damaged_markup") from None
