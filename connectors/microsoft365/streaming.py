"""The content of an item of a drive, fetched into a descriptor: resumed where it broke off, and checked at the end."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.errors import ItemChanged, SourceFault, Sparse
from connectors.microsoft365.answers import LinkExpired
from connectors.microsoft365.graph import Graph
from connectors.microsoft365.quickxor import QuickXor

SELECTED = "id,name,eTag,size,file,@microsoft.graph.downloadUrl"  # what `facts_of` wants to see of an item
_TRIES = 5  # without a byte in between

# SharePoint writes its own columns into such files when it hands them out or after it has hashed them.
_REWRITTEN = frozenset(
    "docx docm dotx dotm doc dot xlsx xlsm xltx xltm xlsb xls pptx pptm potx potm ppsx ppsm ppt pps vsdx vsdm jpg jpeg "
    "htm html aspx".split()
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the service says about the content of an item: the version it is of, and where to get it for a while.

    `quick_xor` is its hash in base64, empty where none is told. `rewritten` says that size and hash need not be those
    of the bytes that come.
    """

    etag: str = field(repr=False)
    size_bytes: int
    url: str = field(repr=False)
    quick_xor: str = field(default="", repr=False)
    rewritten: bool = False


@dataclass(frozen=True, slots=True)
class Fetched:
    """What was fetched. `doubtful` says that size or hash differ from what the service told, for a file of a kind that
    it rewrites itself."""

    facts: Facts
    size_bytes: int
    doubtful: bool


def facts_of(answer: Mapping[str, Any]) -> Facts:
    """What an item's description says, where `SELECTED` was asked for. Raises `SourceFault` where that is lacking."""
    etag, size, url = answer.get("eTag"), answer.get("size"), answer.get("@microsoft.graph.downloadUrl")
    if not (isinstance(etag, str) and etag and isinstance(url, str) and url):
        raise SourceFault("the source described an item without its version or without a link to its content")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise SourceFault("the source described an item without its size")
    file, name = answer.get("file"), answer.get("name")
    hashes = file.get("hashes") if isinstance(file, Mapping) else None
    quick_xor = hashes.get("quickXorHash") if isinstance(hashes, Mapping) else None
    ending = name.rpartition(".")[2].lower() if isinstance(name, str) else ""
    return Facts(etag, size, url, quick_xor if isinstance(quick_xor, str) else "", ending in _REWRITTEN)


def fetch(
    graph: Graph,
    metadata: Callable[[], Facts],
    into: int,
    *,
    most_bytes: int | None = None,
    spend: Callable[[int], None] = lambda _: None,
) -> Fetched:
    """Writes the content to the descriptor `into`, from where that stands on.

    `metadata` asks for the facts; it is called first, before every new attempt and where the end leaves a doubt.
    `spend` is told of every piece, in bytes, before it is written, and may wait. What was written so far stays there
    when this raises `ItemChanged` (the item got a new version meanwhile), `Sparse` (there are more than `most_bytes`),
    `SourceFault` or whatever `metadata` and `Graph.download` raise.
    """
    fetching = _Fetching(graph, metadata, into, most_bytes, spend)
    while not fetching.attempt():
        pass
    return fetching.judged()


class _Fetching:
    """One content on its way."""

    def __init__(
        self,
        graph: Graph,
        metadata: Callable[[], Facts],
        into: int,
        most_bytes: int | None,
        spend: Callable[[int], None],
    ) -> None:
        self._graph = graph
        self._metadata = metadata
        self._into = into
        self._most = most_bytes
        self._spend = spend
        self._facts = metadata()
        self._url = self._facts.url
        self._hash = QuickXor()
        self._length = 0
        self._failed = 0

    def attempt(self) -> bool:
        """Fetches as much as comes; whether that was all."""
        before = self._length
        if self._facts.size_bytes == 0 or self._stream():
            return True
        self._failed = 1 if self._length > before else self._failed + 1
        if self._failed >= _TRIES:
            raise SourceFault("the content breaks off again and again")
        self._graph.pause(self._failed)
        self._url = self._unchanged().url
        return False

    def _stream(self) -> bool:
        try:
            with self._graph.download(self._url, self._length) as content:
                for piece in content:
                    self._take(piece)
                return content.total_bytes is None or self._length == content.total_bytes
        except LinkExpired:
            return False
        except SourceFault:
            return False

    def _take(self, piece: bytes) -> None:
        self._length += len(piece)
        if self._most is not None and self._length > self._most:
            raise Sparse("the source gives out more content than we take")
        self._spend(len(piece))
        self._hash.update(piece)
        left = memoryview(piece)
        while left:
            left = left[os.write(self._into, left) :]

    def _unchanged(self) -> Facts:
        facts = self._metadata()
        if facts.etag != self._facts.etag:
            raise ItemChanged("the item got a new version while it was read")
        return facts

    def judged(self) -> Fetched:
        """What was fetched, if it is the content of that version."""
        facts = self._facts
        same_size = self._length == facts.size_bytes
        if same_size and facts.quick_xor and self._hash.base64() == facts.quick_xor:
            return Fetched(facts, self._length, False)
        self._unchanged()
        if same_size and not facts.quick_xor:
            return Fetched(facts, self._length, False)
        if not facts.rewritten:
            raise SourceFault("what the source gave out is not the content that it describes")
        return Fetched(facts, self._length, True)
