"""Where an item lies, and is given back to: the folder of an id if it is still in its place, else that of a path.

Paths are walked name by name over the ids of their folders; no path ever goes into a request.
"""

from __future__ import annotations

from contextlib import suppress

from connectors.base import ItemRef
from connectors.errors import ItemNotFound, NoPlace, PlaceTaken, SourceFault, Unsupported
from connectors.microsoft365.acts import Drive, Entry
from connectors.microsoft365.restricted import QUARANTINE_NAME
from connectors.places import check_place

_DEEPEST = 200  # a path has at most 400 characters


def steps_to(ref: ItemRef) -> tuple[list[str], str]:
    """The names of the folders on the way to `ref`, and its own. Raises `NoPlace` for what can be none here."""
    check_place(ref)
    try:
        folders = ref.folder.decode("utf-8").split("/") if ref.folder else []
        name = ref.name.decode("utf-8")
    except UnicodeDecodeError:
        raise NoPlace("a part of the way there is no text, and names are text here") from None
    if folders and folders[0].casefold() == QUARANTINE_NAME.casefold():
        raise NoPlace("nothing is given back into the quarantine")
    return folders, name


def path_of(drive: Drive, folder_id: str) -> bytes | None:
    """Where the folder lies, `b""` for the drive's top; none if it is not there any more."""
    root_id = drive.root()
    names: list[str] = []
    while folder_id != root_id:
        entry = drive.folder(folder_id) if folder_id and len(names) < _DEEPEST else None
        if entry is None:
            return None
        names.append(entry.name)
        folder_id = entry.parent_id
    return "/".join(reversed(names)).encode("utf-8", "surrogatepass")


def folder_for(drive: Drive, to: ItemRef, folder_id: str) -> tuple[str, bytes]:
    """The id and the path of the folder for an item at `to`: that of `folder_id` if it lies there, else that of the
    path, which is made as far as it is missing. Raises `NoPlace`, `PlaceTaken`."""
    names, _ = steps_to(to)
    if folder_id and path_of(drive, folder_id) == to.folder:
        return folder_id, to.folder
    parent_id, found = drive.root(), []
    for name in names:
        entry = _child(drive, parent_id, name) or _made(drive, parent_id, name)
        if not entry.is_folder:
            raise PlaceTaken("something that is no folder lies on the way there")
        parent_id = entry.item_id
        found.append(entry.name)
    return parent_id, "/".join(found).encode("utf-8", "surrogatepass")


def _child(drive: Drive, parent_id: str, name: str) -> Entry | None:
    """What lies there under that name; the service takes no notice of case, but knows "ß" from "ss"."""
    wanted = name.lower()
    return next((entry for entry in drive.children(parent_id) if entry.name.lower() == wanted), None)


def _made(drive: Drive, parent_id: str, name: str) -> Entry:
    try:
        with suppress(PlaceTaken):  # somebody was quicker
            drive.make_folder(parent_id, name)
    except Unsupported:
        raise NoPlace("a folder on the way there has a name that there cannot be here") from None
    except ItemNotFound:
        raise SourceFault("a folder on the way there has gone meanwhile") from None
    entry = _child(drive, parent_id, name)
    if entry is None:
        raise SourceFault("a folder on the way there was made, but is not there yet")
    return entry
