"""The one place that turns words of our vocabularies, numbers and days into what people read."""

from __future__ import annotations

from datetime import date, datetime

from agent.model.confinement import Confinement

_WORDS = {
    # how an item ended
    "scanned": "read and searched",
    "skipped": "left out on purpose",
    "failed": "could not be read",
    # why the source, or we, left it out
    "symbolic_link": "symbolic link, not followed",
    "fifo": "named pipe, not a document",
    "socket": "socket, not a document",
    "device": "device, not a document",
    "other_mount": "another file system mounted inside the share",
    "own_state": "retentiond's own files",
    "offline": "kept offline, not recalled",
    "sparse": "mostly empty space on disk",
    "access_time_would_change": "reading would change the access time",
    "package": "notebook or other folder of parts, left to its own application",
    "shortcut": "link to an item in another drive",
    "malware": "taken for malware by its source, which gives it to nobody",
    "no_content": "nothing to download: never checked in, or a link",
    "own_quarantine": "in retentiond's own quarantine",
    "left_out": "left out on purpose",
    "hard_link": "another name of a file already read",
    "vanished": "gone before it could be read",
    # why it failed
    "permission_denied": "no permission",
    "io_error": "fault of the disk or network",
    "changed_while_read": "changed while it was being read",
    "locked_at_source": "locked or held open by somebody",
    # with whom it is shared
    "anonymous": "anybody who has the link",
    "external": "people outside the organisation",
    "organisation": "everybody in the organisation",
    "people": "people who are named",
    # how getting the text ended
    "ok": "read completely",
    "empty": "nothing to read in it",
    "partial": "read in part",
    "encrypted": "protected by a password",
    "unsupported": "format that cannot be read yet",
    "corrupt": "damaged",
    "killed": "stopped for taking too long or too much memory",
    # where an item stands
    "keep": "to be kept",
    "waiting": "waiting for an event",
    "due": "due",
    "blocked": "blocked",
    "unclassified": "without a retention class",
    # what is done at the end
    "review": "review by a person",
    "destroy": "destroy",
    "anonymise": "anonymise",
    "minimise": "keep the outcome, let the document go",
    "hand_back": "hand back, then destroy",
    "thin": "thin the file",
    "quarantine": "move to quarantine and alert",
    "retain_permanently": "retain permanently",
    # data categories
    "identity": "names and dates of birth",
    "contact": "contact details",
    "financial": "financial details",
    "identification_number": "identification numbers",
    "technical": "online identifiers",
    "employment": "employment",
    "case": "case references",
    "health": "health",
    "race_ethnicity": "racial or ethnic origin",
    "religion_belief": "religion or belief",
    "political_opinion": "political opinion",
    "trade_union": "trade-union membership",
    "sex_life_orientation": "sex life or sexual orientation",
    "genetic": "genetic data",
    "biometric": "biometric data",
    "criminal": "criminal offences",
    "": "none",
}

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_UNITS = ("bytes", "kB", "MB", "GB", "TB")


def say(word: str) -> str:
    """The word in plain English; one that is in no vocabulary is shown with its underscores as spaces."""
    return _WORDS.get(word) or word.replace("_", " ")


def say_outcome(outcome: str) -> str:
    """`skipped(symbolic_link)` as a person says it; the reason is enough, where there is one."""
    kind, _, reason = outcome.partition("(")
    return say(reason.removesuffix(")")) if reason else say(kind)


def say_number(number: int) -> str:
    """1234567 as `1,234,567`."""
    return f"{number:,}"


def say_count(number: int, singular: str, plural: str = "") -> str:
    """`1 file`, `2,000 files`."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def say_day(day: date) -> str:
    """`24 Nov 2026`, whatever the machine's locale."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def say_moment(moment: datetime) -> str:
    """`24 Nov 2026, 09:05 UTC`. Takes an aware time in UTC."""
    return f"{say_day(moment)}, {moment:%H:%M} UTC"


def say_size(size_bytes: int) -> str:
    """`812 bytes`, `1.4 MB`: decimal units, as file managers show them."""
    size = float(size_bytes)
    for unit in _UNITS:
        if size < 999.95 or unit == _UNITS[-1]:
            break
        size /= 1000
    return f"{size:,.0f} {unit}" if unit == _UNITS[0] else f"{size:,.1f} {unit}"


def say_confinement(confinement: Confinement) -> str:
    """How far the process that reads documents is confined."""
    landlock = f"Landlock {confinement.landlock}" if confinement.landlock else "no Landlock"
    if not confinement.unrefused:
        return f"Confinement of documents: complete (seccomp, {landlock})."
    return f"Confinement of documents: NOT complete ({landlock}); not refused: {', '.join(confinement.unrefused)}."
