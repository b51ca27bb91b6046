"""The change feed of an emulated drive: which items a page tells, and what its tokens stand for.

A feed reads the drive's log from a place. An enumeration begins at the first place and leaves out what was deleted
before it began; what happens while it is read lies further on in the log, so it comes too, and an item that changes
meanwhile is told again. Of a deleted folder the folder alone is told; but what had changed since the token, and was
then deleted with its folder, is told as deleted itself: its latest state is that.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from itertools import islice

from tests.emulator.drive_items import Drive
from tests.emulator.drive_nodes import Node
from tests.emulator.http import Problem
from tests.emulator.moments import read

_LATEST = "latest"


@dataclass(frozen=True, slots=True)
class Cursor:
    """What a token stands for: the place to read on from, and how the feed was asked for at first."""

    drive: str
    place: int
    issued: float  # seconds since 1970
    epoch: int
    whole: int = -1  # an enumeration: the length of the log when it began; -1: changes only
    under: str = ""
    size: int = 0
    select: str | None = None
    expand: str | None = None

    def token(self) -> str:
        """It as text that says nothing to anybody else."""
        return base64.urlsafe_b64encode(zlib.compress(json.dumps(asdict(self)).encode(), 1)).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class Told:
    """One entry of a page. `stale` ones are told as they were once; they come again in the same page."""

    node: Node
    is_deleted: bool = False
    stale: bool = False


@dataclass(frozen=True, slots=True)
class FeedPage:
    entries: list[Told]
    next: Cursor
    is_last: bool


def fresh(drive: Drive, under: str = "") -> Cursor:
    """An enumeration from the start."""
    return Cursor(drive.id, 0, drive.tenant.clock.time(), drive.epoch, len(drive.log), under)


def cursor_of(drive: Drive, token: str, under: str = "") -> Cursor:
    """What the token stands for. Raises the Problem for a token that is wrong, another drive's, or too old."""
    if token == _LATEST:
        return replace(fresh(drive, under), place=len(drive.log), whole=-1)
    if (moment := read(token)) is not None:
        return replace(fresh(drive, under), place=_place_at(drive, moment), whole=-1)
    try:
        padded = token + "=" * (-len(token) % 4)
        cursor = Cursor(**json.loads(zlib.decompress(base64.urlsafe_b64decode(padded))))
    except (ValueError, TypeError, zlib.error):
        raise Problem(400, "invalidRequest", "The token is not valid.") from None
    if cursor.drive != drive.id or not 0 <= cursor.place <= len(drive.log):
        raise Problem(400, "invalidRequest", "The token is not valid.")
    return cursor


def has_expired(drive: Drive, cursor: Cursor) -> bool:
    lifetime = timedelta(days=drive.quirks.token_days).total_seconds()
    return cursor.epoch != drive.epoch or drive.tenant.clock.time() - cursor.issued > lifetime


def page(drive: Drive, cursor: Cursor, size: int, *, with_parents: bool = True) -> FeedPage:
    """The next page of the feed, of `size` changed items and the folders above them."""
    changed = list(islice(_changed(drive, cursor), size + 1))
    more = len(changed) > size
    told = changed[:size]
    place = changed[size].told if more else len(drive.log)
    entries = list(_entries(drive, cursor, told, with_parents and drive.quirks.tells_parents))
    now = drive.tenant.clock.time()
    if not more and entries and drive.quirks.empty_last_page:
        more = True
    following = replace(
        cursor, place=place, issued=now, epoch=drive.epoch, whole=cursor.whole if more else -1, size=size
    )
    return FeedPage(entries, following, not more)


def _changed(drive: Drive, cursor: Cursor) -> Iterator[Node]:
    top = drive.node(cursor.under) if cursor.under else drive.root
    for node in drive.log.since(cursor.place):
        if node.gone and (node.told < cursor.whole or (node.traits and node.traits.lost)):
            continue
        if top is drive.root or node is top or top in node.above():
            yield node


def _entries(drive: Drive, cursor: Cursor, changed: list[Node], with_parents: bool) -> Iterator[Told]:
    given: set[str] = set()
    upcoming = cursor.place
    for number, node in enumerate(changed, 1):
        if node.id in given:
            continue
        for folder in [] if node.gone else _above(drive, cursor, node, with_parents):
            # An enumeration has told this folder already unless it lies further on in the log.
            if folder.id not in given and (cursor.whole < 0 or folder.told >= upcoming):
                given.add(folder.id)
                yield Told(folder)
        given.add(node.id)
        if drive.quirks.tells_twice and number % drive.quirks.tells_twice == 0 and node is not drive.root:
            yield Told(node, stale=True)
        yield Told(node, is_deleted=node.gone)


def _above(drive: Drive, cursor: Cursor, node: Node, with_parents: bool) -> list[Node]:
    """The folders that come along with the item, the topmost first. Who declines them gets the root all the same."""
    if not with_parents:
        return [] if cursor.under or node is drive.root else [drive.root]
    above: list[Node] = []
    for folder in node.above() if node.id != cursor.under else []:
        above.insert(0, folder)
        if folder.id == cursor.under:
            break
    return above


def _place_at(drive: Drive, moment: datetime) -> int:
    return drive.log.place_at(moment.timestamp())
