"""HTML: what a reader sees, and what stands behind it in attributes and comments."""

from __future__ import annotations

import html
import re
from urllib.parse import unquote

from selectolax.lexbor import LexborHTMLParser, LexborNode

from agent.extraction.charset import decode
from agent.extraction.document import Document

_WHOLE_BYTES = 16 * 1024 * 1024
# The parser's work grows with the square of these, so beyond them the markup is stripped without understanding it.
_MOST_NESTED = 5_000
_MOST_ATTRIBUTES = 5_000

_UNSEEN = frozenset({"script", "style", "noscript", "template"})
_APART = frozenset(
    "address article aside blockquote br caption dd div dl dt fieldset figcaption footer form h1 h2 h3 h4 h5 h6 header "
    "hr li main nav ol option p pre section table tbody tfoot thead title tr ul".split()
)
_CELLS = frozenset({"td", "th"})
_TOLD = ("title", "alt", "content", "value", "placeholder", "aria-label", "summary")
_OPENING = re.compile(r"<([a-zA-Z][^\s/>]*)([^>]*)>")
_CLOSING = re.compile(r"</[a-zA-Z]")
_MARKUP = re.compile(r"<(script|style)\b.*?</\1\s*>|<!--|-->|<[^>]*>", re.IGNORECASE | re.DOTALL)
_VOID = re.compile(
    r"area|base|br|col|embed|hr|img|input|link|meta|source|track|wbr|p|li|td|tr|th|option", re.IGNORECASE
)


def read(document: Document) -> None:
    """Writes the visible text, then titles, alternative texts, form values, link targets and comments as they come."""
    document.stream.seek(0)
    head = document.stream.read(_WHOLE_BYTES)
    write_markup(document, _declared(head))
    while block := document.stream.read(_WHOLE_BYTES):
        write_markup(document, decode(block))


def _declared(data: bytes) -> str:
    """The markup as text; a `charset` that the page declares is believed where the bytes are no UTF-8."""
    named = re.search(rb"charset\s*=\s*[\"']?\s*([\w-]{2,20})", data[:4096], re.IGNORECASE)
    if named:
        try:
            data.decode("utf-8")
        except UnicodeDecodeError:
            try:
                return data.decode(named.group(1).decode("ascii"), "replace")
            except LookupError:
                pass
    return decode(data)


def write_markup(document: Document, markup: str) -> None:
    """Writes the text of a page, or of the part of a message that is one."""
    if _too_deep(markup):
        document.output.write(html.unescape(_MARKUP.sub(" ", markup)), document.place)
        return
    root = LexborHTMLParser(markup).root
    if root is None:
        return
    for node in root.traverse(include_text=True):
        _write_node(document, node)
    document.output.write("\n", document.place)


def _too_deep(markup: str) -> bool:
    nested = 0
    for opening in _OPENING.finditer(markup):
        nested += not _VOID.fullmatch(opening.group(1))
        if opening.group(2).count("=") > _MOST_ATTRIBUTES:
            return True
    return nested - len(_CLOSING.findall(markup)) > _MOST_NESTED


def _write_node(document: Document, node: LexborNode) -> None:
    place, output = document.place, document.output
    if node.is_text_node:
        parent = node.parent
        if parent is None or parent.tag not in _UNSEEN:
            output.write(node.text(deep=False), place)
        return
    if node.is_comment_node:
        output.write(f"\n{node.comment_content or ''}\n", place)
        return
    tag = node.tag or ""
    if tag in _APART:
        output.write("\n", place)
    elif tag in _CELLS:
        output.write("\t", place)
    for name, value in node.attributes.items():
        if not value:
            continue
        if name in _TOLD:
            output.write(f" {value} ", place)
        elif name in ("href", "src") and value.lower().startswith(("mailto:", "tel:", "sip:")):
            output.write(f" {unquote(value.partition(':')[2])} ", place)
