"""The routes of mailboxes: folders, messages, what changed, attachments, and the acts on one message."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tests.emulator.http import Content, Problem, Reply, Request, Routes
from tests.emulator.mail import Mailbox
from tests.emulator.mail_changes import Changes
from tests.emulator.mail_json import folder_json, message_json, prefers_immutable_ids, selected
from tests.emulator.mail_model import Folder, Message
from tests.emulator.tenant import Tenant

_READ = ("Mail.Read", "Mail.ReadWrite")
_WRITE = ("Mail.ReadWrite",)
_USER = "/users/{user}"
_MESSAGE = _USER + "/messages/{message}"
_FOLDERS = _USER + "/mailFolders"
_FOLDER = _FOLDERS + "/{folder}"


def routes(tenant: Tenant) -> Routes:
    """The table of these routes, over one tenant."""
    table = Routes()
    at = _Mail(tenant)
    reads: dict[str, Any] = {"roles": _READ, "workload": "exchange"}
    writes: dict[str, Any] = {"roles": _WRITE, "workload": "exchange"}
    table.get(_FOLDERS, **reads)(at.folders)
    table.post(_FOLDERS, **writes)(at.make_folder)
    table.get(_FOLDERS + "/delta", **reads)(at.folder_changes)
    table.get(_FOLDER, **reads)(at.folder)
    table.patch(_FOLDER, **writes)(at.rename_folder)
    table.delete(_FOLDER, **writes)(at.delete_folder)
    table.get(_FOLDER + "/childFolders", **reads)(at.child_folders)
    table.post(_FOLDER + "/childFolders", **writes)(at.make_folder)
    table.get(_FOLDER + "/messages/delta", **reads)(at.message_changes)
    table.get(_MESSAGE, **reads)(at.message)
    table.patch(_MESSAGE, **writes)(at.update)
    table.delete(_MESSAGE, **writes)(at.delete)
    table.get(_MESSAGE + "/$value", **reads)(at.mime)
    table.get(_MESSAGE + "/attachments", **reads)(at.attachments)
    table.get(_MESSAGE + "/attachments/{attachment}", **reads)(at.attachment)
    table.get(_MESSAGE + "/attachments/{attachment}/$value", **reads)(at.attachment_content)
    table.post(_MESSAGE + "/move", **writes)(at.move)
    table.post(_MESSAGE + "/permanentDelete", **writes)(at.purge)
    return table


class _Mail:
    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant

    # Folders

    def folders(self, request: Request) -> Reply:
        box = self._box(request)
        return self._children(request, box, box.root)

    def child_folders(self, request: Request) -> Reply:
        box, folder = self._folder(request)
        return self._children(request, box, folder)

    @staticmethod
    def _children(request: Request, box: Mailbox, folder: Folder) -> Reply:
        with box.lock:
            hidden = request.query.get("includeHiddenFolders", "").lower() == "true"
            below = [one for one in box.children(folder.id) if hidden or not one.hidden]
            start = int(request.query.get("$skiptoken", "0"))
            size = int(request.query.get("$top", str(box.quirks.page_size)))
            page: dict[str, Any] = {
                "value": [selected(folder_json(box, one), request.select) for one in below[start : start + size]]
            }
            if start + size < len(below):
                page["@odata.nextLink"] = request.link(request.path, {**request.query, "$skiptoken": str(start + size)})
            return Reply(200, page)

    def folder_changes(self, request: Request) -> Reply:
        return Changes(self._box(request)).folders(request)

    def folder(self, request: Request) -> Reply:
        box, folder = self._folder(request)
        return Reply(200, selected(folder_json(box, folder), request.select))

    def make_folder(self, request: Request) -> Reply:
        box = self._box(request)
        parent = self._folder(request)[1] if "folder" in request.params else box.root
        name = request.json.get("displayName")
        if not isinstance(name, str) or not name.strip() or len(name) > 255:
            raise Problem(400, "ErrorInvalidRequest", "The folder name is not valid.")
        made = box.make_folder(parent.id, name, bool(request.json.get("isHidden", False)))
        return Reply(201, folder_json(box, made))

    def rename_folder(self, request: Request) -> Reply:
        box, folder = self._folder(request)
        box.rename(folder, str(request.json["displayName"]))
        return Reply(200, folder_json(box, folder))

    def delete_folder(self, request: Request) -> Reply:
        box, folder = self._folder(request)
        box.destroy(folder)
        return Reply(204)

    # Messages

    def message_changes(self, request: Request) -> Reply:
        box, folder = self._folder(request)
        return Changes(box).messages(request, folder)

    def message(self, request: Request) -> Reply:
        box, message = self._message(request)
        return Reply(200, self._json(request, box, message))

    def update(self, request: Request) -> Reply:
        box, message = self._message(request, acting=True)
        if box.quirks.conditions:
            _check_condition(request, message)
        properties = request.json.get("singleValueExtendedProperties", [])
        box.update(message, {one["id"]: one["value"] for one in properties}, request.json.get("categories"))
        return Reply(200, self._json(request, box, message))

    def delete(self, request: Request) -> Reply:
        box, message = self._message(request, acting=True)
        if box.quirks.conditions:
            _check_condition(request, message)
        box.delete(message)
        return Reply(204)

    def move(self, request: Request) -> Reply:
        box, message = self._message(request, acting=True)
        if box.quirks.conditions_on_moves:
            _check_condition(request, message)
        wanted = next((value for key, value in request.json.items() if key.lower() == "destinationid"), "")
        folder = box.folder_of(wanted)
        if folder is None:
            raise Problem(404, "ErrorItemNotFound", "The specified folder could not be found in the store.")
        box.move_into(message, folder.id)
        return Reply(201, self._json(request, box, message))

    def purge(self, request: Request) -> Reply:
        box, message = self._message(request, acting=True)
        box.purge(message)
        return Reply(204)

    def mime(self, request: Request) -> Reply:
        _, message = self._message(request)
        return Reply(200, Content.of(message.raw), {"Content-Type": "text/plain"})

    def attachments(self, request: Request) -> Reply:
        _, message = self._message(request)
        found = [selected(one.as_json(), request.select) for one in message.parsed.attachments]
        return Reply(200, {"value": found})

    def attachment(self, request: Request) -> Reply:
        return Reply(200, selected(self._attachment(request).as_json(), request.select))

    def attachment_content(self, request: Request) -> Reply:
        found = self._attachment(request)
        if found.kind == "referenceAttachment":
            raise Problem(400, "ErrorInvalidRequest", "A reference attachment has no content.")
        return Reply(200, Content.of(found.content), {"Content-Type": "application/octet-stream"})

    # Whose and which

    def _box(self, request: Request) -> Mailbox:
        user = self._tenant.user(request.params["user"])
        if user is None:
            raise Problem(404, "ErrorInvalidUser", "The requested user is invalid.")
        if not user.has_mailbox:
            text = "The mailbox is either inactive, soft-deleted, or is hosted on-premise."
            raise Problem(404, "MailboxNotEnabledForRESTAPI", text)
        return user.mailbox

    def _folder(self, request: Request) -> tuple[Mailbox, Folder]:
        box = self._box(request)
        folder = box.folder_of(request.params["folder"])
        if folder is None:
            raise Problem(404, "ErrorItemNotFound", "The specified object was not found in the store.")
        return box, folder

    def _message(self, request: Request, *, acting: bool = False) -> tuple[Mailbox, Message]:
        box = self._box(request)
        message = box.message(request.params["message"])
        if message is None:
            raise Problem(404, "ErrorItemNotFound", "The specified object was not found in the store.")
        if acting and message.protection is not None:
            raise message.protection
        return box, message

    def _attachment(self, request: Request) -> Any:
        _, message = self._message(request)
        wanted: Iterable[Any] = message.parsed.attachments
        found = next((one for one in wanted if one.id == request.params["attachment"]), None)
        if found is None:
            raise Problem(404, "ErrorItemNotFound", "The specified object was not found in the store.")
        return found

    @staticmethod
    def _json(request: Request, box: Mailbox, message: Message) -> dict[str, Any]:
        query: Mapping[str, str] = request.query
        return message_json(box, message, prefers_immutable_ids(request), request.select, query.get("$expand", ""))


def _check_condition(request: Request, message: Message) -> None:
    condition = request.headers.get("If-Match")
    if condition not in (None, "*", f'W/"{message.change_key}"'):
        raise Problem(412, "ErrorIrresolvableConflict", "The change key that was passed in does not match.")
