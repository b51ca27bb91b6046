"""What Graph's refusals mean, one row for each way in which it words them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    RecordAtSource,
    SourceFault,
    Throttled,
    Unsupported,
)
from connectors.microsoft365.answers import Conflict, Resync, read_refusal, refusal, retry_after_seconds, said_of

REQUEST_ID = "30f4a615-5858-4dab-8ceb-8804712705cc"
HELD_FOLDER = "Request was cancelled by event received. If attempting to delete a non-empty folder, it's on hold"
WORDS = "Personnel file of Ann Hughes.docx"


def error(code: str, message: str = "", *inner: str) -> bytes:
    """An error as Graph wraps it, with inner ones in one another."""
    nested: dict[str, object] = {"request-id": REQUEST_ID, "date": "2026-03-02T08:00:00"}
    for name in reversed(inner):
        nested = {"code": name, "innerError": nested}
    return json.dumps({"error": {"code": code, "message": message, "innerError": nested}}).encode()


@dataclass(frozen=True)
class Row:
    status: int
    body: bytes
    means: type[ConnectorError]
    headers: dict[str, str] = field(default_factory=dict)
    method: str = "GET"
    delta: bool = False


ROWS = {
    "bad token": Row(401, error("InvalidAuthenticationToken", "Access token has expired."), NotSignedIn),
    "no right": Row(403, error("accessDenied", "Access denied"), PermissionDenied),
    "no right, in capitals": Row(403, error("AccessDenied"), PermissionDenied),
    "no right, as the directory words it": Row(403, error("Authorization_RequestDenied"), PermissionDenied),
    "not allowed": Row(403, error("notAllowed", "Operation not allowed"), PermissionDenied),
    "malware": Row(403, error("malwareDetected"), PermissionDenied),
    "malware, nested": Row(403, error("accessDenied", "", "malwareDetected"), PermissionDenied),
    "held folder": Row(403, error("accessDenied", HELD_FOLDER), HeldAtSource, method="DELETE"),
    "held by a label": Row(403, error("accessDenied", "A retention label forbids it."), HeldAtSource),
    "held by a compliance tag": Row(403, error("accessDenied", "A compliance tag is set"), HeldAtSource),
    "held or a record": Row(
        400, error("invalidRequest", "It cannot be deleted: it is either on hold or is a record"), HeldAtSource
    ),
    "record": Row(403, error("accessDenied", "This item is a record."), RecordAtSource),
    "locked record": Row(423, error("resourceLocked", "It is a locked record"), RecordAtSource),
    "records in the plural": Row(403, error("notAllowed", "Records cannot be deleted"), RecordAtSource),
    "a record of something else": Row(
        403, error("accessDenied", "See the DNS record and recordings"), PermissionDenied
    ),
    "held folder, as an inner exception": Row(
        500,
        error("-2130575223, Microsoft.SharePoint.SPException", "Delete all items first"),
        HeldAtSource,
        {},
        "DELETE",
    ),
    "the same exception when reading": Row(
        500, error("-2130575223, Microsoft.SharePoint.SPException", "Delete all items first"), SourceFault
    ),
    "another exception when deleting": Row(500, error("generalException"), SourceFault, {}, "DELETE"),
    "not there": Row(404, error("itemNotFound"), ItemNotFound),
    "no drive": Row(404, error("ResourceNotFound", "User's mysite not found."), ItemNotFound),
    "gone": Row(410, error("gone"), ItemNotFound),
    "gone while changes are asked for": Row(410, error("gone"), Resync, delta=True),
    "gone without a body while changes are asked for": Row(410, b"", Resync, delta=True),
    "resync, outside": Row(410, error("resyncChangesApplyDifferences"), Resync),
    "resync, nested": Row(410, error("resyncRequired", "", "resyncChangesUploadDifferences"), Resync),
    "resync of mail": Row(410, error("syncStateNotFound"), Resync),
    "resync of mail, as a bad request": Row(400, error("SyncStateInvalid"), Resync),
    "name taken": Row(409, error("nameAlreadyExists"), Conflict),
    "folder taken, in a mailbox": Row(409, error("ErrorFolderExists"), Conflict),
    "edited meanwhile": Row(409, error("resourceModified"), ItemChanged),
    "edited meanwhile, in a mailbox": Row(409, error("ErrorIrresolvableConflict"), ItemChanged),
    "some other conflict": Row(409, error("conflict"), SourceFault),
    "version has moved on": Row(412, error("preconditionFailed"), ItemChanged),
    "version has moved on, without a body": Row(412, b"", ItemChanged),
    "open in an editor": Row(423, error("accessDenied", "Lock token does not match existing lock"), LockedAtSource),
    "locked": Row(423, error("resourceLocked"), LockedAtSource),
    "locked, without a body": Row(423, b"", LockedAtSource),
    "locked, as a conflict": Row(409, error("-2147018894, Microsoft.SharePoint.SPFileLockException"), LockedAtSource),
    "locked, in words": Row(403, error("notAllowed", "The file is locked for shared use"), LockedAtSource),
    "locked site": Row(423, error("resourceLocked", "The site is locked"), LockedAtSource),
    "checked out": Row(423, error("resourceLocked", "The file is checked out for editing by Ann"), CheckedOut),
    "checked out, as a conflict": Row(
        409, error("-2130575306, Microsoft.SharePoint.SPFileCheckOutException"), CheckedOut
    ),
    "checked out, as a bad request": Row(400, error("invalidRequest", "The file is checked out."), CheckedOut),
    "has to be checked out first": Row(400, error("invalidRequest", "The file is not checked out."), Unsupported),
    "bad request": Row(400, error("invalidRequest"), Unsupported),
    "bad request about a lock": Row(400, error("invalidRequest", "isRecordLocked is not locked"), Unsupported),
    "metered": Row(402, error("paymentRequired"), Unsupported),
    "no such method": Row(405, error("Request_BadRequest"), Unsupported),
    "not acceptable": Row(406, b"", Unsupported),
    "too large a request": Row(413, b"", Unsupported),
    "not implemented": Row(501, error("notSupported"), Unsupported),
    "a status nobody knows": Row(499, b"", Unsupported),
    "law forbids": Row(451, b"", PermissionDenied),
    "timeout": Row(408, b"", SourceFault),
    "too early": Row(425, b"", SourceFault),
    "throttled": Row(429, error("activityLimitReached", "", "throttledRequest"), Throttled, {"Retry-After": "7"}),
    "throttled, without a word": Row(429, b"", Throttled),
    "throttled, as no right": Row(403, error("accessDenied", "", "activityLimitReached"), Throttled),
    "throttled mailbox": Row(429, error("ApplicationThrottled", "MailboxConcurrency limit"), Throttled),
    "overloaded": Row(503, error("serviceNotAvailable"), SourceFault),
    "overloaded, asks to wait": Row(503, b"<html>busy</html>", Throttled, {"retry-after": "7"}),
    "bandwidth": Row(509, error("activityLimitReached"), Throttled, {"Retry-After": "7"}),
    "bandwidth, without a body": Row(509, b"", Throttled),
    "quota": Row(507, error("quotaLimitReached"), NoRoom),
    "quota, without a body": Row(507, b"", NoRoom),
    "quota, as no right": Row(403, error("accessDenied", "", "quotaLimitReached"), NoRoom),
    "fault": Row(500, error("generalException"), SourceFault),
    "fault of a gateway, in HTML": Row(502, b"<html><body>Bad Gateway</body></html>", SourceFault),
    "slow gateway": Row(504, error("gatewayTimeout"), SourceFault),
    "a fault nobody knows": Row(599, b"", SourceFault),
    "sent elsewhere": Row(302, b"", SourceFault, {"Location": "https://evil.example/"}),
    "an error that is a word": Row(400, b'{"error":"invalid_client","error_description":"AADSTS7000215"}', Unsupported),
    "an error that is a list": Row(403, b'{"error":[1,2]}', PermissionDenied),
    "an error that is nothing": Row(404, b'{"error":null}', ItemNotFound),
    "codes that are none": Row(
        403, b'{"error":{"code":7,"message":{"value":"Access denied"},"innerError":"x"}}', PermissionDenied
    ),
    "a message in an object": Row(
        403, b'{"error":{"code":"x","message":{"lang":"en","value":"it is ON HOLD"}}}', HeldAtSource
    ),
    "JSON that is a list": Row(404, b"[1]", ItemNotFound),
    "no text at all": Row(500, bytes(range(256)), SourceFault),
    "nested too deeply to read": Row(403, b'{"error":' * 100_000, PermissionDenied),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())
def test_every_refusal_means_one_thing(row: Row) -> None:
    said = read_refusal(row.status, row.body, row.headers)
    found = refusal(said, row.headers, method=row.method, delta=row.delta)
    assert type(found) is row.means, found
    assert said_of(found) == replace(said, message="")
    assert f"HTTP {row.status}" in str(found)


def test_every_code_of_the_chain_is_kept_and_found_in_any_case() -> None:
    said = read_refusal(410, error("resyncRequired", "", "one", "resyncChangesApplyDifferences", "one"), {})
    assert said.codes == ("resyncRequired", "one", "resyncChangesApplyDifferences")
    assert said.has("RESYNCchangesapplydifferences")
    assert not said.has("resync")


def test_a_chain_without_an_end_is_read_for_a_while() -> None:
    assert len(read_refusal(403, error("outermost", "", *(f"inner{n}" for n in range(30))), {}).codes) == 8


def test_both_halves_of_a_code_of_sharepoint_are_found() -> None:
    said = read_refusal(500, error("-2130575223, Microsoft.SharePoint.SPException"), {})
    assert said.codes == ("2130575223", "Microsoft.SharePoint.SPException")


def test_the_request_id_is_told_from_the_header_or_the_body() -> None:
    other = "00000000-1111-2222-3333-444444444444"
    assert f"request {REQUEST_ID}" in str(refusal(read_refusal(500, error("x"), {}), {}))
    assert f"request {other}" in str(refusal(read_refusal(500, error("x"), {"request-id": other}), {}))
    assert "request" not in str(read_refusal(500, b"{}", {"request-id": WORDS}))


def test_nothing_that_the_source_says_in_words_gets_into_the_text() -> None:
    for status in (400, 401, 403, 404, 409, 410, 412, 423, 429, 500, 503, 507):
        body = error(WORDS, WORDS, WORDS)
        for row_body in (body, body.replace(b"innerError", b"innererror"), WORDS.encode()):
            found = refusal(read_refusal(status, row_body, {"Location": WORDS, "request-id": WORDS}), {})
            told = f"{found} {found!r} {said_of(found)!r}"
            assert "Hughes" not in told, told


def test_a_resync_says_from_where_to_go_on_but_does_not_show_it() -> None:
    headers = {"location": "https://graph.microsoft.com/v1.0/drives/1/root/delta?token=secret"}
    found = refusal(read_refusal(410, error("resyncRequired"), headers), headers)
    assert isinstance(found, Resync)
    assert found.location == headers["location"]
    assert "secret" not in f"{found} {found!r}"
    bare = refusal(read_refusal(410, b"", {}), {}, delta=True)
    assert isinstance(bare, Resync)
    assert bare.location is None


def test_trying_again_can_help_where_it_can() -> None:
    for name, temporary in {
        "held folder": False,
        "locked": True,
        "throttled": True,
        "fault": True,
        "quota": False,
    }.items():
        row = ROWS[name]
        assert refusal(read_refusal(row.status, row.body, {}), {}, method=row.method).temporary is temporary, name


def test_how_long_to_wait_is_told() -> None:
    found = refusal(read_refusal(429, b"", {}), {"Retry-After": "17"})
    assert isinstance(found, Throttled)
    assert found.retry_after_seconds == 17.0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "17"}, 17.0),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"Retry-After": "999999999"}, 86400.0),
        ({"Retry-After": "0"}, 0.0),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": ""}, None),
        ({"Retry-After": "9" * 400}, None),
        ({}, None),
        ({"Retry-After": "Mon, 02 Mar 2026 08:01:00 GMT", "Date": "Mon, 02 Mar 2026 08:00:00 GMT"}, 60.0),
        ({"Retry-After": "Mon, 02 Mar 2026 08:01:00 GMT", "Date": "Mon, 02 Mar 2026 09:00:00 GMT"}, 0.0),
        ({"Retry-After": "Mon, 02 Mar 2026 09:01:00 +0100", "Date": "Mon, 02 Mar 2026 08:00:00 -0000"}, 60.0),
        ({"Retry-After": "Mon, 99 Mar 2026 08:01:00 GMT"}, None),
        ({"Retry-After": "Fri, 01 Jan 2100 00:00:00 GMT", "Date": "nonsense"}, 86400.0),
    ],
)
def test_retry_after_is_read_by_the_answers_own_clock(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_seconds(headers) == seconds


@given(status=st.integers(400, 599), body=st.binary(max_size=200), value=st.text(max_size=30))
def test_whatever_comes_is_an_error_and_never_a_fault_of_ours(status: int, body: bytes, value: str) -> None:
    headers = {"Retry-After": value, "Date": value, "request-id": value}
    assert isinstance(refusal(read_refusal(status, body, headers), headers), ConnectorError)


json_values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["error", "code", "message", "innerError", "value", "request-id"]), inner)
    ),
    max_leaves=12,
)


@given(status=st.integers(400, 599), found=json_values)
def test_whatever_shape_an_error_has_it_is_read(status: int, found: object) -> None:
    body = json.dumps({"error": found}).encode()
    assert isinstance(refusal(read_refusal(status, body, {}), {}, method="DELETE"), ConnectorError)
