"""The conditions under which an item belongs to a class, is misplaced, or is exempt."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from agent.model.finding import DataCategory
from agent.model.record_kind import RecordKind

CAPTURE = re.compile(r"\{([a-z][a-z0-9_]*)\}")


class FileKind(StrEnum):
    """What sort of file an item is, as office people sort them."""

    DOCUMENT = "document"
    SPREADSHEET = "spreadsheet"
    PRESENTATION = "presentation"
    PDF = "pdf"
    MAIL = "mail"
    TEXT = "text"
    WEB_PAGE = "web_page"
    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"
    ARCHIVE = "archive"
    DATABASE = "database"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class PathPattern:
    """A pattern on an item's path relative to its share, read without regard to upper and lower case.

    `**` stands for any number of folders (none included) and is a component of its own, at the end for everything
    below; `*` for any characters within one component, `?` for exactly one; `{name}` for one or more characters
    within one component, as few as will do, which become the item's key `name`.
    """

    text: str

    @property
    def captures(self) -> tuple[str, ...]:
        return tuple(CAPTURE.findall(self.text))


@dataclass(frozen=True, slots=True)
class PathMatches:
    """The item's path matches one of these patterns."""

    patterns: tuple[PathPattern, ...]


@dataclass(frozen=True, slots=True)
class ShareIs:
    """The item lies in one of these shares, by name, read without regard to upper and lower case."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FileKindIs:
    """The item is a file of one of these kinds."""

    kinds: tuple[FileKind, ...]


@dataclass(frozen=True, slots=True)
class ContentIs:
    """The item's text looks most like a record of one of these kinds."""

    kinds: tuple[RecordKind, ...]


@dataclass(frozen=True, slots=True)
class FindingPresent:
    """At least so many distinct values of an entity type, or of a whole data category, were found in the item."""

    what: str | DataCategory
    at_least: int = 1


@dataclass(frozen=True, slots=True)
class LabelIs:
    """The item bears one of these labels at its source, read without regard to upper and lower case."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MarkIs:
    """The item bears the mark of that name at its source, with one of these values or, if none is named, with any; read
    without regard to upper and lower case."""

    name: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SameContentAs:
    """An item whose bytes are the same lies at a path, in any share, that matches one of these patterns.

    What the patterns capture from that path become keys of this item too.
    """

    patterns: tuple[PathPattern, ...]


class StorageKind(StrEnum):
    """What sort of place a share is, as the settings say."""

    SERVER = "server"
    CLOUD = "cloud"
    LOCAL_DRIVE = "local_drive"
    PERSONAL_DEVICE = "personal_device"
    REMOVABLE = "removable"
    OUTSIDE_UK = "outside_uk"
    OUTSIDE_EEA = "outside_eea"


@dataclass(frozen=True, slots=True)
class StoredIn:
    """The item lies in a share that the settings say is one of these sorts of place."""

    kinds: tuple[StorageKind, ...]


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every one of these conditions holds."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of these conditions holds."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """This condition does not hold."""

    condition: Condition


Condition = (
    PathMatches
    | ShareIs
    | StoredIn
    | FileKindIs
    | ContentIs
    | LabelIs
    | MarkIs
    | SameContentAs
    | FindingPresent
    | AllOf
    | AnyOf
    | Not
)


def captures_of(condition: Condition) -> frozenset[str]:
    """The names of the keys that this condition may capture. What stands under `not` captures nothing."""
    match condition:
        case PathMatches(patterns) | SameContentAs(patterns):
            return frozenset(name for pattern in patterns for name in pattern.captures)
        case AllOf(conditions) | AnyOf(conditions):
            return frozenset().union(*(captures_of(part) for part in conditions))
        case _:
            return frozenset()
