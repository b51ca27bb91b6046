"""What the change feed leaves out about the items and folders of a drive, asked for item by item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.errors import ItemNotFound, PermissionDenied, Unsupported
from connectors.microsoft365 import facts
from connectors.microsoft365.batch import get_each
from connectors.microsoft365.facts import Described
from connectors.microsoft365.graph import Graph
from connectors.microsoft365.links import quoted

_PERMISSIONS_COST = 5


class Details:
    """Asks about the items of one drive. All calls raise what `Graph.get` does."""

    def __init__(self, graph: Graph, drive_id: str, columns: Sequence[str]) -> None:
        self._graph = graph
        self._drive = f"/drives/{quoted(drive_id)}"
        self._expansions = [*facts.expansions(columns), ""]
        self._tells_sharing = True

    def folder(self, folder_id: str) -> Described | None:
        """The folder or package of that id, none if it is not there."""
        try:
            entry = self._graph.get(f"{self._drive}/items/{quoted(folder_id)}?{facts.SELECT}")
        except ItemNotFound:
            return None
        holds = facts.is_folder(entry) or facts.is_package(entry)
        return entry if holds and facts.id_of(entry) == folder_id and not facts.is_deleted(entry) else None

    def items(self, item_ids: Sequence[str]) -> list[dict[str, Any] | None]:
        """What the source says of each of these items now; none for one that is not there."""
        while True:
            try:
                answers = get_each(self._graph, [self._of_item(item_id) for item_id in item_ids])
            except Unsupported:
                if len(self._expansions) == 1:
                    raise
                del self._expansions[0]  # not to be had here, or not by us
            else:
                return [_of(item_id, answer) for item_id, answer in zip(item_ids, answers, strict=True)]

    def completed(self, entries: Sequence[Described]) -> list[Described]:
        """The entries, those that lack what is needed to read an item replaced by what the source says now; without
        those of items that are not there any more."""
        lacking = [facts.id_of(entry) for entry in entries if self._lacks(entry)]
        now = dict(zip(lacking, self.items(lacking), strict=True))
        whole = (now.get(facts.id_of(entry), entry) for entry in entries)
        return [entry for entry in whole if entry is not None]

    def sharing(self, entries: Sequence[Described]) -> Mapping[str, str]:
        """How widely those of these items are shared that are shared by themselves, by their ids."""
        shared = [entry for entry in entries if facts.is_shared(entry)]
        asked = [entry for entry in shared if facts.sharing_of(entry, ()) != "anonymous"]  # there is nothing wider
        permissions = dict(zip(map(facts.id_of, asked), self._permissions(list(map(facts.id_of, asked))), strict=True))
        return {
            facts.id_of(entry): facts.sharing_of(entry, permissions.get(facts.id_of(entry), ())) for entry in shared
        }

    def still_answers(self) -> None:
        """Raises what the source answers if the drive as a whole is not there."""
        self._graph.get(f"{self._drive}?$select=id")

    def _permissions(self, item_ids: Sequence[str]) -> list[list[Described]]:
        if not self._tells_sharing:
            return [[] for _ in item_ids]
        paths = [f"{self._drive}/items/{quoted(item_id)}/permissions" for item_id in item_ids]
        try:
            answers = get_each(self._graph, paths, cost=_PERMISSIONS_COST)
        except (PermissionDenied, Unsupported):
            self._tells_sharing = False  # what the items themselves say has to do
            return [[] for _ in item_ids]
        return [_objects((answer or {}).get("value")) for answer in answers]

    def _lacks(self, entry: Described) -> bool:
        if facts.skip_reason(entry) is not None:
            return False
        version = facts.version_seen(entry, unread=False)
        return not (version.etag and version.content) or (self._expansions[0] != "" and not facts.is_expanded(entry))

    def _of_item(self, item_id: str) -> str:
        expand = f"&{self._expansions[0]}" if self._expansions[0] else ""
        return f"{self._drive}/items/{quoted(item_id)}?{facts.SELECT}{expand}"


def _of(item_id: str, answer: dict[str, Any] | None) -> dict[str, Any] | None:
    return answer if answer is not None and facts.id_of(answer) == item_id and not facts.is_deleted(answer) else None


def _objects(value: object) -> list[Described]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
