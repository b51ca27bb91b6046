"""What the service says of an item of a drive, read as facts. Whatever is missing or of another type is left out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.base import Item, ItemRef, SkipReason
from connectors.microsoft365.version import Version, content_of

Described = Mapping[str, Any]  # an item as the service describes it

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ID = re.compile(r"(?!\.{1,2}\Z)[!-~]{1,400}")
_COLUMN = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
# Written to by several people at once; the service puts off hashing them. Their hash may be that of older bytes.
_HASHED_LATE = frozenset("docx docm dotx dotm xlsx xlsm xltx xltm xlsb pptx pptm potx ppsx ppsm vsdx one".split())
_HASHED_AFTER = timedelta(hours=1)
_SENSITIVITY = ("_DisplayName", "_IpLabelId")  # the label's name, else its id: what a library shows of it
_LONGEST_VALUE = 255

# What is asked for about an item, wherever one is described to us.
_PROPERTIES = (
    "id,name,eTag,size,parentReference,createdBy,createdDateTime,lastModifiedBy,lastModifiedDateTime,fileSystemInfo,"
    "file,folder,package,remoteItem,deleted,root,shared,malware,publication"
)
SELECT = f"$select={_PROPERTIES}"

_WIDEST_FIRST = ("anonymous", "external", "organisation", "people")
_SHARED_BY = {"anonymous": "anonymous", "organization": "organisation", "users": "people", "existingAccess": "people"}
_GUEST = re.compile(r"#ext#|urn:spo:guest|urn%3aspo%3aguest", re.IGNORECASE)


def expansions(columns: Sequence[str]) -> tuple[str, ...]:
    """What is asked for beside an item's own properties: its retention label, content type and these columns; in
    several ways, the narrower behind the wider, for places that do not take them.

    Raises `ValueError` for what is no internal name of a column.
    """
    for column in columns:
        if not _COLUMN.fullmatch(column):
            raise ValueError("a column is named by its internal name: letters, digits and underscores")
    wanted = ",".join(dict.fromkeys((*_SENSITIVITY, *columns)))
    return (
        f"$expand=retentionLabel,listItem($expand=fields($select={wanted}))",
        "$expand=retentionLabel,listItem($expand=fields)",
        "$expand=retentionLabel",
    )


def is_expanded(described: Described) -> bool:
    """Whether what `expansions` ask for is in this description; some places leave it out without a word."""
    return "listItem" in described or "retentionLabel" in described


def id_of(described: Described) -> str:
    """The item's id, `""` if there is none that could be one."""
    return _id(described.get("id"))


def parent_of(described: Described) -> str:
    """The id of the folder in which the item lies, `""` if that is not said."""
    return _id(_part(described, "parentReference").get("id"))


def name_of(described: Described) -> bytes:
    """The item's name; its id where what is said could be no name of one item in one folder."""
    name = _text(described.get("name"))
    if name in ("", ".", "..") or "/" in name or "\0" in name:
        name = id_of(described)
    return name.encode("utf-8", "surrogatepass")


def is_deleted(described: Described) -> bool:
    return isinstance(described.get("deleted"), Mapping)


def is_root(described: Described) -> bool:
    return isinstance(described.get("root"), Mapping)


def is_package(described: Described) -> bool:
    return isinstance(described.get("package"), Mapping)


def is_folder(described: Described) -> bool:
    """Whether it is a folder in which items lie: a package and a link to a folder elsewhere are none."""
    if is_package(described) or isinstance(described.get("remoteItem"), Mapping):
        return False
    return is_root(described) or isinstance(described.get("folder"), Mapping)


def skip_reason(described: Described) -> SkipReason | None:
    """Why the item is left unread by what it is, wherever it lies."""
    if is_package(described):
        return SkipReason.PACKAGE
    if isinstance(described.get("remoteItem"), Mapping):
        return SkipReason.SHORTCUT
    file = described.get("file")
    if not isinstance(file, Mapping):
        return SkipReason.NO_CONTENT
    if isinstance(described.get("malware"), Mapping) or isinstance(file.get("malware"), Mapping):
        return SkipReason.MALWARE
    if _was_never_checked_in(_part(described, "publication")):
        return SkipReason.NO_CONTENT
    return None


def _was_never_checked_in(publication: Described) -> bool:
    """A library that demands check-out numbers the first draft 0.x and gives it to nobody else."""
    version = _text(publication.get("versionId"))
    return publication.get("level") == "checkout" and (version == "" or version.startswith("0."))


def version_seen(described: Described, *, unread: bool) -> Version:
    """The item's version. That of an item left `unread` says nothing of its content: no later one shall pass for equal
    to what was never read."""
    return Version(id_of(described), _text(described.get("eTag")), "" if unread else content_of(described))


def hash_may_be_late(described: Described, now: datetime) -> bool:
    """Whether the hash that is told may still be that of the bytes before the last change."""
    if _text(described.get("name")).rpartition(".")[2].lower() not in _HASHED_LATE:
        return False
    modified = _moment(described.get("lastModifiedDateTime"))
    return modified is None or now - modified < _HASHED_AFTER


