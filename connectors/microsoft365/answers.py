"""What Graph's refusals mean: status, error codes, nested codes and, where nothing else tells, words of the message.

The message itself may name a file or a person, so it is looked at here and goes nowhere. What is unknown counts as
refused, never as allowed and never as gone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from connectors.errors import (
    CheckedOut,
    ConnectorError,
    HeldAtSource,
    ItemChanged,
    ItemNotFound,
    LockedAtSource,
    NoRoom,
    NotSignedIn,
    PermissionDenied,
    PlaceTaken,
    RecordAtSource,
    SourceFault,
    Throttled,
    Unsupported,
)

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_REQUEST_ID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_DEEPEST = 8  # innerError in innerError
_LONGEST_WAIT_SECONDS = 24 * 3600.0
_WITHOUT_A_WORD_SECONDS = 120.0


class Resync(ConnectorError):
    """The source has forgotten where we were: all has to be enumerated anew, from `location` where it gave one."""

    temporary = True

    def __init__(self, message: str, location: str | None) -> None:
        super().__init__(message)
        self.location = location


class Conflict(PlaceTaken):
    """Something of that name lies there already."""


class LinkExpired(SourceFault):
    """A pre-authenticated link does not work any more; a new one has to be fetched."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a refusal said: codes from the outermost to the innermost, and the words to look for hints in.

    What goes along with an error has no `message` any more.
    """

    status: int
    codes: tuple[str, ...] = ()
    request_id: str = ""
    message: str = field(default="", repr=False)

    def has(self, *codes: str) -> bool:
        """Whether one of these codes was said, at whatever depth and in whatever case."""
        wanted = {code.lower() for code in codes}
        return any(code.lower() in wanted for code in self.codes)

    def __str__(self) -> str:
        shown = [f"HTTP {self.status}", *self.codes[:2]]
        if self.request_id:
            shown.append(f"request {self.request_id}")
        return ", ".join(shown)


def said_of(error: BaseException) -> Said | None:
    """What the source said with that error, where it came from an answer. For telling kinds of one error apart."""
    said = getattr(error, "said", None)
    return said if isinstance(said, Said) else None


def read_refusal(status: int, body: bytes, headers: Mapping[str, str]) -> Said:
    """What an answer that is no success says. Reads any body: HTML, none at all, or JSON of any shape."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        answer = None
    error = answer.get("error") if isinstance(answer, dict) else None
    codes: list[str] = []
    message = ""
    request_id = headers.get("request-id", "")
    if isinstance(error, str):  # as the sign-in service words it
        codes.append(error)
    elif isinstance(error, dict):
        message = _message(error)
    for _ in range(_DEEPEST):
        if not isinstance(error, dict):
            break
        codes.extend(_codes(error.get("code")))
        request_id = request_id or str(error.get("request-id") or "")
        error = error.get("innerError") or error.get("innererror")
    codes = [code for code in dict.fromkeys(codes) if _CODE.fullmatch(code)]
    return Said(status, tuple(codes), request_id if _REQUEST_ID.fullmatch(request_id) else "", message.lower())


def _message(error: dict[str, object]) -> str:
    message = error.get("message")
    if isinstance(message, dict):
        message = message.get("value")
    return message if isinstance(message, str) else ""


def _codes(code: object) -> list[str]:
    """SharePoint writes two into one: "-2147018894, Microsoft.SharePoint.SPFileLockException"."""
    return [part.strip().removeprefix("-") for part in code.split(",")] if isinstance(code, str) else []


def refusal(said: Said, headers: Mapping[str, str], *, method: str = "GET", delta: bool = False) -> ConnectorError:
    """The error that stands for an answer that is no success. `delta` says that changes were asked for."""
    error = _special(said, headers, method, delta) or _plain(said, headers)
    error.said = replace(said, message="")  # type: ignore[attr-defined]  # read by `said_of`
    return error


def _special(said: Said, headers: Mapping[str, str], method: str, delta: bool) -> ConnectorError | None:
    """What codes and words tell, whichever status came with them."""
    forgotten = said.has(
        "resyncRequired",
        "resyncChangesApplyDifferences",
        "resyncChangesUploadDifferences",
        "syncStateNotFound",
        "syncStateInvalid",
    )
    if (said.status == 410 and delta) or (said.status in (400, 404, 410) and forgotten):
        return Resync(f"the source has forgotten where we were ({said})", _header(headers, "Location"))
    if said.has("quotaLimitReached", "insufficientStorage"):
        return NoRoom(f"the quota at the source is used up ({said})")
    if said.status == 429 or said.has(*_THROTTLED):
        return _throttled(said, headers)
    if said.has("malwareDetected"):
        return PermissionDenied(f"the source takes the item for malware and gives out no content ({said})")
    if said.status in (400, 403, 409, 423):
        return _protected(said)
    if said.status == 500 and method == "DELETE" and said.has("2130575223", "Microsoft.SharePoint.SPException"):
        return HeldAtSource(f"the source does not delete it; something in it is on hold ({said})")
    return None


