"""The emulated mailbox behaves as Microsoft documents it, and badly where a test wants it to."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from typing import Any

import pytest
import requests

from tests.emulator import Emulator, Fault
from tests.emulator.mail import Mailbox
from tests.emulator.mail_changes import Changes

ADDRESS = "ann@contoso.example"
IMMUTABLE = 'IdType="ImmutableId"'
MAIL = b"From: Ann <ann@contoso.example>\r\nTo: bob@contoso.example\r\nSubject: Leave\r\n\r\nUntil Monday.\r\n"


class Client:
    """Asks as an application would, with nothing in between."""

    def __init__(self, emulator: Emulator, *roles: str) -> None:
        self.emulator = emulator
        app = emulator.tenant.add_app(roles=set(roles))
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {emulator.token_for(app)}"
        self._mailbox = f"{emulator.graph_url}/users/{ADDRESS}"

    def ask(self, method: str, path: str, json: Any = None, *, prefer: str = IMMUTABLE, **headers: str) -> Any:
        url = path if path.startswith("https:") else self._mailbox + path
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        headers["Prefer"] = prefer
        # The environment may name other authorities, which win over a session's own.
        return self._session.request(method, url, json=json, headers=headers, timeout=10, verify=self.emulator.ca_file)

    def get(self, path: str, *, prefer: str = IMMUTABLE) -> Any:
        answer = self.ask("GET", path, prefer=prefer)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def round(self, path: str, *, prefer: str = IMMUTABLE) -> tuple[list[Any], str]:
        """All that one round of changes tells, and the link to the next one."""
        told: list[Any] = []
        while True:
            page = self.get(path, prefer=prefer)
            told += page["value"]
            if "@odata.deltaLink" in page:
                return told, page["@odata.deltaLink"]
            path = page["@odata.nextLink"]

    def close(self) -> None:
        self._session.close()


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as made:
        made.tenant.add_user(ADDRESS, drive=False)
        yield made


@pytest.fixture
def box(emulator: Emulator) -> Mailbox:
    user = emulator.tenant.user(ADDRESS)
    assert user is not None
    return user.mailbox


@pytest.fixture
def client(emulator: Emulator) -> Iterator[Client]:
    made = Client(emulator, "Mail.ReadWrite")
    yield made
    made.close()


def _changes(box: Mailbox, folder: str = "Inbox") -> str:
    return f"/mailFolders/{box.folder(folder)}/messages/delta"


def _ids(told: list[Any]) -> list[str]:
    return [entry["id"] for entry in told]


# Ids


def test_an_id_changes_with_every_move_unless_it_is_an_immutable_one(client: Client, box: Mailbox) -> None:
    id = box.deliver("Inbox", MAIL)
    (told,), _ = client.round(_changes(box), prefer="")
    assert told["id"] != id
    archive = box.folder("Archive")
    moved = client.ask("POST", f"/messages/{told['id']}/move", {"DestinationId": archive}, prefer="")
    assert moved.status_code == 201
    assert moved.json()["id"] not in (told["id"], id)
    assert client.ask("GET", f"/messages/{told['id']}", prefer="").status_code == 404
    assert client.get(f"/messages/{id}")["parentFolderId"] == archive
    back = client.ask("POST", f"/messages/{id}/move", {"DestinationId": "inbox"})
    assert back.json()["id"] == id


def test_the_preference_holds_for_the_request_it_came_with(client: Client, box: Mailbox) -> None:
    id = box.deliver("Inbox", MAIL)
    _, link = client.round(_changes(box))
    box.edit(id, MAIL + b".")
    assert _ids(client.round(link)[0]) == [id]
    assert _ids(client.round(link, prefer="")[0]) != [id]


# Changes of folders


def test_folders_are_told_with_where_they_lie_and_afterwards_what_changed(client: Client, box: Mailbox) -> None:
    box.folder("HR/Leavers")
    told, link = client.round("/mailFolders/delta")
    names = {entry["id"]: entry["displayName"] for entry in told}
    assert {"Inbox", "Deleted Items", "HR", "Leavers"} <= set(names.values())
    assert "Top of Information Store" not in names.values()
    hr = box.folder("HR")
    assert next(entry for entry in told if entry["displayName"] == "Leavers")["parentFolderId"] == hr
    assert client.round(link)[0] == []
    box.rename_folder("HR", "People")
    told, link = client.round(link)
    assert [(entry["id"], entry["displayName"]) for entry in told] == [(hr, "People")]
    box.remove_folder("People")
    told, link = client.round(link)
    assert {entry["id"]: entry["@removed"]["reason"] for entry in told}[hr] == "deleted"


def test_a_hidden_folder_is_listed_to_those_who_ask(client: Client, box: Mailbox) -> None:
    made = client.ask("POST", "/mailFolders", {"displayName": "Secret", "isHidden": True})
    assert (made.status_code, made.json()["isHidden"]) == (201, True)
    shown = {entry["displayName"] for entry in client.get("/mailFolders?$top=100")["value"]}
    everything = {
        entry["displayName"] for entry in client.get("/mailFolders?$top=100&includeHiddenFolders=true")["value"]
    }
    assert everything - shown == {"Secret"}
    assert "Secret" in {entry["displayName"] for entry in client.round("/mailFolders/delta")[0]}
    box.quirks.tells_hidden_folders = False
    assert "Secret" not in {entry["displayName"] for entry in client.round("/mailFolders/delta")[0]}
    again = client.ask("POST", "/mailFolders", {"displayName": "secret"})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "ErrorFolderExists")


def test_folders_come_in_pages(client: Client, box: Mailbox) -> None:
    for number in range(15):
        box.folder(f"HR/{number}")
    path: str | None = f"/mailFolders/{box.folder('HR')}/childFolders?$top=4"
    sizes = []
    while path:
        page = client.get(path)
        sizes.append(len(page["value"]))
        path = page.get("@odata.nextLink")
    assert sizes == [4, 4, 4, 3]


# Changes of messages


def test_messages_come_in_pages_of_the_size_that_was_asked_for(client: Client, box: Mailbox) -> None:
    ids = [box.deliver("Inbox", MAIL) for _ in range(12)]
    first = client.get(_changes(box), prefer=f"{IMMUTABLE}, odata.maxpagesize=5")
    assert _ids(first["value"]) == ids[:5]
    assert len(client.get(_changes(box))["value"]) == 10
    assert _ids(client.get(first["@odata.nextLink"])["value"]) == ids[5:]
    assert _ids(client.get(first["@odata.nextLink"])["value"]) == ids[5:]


def test_what_changes_while_pages_are_read_is_told_in_the_next_round(client: Client, box: Mailbox) -> None:
    ids = [box.deliver("Inbox", MAIL) for _ in range(4)]
    first = client.get(_changes(box), prefer=f"{IMMUTABLE}, odata.maxpagesize=2")
    late = box.deliver("Inbox", MAIL)
    box.move(ids[3], "Archive")
    told, link = client.round(first["@odata.nextLink"])
    assert _ids(told) == [ids[2]]
    told, _ = client.round(link)
    assert {entry["id"]: "@removed" in entry for entry in told} == {late: False, ids[3]: True}


def test_only_what_was_selected_is_told_and_the_id(client: Client, box: Mailbox) -> None:
    box.deliver("Inbox", MAIL)
    (told,), _ = client.round(f"{_changes(box)}?$select=hasAttachments")
    assert {name for name in told if not name.startswith("@")} == {"id", "hasAttachments"}
    (told,), _ = client.round(_changes(box))
    assert told["subject"] == "Leave"
    assert told["from"]["emailAddress"] == {"name": "Ann", "address": ADDRESS}


def test_of_a_message_that_was_only_read_a_part_is_told_and_its_date_stays(client: Client, box: Mailbox) -> None:
    id = box.deliver("Inbox", MAIL)
    (before,), link = client.round(_changes(box))
    box.read(id)
    (told,), _ = client.round(link)
    assert set(told) - {"@odata.type"} == {"id", "isRead", "parentFolderId"}
    now = client.get(f"/messages/{id}")
    assert now["changeKey"] != before["changeKey"]
    assert now["lastModifiedDateTime"] == before["lastModifiedDateTime"]
    _, unselected = client.round(f"{_changes(box)}?$select=subject")
    box.read(id, False)
    assert client.round(unselected)[0] == []


def test_a_moved_message_is_told_as_removed_here_and_as_new_there(client: Client, box: Mailbox) -> None:
    id = box.deliver("Inbox", MAIL)
    _, here = client.round(_changes(box))
    _, there = client.round(_changes(box, "Archive"))
    box.move(id, "Archive")
    assert [entry["@removed"] for entry in client.round(here)[0]] == [{"reason": "deleted"}]
    assert [entry["parentFolderId"] for entry in client.round(there)[0]] == [box.folder("Archive")]


def test_a_service_may_lose_sight_of_what_arrives_with_an_immutable_id(client: Client, box: Mailbox) -> None:
    box.quirks.loses_arrivals = True
    id = box.deliver("Inbox", MAIL)
    _, here = client.round(_changes(box))
    _, there = client.round(_changes(box, "Archive"))
    box.move(id, "Archive")
    assert client.round(there)[0] == []
    assert len(client.round(there, prefer="")[0]) == 1
    box.move(id, "Inbox")
    assert [entry["@removed"] for entry in client.round(here)[0]] == [{"reason": "deleted"}]


def test_a_link_that_is_too_old_or_was_forgotten_is_gone(client: Client, box: Mailbox) -> None:
    _, link = client.round(_changes(box))
    _, folders = client.round("/mailFolders/delta")
    Changes(box).forget(box.folder("Inbox"))
    answer = client.ask("GET", link)
    assert (answer.status_code, answer.json()["error"]["code"]) == (410, "SyncStateNotFound")
    assert client.ask("GET", folders).status_code == 200
    box.quirks.token_days = 0.0
    client.emulator.clock.advance(1)
    assert client.ask("GET", folders).status_code == 410


def test_only_a_date_can_be_asked_for(client: Client, box: Mailbox, emulator: Emulator) -> None:
    box.deliver("Inbox", MAIL)
    emulator.clock.advance(60)
    at = emulator.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    late = box.deliver("Inbox", MAIL)
    assert _ids(client.round(f"{_changes(box)}?$filter=receivedDateTime ge {at}")[0]) == [late]
    assert client.ask("GET", f"{_changes(box)}?$filter=isRead eq false").status_code == 400


def test_extended_properties_are_told_where_they_are_asked_for(client: Client, box: Mailbox) -> None:
    id = box.deliver("Inbox", MAIL)
    ask = "$expand=singleValueExtendedProperties($filter=id eq 'Long 0x0E08' or id eq 'String {0} Name x')"
    (told,), _ = client.round(f"{_changes(box)}?$select=id&{ask}")
    assert told["singleValueExtendedProperties"] == [{"id": "Long 0x0E08", "value": str(len(MAIL))}]
    body = {"singleValueExtendedProperties": [{"id": "String {0} Name x", "value": "y"}]}
    assert client.ask("PATCH", f"/messages/{id}", body).status_code == 200
    found = client.get(f"/messages/{id}?{ask}")["singleValueExtendedProperties"]
    assert {"id": "String {0} Name x", "value": "y"} in found
    box.quirks.expands = False
    assert client.ask("GET", f"{_changes(box)}?{ask}").status_code == 400


# Content


def test_a_message_is_given_out_whole(client: Client, box: Mailbox) -> None:
    id = box.deliver("Inbox", MAIL)
    answer = client.ask("GET", f"/messages/{id}/$value")
    assert answer.content == MAIL
    assert answer.headers["Content-Type"].startswith("text/plain")


def test_attachments_of_every_kind_are_listed_and_those_with_content_given_out(client: Client, box: Mailbox) -> None:
    inner = EmailMessage()
    inner["Subject"] = "Inner"
    inner.set_content("inside")
    mail = EmailMessage()
    mail["From"], mail["Subject"] = ADDRESS, "Outer"
    mail.set_content("outside")
    mail.add_attachment(b"%PDF-1.4", maintype="application", subtype="pdf", filename="a.pdf")
    mail.add_attachment(inner)
    id = box.deliver("Inbox", mail.as_bytes())
    box.refer(id, "plan.docx", "https://contoso.sharepoint.com/plan.docx")
    found = client.get(f"/messages/{id}/attachments")["value"]
    kinds = {entry["@odata.type"].rpartition(".")[2]: entry for entry in found}
    assert set(kinds) == {"fileAttachment", "itemAttachment", "referenceAttachment"}
    path = f"/messages/{id}/attachments"
    assert client.ask("GET", f"{path}/{kinds['fileAttachment']['id']}/$value").content == b"%PDF-1.4"
    assert b"inside" in client.ask("GET", f"{path}/{kinds['itemAttachment']['id']}/$value").content
    assert client.ask("GET", f"{path}/{kinds['referenceAttachment']['id']}/$value").status_code == 400
    assert client.get(f"{path}/{kinds['fileAttachment']['id']}?$select=name")["name"] == "a.pdf"
    assert client.ask("GET", f"{path}/none").status_code == 404
    assert client.get(f"/messages/{id}")["hasAttachments"] is True


# Acts


def test_a_deleted_message_lies_among_what_can_be_recovered_for_a_while(client: Client, box: Mailbox) -> None:
    id = box.deliver("Inbox", MAIL)
    assert client.ask("DELETE", f"/messages/{id}").status_code == 204
    assert box.where(id) == "recoverableitemsdeletions"
    assert [*box.messages()] == []
    assert client.ask("GET", f"/messages/{id}").status_code == 200
    box.quirks.dumpster_is_visible = False
    assert client.ask("GET", f"/messages/{id}").status_code == 404
    box.quirks.dumpster_is_visible = True
    client.emulator.clock.advance(15 * 86400)
    client = Client(client.emulator, "Mail.Read")  # the old token is out of date
    assert client.ask("GET", f"/messages/{id}").status_code == 404
    client.close()


def test_a_service_may_first_put_what_is_deleted_where_people_see_it(client: Client, box: Mailbox) -> None:
    box.quirks.deletes_into = "deleteditems"
    id = box.deliver("Inbox", MAIL)
    client.ask("DELETE", f"/messages/{id}")
    assert box.where(id) == "deleteditems"
    client.ask("DELETE", f"/messages/{id}")
    assert box.where(id) == "recoverableitemsdeletions"


@pytest.mark.parametrize(
    ("recovery", "held", "where"),
    [
        (True, False, "recoverableitemspurges"),
        (True, True, "recoverableitemsdiscoveryholds"),
        (False, True, "recoverableitemsdiscoveryholds"),
    ],
)
def test_what_is_deleted_for_good_stays_where_something_keeps_it(
    client: Client, box: Mailbox, recovery: bool, held: bool, where: str
) -> None:
    box.quirks.single_item_recovery = recovery
    box.hold(held)
    id = box.deliver("Inbox", MAIL)
    assert client.ask("POST", f"/messages/{id}/permanentDelete").status_code == 204
    assert box.where(id) == where
    client.emulator.clock.advance(15 * 86400)
    assert (box.message(id) is not None) == held


def test_what_nothing_keeps_is_gone_when_it_is_deleted_for_good(client: Client, box: Mailbox) -> None:
    box.quirks.single_item_recovery = False
    id = box.deliver("Inbox", MAIL)
    client.ask("POST", f"/messages/{id}/permanentDelete")
    assert box.message(id) is None


def test_a_change_key_is_minded_where_that_is_documented(client: Client, box: Mailbox) -> None:
    id = box.deliver("Inbox", MAIL)
    old = client.get(f"/messages/{id}")["@odata.etag"]
    box.edit(id, MAIL + b".")
    refused = client.ask("PATCH", f"/messages/{id}", {"categories": ["Red"]}, If_Match=old)
    assert (refused.status_code, refused.json()["error"]["code"]) == (412, "ErrorIrresolvableConflict")
    assert client.ask("DELETE", f"/messages/{id}", If_Match=old).status_code == 412
    assert client.ask("POST", f"/messages/{id}/move", {"DestinationId": "archive"}, If_Match=old).status_code == 201
    now = client.get(f"/messages/{id}")["@odata.etag"]
    changed = client.ask("PATCH", f"/messages/{id}", {"categories": ["Red"]}, If_Match=now)
    assert changed.json()["categories"] == ["Red"]
    box.quirks.conditions_on_moves = True
    assert client.ask("POST", f"/messages/{id}/move", {"DestinationId": "inbox"}, If_Match=now).status_code == 412


def test_nothing_is_moved_into_a_folder_that_is_not_there(client: Client, box: Mailbox) -> None:
    id = box.deliver("Inbox", MAIL)
    assert client.ask("POST", f"/messages/{id}/move", {"DestinationId": "none"}).status_code == 404


def test_folders_can_be_renamed_and_deleted(client: Client, box: Mailbox) -> None:
    id = box.deliver("HR", MAIL)
    path = f"/mailFolders/{box.folder('HR')}"
    assert client.ask("PATCH", path, {"displayName": "People"}).json()["displayName"] == "People"
    assert client.ask("DELETE", path).status_code == 204
    assert client.ask("GET", path).status_code == 404
    assert box.where(id) == "recoverableitemsdeletions"


# Who may ask, and how often


def test_a_reader_may_change_nothing(emulator: Emulator, box: Mailbox) -> None:
    id = box.deliver("Inbox", MAIL)
    reader = Client(emulator, "Mail.Read")
    assert reader.ask("GET", f"/messages/{id}").status_code == 200
    refused = reader.ask("POST", f"/messages/{id}/move", {"DestinationId": "archive"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "ErrorAccessDenied")
    reader.close()


def test_who_has_no_mailbox_is_told_apart_from_who_is_not_there(emulator: Emulator, client: Client) -> None:
    emulator.tenant.add_user("bob@contoso.example", drive=False, mailbox=False)
    for address, code in (("bob", "MailboxNotEnabledForRESTAPI"), ("nobody", "ErrorInvalidUser")):
        answer = client.ask("GET", f"{emulator.graph_url}/users/{address}@contoso.example/mailFolders")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, code)


def test_a_fifth_request_at_once_to_one_mailbox_is_refused(emulator: Emulator, box: Mailbox) -> None:
    id = box.deliver("Inbox", MAIL)
    emulator.faults.add(Fault(path="/messages", delay_seconds=0.6, times=None))
    client = Client(emulator, "Mail.Read")
    with ThreadPoolExecutor(8) as pool:
        statuses = [*pool.map(lambda _: client.ask("GET", f"/messages/{id}").status_code, range(8))]
    assert sorted(set(statuses)) == [200, 429]
    assert statuses.count(200) >= 4
    client.close()
