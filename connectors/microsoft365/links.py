"""Links of Graph: which ones our bearer may follow, and how ids are put into paths."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self
from urllib.parse import SplitResult, quote, urlsplit

from connectors.errors import SourceFault

_PORTS = {"https": 443, "http": 80}
_MISREAD = frozenset('\\"<>^`{|}')  # what two readers of one link may take for two things
_LONGEST_LINK = 16 << 10


def quoted(part: str) -> str:
    """An id, or a name, as one component of a path, whatever characters are in it."""
    if part in ("", ".", ".."):
        raise ValueError("this is no component of a path")
    return quote(part, safe="!")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where Graph is: the only place to which our bearer is sent."""

    root: str = field(repr=False)
    host: str
    port: int

    @classmethod
    def of(cls, root: str) -> Self:
        """The origin of `root`, an `https` URL. Raises `ValueError` for any other."""
        parts = _split(root)
        if parts is None or parts.scheme != "https" or not parts.hostname or parts.username is not None:
            raise ValueError("the address of Graph must be an https URL")
        return cls(root.rstrip("/"), parts.hostname, parts.port or _PORTS["https"])

    def url(self, path: str) -> str:
        """The whole link for a path below the root, or for a link that the source gave.

        Raises `SourceFault` for a link that leads anywhere else.
        """
        whole = self.root + path if path.startswith("/") and not path.startswith("//") else path
        parts = _split(whole)
        if (
            parts is None
            or parts.scheme != "https"
            or parts.username is not None
            or (parts.hostname, parts.port or _PORTS["https"]) != (self.host, self.port)
            or any(component in (".", "..") for component in parts.path.split("/"))
        ):
            raise SourceFault("the source gave us a link that leads elsewhere")
        return whole


def secure(link: str) -> str:
    """A link that carries its own permission, if it is an `https` one. Raises `SourceFault` for any other."""
    parts = _split(link)
    if parts is None or parts.scheme != "https" or not parts.hostname or parts.username is not None:
        raise SourceFault("the source gave us a link that is not secure")
    return link


def _split(link: str) -> SplitResult | None:
    """The parts of a link that everybody reads in one way; none for any other."""
    if len(link) > _LONGEST_LINK or not link.isascii() or not link.isprintable() or " " in link or _MISREAD & set(link):
        return None
    try:
        parts = urlsplit(link)
        _ = parts.port
    except ValueError:
        return None
    return parts
