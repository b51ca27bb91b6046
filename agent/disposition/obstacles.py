"""What a fault of a source or of the vault means for the item at hand."""

from __future__ import annotations

from agent.model.disposal import Obstacle
from agent.vault.base import NoSpace, SourceChanged, VaultError
from connectors import errors

_BY_SOURCE: tuple[tuple[type[errors.ConnectorError], Obstacle], ...] = (
    (errors.ItemNotFound, Obstacle.GONE),
    (errors.ItemChanged, Obstacle.CHANGED),
    (errors.CheckedOut, Obstacle.CHECKED_OUT),
    (errors.LockedAtSource, Obstacle.OPEN),
    (errors.RecordAtSource, Obstacle.RECORD_AT_SOURCE),
    (errors.HeldAtSource, Obstacle.HELD_AT_SOURCE),
    (errors.NotSignedIn, Obstacle.NOT_SIGNED_IN),
    (errors.Throttled, Obstacle.THROTTLED),
    (errors.Unsupported, Obstacle.NOT_IN_PLACE),
    (errors.Immutable, Obstacle.IMMUTABLE),
    (errors.PermissionDenied, Obstacle.DENIED),
    (errors.SeveralNames, Obstacle.SEVERAL_NAMES),
    (errors.ReadOnlySource, Obstacle.READ_ONLY),
    (errors.NoRoom, Obstacle.NO_ROOM),
    (errors.HoldUnavailable, Obstacle.NO_HOLD),
    (errors.NoPlace, Obstacle.NO_PLACE),
    (errors.PlaceTaken, Obstacle.PLACE_TAKEN),
    (errors.ScopeUnavailable, Obstacle.SHARE_AWAY),
)

# After these the next item of the share, or any item, will fare no better.
ENDS_THE_SHARE = frozenset(
    {Obstacle.READ_ONLY, Obstacle.NO_HOLD, Obstacle.SHARE_AWAY, Obstacle.NOT_SIGNED_IN, Obstacle.THROTTLED}
)
ENDS_THE_RUN = frozenset({Obstacle.NO_ROOM, Obstacle.PAUSED, Obstacle.VAULT_FAULT})


def of_source(error: errors.ConnectorError) -> Obstacle:
    """What a fault of the source means."""
    return next((obstacle for kind, obstacle in _BY_SOURCE if isinstance(error, kind)), Obstacle.SOURCE_FAULT)


def of_vault(error: VaultError) -> Obstacle:
    """What a fault of the vault means."""
    match error:
        case NoSpace():
            return Obstacle.NO_ROOM
        case SourceChanged():
            return Obstacle.CHANGED
        case _:
            return Obstacle.VAULT_FAULT