def size_of(described: Described) -> int:
    """In bytes, as the service reports it: of Office files it may differ from what is downloaded."""
    size = described.get("size")
    return size if isinstance(size, int) and not isinstance(size, bool) and 0 <= size < 1 << 62 else 0


@dataclass(frozen=True, slots=True)
class Beside:
    """What is known of an item beside its description."""

    columns: tuple[str, ...] = ()
    sharing: str = ""
    data_location: str = ""


def item_of(described: Described, ref: ItemRef, version: Version, generation: int, beside: Beside) -> Item:
    """The item as a caller hears of it.

    The dates are those of the file (`fileSystemInfo`), which clients that synchronise or migrate set to what they had
    before, and the library's own where there are none: so they tell of the document rather than of its upload, can be
    set by whoever writes it, and change when columns are written. The owner is who created the item, by address where
    there is one.
    """
    of_file = _part(described, "fileSystemInfo")
    created = _moment(of_file.get("createdDateTime")) or _moment(described.get("createdDateTime"))
    modified = _moment(of_file.get("lastModifiedDateTime")) or _moment(described.get("lastModifiedDateTime"))
    return Item(
        ref,
        version.encode(),
        size_of(described),
        modified or created or _EPOCH,
        created,
        owner=_who(described.get("createdBy")),
        file_id=version.item_id.encode(),
        marks=marks_of(described, beside),
        generation=generation,
    )


def marks_of(described: Described, beside: Beside) -> dict[str, str]:
    """What the item bears at its source, by name; only what it does bear."""
    label = _part(described, "retentionLabel")
    settings = _part(label, "retentionSettings")
    behaviour = _text(settings.get("behaviorDuringRetentionPeriod"))
    listed = _part(described, "listItem")
    fields = _part(listed, "fields")
    labelled = _moment(label.get("labelAppliedDateTime"))
    marks = {
        "retention_label": _text(label.get("name")),
        "retention_label_behaviour": behaviour,
        "retention_label_applied": labelled.date().isoformat() if labelled else "",
        "record": "yes" if behaviour in ("retainAsRecord", "retainAsRegulatoryRecord") else "",
        "sensitivity_label": next((value for name in _SENSITIVITY if (value := _value(fields.get(name)))), ""),
        "sharing": beside.sharing,
        "editor": _who(described.get("lastModifiedBy")),
        "content_type": _text(_part(listed, "contentType").get("name")),
        "checked_out": "yes" if isinstance(_part(described, "publication").get("checkedOutBy"), Mapping) else "",
        "data_location": beside.data_location,
    }
    marks.update({f"column:{name}": _value(fields.get(name)) for name in beside.columns})
    return {name: value[:_LONGEST_VALUE] for name, value in marks.items() if value}


def is_shared(described: Described) -> bool:
    """Whether the item is shared by itself, beyond what its folder is."""
    return isinstance(described.get("shared"), Mapping)


def sharing_of(described: Described, permissions: Iterable[Described]) -> str:
    """How widely the item is shared: `anonymous`, `external`, `organisation` or `people`; the widest that holds.

    Permissions that come from a folder above are no sharing of the item.
    """
    found = {_SHARED_BY.get(_text(_part(described, "shared").get("scope")), "people")}
    for permission in permissions:
        if isinstance(permission.get("inheritedFrom"), Mapping):
            continue
        link = permission.get("link")
        if isinstance(link, Mapping):
            found.add(_SHARED_BY.get(_text(link.get("scope")), "people"))
        if _names_a_guest(permission):
            found.add("external")
    return next(how for how in _WIDEST_FIRST if how in found)


def _names_a_guest(permission: Described) -> bool:
    if _text(_part(permission, "invitation").get("email")):
        return True
    identities = [permission.get("grantedToV2"), permission.get("grantedTo")]
    for several in (permission.get("grantedToIdentitiesV2"), permission.get("grantedToIdentities")):
        identities.extend(several if isinstance(several, list) else ())
    for identity in identities:
        if not isinstance(identity, Mapping):
            continue
        for who in ("siteUser", "user"):
            said = _part(identity, who)
            if any(_GUEST.search(_text(said.get(key))) for key in ("loginName", "email", "userPrincipalName", "id")):
                return True
    return False


def _who(identities: object) -> str:
    user = _part(identities, "user") if isinstance(identities, Mapping) else {}
    return next((text for key in ("email", "userPrincipalName", "displayName") if (text := _text(user.get(key)))), "")


def _value(value: object) -> str:
    """A column's value as text. Of one with parts (a lookup, a person, a place) we take what people see."""
    match value:
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return str(value)
        case str():
            return value.strip()
        case list():
            return ", ".join(filter(None, map(_value, value)))
        case {"LookupValue": str(shown)} | {"Label": str(shown)} | {"Description": str(shown)}:
            return shown.strip()
        case _:
            return ""


def _part(described: Described, name: str) -> Described:
    part = described.get(name)
    return part if isinstance(part, Mapping) else {}


def _id(value: object) -> str:
    return value if isinstance(value, str) and _ID.fullmatch(value) else ""


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _moment(value: object) -> datetime | None:
    """A point in time in UTC; none for what is no date, or none of a document."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if moment.year > 1 else None
