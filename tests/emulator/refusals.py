"""What Graph refuses to an application, and in which words.

The documentation does not say what a held item or a record answers; the words and codes here are those that people have
reported. The order is the service's: first the site, then what somebody else holds open, then what must be retained.
"""

from __future__ import annotations

from enum import StrEnum

from tests.emulator.drive_items import Drive
from tests.emulator.drive_nodes import Node
from tests.emulator.http import Problem, Request
from tests.emulator.people import application
from tests.emulator.tenant import Site

_ON_HOLD = (
    "Request was cancelled by event received. "
    "If attempting to delete a non-empty folder, it's possible that it's on hold"
)
_BYPASS = "bypass-shared-lock"


class Act(StrEnum):
    """What an application wants to do to an item."""

    DELETE = "delete"
    MOVE = "move"
    RENAME = "rename"
    WRITE_FIELDS = "write_fields"
    LABEL = "label"
    SHARE = "share"


def not_found() -> Problem:
    return Problem(404, "itemNotFound", "The resource could not be found.")


def refuse_by_site(site: Site, *, writing: bool) -> None:
    """Raises what a site answers that is not open, or not for writing."""
    if site.state == "deleted":
        raise Problem(404, "itemNotFound", "Requested site could not be found")
    status, code = site.blocked_by
    if site.state == "locked":
        raise Problem(status, code, "Access to this site has been blocked. Please contact the administrator.")
    if site.state == "archived":
        raise Problem(status, code, "This site has been archived.")
    if site.state == "read_only" and writing:
        raise Problem(status, code, "This site is read only at the administrator's request.")


def refuse_by_condition(drive: Drive, node: Node, request: Request) -> None:
    """Raises 412 where the caller named an eTag that is not the item's."""
    wanted = request.headers.get("If-Match")
    if wanted is None or wanted == "*" or not drive.quirks.conditions:
        return
    if node.etag not in [each.strip().removeprefix("W/") for each in _tags(wanted)]:
        raise Problem(412, "resourceModified", "ETag does not match current item's value")


def has_it_already(node: Node, request: Request) -> bool:
    """Whether the caller said by If-None-Match that it has the item as it is."""
    return node.etag in _tags(request.headers.get("If-None-Match", ""))


def refuse_by_item(drive: Drive, node: Node, request: Request, act: Act) -> None:
    """Raises what the item itself, or something in it, has against the act."""
    everything = [node, *node.below()] if act in (Act.DELETE, Act.MOVE) else [node]
    for each in everything:
        _refuse_by_others(each, request, act)
    for each in everything:
        _refuse_by_retention(drive, node, each, request, act)


def _refuse_by_others(node: Node, request: Request, act: Act) -> None:
    traits = node.traits
    if traits is None:
        return
    if traits.locked and _BYPASS not in request.prefer:
        words = "Lock token does not match existing lock" if traits.locked == "accessDenied" else "The file is locked"
        raise Problem(423, traits.locked, words)
    by = traits.checked_out_by
    if by is not None and act is not Act.SHARE and (request.app is None or by != application(request.app.client_id)):
        raise Problem(423, "resourceLocked", "The file is checked out for editing by another user.")


def _refuse_by_retention(drive: Drive, asked: Node, node: Node, request: Request, act: Act) -> None:
    traits = node.traits
    if traits is None:
        return
    if act is Act.DELETE and _must_stay(drive, node):
        if drive.quirks.folder_hold_is_a_fault and asked.is_folder:
            raise Problem(500, "-2130575223, Microsoft.SharePoint.SPException", "The operation has failed.")
        raise Problem(403, "accessDenied", _ON_HOLD)
    label = traits.label
    if label is None:
        return
    settings = label.settings(drive.quirks.kept_may_be_deleted)
    refused = (
        (act is Act.RENAME and label.is_locked)
        or (act is Act.MOVE and label.is_locked and not drive.quirks.records_move)
        or (act is Act.WRITE_FIELDS and not settings["isMetadataUpdateAllowed"])
        or (act is Act.LABEL and not settings["isLabelUpdateAllowed"])
    )
    if refused:
        raise Problem(403, "accessDenied", "The item is a record: its label does not allow this.")


def _must_stay(drive: Drive, node: Node) -> bool:
    held = node.traits is not None and node.traits.held
    label = node.label
    return held or (label is not None and not label.settings(drive.quirks.kept_may_be_deleted)["isDeleteAllowed"])


def _tags(header: str) -> list[str]:
    """The entity tags in a header; a tag may have a comma in it."""
    tags, inside, current = [], False, ""
    for char in header:
        inside ^= char == '"'
        if char == "," and not inside:
            tags.append(current.strip())
            current = ""
        else:
            current += char
    return [tag for tag in (*tags, current.strip()) if tag]
