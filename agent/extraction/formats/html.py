"""HTML: what a reader sees, and what stands behind it in attributes and comments."""

from __future__ import annotations

import re
from urllib.parse import unquote

from selectolax.lexbor import LexborHTMLParser, LexborNode

from agent.extraction.charset import decode
from agent.extraction.document import Document
from agent.extraction.formats.markup import too_much_for_a_tree, without_tags

_WHOLE_BYTES = 16 * 1024 * 1024
_UNSEEN = frozenset({"script", "style"})
_APART = frozenset(
    "address article aside blockquote br caption dd div dl dt fieldset figcaption footer form h1 h2 h3 h4 h5 h6 header "
    "hr li main nav ol option p pre section table tbody tfoot thead title tr ul".split()
)
_CELLS = frozenset({"td", "th"})
_LINKS = frozenset({"href", "src", "action", "cite"})
_LONGEST_LINK = 2_000
_TOLD = ("title", "alt", "content", "value", "placeholder", "aria-label", "summary")


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
    if too_much_for_a_tree(markup):
        document.output.write(without_tags(markup), document.place)
        return
    root = LexborHTMLParser(markup).root
    if root is None:
        return
    for node in root.traverse(include_text=True):
        _write_node(document, node)
    document.output.write("\n", document.place)


def _write_node(document: Document, node: LexborNode) -> None:
    place, output = document.place, document.output
    if node.is_text_node:
        parent = node.parent
        if parent is None or parent.tag not in _UNSEEN or "json" in (parent.attributes.get("type") or ""):
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
        elif name in _LINKS or name.startswith("data-"):
            output.write(f" {_target(value)} ", place)


def _target(link: str) -> str:
    """Where a link leads, as people read it; nothing for one that carries its content with it."""
    if link.lower().startswith(("data:", "javascript:")):
        return ""
    plain = unquote(link[:_LONGEST_LINK])
    return plain.partition(":")[2] if plain.lower().startswith(("mailto:", "tel:", "sip:")) else plain
