"""What the rights of our app registrations are good for in a tenant: what works, what lacks what, what is too much.

Pure: from what is wanted and what the tokens carry to a table. Nothing is asked here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence, Set
from dataclasses import dataclass
from enum import StrEnum

from agent.settings import TenantSettings


class Role(StrEnum):
    """For which of our two app registrations something is meant."""

    READER = "reader"
    WRITER = "writer"


class Ability(StrEnum):
    """What somebody may want of a tenant."""

    SCAN_SITES = "scan_sites"
    SCAN_ONEDRIVES = "scan_onedrives"
    SCAN_MAIL = "scan_mail"
    READ_LABELS = "read_labels"
    SET_LABELS = "set_labels"
    QUARANTINE_FILES = "quarantine_files"
    DELETE_FILES = "delete_files"
    QUARANTINE_MAIL = "quarantine_mail"
    DELETE_MAIL = "delete_mail"
    UNLOCK_RECORDS = "unlock_records"


class Standing(StrEnum):
    """Whether it can be had."""

    WORKS = "works"
    PARTLY = "partly"  # it works, and leaves more behind than elsewhere
    FAILS = "fails"
    NOT_WANTED = "not_wanted"
    NEVER = "never"  # nobody is ever given it


class Why(StrEnum):
    """Why something fails, or works in part only."""

    NOT_SIGNED_IN = "not_signed_in"
    RIGHTS = "rights_lacking"
    SILENT_SITES = "sites_do_not_answer"
    SILENT_MAILBOXES = "mailboxes_do_not_answer"
    CLOUD = "not_in_this_cloud"
    RECYCLED = "only_into_the_recycle_bin"
    RECOVERABLE = "only_into_recoverable_items"


class Extent(StrEnum):
    """How much of a kind is wanted."""

    NONE = "none"
    LISTED = "listed"
    ALL = "all"


# Rights from the least to the greatest: any of a line is enough for what the line is for.
_SOME_SITES = ("Sites.Selected", "Sites.Read.All", "Sites.ReadWrite.All", "Sites.Manage.All", "Sites.FullControl.All")
_ALL_SITES = _SOME_SITES[1:]
_FILES = ("Files.Read.All", "Sites.Read.All", "Files.ReadWrite.All", *_ALL_SITES[1:])
_WRITE_SOME_SITES = ("Sites.Selected", "Sites.ReadWrite.All", "Files.ReadWrite.All", *_ALL_SITES[2:])
_USERS = ("User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All")
_MAIL = ("Mail.Read", "Mail.ReadWrite")
_WRITE_MAIL = ("Mail.ReadWrite",)
_CHANGING = ("Write", "FullControl", "Manage", "Send")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the settings of a tenant ask for; `lacks` is what its cloud does not have."""

    sites: Extent
    onedrives: Extent
    mailboxes: Extent
    writes: bool
    lacks: Set[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Held:
    """What an app registration has been found to hold.

    `roles` are those of its token; none if it could not sign in. Of listed sites and mailboxes, `silent_sites` and
    `silent_mailboxes` have not answered it.
    """

    roles: Set[str] | None
    silent_sites: int = 0
    silent_mailboxes: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """How one ability stands: which app it needs, which rights (the least that will do), which of them lack, and by
    which of those that the app holds it works."""

    ability: Ability
    app: Role
    standing: Standing
    needs: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    why: Why | None = None


class TooMuch(StrEnum):
    """Why a right had better be taken away."""

    NOT_NEEDED = "not_needed"
    CHANGES = "changes"  # what only reads must not be able to change anything
    ALL_SITES = "all_sites"  # sites are listed, so that a right to just these would do


@dataclass(frozen=True, slots=True)
class Excess:
    """A right that an app registration holds and need not."""

    app: Role
    right: str
    why: TooMuch


def wanted_of(tenant: TenantSettings, lacks: Set[str] = frozenset()) -> Wanted:
    """What its settings ask for."""
    return Wanted(
        _extent(tenant.sites),
        _extent(tenant.onedrives),
        _extent(tenant.mailboxes),
        tenant.writer is not None,
        lacks,
    )


def _extent(places: str | tuple[str, ...]) -> Extent:
    return Extent.LISTED if isinstance(places, tuple) else Extent(places)


def rows(wanted: Wanted, reader: Held, writer: Held | None) -> tuple[Row, ...]:
    """The table: every ability, in a fixed order."""
    held = {Role.READER: reader, Role.WRITER: writer or Held(frozenset())}
    return tuple(_row(ability, wanted, held[_APPS[ability]]) for ability in Ability)


def excess(wanted: Wanted, app: Role, roles: Set[str]) -> tuple[Excess, ...]:
    """The rights among `roles` that this app need not hold, by name."""
    used = {right for line in _lines_of(app, wanted) if (right := _first(line, roles))}
    found = []
    for right in sorted(roles):
        if app is Role.READER and any(word in right for word in _CHANGING):
            found.append(Excess(app, right, TooMuch.CHANGES))
        elif right not in used:
            found.append(Excess(app, right, TooMuch.NOT_NEEDED))
        elif right in _ALL_SITES and _only_listed_sites(wanted):
            found.append(Excess(app, right, TooMuch.ALL_SITES))
    return tuple(found)


def to_consent(wanted: Wanted, app: Role) -> tuple[str, ...]:
    """The least rights that an administrator has to grant to this app for all that is wanted."""
    chosen: list[str] = []
    for line in _lines_of(app, wanted):
        if not _first(line, chosen):
            chosen.append(line[0])
    return tuple(chosen)


def _lines_of(app: Role, wanted: Wanted) -> list[Sequence[str]]:
    return [line for ability in Ability if _APPS[ability] is app for line in _lines(ability, wanted)]


def _first(line: Sequence[str], rights: Collection[str]) -> str:
    """The least right of the line that is among `rights`; empty if none is."""
    return next((right for right in line if right in rights), "")


_APPS = {
    Ability.SCAN_SITES: Role.READER,
    Ability.SCAN_ONEDRIVES: Role.READER,
    Ability.SCAN_MAIL: Role.READER,
    Ability.READ_LABELS: Role.READER,
    Ability.SET_LABELS: Role.WRITER,
    Ability.QUARANTINE_FILES: Role.WRITER,
    Ability.DELETE_FILES: Role.WRITER,
    Ability.QUARANTINE_MAIL: Role.WRITER,
    Ability.DELETE_MAIL: Role.WRITER,
    Ability.UNLOCK_RECORDS: Role.WRITER,
}


def _is_wanted(ability: Ability, wanted: Wanted) -> bool:
    sites, onedrives, mail = (one is not Extent.NONE for one in (wanted.sites, wanted.onedrives, wanted.mailboxes))
    if _APPS[ability] is Role.WRITER and not wanted.writes:
        return False
    return {
        Ability.SCAN_SITES: sites,
        Ability.SCAN_ONEDRIVES: onedrives,
        Ability.SCAN_MAIL: mail,
        Ability.QUARANTINE_MAIL: mail,
        Ability.DELETE_MAIL: mail,
        Ability.UNLOCK_RECORDS: False,
    }.get(ability, sites or onedrives)


def _lines(ability: Ability, wanted: Wanted) -> Iterator[Sequence[str]]:
    """What it takes: of each line one right."""
    if not _is_wanted(ability, wanted):
        return
    if ability is Ability.SCAN_SITES:
        yield _SOME_SITES if wanted.sites is Extent.LISTED else _ALL_SITES
    elif ability is Ability.SCAN_ONEDRIVES:
        yield _FILES
        if wanted.onedrives is Extent.ALL:
            yield _USERS
    elif ability is Ability.SCAN_MAIL:
        yield _MAIL
        if wanted.mailboxes is Extent.ALL:
            yield _USERS
    elif ability is Ability.READ_LABELS:
        yield _SOME_SITES if _only_listed_sites(wanted) else _FILES
    elif ability in (Ability.QUARANTINE_MAIL, Ability.DELETE_MAIL):
        yield _WRITE_MAIL
    else:
        yield _WRITE_SOME_SITES if _only_listed_sites(wanted) else _WRITE_SOME_SITES[1:]


def _only_listed_sites(wanted: Wanted) -> bool:
    return wanted.sites is Extent.LISTED and wanted.onedrives is Extent.NONE


def _row(ability: Ability, wanted: Wanted, held: Held) -> Row:
    app = _APPS[ability]
    if ability is Ability.UNLOCK_RECORDS:
        return Row(ability, app, Standing.NEVER)
    if not _is_wanted(ability, wanted):
        return Row(ability, app, Standing.NOT_WANTED)
    lines = list(_lines(ability, wanted))
    advised = to_consent(wanted, app)
    needs = tuple(_first(line, advised) for line in lines)
    if held.roles is None:
        return Row(ability, app, Standing.FAILS, needs, why=Why.NOT_SIGNED_IN)
    lacking = tuple(_first(line, advised) for line in lines if not _first(line, held.roles))
    if _of_mail(ability) and wanted.mailboxes is Extent.LISTED and not held.silent_mailboxes:
        lacking = ()  # Exchange grants apps the right to some mailboxes by roles of its own, of which no token tells
    if lacking:
        return Row(ability, app, Standing.FAILS, needs, lacking, why=Why.RIGHTS)
    standing, why = _as_answered(ability, wanted, held)
    by = dict.fromkeys(_first(line, held.roles) for line in lines)
    return Row(ability, app, standing, needs, by=tuple(right for right in by if right), why=why)


def _as_answered(ability: Ability, wanted: Wanted, held: Held) -> tuple[Standing, Why | None]:
    """How it stands for an app that has the rights, by what has answered it and what the cloud offers."""
    if ability is Ability.SCAN_MAIL and "message.delta" in wanted.lacks:
        return Standing.FAILS, Why.CLOUD
    if _of_mail(ability) and held.silent_mailboxes:
        return Standing.FAILS, Why.SILENT_MAILBOXES
    if not _of_mail(ability) and ability is not Ability.SCAN_ONEDRIVES and held.silent_sites:
        return Standing.FAILS, Why.SILENT_SITES
    if ability is Ability.DELETE_MAIL and "message.permanentDelete" in wanted.lacks:
        return Standing.PARTLY, Why.RECOVERABLE
    if ability is Ability.DELETE_FILES and "driveItem.permanentDelete" in wanted.lacks:
        return Standing.PARTLY, Why.RECYCLED
    return Standing.WORKS, None


def _of_mail(ability: Ability) -> bool:
    return ability in (Ability.SCAN_MAIL, Ability.QUARANTINE_MAIL, Ability.DELETE_MAIL)
