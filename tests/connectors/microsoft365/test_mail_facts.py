"""What is read out of what the service says of messages and folders."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.errors import SourceFault
from connectors.microsoft365 import mail_facts as facts
from connectors.microsoft365.mail_cursor import MailCursor
from connectors.microsoft365.mail_facts import MailVersion
from connectors.microsoft365.mail_folders import component, is_quarantine, read_folder
from connectors.microsoft365.restricted import QUARANTINE_NAME

MESSAGE: dict[str, Any] = {
    "id": "AAkALgAAAAAAHYQ-0123456789ab",
    "changeKey": "CQAAABYAAAC4",
    "createdDateTime": "2024-05-06T09:32:00Z",
    "lastModifiedDateTime": "2024-05-07T00:00:00Z",
    "receivedDateTime": "2024-05-06T09:31:59Z",
    "sentDateTime": "2024-05-06T09:30:00Z",
    "hasAttachments": False,
    "isDraft": False,
    "parentFolderId": "AAMkAGVm",
    "singleValueExtendedProperties": [{"id": "Long 0xe08", "value": "4711"}],
}


def version(**changes: Any) -> MailVersion:
    return facts.version_of({**MESSAGE, **changes})


def _sized(size: str) -> list[dict[str, str]]:
    return [{"id": "Long 0xe08", "value": size}]


def test_a_version_is_read_back_as_it_was() -> None:
    assert MailVersion.decode(version().encode()) == version()


@pytest.mark.parametrize("recorded", [b"", b"{}", b"[1]", b'["m1","a","b","c","d"]', b"[" * 100_000, b'"m1"'])
def test_anything_else_is_no_version(recorded: bytes) -> None:
    assert MailVersion.decode(recorded) is None


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({}, True),
        ({"changeKey": "another"}, True),
        ({"lastModifiedDateTime": "2024-05-08T00:00:00Z"}, False),
        ({"lastModifiedDateTime": "2024-05-08T00:00:00Z", "parentFolderId": "another"}, True),
        ({"parentFolderId": "another", "singleValueExtendedProperties": _sized("4712")}, False),
        ({"singleValueExtendedProperties": _sized("4712")}, False),
        ({"hasAttachments": True, "parentFolderId": "another"}, False),
        ({"singleValueExtendedProperties": []}, True),
        ({"lastModifiedDateTime": "x", "parentFolderId": "another", "singleValueExtendedProperties": []}, False),
        ({"lastModifiedDateTime": "x", "parentFolderId": "another", "isDraft": True}, False),
        ({"id": "another"}, False),
    ],
)
def test_the_content_is_the_same_where_nothing_but_reading_and_moving_has_happened(
    changes: dict[str, Any], same: bool
) -> None:
    assert version().same_content(version(**changes)) is same
    assert version(**changes).same_content(version()) is same


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({}, True),
        ({"singleValueExtendedProperties": []}, True),
        ({"changeKey": "x"}, False),
        ({"parentFolderId": "x"}, False),
    ],
)
def test_the_very_version_is_another_thing(changes: dict[str, Any], same: bool) -> None:
    assert version().is_at(version(**changes)) is same


@pytest.mark.parametrize("missing", ["id", "changeKey", "lastModifiedDateTime", "parentFolderId"])
def test_a_message_of_which_too_little_is_said_is_a_fault(missing: str) -> None:
    with pytest.raises(SourceFault):
        facts.version_of({name: value for name, value in MESSAGE.items() if name != missing})


@pytest.mark.parametrize("size", ["", "-1", "1e9", "9" * 40, "x"])
def test_a_size_that_is_none_is_not_believed(size: str) -> None:
    assert facts.size_of({**MESSAGE, "singleValueExtendedProperties": _sized(size)}) == 0


@pytest.mark.parametrize("properties", [None, "x", [1], [{}], [{"id": 1}], [{"id": "Long 0xe08", "value": 5}]])
def test_properties_of_another_shape_are_none(properties: Any) -> None:
    assert facts.size_of({**MESSAGE, "singleValueExtendedProperties": properties}) == 0
    assert facts.property_of({**MESSAGE, "singleValueExtendedProperties": properties}, "String {0} Name x") == ""


@pytest.mark.parametrize("date", [None, "", "yesterday", "0001-01-01T00:00:00Z", 5])
def test_a_date_that_is_none_gives_way_to_the_next(date: Any) -> None:
    item = facts.item_of({**MESSAGE, "receivedDateTime": date}, b"Inbox", "inbox", "ann", 1)
    assert item.created_at == datetime(2024, 5, 6, 9, 32, tzinfo=UTC)
    nowhere = facts.item_of({**MESSAGE, "receivedDateTime": date, "createdDateTime": date}, b"", "", "ann", 1)
    assert nowhere.created_at == datetime(1970, 1, 1, tzinfo=UTC)


def test_a_date_without_a_zone_is_in_utc() -> None:
    item = facts.item_of({**MESSAGE, "receivedDateTime": "2024-05-06T09:31:59"}, b"Inbox", "inbox", "ann", 1)
    assert item.created_at == datetime(2024, 5, 6, 9, 31, 59, tzinfo=UTC)


def test_a_draft_is_modified_when_it_was_last_written_on() -> None:
    item = facts.item_of({**MESSAGE, "isDraft": True}, b"Drafts", "drafts", "ann", 1)
    assert item.modified_at == datetime(2024, 5, 7, tzinfo=UTC)
    assert item.marks["draft"] == "yes"


def test_a_name_is_no_path() -> None:
    assert b"/" not in facts.name_of({**MESSAGE, "id": "AAk/0123/56789ab"})
    assert facts.name_of_gone("AAk/0123/56789ab") == b"0123-56789ab.eml"


def test_versions_show_neither_keys_nor_sizes_where_they_are_printed() -> None:
    assert "CQAAABYAAAC4" not in repr(version())


@pytest.mark.parametrize("described", [{}, {"id": ""}, {"id": 5}])
def test_a_folder_without_an_id_is_a_fault(described: dict[str, Any]) -> None:
    with pytest.raises(SourceFault):
        read_folder(described)


@pytest.mark.parametrize("hidden", [True, False])
def test_only_a_hidden_folder_is_our_quarantine(hidden: bool) -> None:
    folder = read_folder({"id": "x", "displayName": QUARANTINE_NAME.upper(), "isHidden": hidden})
    assert is_quarantine(folder) is hidden
    assert "quarantine" not in repr(folder).lower()


def test_a_folders_name_in_a_path() -> None:
    assert component("a/b") == "a\N{DIVISION SLASH}b".encode()
    assert component("a\0") == b"a"
    assert component("\0") == b"()"


def test_a_cursor_is_read_back_as_it_was_and_shows_no_ids() -> None:
    cursor = MailCursor("root", 3, datetime(2024, 5, 6, tzinfo=UTC), True, 2, folders="/users/x?$skiptoken=secret")
    assert MailCursor.decode(cursor.encode()) == cursor
    assert "secret" not in repr(cursor)


@pytest.mark.parametrize("recorded", [b"", b"{}", b"[]", b"null", b'{"form":"mail-1"}', b"[" * 100_000])
def test_anything_else_is_no_cursor(recorded: bytes) -> None:
    assert MailCursor.decode(recorded) is None


def test_a_cursor_in_the_midst_of_nothing_is_none() -> None:
    cursor = MailCursor("root", 3, datetime(2024, 5, 6, tzinfo=UTC), True, 2, stage="messages")
    assert MailCursor.decode(cursor.encode()) is None
