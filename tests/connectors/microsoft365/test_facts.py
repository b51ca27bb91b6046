"""What is read out of what the service says of an item, and what is asked for beside it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.base import Found, Item, ItemRef, KnowsNothing, SkipReason
from connectors.microsoft365 import facts
from connectors.microsoft365.facts import Beside
from connectors.microsoft365.sites import Wanted
from tests.connectors.microsoft365.callers import Caller
from tests.connectors.microsoft365.drives import WRITER, Library, library, told
from tests.emulator import Fault


@pytest.fixture
def there() -> Iterator[Library]:
    with library(roles=WRITER) as made:
        made.emulator.tenant.add_retention_label("Keep 7 years", "retain")
        made.emulator.tenant.add_retention_label("Deed", "retainAsRecord")
        yield made


def item_of(described: dict[str, Any], **beside: Any) -> Item:
    full = {"id": "01A", "eTag": '"{A},1"', "name": "a.txt", "file": {}, **described}
    version = facts.version_seen(full, unread=False)
    return facts.item_of(full, ItemRef(b"", b"a.txt"), version, 1, Beside(**beside))


# Dates and people


def test_dates_are_those_of_the_file_and_else_those_of_the_library() -> None:
    of_library = {"createdDateTime": "2024-03-01T09:00:00Z", "lastModifiedDateTime": "2024-03-02T09:00:00Z"}
    of_file = {"createdDateTime": "2011-05-06T07:08:09.1234567Z", "lastModifiedDateTime": "2012-05-06T07:08:09+01:00"}
    item = item_of({**of_library, "fileSystemInfo": of_file})
    assert item.created_at == datetime(2011, 5, 6, 7, 8, 9, 123456, UTC)
    assert item.modified_at == datetime(2012, 5, 6, 6, 8, 9, tzinfo=UTC)
    item = item_of(of_library)
    assert item.created_at == datetime(2024, 3, 1, 9, tzinfo=UTC)
    assert item.modified_at == datetime(2024, 3, 2, 9, tzinfo=UTC)


@pytest.mark.parametrize("bad", [None, 7, "", "yesterday", "0001-01-01T00:00:00Z", "2024-13-01T00:00:00Z", "9" * 99])
def test_a_date_that_is_none_is_passed_over(bad: Any) -> None:
    item = item_of({"fileSystemInfo": {"createdDateTime": bad}, "createdDateTime": "2024-03-01T09:00:00Z"})
    assert item.created_at == item.modified_at == datetime(2024, 3, 1, 9, tzinfo=UTC)


def test_a_date_without_a_zone_is_in_utc() -> None:
    item = item_of({"createdDateTime": "2024-03-01T09:00:00"})
    assert item.created_at == datetime(2024, 3, 1, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("user", "owner"),
    [
        ({"email": "ann@contoso.example", "displayName": "Ann"}, "ann@contoso.example"),
        ({"userPrincipalName": "ann@contoso.example", "displayName": "Ann"}, "ann@contoso.example"),
        ({"displayName": "Ann", "id": "1"}, "Ann"),
        ({}, ""),
        ("Ann", ""),
    ],
)
def test_the_owner_is_who_created_the_item(user: Any, owner: str) -> None:
    assert item_of({"createdBy": {"user": user}}).owner == owner
    assert item_of({"lastModifiedBy": {"user": user}}).marks.get("editor", "") == owner


# What is never opened


@pytest.mark.parametrize(
    ("described", "reason"),
    [
        ({"file": {}}, None),
        ({"file": {}, "publication": {"level": "published", "versionId": "1.0"}}, None),
        ({"file": {}, "publication": {"level": "checkout", "versionId": "3.0"}}, None),
        ({"file": {}, "publication": {"level": "checkout", "versionId": "0.1"}}, SkipReason.NO_CONTENT),
        ({"file": {}, "publication": {"level": "checkout"}}, SkipReason.NO_CONTENT),
        ({"file": {"malware": {}}}, SkipReason.MALWARE),
        ({"file": {}, "malware": {"description": "x"}}, SkipReason.MALWARE),
        ({"package": {"type": "oneNote"}}, SkipReason.PACKAGE),
        ({"package": {"type": "oneNote"}, "folder": {}}, SkipReason.PACKAGE),
        ({"remoteItem": {"id": "x"}, "file": {}}, SkipReason.SHORTCUT),
        ({"remoteItem": {"id": "x"}, "folder": {}}, SkipReason.SHORTCUT),
        ({"bundle": {}}, SkipReason.NO_CONTENT),
        ({}, SkipReason.NO_CONTENT),
    ],
)
def test_why_an_item_is_left_unread(described: dict[str, Any], reason: SkipReason | None) -> None:
    assert facts.skip_reason(described) == reason
    assert not facts.is_folder(described)


# Labels and columns


def test_a_retention_label_is_a_mark_with_what_it_does(there: Library) -> None:
    there.drive.label(there.put(b"a.txt", b"x"), "Keep 7 years")
    there.drive.label(there.put(b"b.txt", b"x"), "Deed")
    there.put(b"c.txt", b"x")
    today = there.emulator.clock.now().date().isoformat()
    kept, deed, plain = (there.item(path).marks for path in ("a.txt", "b.txt", "c.txt"))
    assert (kept["retention_label"], kept["retention_label_behaviour"]) == ("Keep 7 years", "retain")
    assert kept["retention_label_applied"] == today
    assert "record" not in kept
    assert (deed["retention_label"], deed["record"]) == ("Deed", "yes")
    assert not any(name.startswith(("retention", "record")) for name in plain)


def test_a_label_that_is_set_on_a_folder_is_told_of_all_that_is_in_it(there: Library) -> None:
    there.put(b"Deeds/a.txt", b"x")
    caller = Caller(there.drive)
    there.run(caller)
    there.drive.label(there.drive.id_of("Deeds"), "Deed")
    (change,) = told(there.run(caller), Found)
    assert change.same_content
    assert change.item.marks["record"] == "yes"


@pytest.mark.parametrize("how", ["ignored", "refused"])
def test_labels_that_the_feed_does_not_tell_are_asked_for_of_what_is_new_only(there: Library, how: str) -> None:
    there.drive.quirks.delta_expands = how
    labelled = there.put(b"a.txt", b"x")
    there.drive.label(labelled, "Keep 7 years")
    for number in range(30):
        there.put(b"%02d.txt" % number, b"x")
    caller = Caller(there.drive)
    there.run(caller)
    item = caller.at("a.txt").item
    assert item is not None
    assert item.marks["retention_label"] == "Keep 7 years"
    assert sum(call.cost for call in there.calls("/items/")) == 31
    assert len(there.calls("$batch", "POST")) == 2
    caller.cursor = None
    there.run(caller)
    assert sum(call.cost for call in there.calls("/items/")) == 31


def test_a_place_without_labels_is_read_all_the_same(there: Library) -> None:
    there.drive.quirks.delta_expands = "refused"
    there.put(b"a.txt", b"x")
    there.put(b"b.txt", b"x")
    there.emulator.faults.add(Fault(path="expand=", status=400, code="invalidRequest", times=None))
    caller = Caller(there.drive)
    there.run(caller)
    assert caller.paths == ["a.txt", "b.txt"]
    there.put(b"c.txt", b"x")
    asked = len(there.emulator.log)
    there.run(caller)
    assert caller.paths == ["a.txt", "b.txt", "c.txt"]
    assert len(there.emulator.log) - asked <= 5


@pytest.mark.parametrize("refused", [r"fields\(\$select", "listItem"])
def test_a_place_that_does_not_tell_columns_still_tells_labels(there: Library, refused: str) -> None:
    there.drive.label(there.put(b"a.txt", b"x"), "Deed")
    there.put(b"b.txt", b"x")
    for path in (rf"/root/delta.*{refused}", rf"/items/.*{refused}"):
        there.emulator.faults.add(Fault(path=path, status=400, code="invalidRequest", times=None))
    assert there.item("a.txt").marks["record"] == "yes"


def test_a_feed_that_takes_no_options_at_all_is_read_all_the_same(there: Library) -> None:
    there.put(b"Staff/a.txt", b"x")
    there.emulator.faults.add(Fault(path=r"/root/delta\?.*select", status=400, code="invalidRequest", times=None))
    caller = Caller(there.drive)
    there.run(caller)
    assert caller.paths == ["Staff/a.txt"]


def test_columns_that_were_asked_for_are_marks_and_others_are_not() -> None:
    wanted = Wanted(all_sites=True, columns=("CaseNumber", "Closed", "Missing"))
    with library(roles=WRITER, wanted=wanted) as there:
        for name, kind in (("CaseNumber", "text"), ("Closed", "boolean"), ("Private", "text")):
            there.drive.columns.add(name, kind)
        there.drive.fields(there.put(b"a.txt", b"x"), CaseNumber="C-17", Closed=True, Private="no business of ours")
        marks = there.item("a.txt").marks
        assert {name: value for name, value in marks.items() if name.startswith("column:")} == {
            "column:CaseNumber": "C-17",
            "column:Closed": "yes",
        }
        assert "no business" not in repr(marks)


@pytest.mark.parametrize("name", ["", "a b", "a)", "1a", "a,b", "$x", "é", "a" * 65])
def test_what_is_no_name_of_a_column_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="internal name"):
        facts.expansions((name,))


@pytest.mark.parametrize(
    ("value", "mark"),
    [
        ("text ", "text"),
        (7, "7"),
        (1.5, "1.5"),
        (False, "no"),
        (["a", "b"], "a, b"),
        ({"LookupId": 3, "LookupValue": "Leeds"}, "Leeds"),
        ([{"LookupValue": "Leeds"}, {"LookupValue": "York"}], "Leeds, York"),
        ({"Label": "Term", "TermGuid": "x"}, "Term"),
        (None, None),
        ({"x": 1}, None),
        ("x" * 1000, "x" * 255),
    ],
)
def test_values_of_columns_are_what_people_see(value: Any, mark: str | None) -> None:
    item = item_of({"listItem": {"fields": {"C": value}}}, columns=("C",))
    assert item.marks.get("column:C") == mark


def test_a_sensitivity_label_is_taken_where_the_library_shows_it_and_is_never_paid_for(there: Library) -> None:
    assert item_of({"listItem": {"fields": {"_DisplayName": "Secret"}}}).marks["sensitivity_label"] == "Secret"
    assert item_of({"listItem": {"fields": {"_IpLabelId": "42"}}}).marks["sensitivity_label"] == "42"
    there.put(b"a.txt", b"x")
    there.pages(KnowsNothing())
    assert [call for call in there.emulator.log if "SensitivityLabel" in call.path] == []


def test_a_content_type_is_a_mark(there: Library) -> None:
    there.put(b"a.txt", b"x")
    assert there.item("a.txt").marks["content_type"] == "Document"


# Sharing


def test_how_widely_an_item_is_shared_is_a_mark(there: Library) -> None:
    shared = {
        "anonymous": ("anonymous", ()),
        "external": ("people", ("friend@elsewhere.example",)),
        "organisation": ("organization", ()),
        "people": ("users", ("bob@contoso.example",)),
    }
    for name, (scope, people) in shared.items():
        there.drive.share(there.put(f"{name}.txt".encode(), b"x"), scope, to=people)
    there.put(b"none.txt", b"x")
    for name in shared:
        assert there.item(f"{name}.txt").marks["sharing"] == name
    assert "sharing" not in there.item("none.txt").marks


def test_permissions_are_asked_for_of_shared_items_only(there: Library) -> None:
    for number in range(5):
        there.put(b"%d.txt" % number, b"x")
    there.drive.share(there.put(b"a.txt", b"x"), "users", to=("bob@contoso.example",))
    there.pages(KnowsNothing())
    assert len(there.calls("/permissions")) == 1


def test_an_item_of_which_permissions_are_not_told_is_read_all_the_same(there: Library) -> None:
    there.drive.share(there.put(b"a.txt", b"x"), "organization")
    there.drive.share(there.put(b"b.txt", b"x"), "anonymous")
    there.drive.share(there.put(b"c.txt", b"x"), "organization")
    there.emulator.faults.add(Fault(path="/permissions", status=403, code="accessDenied", times=None))
    found = told(there.pages(KnowsNothing(), page_items=1), Found)
    assert [change.item.marks["sharing"] for change in found] == ["organisation", "anonymous", "organisation"]
    assert len(there.calls("/permissions")) == 1, "what is not told of one item is not told of the next"


@pytest.mark.parametrize(
    ("permissions", "sharing"),
    [
        ([], "people"),
        ([{"link": {"scope": "anonymous"}}], "anonymous"),
        ([{"link": {"scope": "anonymous"}, "inheritedFrom": {"id": "01"}}], "people"),
        ([{"link": {"scope": "somethingNew"}}], "people"),
        ([{"grantedToV2": {"siteUser": {"loginName": "i:0#.f|membership|a_b.example#ext#@contoso"}}}], "external"),
        ([{"grantedToV2": {"siteUser": {"loginName": "i:0#.f|membership|urn%3aspo%3aguest#a@b"}}}], "external"),
        ([{"grantedToIdentitiesV2": [{"user": {"userPrincipalName": "a#EXT#@contoso"}}]}], "external"),
        ([{"invitation": {"email": "a@elsewhere.example"}}], "external"),
        ([{"grantedToIdentitiesV2": "all"}, {"grantedToV2": 7}, {"link": 7}], "people"),
    ],
)
def test_the_widest_sharing_counts_and_what_comes_from_folders_above_does_not(
    permissions: list[dict[str, Any]], sharing: str
) -> None:
    assert facts.sharing_of({"shared": {"scope": "users"}}, permissions) == sharing
