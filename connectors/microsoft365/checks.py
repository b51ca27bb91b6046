"""Looking at an item before and after something is done to it, and what it must be like then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from connectors.errors import (
    CheckedOut,
    ConnectorError,
    HeldAtSource,
    ItemChanged,
    ItemNotFound,
    SourceFault,
    Throttled,
    Unsupported,
)
from connectors.keeping import Target
from connectors.microsoft365.acts import Drive, Status, as_text
from connectors.microsoft365.retention_labels import check_may_go
from connectors.microsoft365.returning import path_of
from connectors.microsoft365.version import Version

_TRIES = 3

T = TypeVar("T")


def looked_and_done(look: Callable[[], Status], act: Callable[[Status], T]) -> tuple[Status, T]:
    """What was seen, and what the act on it gave. An act that had to wait is preceded by another look."""
    tries = 0
    while True:
        status = look()
        tries += 1
        try:
            return status, act(status)
        except Throttled:
            if tries == _TRIES:
                raise


def look_after(drive: Drive, before: Status) -> Status:
    """The item after something was done to it. Only `ItemChanged` and `SourceFault` can be told from here on."""
    try:
        return drive.status(before.version.item_id)
    except ItemNotFound:
        raise ItemChanged("somebody has deleted it meanwhile") from None
    except SourceFault:
        raise
    except ConnectorError:
        raise SourceFault("something was done to it, but it could not be looked at again") from None


def check_gone(drive: Drive, item_id: str) -> None:
    """Raises `SourceFault` unless the service no longer shows what it says is not there."""
    try:
        drive.status(item_id)
    except ItemNotFound:
        return
    except ConnectorError:
        raise SourceFault("it may be gone, but that could not be seen") from None
    raise SourceFault("the service says that it is gone, and still shows it")


def check_version(status: Status, version: bytes) -> None:
    """Raises `ItemChanged` unless the item is at the version that was decided on."""
    decided_on = Version.decode(version)
    if decided_on is None or not decided_on.is_state_of(status.version):
        raise ItemChanged("it is no longer at the version that was decided on")


def check_target(drive: Drive, status: Status, target: Target) -> None:
    """Raises `ItemChanged` unless the item is what was decided on, and lies where it did; `Unsupported` for what is no
    plain file."""
    if not status.is_file:
        raise Unsupported("it is a folder, a package or a link to another drive")
    check_version(status, target.version)
    if status.name.encode("utf-8", "surrogatepass") != target.ref.name:
        raise ItemChanged("it has another name now")
    if target.folder_id:
        is_there = status.parent_id == as_text(target.folder_id)
    else:
        is_there = path_of(drive, status.parent_id) == target.ref.folder
    if not is_there:
        raise ItemChanged("it lies elsewhere now")


def check_may_change(status: Status) -> None:
    """Raises `CheckedOut` if somebody works on it."""
    if status.checked_out:
        raise CheckedOut("somebody has checked it out")


def check_same(before: Status, after: Status, etag: str) -> None:
    """Raises `ItemChanged` unless nothing but place and name has changed; `HeldAtSource` if a label was lost that came
    from its folder, and what a new label forbids. `etag` is the one that it had right after the move."""
    check_may_go(after.label)
    if before.label is not None and not before.label.explicit and before.label != after.label:
        raise HeldAtSource("its retention label comes from the folder it lies in, and would be lost")
    if before.label != after.label:
        raise ItemChanged("its retention label has been changed")
    if after.checked_out:
        raise ItemChanged("somebody has checked it out meanwhile")
    if not same_bytes(before, after, etag):
        raise ItemChanged("somebody has changed it meanwhile")


def same_bytes(before: Status, after: Status, etag: str = "") -> bool:
    """Whether nobody has written it in between. `etag` is the one that it had right after we changed it.

    The hash alone does not tell: the service takes its time with it. Neither does the eTag: the act may have come after
    an edit where the service takes no notice of conditions.
    """
    hashes = before.version.content, after.version.content
    if hashes[0] != hashes[1] and "" not in hashes:
        return False
    return after.version.etag == etag or before.ctag == after.ctag != ""


def has_columns(status: Status, marks: Mapping[str, str]) -> bool:
    """Whether its columns have these values already; one that is empty has the value `""`."""
    return all((status.columns.get(name) or "") == value for name, value in marks.items())
