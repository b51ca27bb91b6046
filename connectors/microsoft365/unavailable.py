"""What a refusal means where a whole drive is asked for: it is unavailable, and this is why."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from connectors.errors import (
    ConnectorError,
    ItemNotFound,
    LockedAtSource,
    NotSignedIn,
    PermissionDenied,
    ScopeUnavailable,
    Throttled,
)

_WORDS: tuple[tuple[type[ConnectorError], str], ...] = (
    (ItemNotFound, "there is no such site or drive any more, or it has been moved to another tenant"),
    (LockedAtSource, "the site is locked or archived"),
    (PermissionDenied, "we are not allowed to read it, or the site is locked or archived"),
    (NotSignedIn, "the tenant does not accept our credentials"),
    (Throttled, "the tenant asks us to wait; the rest comes in a later run"),
)


def why(error: ConnectorError) -> str:
    """In a sentence, for people."""
    return next((f"{words} ({error})" for kind, words in _WORDS if isinstance(error, kind)), str(error))


@contextmanager
def made_unavailable() -> Iterator[None]:
    """Turns every error of the source into `ScopeUnavailable`, which says why; the error itself is its cause."""
    try:
        yield
    except ScopeUnavailable:
        raise
    except ConnectorError as error:
        raise ScopeUnavailable(why(error)) from error
