"""How a mailbox tells what changed: rounds of pages, with links that nobody can read and that work for a while.

A round tells what was so when it began; what happens meanwhile is told in the next one. A link may be followed more
than once.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from tests.emulator.http import Problem, Reply, Request
from tests.emulator.mail import Mailbox
from tests.emulator.mail_json import folder_json, message_json, prefers_immutable_ids, selected
from tests.emulator.mail_model import ARRIVED, CHANGED, CREATED, LEFT, READ, Folder, Message

_PAGE_PREFERENCE = "odata.maxpagesize="


@dataclass(frozen=True, slots=True)
class Round:
    """One round, from `at` on. `since` is none in the first, which enumerates."""

    path: str
    folder_id: str
    since: int | None
    upto: int
    told: tuple[str, ...]
    at: int
    select: frozenset[str] | None
    expand: str
    after: datetime | None
    issued_at: datetime


class Changes:
    """What one mailbox tells of changes, and the links that it has given out for that."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        self._rounds: dict[str, Round] = mailbox.rounds

    def forget(self, folder_id: str | None = None) -> None:
        """No link works any more; with a folder's id, none to the changes in that folder."""
        with self._mailbox.lock:
            for token, one in list(self._rounds.items()):
                if folder_id in (None, one.folder_id):
                    del self._rounds[token]

    def messages(self, request: Request, folder: Folder) -> Reply:
        """A page of what changed in a folder."""
        with self._mailbox.lock:
            started = self._continued(request) or self._first(request, folder.id, self._mailbox.told())
            since = started.since
            happened = {} if since is None else self._mailbox.events_since(folder.id, since)
            entries = [
                entry
                for id in started.told[started.at : started.at + self._page_size(request)]
                if (entry := self._message_entry(request, started, id, happened.get(id, []))) is not None
            ]
            return self._page(request, started, entries)

    def folders(self, request: Request) -> Reply:
        """A page of what changed among the folders."""
        with self._mailbox.lock:
            started = self._continued(request) or self._first(request, "", self._mailbox.folders_told())
            entries = [
                entry
                for id in started.told[started.at : started.at + self._page_size(request)]
                if (entry := self._folder_entry(started, id)) is not None
            ]
            return self._page(request, started, entries)

    def _first(self, request: Request, folder_id: str, upto: int) -> Round:
        box = self._mailbox
        if folder_id:
            told = tuple(message.id for message in box.messages_in(folder_id))
        else:
            told = tuple(folder.id for folder in box.visible_folders())
        expand = request.query.get("$expand", "")
        if expand and not box.quirks.expands:
            raise Problem(400, "ErrorInvalidRequest", "Expand is not allowed in change tracking.")
        after = _received_after(request.query.get("$filter", ""))
        return Round(request.path, folder_id, None, upto, told, 0, request.select, expand, after, request.now)

    def _continued(self, request: Request) -> Round | None:
        """The round that a link belongs to; from a delta link, the one that begins now."""
        token = request.query.get("$skiptoken") or request.query.get("$deltatoken")
        if token is None:
            return None
        found = self._rounds.get(token)
        if found is None or (request.now - found.issued_at).total_seconds() > self._mailbox.quirks.token_days * 86400:
            raise Problem(410, "SyncStateNotFound", "The sync state generation is not found; generation=518.")
        if "$skiptoken" in request.query:
            return found
        box = self._mailbox
        if found.folder_id:
            told = tuple(box.events_since(found.folder_id, found.upto))
            return replace(found, since=found.upto, upto=box.told(), told=told, at=0, issued_at=request.now)
        told = tuple(box.folders_since(found.upto))
        return replace(found, since=found.upto, upto=box.folders_told(), told=told, at=0, issued_at=request.now)

    def _page(self, request: Request, started: Round, entries: list[dict[str, Any]]) -> Reply:
        at = started.at + self._page_size(request)
        token = secrets.token_urlsafe(48)
        name, key = ("$skiptoken", "@odata.nextLink") if at < len(started.told) else ("$deltatoken", "@odata.deltaLink")
        self._rounds[token] = replace(started, at=at, issued_at=request.now)
        context = f"{request.service.graph_url}/$metadata#Collection(delta)"
        return Reply(200, {"@odata.context": context, key: request.link(started.path, {name: token}), "value": entries})

    def _page_size(self, request: Request) -> int:
        quirks = self._mailbox.quirks
        for preference in request.prefer:
            if preference.startswith(_PAGE_PREFERENCE):
                return max(1, min(int(preference[len(_PAGE_PREFERENCE) :]), quirks.largest_page))
        return quirks.page_size

    def _message_entry(self, request: Request, started: Round, id: str, what: list[str]) -> dict[str, Any] | None:
        message = self._mailbox.message(id)
        immutable = prefers_immutable_ids(request)
        there = message is not None and message.folder_id == started.folder_id
        if started.since is None:
            if message is None or not there or (started.after and message.received_at < started.after):
                return None
            return message_json(self._mailbox, message, immutable, started.select, started.expand)
        if LEFT in what and not (there and not self._is_lost(what, immutable)):
            shown = id if immutable or message is None else message.default_id
            return {"@odata.type": "#microsoft.graph.message", "id": shown, "@removed": {"reason": "deleted"}}
        if message is None or not there or self._is_lost(what, immutable):
            return None
        if set(what) == {READ} and self._mailbox.quirks.tells_flags_in_part:
            return self._flags(message, immutable, started.select)
        return message_json(self._mailbox, message, immutable, started.select, started.expand)

    def _is_lost(self, what: list[str], immutable: bool) -> bool:
        """Whether the service loses sight of it: it came from another folder of the mailbox and kept its id."""
        return (
            self._mailbox.quirks.loses_arrivals and immutable and ARRIVED in what and not {CREATED, CHANGED} & {*what}
        )

    @staticmethod
    def _flags(message: Message, immutable: bool, select: frozenset[str] | None) -> dict[str, Any] | None:
        if select is not None and "isRead" not in select:
            return None
        return {
            "@odata.type": "#microsoft.graph.message",
            "id": message.id if immutable else message.default_id,
            "isRead": message.is_read,
            "parentFolderId": message.folder_id,
        }

    def _folder_entry(self, started: Round, id: str) -> dict[str, Any] | None:
        folder = self._mailbox.folder_of(id)
        if folder is None:
            return {"id": id, "@removed": {"reason": "deleted"}} if started.since is not None else None
        if folder not in self._mailbox.visible_folders():
            return None
        if folder.hidden and not self._mailbox.quirks.tells_hidden_folders:
            return None
        return selected(folder_json(self._mailbox, folder), started.select)


def _received_after(condition: str) -> datetime | None:
    """`receivedDateTime ge …` is the only condition that is taken."""
    if not condition:
        return None
    words = condition.replace("+", " ").split()
    if len(words) != 3 or words[0] != "receivedDateTime" or words[1] not in ("ge", "gt"):
        raise Problem(400, "ErrorInvalidUrlQueryFilter", "The query filter is not supported.")
    return datetime.fromisoformat(words[2].replace("Z", "+00:00"))
