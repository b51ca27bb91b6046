"""What may go wrong between us and a source.

An error says whether trying again can help (`temporary`) and carries no content of any item.
"""

from __future__ import annotations


class ConnectorError(Exception):
    """The source could not do what it was asked."""

    temporary = False


class ItemNotFound(ConnectorError):
    """The item is no longer at the source."""


class ItemChanged(ConnectorError):
    """The item is no longer at the version the caller decided on."""


class PermissionDenied(ConnectorError):
    """The source does not let us read or change this."""


class LockedAtSource(ConnectorError):
    """Somebody holds the item open, checked out or locked at the source."""

    temporary = True


class CheckedOut(LockedAtSource):
    """Somebody has checked the item out."""


class HeldAtSource(ConnectorError):
    """A hold, a retention policy or a retention label of the source's own forbids this."""


class RecordAtSource(HeldAtSource):
    """The item is declared a record at its source."""


class LabelledByOthers(HeldAtSource):
    """Somebody else has put another retention label on the item itself; it is not ours to replace."""


class NotSignedIn(ConnectorError):
    """The source does not accept our credentials."""

    temporary = True


class Offline(ConnectorError):
    """The content is not stored here; reading it would recall it from elsewhere."""


class Sparse(ConnectorError):
    """The file is mostly holes; reading it would produce far more bytes than are stored."""


class AccessTimeWouldChange(ConnectorError):
    """Reading this item would change its access time, and that has not been allowed."""


class Throttled(ConnectorError):
    """The source asks us to wait `retry_after_seconds` before the next request."""

    temporary = True

    def __init__(self, message: str, retry_after_seconds: float) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class SourceFault(ConnectorError):
    """The source answered with an input/output fault for one item or folder."""

    temporary = True


class ScopeUnavailable(ConnectorError):
    """The whole share or drive cannot be reached or is not the one it was; nothing may be inferred from its silence."""

    temporary = True


class Unsupported(ConnectorError):
    """This connector has not declared the capability that was asked for."""


class Immutable(PermissionDenied):
    """The item is marked so that nobody may change it, not even its owner or root."""


class SeveralNames(ConnectorError):
    """The file has further names (hard links); taking one away would leave its content reachable by the others."""


class ReadOnlySource(ConnectorError):
    """The file system is mounted for reading only."""


class NoRoom(ConnectorError):
    """The disk, or a quota on it, is full."""


class HoldUnavailable(ConnectorError):
    """There is no hold on the item's own file system, so that it cannot be taken without copying it."""


class NoPlace(ConnectorError):
    """Nothing can lie at a place: it has a name that there cannot be here, or it is where nobody would find it."""


class PlaceTaken(ConnectorError):
    """Something else lies where an item should go; nothing was replaced."""
