"""The folder at the top of a drive in which we keep what was taken, and that nobody else reaches it.

It is made when something is to be put into it, and its permissions are taken away from everybody but the officers. What
lies there keeps permissions of its own when it is moved in: those are looked at, and taken away, item by item. Whoever
administers the site reaches everything in it; nothing can keep them out.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from connectors.errors import (
    HeldAtSource,
    HoldUnavailable,
    ItemNotFound,
    LockedAtSource,
    PermissionDenied,
    PlaceTaken,
    SourceFault,
    Unsupported,
)
from connectors.microsoft365.acts import Drive, Entry
from connectors.microsoft365.retention_labels import check_may_go

QUARANTINE_NAME = ".retentiond quarantine"

_VERIFIED_SECONDS = 60.0
_NAME = re.compile(r"([0-9a-f]{32})(_s)?__.*", re.DOTALL)
_LONGEST_STEM, _LONGEST_SUFFIX = 80, 16  # of 255 characters in a name, and 400 in a whole path
_ALL_APPS = "app@sharepoint"  # the account under which a site knows applications
_IDENTITIES = ("id", "email", "userPrincipalName", "loginName")

_REACHED = (
    f"the folder '{QUARANTINE_NAME}' at the top of the drive can be reached by others; take their access away, or"
    " rename it if it is not ours, and run again"
)


def name_there(id: str, name: str, shared: bool) -> str:
    """The name of an item in quarantine: the caller's id, whether it was shared, and for people as much of its own name
    as is sure to fit."""
    stem, dot, suffix = name.rpartition(".")
    if not stem or len(suffix) > _LONGEST_SUFFIX:
        stem, dot, suffix = name, "", ""
    kept = f"{stem[:_LONGEST_STEM]}{dot}{suffix}".rstrip(". ")
    if kept.lower().startswith("vti_"):  # `_vti_` is a name that there cannot be
        kept = f"-{kept}"
    return f"{id}{'_s' if shared else ''}__{kept}"


def id_in(name: str) -> str | None:
    """The id in a name that `name_there` gave; none in the name of anything else."""
    match = _NAME.fullmatch(name)
    return match.group(1) if match else None


def was_shared(name: str) -> bool:
    """Whether the item of that name in quarantine was shared when it was taken."""
    match = _NAME.fullmatch(name)
    return match is not None and match.group(2) is not None


class Quarantine:
    """The quarantine of one drive. One thread at a time.

    `officers` are addresses or object ids of people and groups who may look into it; there has to be one, or else
    nobody's access can be told from everybody's. `client_id` is our own application's.
    """

    def __init__(
        self,
        drive: Drive,
        officers: Sequence[str],
        *,
        client_id: str = "",
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._drive = drive
        self._officers = tuple(officers)
        self._welcome = frozenset(officer.casefold() for officer in officers)
        self._ours = frozenset(each.casefold() for each in (client_id, _ALL_APPS) if each)
        self._now = now
        self._folder_id: str | None = None
        self._proof: tuple[str, float] | None = None  # of which folder it was seen when that nobody else reaches it
        self._ids: set[str] | None = None

    def ready(self) -> str:
        """The id of the folder, made if it is missing, once it is proved that only the officers and we reach it.

        A proof holds for a minute. Raises `HoldUnavailable`, with what to do, and uses nothing that may be a person's.
        """
        if self._proof is not None and self._now() - self._proof[1] < _VERIFIED_SECONDS:
            return self._proof[0]
        self.forget()
        if not self._officers:
            raise HoldUnavailable("nobody is named who may reach the quarantine; name an officer in the settings")
        try:
            folder = self._find() or self._make()
            if not self._is_closed(folder.item_id, own=True):
                self._close(folder)
            self._check_label(folder)
        except ItemNotFound:  # of an item the caller hears nothing by this
            raise SourceFault("the quarantine folder went away while it was looked at") from None
        self._folder_id, self._proof = folder.item_id, (folder.item_id, self._now())
        return folder.item_id

    def forget(self) -> None:
        """The folder has to be found and proved anew before it is used again."""
        self._folder_id = self._proof = None

    def contains(self, parent_id: str, *, as_it_is_now: bool = False) -> bool:
        """Whether what lies in the folder of that id lies in quarantine. A folder that was found to be the quarantine
        is asked for again only where it matters whether it is one still."""
        if as_it_is_now or parent_id != self._folder_id:
            entry = self._drive.folder(parent_id)
            if entry is None or not _has_its_name(entry) or entry.parent_id != self._drive.root():
                if parent_id == self._folder_id:
                    self.forget()
                return False
            self._folder_id = parent_id
        return True

    def ids(self) -> set[str]:
        """The ids under which something lies in quarantine: listed once, and from then on kept by the caller."""
        if self._ids is None:
            self._ids = {id for id, _ in self.items()}
        return self._ids

    def let_go(self, id: str) -> None:
        """What lay in quarantine under that id has left it."""
        if self._ids is not None:
            self._ids.discard(id)

    def items(self) -> Iterator[tuple[str, str]]:
        """The ids under which items lie in quarantine, and the items' own. What is foreign there is left out."""
        try:
            folder = self._find()
            for entry in self._drive.children(folder.item_id) if folder is not None else ():
                id = id_in(entry.name)
                if id is not None and not entry.is_folder:
                    yield id, entry.item_id
        except ItemNotFound:
            raise SourceFault("the quarantine folder went away while it was looked at") from None

    def is_closed_off(self, item_id: str) -> bool:
        """Whether nobody reaches the item but the officers and we, as far as we may see."""
        try:
            return self._is_closed(item_id, own=False)
        except HoldUnavailable:
            return True

    def close_off(self, item_id: str) -> bool:
        """Takes every grant and link away by which others reach an item in quarantine; whether there were any.

        Raises `PermissionDenied` if it can still be reached.
        """
        foreign = [each for each in self._permissions(item_id) if not self._is_welcome(each)]
        if not foreign:
            return False
        for permission in foreign:
            with suppress(PermissionDenied, Unsupported, LockedAtSource):  # what then is still there is seen below
                self._drive.revoke(item_id, str(permission.get("id")))
        if not self._is_closed(item_id, own=False):
            self.forget()
            raise PermissionDenied("others reach it in quarantine, too, and their access could not be taken away")
        return True

    # The folder

    def _find(self) -> Entry | None:
        """The folder. Raises `HoldUnavailable` if something else has its name."""
        for entry in self._drive.children(self._drive.root()):
            if _has_its_name(entry):
                if not entry.is_folder:
                    raise HoldUnavailable(
                        f"something at the top of the drive is called '{QUARANTINE_NAME}' and is no folder; rename it"
                    )
                return entry
        return None

    def _make(self) -> Entry:
        try:
            with suppress(PlaceTaken):  # made meanwhile, by somebody of whom nothing is assumed
                self._drive.make_folder(self._drive.root(), QUARANTINE_NAME)
        except (PermissionDenied, Unsupported, LockedAtSource):
            raise HoldUnavailable(
                f"the folder '{QUARANTINE_NAME}' cannot be made at the top of the drive: the site may be open for"
                " reading only, or our application may not write there"
            ) from None
        folder = self._find()
        if folder is None:
            raise SourceFault("the quarantine folder was made, but is not there yet")
        return folder

    def _close(self, folder: Entry) -> None:
        """Restricts a folder that has just been made, or that we made and then were interrupted."""
        if not folder.by_an_app or next(self._drive.children(folder.item_id), None) is not None:
            raise HoldUnavailable(_REACHED)
        try:
            self._drive.restrict(folder.item_id, self._officers)
        except (PermissionDenied, Unsupported, LockedAtSource):
            raise HoldUnavailable(
                f"we may not restrict the folder '{QUARANTINE_NAME}' at the top of the drive; let only the officers"
                " reach it, or allow our application to, and run again"
            ) from None
        if not self._is_closed(folder.item_id, own=True):
            raise HoldUnavailable(_REACHED)

    def _check_label(self, folder: Entry) -> None:
        """Raises `HoldUnavailable` if what is put into the folder would get a label there that does not let it go: by a
        record's it could not even be given back."""
        try:
            check_may_go(self._drive.status(folder.item_id).label)
        except HeldAtSource:
            raise HoldUnavailable(
                f"the folder '{QUARANTINE_NAME}' at the top of the drive has a retention label that would hold what is"
                " put there; take the label away, and run again"
            ) from None

    # Who reaches it

    def _is_closed(self, item_id: str, *, own: bool) -> bool:
        """Whether only the officers and we reach it. If it has to have permissions of its `own`, none of them may come
        from above, and an officer must be among them: a list that shows us nobody proves nothing."""
        permissions = self._permissions(item_id)
        if not all(self._is_welcome(each) for each in permissions):
            return False
        if not own:
            return True
        # An inherited permission has `inheritedFrom`, which is empty here: its being there is what tells.
        return not any(each.get("inheritedFrom") is not None for each in permissions) and any(
            self._names(each) & self._welcome for each in permissions
        )

    def _permissions(self, item_id: str) -> list[dict[str, Any]]:
        try:
            return self._drive.permissions(item_id)
        except (PermissionDenied, Unsupported):
            raise HoldUnavailable(
                "we may not see who reaches the quarantine; allow our application to read permissions, and run again"
            ) from None

    def _is_welcome(self, permission: Mapping[str, Any]) -> bool:
        """Whether a permission lets in nobody but an officer or us. What is not understood lets others in."""
        link = permission.get("link")
        if link is not None:
            return isinstance(link, Mapping) and link.get("scope") == "existingAccess"
        return bool(self._names(permission) & (self._welcome | self._ours))

    def _names(self, permission: Mapping[str, Any]) -> frozenset[str]:
        """By what the one to whom it was granted is called; whatever is said in several forms is about one."""
        granted = permission.get("grantedToV2") or permission.get("grantedTo") or {}
        identities = list(granted.values()) if isinstance(granted, Mapping) else []
        if not identities:
            identities = [permission.get("invitation")]  # nobody has answered to it yet
        names = [
            each[form].rpartition("|")[2].casefold()
            for each in identities
            if isinstance(each, Mapping)
            for form in _IDENTITIES
            if isinstance(each.get(form), str)
        ]
        return frozenset(names)


def _has_its_name(entry: Entry) -> bool:
    """The service takes no notice of case in names."""
    return entry.name.casefold() == QUARANTINE_NAME.casefold()
