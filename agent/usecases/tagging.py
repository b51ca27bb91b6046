"""Writing onto files what was decided about them, so that others see it where the file system carries such marks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.catalogue.standing import Standing
from agent.catalogue.store import Catalogue
from agent.disposition.base import Source
from agent.disposition.obstacles import of_source
from agent.usecases.standing import Advance
from connectors.errors import ConnectorError, Unsupported

# Not the mark by which people say a class (`user.retentiond.class`): what we write must never count as their word.
CLASS, DUE, STATE = "decided.class", "decided.due", "decided.state"
NO_MARKS = "no_marks"  # the file system carries none, so that only the catalogue knows
UNDER_REVIEW = "under_review"  # somebody has acted on it, and a mark would make it another version


@dataclass(slots=True)
class Tagged:
    """How many files were marked, how many bore the marks already, and why others were not."""

    marked: int = 0
    as_before: int = 0
    left: Counter[str] = field(default_factory=Counter)


class Tagging:
    """Marks files of one catalogue with the short form of their decisions."""

    def __init__(self, catalogue: Catalogue, sources: Mapping[str, Source]) -> None:
        self._catalogue = catalogue
        self._sources = sources

    def tag(self, class_id: str | None, *, remove: bool, advance: Advance) -> Tagged:
        """Marks every file that has been decided on, of one class or of all; with `remove`, takes the marks away.

        Standings must be up to date. A mark makes no file count as changed. Running it again does nothing.
        """
        tagged = Tagged()
        for standing in self._catalogue.standings.all():
            if class_id in (None, standing.class_id):
                self._tag(standing, {} if remove else _marks(standing), tagged)
            advance(1)
        return tagged

    def _tag(self, standing: Standing, wanted: Mapping[str, str], tagged: Tagged) -> None:
        item = self._catalogue.reviews.items([standing.item_id]).get(standing.item_id)
        source = self._sources.get(standing.share)
        if item is None or source is None:
            tagged.left["share_away" if source is None else "changed"] += 1
            return
        if item.newest_act:
            tagged.left[UNDER_REVIEW] += 1
            return
        marks = {name: wanted.get(name, "") for name in (CLASS, DUE, STATE)}
        try:
            version = source.holding.mark(source.scope, standing.ref, item.version, marks)
        except Unsupported:
            tagged.left[NO_MARKS] += 1
        except ConnectorError as error:
            tagged.left[of_source(error).value] += 1
        else:
            if version == item.version:
                tagged.as_before += 1
            else:
                self._catalogue.marked(standing.item_id, item.version, version)
                tagged.marked += 1


def _marks(standing: Standing) -> Mapping[str, str]:
    return {
        CLASS: standing.class_id or "",
        DUE: standing.due_on.isoformat() if standing.due_on else "",
        STATE: standing.state.value,
    }
