"""Where items and folders lie whose sources give them lasting ids: a row follows its item or folder wherever it goes.

What is told about an id is true of it now, in whatever order things are told. Something that lies in the way is known
by its own id as well: it is set aside under a name with a null byte, which nothing can have, until it is told itself
where it lies, and taken for missing as long as it is not.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from agent.catalogue.folders import ensure_folder
from agent.catalogue.standing import forget_places
from agent.catalogue.tables import LIVE, MISSING
from connectors.base import FolderFound, Item, ItemRef

_ITEM = (
    "SELECT i.id, i.folder_id, i.name FROM item i JOIN folder f ON f.id = i.folder_id "
    "WHERE i.file_id = ? AND i.generation > 0 AND i.state < 3 AND f.share_id = ?"
)
_ON_ITS_WAY = (
    "SELECT 1 FROM item i JOIN folder f ON f.id = i.folder_id JOIN disposal d ON d.item_id = i.id "
    "WHERE i.file_id = ? AND i.generation > 0 AND f.share_id = ? "
    "AND d.state IN ('planned', 'sealed', 'restoring', 'conflict')"
)
_TAKEN = (
    "SELECT 1 FROM item i JOIN folder f ON f.id = i.folder_id "
    "WHERE i.file_id = ? AND i.generation > 0 AND f.share_id = ? AND i.state IN (3, 4)"
)


@dataclass(frozen=True, slots=True)
class Row:
    """Where an item is recorded."""

    id: int
    folder_id: int
    name: bytes


class LastingIds:
    """The rows of one share, inside the caller's transaction. `at` is in microseconds since 1970."""

    def __init__(self, connection: Connection, share_id: int, at: int | None) -> None:
        self._connection = connection
        self._share_id = share_id
        self._at = at

    def item(self, file_id: bytes) -> Row | None:
        """The row of the item of that id, unless it is in quarantine or destroyed."""
        found = self._connection.exec_driver_sql(_ITEM, (file_id, self._share_id)).first()
        return Row(*found) if found else None

    def is_on_its_way(self, file_id: bytes) -> bool:
        """Whether we are taking the item, or giving it back: then its disposal says where it is."""
        return self._connection.exec_driver_sql(_ON_ITS_WAY, (file_id, self._share_id)).first() is not None

    def was_taken(self, file_id: bytes) -> bool:
        """Whether we have quarantined the item, or destroyed it."""
        return self._connection.exec_driver_sql(_TAKEN, (file_id, self._share_id)).first() is not None

    def bring(self, item: Item) -> Row | None:
        """Moves the item's row, if it has one, to where the item lies now. In any case nothing else has that place."""
        folder_id = ensure_folder(self._connection, self._share_id, item.ref.folder)
        row = self.item(item.file_id)
        place = (folder_id, item.ref.name)
        if row is None or (row.folder_id, row.name) != place:
            self._make_way(*place)
        if row is None or (row.folder_id, row.name) == place:
            return row
        forget_places(self._connection, [(row.folder_id, row.name)])
        self._connection.exec_driver_sql("UPDATE item SET folder_id = ?, name = ? WHERE id = ?", (*place, row.id))
        return Row(row.id, *place)

    def refresh(self, item: Item, values: dict[str, object]) -> bool:
        """Brings the item's row to where it lies, and writes these columns; false if there is no such row."""
        row = self.bring(item)
        if row is None:
            return False
        columns = ", ".join(f"{name} = ?" for name in values)
        self._connection.exec_driver_sql(
            f"UPDATE item SET state = 0, gone_at = NULL, {columns} WHERE id = ?",  # noqa: S608 — names of columns
            (*values.values(), row.id),
        )
        forget_places(self._connection, [(row.folder_id, row.name)])
        return True

    def meet(self, file_id: bytes, generation: int) -> None:
        """The item of that id is there as it was."""
        row = self.item(file_id)
        if row is not None:
            self._connection.exec_driver_sql(
                "UPDATE item SET generation = ?, state = 0, gone_at = NULL WHERE id = ?", (generation, row.id)
            )

    def place_of(self, file_id: bytes, otherwise: ItemRef) -> ItemRef:
        """Where the item of that id is recorded."""
        row = self.item(file_id)
        if row is None:
            return otherwise
        path = self._connection.exec_driver_sql("SELECT path FROM folder WHERE id = ?", (row.folder_id,)).scalar_one()
        return ItemRef(path, row.name)

    # Folders

    def folder_path(self, folder_id: bytes) -> bytes | None:
        """Where the folder of that id is recorded, set aside or not."""
        found: bytes | None = self._connection.exec_driver_sql(
            "SELECT path FROM folder WHERE share_id = ? AND source_id = ? AND NOT gone", (self._share_id, folder_id)
        ).scalar()
        return found

    def place(self, told: FolderFound) -> None:
        """The folder of that id lies there now, with everything that is recorded below it."""
        before = self.folder_path(told.folder_id)
        if before != told.folder:
            nameless = self._clear(told.folder, told.folder_id, keep_nameless=before is None)
            before = self.folder_path(told.folder_id)  # it may have lain in what was in the way
            if before is not None:
                self._move(before, told.folder)
            if nameless is not None:
                self._absorb(nameless, told.folder)
        row = ensure_folder(self._connection, self._share_id, told.folder)
        self._connection.exec_driver_sql(
            "UPDATE folder SET source_id = ?, generation = ? WHERE id = ?", (told.folder_id, told.generation, row)
        )

    def swept(self, generation: int) -> tuple[int, ...]:
        """The folders that were told in an earlier enumeration only."""
        found = self._connection.exec_driver_sql(
            "SELECT id FROM folder WHERE share_id = ? AND generation > 0 AND generation < ? AND NOT gone",
            (self._share_id, generation),
        )
        return tuple(number for (number,) in found.all())

    def _clear(self, path: bytes, for_id: bytes, *, keep_nameless: bool) -> bytes | None:
        """Makes that path free: what has it is another folder, and is told elsewhere, or to be gone, in its own time.

        A folder of which only the path was known so far may be this very one: it is kept, or its path now is given.
        """
        found = self._connection.exec_driver_sql(
            "SELECT id, source_id, gone FROM folder WHERE share_id = ? AND path = ?", (self._share_id, path)
        ).first()
        if found is None:
            return None
        number, source_id, gone = found
        nameless = not source_id and not gone
        if nameless and keep_nameless:
            return None
        parent, _, name = path.rpartition(b"/")
        aside = _aside(name, number)
        aside = parent + b"/" + aside if parent else aside
        self._move(path, aside)
        return aside if nameless else None

    def _move(self, before: bytes, after: bytes) -> None:
        """Rewrites the paths of the folder and of all below it; every row keeps its items."""
        parent = ensure_folder(self._connection, self._share_id, after.rpartition(b"/")[0]) if after else None
        rows = self._connection.exec_driver_sql(
            "SELECT id, path FROM folder WHERE share_id = ? AND (path = ? OR (path >= ? AND path < ?))",
            (self._share_id, before, before + b"/", before + b"0"),
        ).all()
        # All out of the way first: a folder may move to where one of its own subfolders was.
        for name in (lambda number, _: _aside(b"", number), lambda _, path: after + path[len(before) :]):
            self._connection.exec_driver_sql(
                "UPDATE folder SET path = ? WHERE id = ?", [(name(number, path), number) for number, path in rows]
            )
        self._connection.exec_driver_sql(
            "UPDATE folder SET parent_id = ? WHERE share_id = ? AND path = ?", (parent, self._share_id, after)
        )
        self._connection.exec_driver_sql(
            "DELETE FROM standing WHERE item_id IN (SELECT id FROM item WHERE folder_id = ?)",
            [(number,) for number, _ in rows],
        )

    def _absorb(self, aside: bytes, path: bytes) -> None:
        """What lies in a folder of which only the path was known lies in the one that has this path now."""
        there = ensure_folder(self._connection, self._share_id, path)
        old = self._connection.exec_driver_sql(
            "SELECT id FROM folder WHERE share_id = ? AND path = ?", (self._share_id, aside)
        ).scalar_one()
        for number, name in self._connection.exec_driver_sql(
            "SELECT id, name FROM item WHERE folder_id = ? AND state < 3", (old,)
        ).all():
            self._make_way(there, name)
            self._connection.exec_driver_sql("UPDATE item SET folder_id = ? WHERE id = ?", (there, number))
        for below, source_id in self._connection.exec_driver_sql(
            "SELECT path, source_id FROM folder WHERE parent_id = ?", (old,)
        ).all():
            target = path + below[len(aside) :]
            if not source_id and self._has_a_name(target):
                self._absorb(below, target)
            else:
                self._clear(target, source_id, keep_nameless=False)
                self._move(below, target)
        self._connection.exec_driver_sql("UPDATE folder SET gone = 1 WHERE id = ?", (old,))

    def _has_a_name(self, path: bytes) -> bool:
        found = self._connection.exec_driver_sql(
            "SELECT source_id FROM folder WHERE share_id = ? AND path = ? AND NOT gone", (self._share_id, path)
        ).scalar()
        return bool(found)

    def _make_way(self, folder_id: int, name: bytes) -> None:
        """Sets aside what is recorded at that place. What we are taking stays as it stands: its disposal says where
        it is."""
        found = self._connection.exec_driver_sql(
            "SELECT id, state FROM item WHERE folder_id = ? AND name = ? AND state < 3", (folder_id, name)
        ).first()
        if found is None:
            return
        number, state = found
        forget_places(self._connection, [(folder_id, name)])
        taking = self._connection.exec_driver_sql(
            "SELECT 1 FROM disposal WHERE item_id = ? AND state IN ('planned', 'conflict')", (number,)
        ).first()
        after = MISSING if state == LIVE and taking is None else state
        gone_at = self._at if after == MISSING else None
        self._connection.exec_driver_sql(
            "UPDATE item SET name = ?, state = ?, gone_at = COALESCE(gone_at, ?) WHERE id = ?",
            (_aside(name, number), after, gone_at, number),
        )


def _aside(name: bytes, number: int) -> bytes:
    """The name of what is set aside: its own comes first, so that it can be told again."""
    return b"%b\0%d" % (name, number)