_THROTTLED = ("activityLimitReached", "tooManyRequests", "applicationThrottled", "mailboxConcurrency", "serverBusy")
_CHECKED_OUT = re.compile(r"(?<!not )checked[ -]?out")
_HELD = re.compile(
    r"on hold|in[ -]place hold|retention|compliance|preservation|request was cancelled by event received"
)
_RECORD = re.compile(r"\b(?:a|locked|regulatory) record\b|\brecords? (?:is|are|cannot)\b|declared (?:as )?a record")
_LOCKED = re.compile(r"\blocked\b|lock token|locked for (?:exclusive|shared) use")


def _protected(said: Said) -> ConnectorError | None:
    """Locks, check-outs, holds and records: what the source protects from everybody, whatever our rights."""
    words = said.message
    if said.has("SPFileCheckOutException", "Microsoft.SharePoint.SPFileCheckOutException") or _CHECKED_OUT.search(
        words
    ):
        return CheckedOut(f"somebody has checked it out ({said})")
    if _HELD.search(words):
        return HeldAtSource(f"a hold, policy or label of the source's own forbids it ({said})")
    if _RECORD.search(words):
        return RecordAtSource(f"it is a record at its source ({said})")
    if said.has("resourceLocked", "Microsoft.SharePoint.SPFileLockException", "2147018894") or (
        said.status == 423 or (said.status != 400 and _LOCKED.search(words))
    ):
        return LockedAtSource(f"it is locked at the source ({said})")
    return None


def _plain(said: Said, headers: Mapping[str, str]) -> ConnectorError:
    """What the status tells."""
    status = said.status
    if (status == 503 and _header(headers, "Retry-After")) or status == 509:
        return _throttled(said, headers)
    if status == 409:
        return _conflict(said)
    if status >= 500 and status not in _KINDS:
        return SourceFault(f"the source has failed ({said})")
    if status < 400:
        return SourceFault(f"the source answered what was not asked for ({said})")
    kind, words = _KINDS.get(status, (Unsupported, "the source does not do this"))
    return kind(f"{words} ({said})")


_KINDS: dict[int, tuple[type[ConnectorError], str]] = {
    401: (NotSignedIn, "the source does not accept our token"),
    403: (PermissionDenied, "the source does not allow us this"),
    404: (ItemNotFound, "it is not at the source"),
    408: (SourceFault, "the source took too long"),
    410: (ItemNotFound, "it is not at the source any more"),
    412: (ItemChanged, "it is no longer at that version"),
    425: (SourceFault, "the source is not ready"),
    423: (LockedAtSource, "it is locked at the source"),
    451: (PermissionDenied, "the source must not give it out"),
    501: (Unsupported, "the source cannot do this"),
    507: (NoRoom, "there is no room at the source"),
}


def _conflict(said: Said) -> ConnectorError:
    if said.has("nameAlreadyExists", "errorFolderExists"):
        return Conflict(f"something of that name lies there already ({said})")
    if said.has("resourceModified", "errorIrresolvableConflict", "errorStaleObject", "editConflict"):
        return ItemChanged(f"it is no longer at that version ({said})")
    return SourceFault(f"the source is doing something else with it ({said})")


def _throttled(said: Said, headers: Mapping[str, str]) -> Throttled:
    seconds = retry_after_seconds(headers)
    return Throttled(f"the source asks us to wait ({said})", _WITHOUT_A_WORD_SECONDS if seconds is None else seconds)


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """What `Retry-After` asks for, in seconds; none where it is absent or unreadable.

    A date is compared with the date of the answer itself: our clocks may differ.
    """
    value = (_header(headers, "Retry-After") or "").strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", value):
        seconds = float(value)
    else:
        until = _date(value)
        if until is None:
            return None
        asked_at = _date(_header(headers, "Date") or "") or datetime.now(UTC)
        seconds = (until - asked_at).total_seconds()
    return min(max(seconds, 0.0), _LONGEST_WAIT_SECONDS)


def _date(value: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _header(headers: Mapping[str, str], name: str) -> str | None:
    """Whatever mapping it is: requests' does not mind the case, a plain one does."""
    for key, value in headers.items():
        if key.lower() == name.lower():
            return value
    return None
