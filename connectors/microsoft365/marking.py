"""Retention labels and columns set on items of drives, at the version that was decided on.

What is given back is the version that the item has by our own doing: were an edit taken for ours, it would never be
read. So whatever else happened at the same moment is an edit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from connectors.errors import ConnectorError, ItemChanged, Unsupported
from connectors.keeping import Target
from connectors.microsoft365.acts import Drive, Status, as_text
from connectors.microsoft365.answers import said_of
from connectors.microsoft365.checks import (
    check_may_change,
    check_target,
    has_columns,
    look_after,
    looked_and_done,
    same_bytes,
)
from connectors.microsoft365.retention_labels import check_may_be_labelled, check_may_be_marked

_COLUMN = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


def set_label(drive: Drive, target: Target, label: str, client_id: str = "") -> bytes:
    """Sets the retention label, as `connectors.keeping.Keeping.label` says. Of those that are set on items themselves,
    only one that the application of that id has set is replaced."""

    def look() -> Status:
        status = drive.status(as_text(target.file_id))
        check_target(drive, status, target)
        if status.label is None or status.label.name != label:
            check_may_change(status)
            check_may_be_labelled(status.label, client_id)
        return status

    def act(status: Status) -> bool:
        if status.label is not None and status.label.name == label:
            return False
        try:
            drive.set_label(as_text(target.file_id), label)
        except ConnectorError as error:
            said = said_of(error)
            if said is not None and said.status == 400:
                raise Unsupported("the source has no such retention label, or lets nobody set it") from None
            raise
        return True

    before, is_new = looked_and_done(look, act)
    if not is_new:
        return target.version
    after = look_after(drive, before)
    if not same_bytes(before, after):
        raise ItemChanged("it was labelled, but somebody has changed it meanwhile")
    return after.version.encode()


def set_columns(drive: Drive, target: Target, columns: Mapping[str, str]) -> bytes:
    """Sets columns by their internal names, as `connectors.keeping.Keeping.mark` says; `""` empties one.

    The service may write columns into Office files, too, and so change their bytes: that is not taken for an edit.
    """
    if not all(_COLUMN.fullmatch(name) for name in columns):
        raise Unsupported("a column is named by its internal name: letters, digits and underscores")

    def look() -> Status:
        status = drive.status(as_text(target.file_id), tuple(columns))
        check_target(drive, status, target)
        if not has_columns(status, columns):
            check_may_change(status)
            check_may_be_marked(status.label)
        return status

    def act(status: Status) -> str | None:
        return None if has_columns(status, columns) else drive.set_columns(status, columns)

    try:
        before, etag = looked_and_done(look, act)
    except Unsupported:
        raise Unsupported(f"the library does not let us set these columns so: {', '.join(sorted(columns))}") from None
    if etag is None:
        return target.version
    after = look_after(drive, before)
    if after.version.etag != etag and not same_bytes(before, after):
        raise ItemChanged("it was marked, but somebody has changed it meanwhile")
    return after.version.encode()
