"""What an administrator wants of a file server: shares, schedule, reviewers and nights, read from short texts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import time
from enum import Enum
from pathlib import PurePosixPath

from agent.errors import UsageError

ANY_TIME = "always"  # said instead of a window
_WINDOW = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)-([01]?\d|2[0-3]):([0-5]\d)")
_EMAIL = re.compile(r"\S+@\S+")
_STAGGER_MINUTES = 10  # between the beginnings of two shares, so that they do not all begin to read at once


@dataclass(frozen=True, slots=True)
class WantedShare:
    """A folder to look after, by the name that people use for it."""

    name: str
    path: PurePosixPath


@dataclass(frozen=True, slots=True)
class WantedReviewer:
    """A person who takes part in reviews, by the name of the login."""

    name: str
    roles: tuple[str, ...]
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Nights:
    """From when until when the server may be kept busy, in the time zone of the schedule. May go over midnight."""

    begins: time
    ends: time

    def __str__(self) -> str:
        return f"{self.begins:%H:%M}-{self.ends:%H:%M}"

    def reconcile(self, number: int) -> str:
        """When the share with that number (from 0) is gone through each night, as a cron line within the nights."""
        begins, ends = (at.hour * 60 + at.minute for at in (self.begins, self.ends))
        length = (ends - begins) % 1440
        minute = (begins + number * _STAGGER_MINUTES % length) % 1440
        return f"{minute % 60} {minute // 60} * * *"


class Unsaid(Enum):
    """What was left open, where nothing means something."""

    UNSAID = "unsaid"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Everything that is asked. `schedule` is a shipped one's name or a file's path; no `nights` means any time."""

    shares: tuple[WantedShare, ...]
    schedule: str
    reviewers: tuple[WantedReviewer, ...] = ()
    nights: Nights | None = None


def read_share(text: str) -> WantedShare:
    """`NAME=PATH`. Raises `UsageError`."""
    name, parted, path = (part.strip() for part in text.partition("="))
    if not (parted and name and path):
        raise UsageError(f"--share {text!r}: write it as NAME=PATH, such as office=/srv/shares/office.")
    if not path.startswith("/"):
        raise UsageError(f"--share {text!r}: {path!r} is no absolute path. Begin it with a slash.")
    if not (name + path).isprintable():
        raise UsageError(f"--share {text!r}: a name or path with control characters or broken UTF-8 cannot be set.")
    return WantedShare(name, PurePosixPath(path))


def read_shares(texts: tuple[str, ...]) -> tuple[WantedShare, ...]:
    """All of them. Raises `UsageError`, also if two have the same name or lie in one another."""
    shares = tuple(map(read_share, texts))
    for number, one in enumerate(shares):
        for other in shares[:number]:
            if one.name.casefold() == other.name.casefold():
                raise UsageError(f"--share: two shares are named {one.name!r}. Rename one.")
            refuse_overlap(one, other)
    return shares


def refuse_overlap(one: WantedShare, other: WantedShare) -> None:
    """Raises `UsageError` if one share lies in the other: its files would be known twice, and neither disposed of."""
    if one.path.is_relative_to(other.path) or other.path.is_relative_to(one.path):
        raise UsageError(
            f"--share: {one.name!r} ({one.path}) and {other.name!r} ({other.path}) overlap, so that files would be "
            "counted twice. Name the outer folder only, or folders beside each other."
        )


def read_reviewer(text: str) -> WantedReviewer:
    """`NAME:ROLE[,ROLE][:EMAIL]`. Raises `UsageError`."""
    name, *rest = (part.strip() for part in text.split(":"))
    roles = tuple(role.strip() for role in rest[0].split(",")) if rest else ()
    if not name or not roles or not all(roles) or len(rest) > 2 or not text.isprintable():
        raise UsageError(
            f"--reviewer {text!r}: write it as LOGIN:ROLE[,ROLE][:EMAIL], such as "
            "'ann:records manager:ann@example.org'."
        )
    email = rest[1] if len(rest) == 2 else None
    if email is not None and not _EMAIL.fullmatch(email):
        raise UsageError(f"--reviewer {text!r}: {email!r} is no e-mail address.")
    return WantedReviewer(name, roles, email)


def read_reviewers(texts: tuple[str, ...]) -> tuple[WantedReviewer, ...]:
    """All of them. Raises `UsageError`, also if one is named twice."""
    reviewers = tuple(map(read_reviewer, texts))
    for number, one in enumerate(reviewers):
        if any(one.name == other.name for other in reviewers[:number]):
            raise UsageError(f"--reviewer: {one.name!r} is named twice. Give all roles of a person at once.")
    return reviewers


def read_nights(text: str) -> Nights | None:
    """`HH:MM-HH:MM`, or nothing for `always`. Raises `UsageError`."""
    if text.strip().casefold() == ANY_TIME:
        return None
    parts = _WINDOW.fullmatch(text.strip())
    if parts is None:
        raise UsageError(f"--nights {text!r}: write it as HH:MM-HH:MM, such as 20:00-06:00, or: {ANY_TIME}.")
    hours = [int(part) for part in parts.groups()]
    begins, ends = time(hours[0], hours[1]), time(hours[2], hours[3])
    if begins == ends:
        raise UsageError(f"--nights {text!r}: it ends when it begins. For any time of day say: {ANY_TIME}.")
    return Nights(begins, ends)
