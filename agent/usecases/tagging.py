"""Writing onto items what was decided about them, so that others see it where the source carries such marks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from agent.catalogue.at_source import target_of
from agent.catalogue.standing import Standing
from agent.catalogue.store import Catalogue
from agent.disposition.base import Keeper, Source
from agent.disposition.obstacles import ENDS_THE_SHARE, of_source
from agent.usecases.standing import Advance
from connectors.errors import ConnectorError, LabelledByOthers, Unsupported
from connectors.keeping import Target

# What is told, by the words of `decided_columns` in the settings. On files, the marks are not those by which people say
# a class (`user.retentiond.class`): what we write must never count as their word.
_WHAT = ("class", "due", "state")
_MARK = "decided.{}"

NO_MARKS = "no_marks"  # the file system carries none, so that only the catalogue knows
UNDER_REVIEW = "under_review"  # somebody has acted on it, and a mark would make it another version
NO_WRITER = "no_writer"  # the settings let nobody change its tenant
NOT_NAMED = "not_named"  # the settings of its tenant name neither a label nor columns for it
NO_COLUMNS = "no_columns"  # its library does not have these columns, or does not let us set them so
NO_LABEL = "no_label"  # its tenant does not have that label, or lets nobody set it
LABELLED_BY_PEOPLE = "labelled_by_people"  # others than we have put another label on it, which stays


@dataclass(frozen=True, slots=True)
class Said:
    """How a tenant is told what was decided: the retention label of each class by its id, and the columns into which
    `class`, `due` and `state` are written. What is not named is not told."""

    labels: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Tagged:
    """How many items were marked, how many of them got a label, how many bore everything already, and why others were
    left, or one of label and columns was: such an item counts among those that were marked as well."""

    marked: int = 0
    labelled: int = 0
    as_before: int = 0
    left: Counter[str] = field(default_factory=Counter)


class Tagging:
    """Marks items of one catalogue with the short form of their decisions: files by extended attributes, items of
    `keepers` as their tenants are to be told (`said`, by the share's name). With `dry_run` nothing is written, and what
    would be counts as marked although it may bear the marks already."""

    def __init__(
        self,
        catalogue: Catalogue,
        sources: Mapping[str, Source],
        keepers: Mapping[str, Keeper] | None = None,
        said: Mapping[str, Said] | None = None,
        *,
        dry_run: bool = False,
    ) -> None:
        self._catalogue = catalogue
        self._sources = sources
        self._keepers = keepers or {}
        self._said = said or {}
        self._dry_run = dry_run
        self._away: dict[str, str] = {}  # shares of which the next item would fare no better, and why

    def tag(self, class_id: str | None, *, remove: bool, advance: Advance) -> Tagged:
        """Marks every item that has been decided on, of one class or of all; with `remove`, takes the marks away.
        Labels stay even then: they may have made a record of the item, which is not for programs to undo.

        Standings must be up to date. A mark makes no item count as changed. Running it again does nothing.
        """
        tagged = Tagged()
        for standing in self._catalogue.standings.all():
            if class_id in (None, standing.class_id):
                self._tag(standing, tagged, remove=remove)
            advance(1)
        return tagged

    def _tag(self, standing: Standing, tagged: Tagged, *, remove: bool) -> None:
        share = standing.share
        item = self._catalogue.reviews.items([standing.item_id]).get(standing.item_id)
        if share in self._away:
            tagged.left[self._away[share]] += 1
        elif share not in self._sources and share not in self._keepers:
            tagged.left[NO_WRITER if share in self._said else "share_away"] += 1
        elif item is None:
            tagged.left["changed"] += 1
        elif item.newest_act:
            tagged.left[UNDER_REVIEW] += 1
        elif share in self._keepers:
            self._tell(standing, tagged, remove=remove)
        else:
            self._mark(standing, item.version, tagged, remove=remove)

    # Files

    def _mark(self, standing: Standing, before: bytes, tagged: Tagged, *, remove: bool) -> None:
        source = self._sources[standing.share]
        marks = {_MARK.format(what): value for what, value in _values(standing, remove=remove).items()}
        if self._dry_run:
            tagged.marked += 1
            return
        try:
            version = source.holding.mark(source.scope, standing.ref, before, marks)
        except Unsupported:
            tagged.left[NO_MARKS] += 1
        except ConnectorError as error:
            self._refused(standing.share, error, tagged)
        else:
            self._catalogue.marked(standing.item_id, before, version)
            tagged.marked += version != before
            tagged.as_before += version == before

    # Items of tenants

    def _tell(self, standing: Standing, tagged: Tagged, *, remove: bool) -> None:
        with self._catalogue.connected() as connection:
            target = target_of(connection, standing.item_id)
        if target is None:
            tagged.left["changed"] += 1
            return
        said = self._said.get(standing.share, Said())
        values = _values(standing, remove=remove)
        columns = {column: values[what] for what, column in said.columns.items()}
        label = "" if remove else said.labels.get(standing.class_id or "", "")
        if not columns and not label:
            tagged.left[NOT_NAMED] += 1
            return
        if self._dry_run:
            tagged.marked += 1
            tagged.labelled += bool(label)
        else:
            self._write(standing, target, columns, label, tagged)

    def _write(
        self, standing: Standing, target: Target, columns: Mapping[str, str], label: str, tagged: Tagged
    ) -> None:
        """Columns first: a label may make it a record, of which nobody changes the columns any more."""
        keeping, scope = self._keepers[standing.share].keeping, self._keepers[standing.share].scope
        steps: list[tuple[str, Callable[[Target], bytes]]] = []
        if columns:
            steps.append((NO_COLUMNS, lambda at: keeping.mark(scope, at, columns)))
        if label:
            steps.append((NO_LABEL, lambda at: keeping.label(scope, at, label)))
        at, refused = target, False
        for without, step in steps:
            try:
                version = step(at)
            except Unsupported:
                tagged.left[without] += 1
                refused = True
            except LabelledByOthers:
                tagged.left[LABELLED_BY_PEOPLE] += 1
                refused = True
            except ConnectorError as error:
                self._refused(standing.share, error, tagged)
                refused = True
                break  # it may be at another version now
            else:
                self._catalogue.marked(standing.item_id, at.version, version)
                tagged.labelled += without is NO_LABEL and version != at.version
                at = replace(at, version=version)
        changed = at.version != target.version
        tagged.marked += changed
        tagged.as_before += not changed and not refused

    def _refused(self, share: str, error: ConnectorError, tagged: Tagged) -> None:
        obstacle = of_source(error)
        tagged.left[obstacle.value] += 1
        if obstacle in ENDS_THE_SHARE:
            self._away[share] = obstacle.value


def _values(standing: Standing, *, remove: bool) -> Mapping[str, str]:
    """What was decided, word by word; nothing of it if it is to be removed."""
    if remove:
        return dict.fromkeys(_WHAT, "")
    due_on = standing.due_on.isoformat() if standing.due_on else ""
    return dict(zip(_WHAT, (standing.class_id or "", due_on, standing.state.value), strict=True))
