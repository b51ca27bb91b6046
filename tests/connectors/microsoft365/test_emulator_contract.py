"""Every request and every answer is held against Graph's description: what must be caught is caught, and quickly."""

from __future__ import annotations

import copy
import functools
import json
import time
import urllib.parse
from datetime import UTC, datetime
from typing import Any

import openapi_spec_validator
import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.emulator import Emulator, Request
from tests.emulator.contract import Contract
from tests.emulator.description import Description, description, document
from tests.emulator.http import Headers, Reply, decoded

ITEM_PATH = "/drives/b!d/items/01A"
LABEL_PATH = ITEM_PATH + "/retentionLabel"
ITEM = {
    "id": "01A",
    "name": "a.txt",
    "size": 5,
    "eTag": '"{A},1"',
    "createdDateTime": "2026-01-01T00:00:00Z",
    "file": {"mimeType": "text/plain", "hashes": {"quickXorHash": "aCgDG9jwBgAAAAAABQAAAAAAAAA="}},
    "parentReference": {"driveId": "b!d", "id": "01R", "driveType": "documentLibrary"},
    "@microsoft.graph.downloadUrl": "https://localhost/a",
    "retentionLabel": {"name": "Keep", "retentionSettings": {"behaviorDuringRetentionPeriod": "retain"}},
}


def request(method: str, url: str, body: Any = None, **headers: str) -> Request:
    path, _, query = url.partition("?")
    content = {} if body is None else {"Content-Type": "application/json"}
    return Request(
        method,
        decoded(path),
        dict(urllib.parse.parse_qsl(query)),
        Headers({"Authorization": "Bearer t"} | content | headers),
        b"" if body is None else json.dumps(body).encode(),
        datetime.now(UTC),
        None,  # type: ignore[arg-type] - nobody asks the service for anything here
        raw_path="/v1.0" + path,
    )


def wrong_in_request(method: str, url: str, body: Any = None, **headers: str) -> list[str]:
    contract = Contract()
    contract.check_request(request(method, url, body, **headers))
    return contract.violations


def wrong_in_answer(method: str, url: str, reply: Reply) -> list[str]:
    contract = Contract()
    contract.check_answer(request(method, url), reply)
    return contract.violations


def but(item: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return copy.deepcopy(item) | changes


def test_the_description_with_our_supplement_is_sound() -> None:
    openapi_spec_validator.validate(document())


@pytest.mark.parametrize(
    ("method", "url", "body"),
    [
        ("GET", ITEM_PATH + "?$select=id,eTag&$expand=retentionLabel", None),
        ("GET", ITEM_PATH + "/children?$select=id,size,@microsoft.graph.downloadUrl", None),
        ("GET", "/drives/b!d/root/delta?token=abc&$top=10", None),
        ("GET", ITEM_PATH + "/delta()", None),
        ("GET", "/sites/contoso.sharepoint.com,1,2/drives", None),
        ("PATCH", LABEL_PATH, {"name": "Keep 7 years"}),
        ("PATCH", ITEM_PATH, {"name": "b.txt", "parentReference": {"id": "01Q"}}),
        ("POST", ITEM_PATH + "/children", {"name": "x", "folder": {}, "@microsoft.graph.conflictBehavior": "fail"}),
        ("PATCH", ITEM_PATH + "/listItem/fields", {"AnyColumn": "any value"}),
        ("POST", ITEM_PATH + "/invite", {"recipients": [{"objectId": "1"}], "roles": ["write"]}),
        ("DELETE", ITEM_PATH + "/permissions/aTowIy5m", None),
        ("GET", "/sites/s/recycleBin/items", None),
        ("DELETE", "/users/u/mailFolders/f", None),
        ("GET", "/organization", None),
        ("GET", "/drives/b!d/root:/Staff/a%23b.txt:/children", None),
    ],
)
def test_what_graph_knows_passes(method: str, url: str, body: Any) -> None:
    assert wrong_in_request(method, url, body) == []


@pytest.mark.parametrize(
    ("method", "url", "body", "told"),
    [
        ("PATCH", LABEL_PATH, {"label": "Keep 7 years"}, "'label' was unexpected"),
        ("PATCH", LABEL_PATH, {"name": 7}, "name: 7 is not of type"),
        ("PATCH", LABEL_PATH, {"retentionSettings": {"isRecordLocked": "yes"}}, "isRecordLocked: 'yes' is not"),
        ("PATCH", LABEL_PATH, {"retentionSettings": {"isRecordLockd": True}}, "'isRecordLockd' was unexpected"),
        ("PATCH", ITEM_PATH, {"parentReference": {"itemId": "01Q"}}, "'itemId' was unexpected"),
        ("POST", ITEM_PATH + "/children", {"name": "x", "@microsoft.graph.conflictBehavior": "overwrite"}, "conflict"),
        ("PATCH", ITEM_PATH + "?@microsoft.graph.conflictBehavior=skip", {"name": "x"}, "conflictBehavior"),
        ("POST", ITEM_PATH + "/invite", {"roles": ["write"]}, "'recipients' is a required property"),
        ("POST", ITEM_PATH + "/invite", {"recipients": [{"id": "1"}], "roles": ["write"]}, "'id' was unexpected"),
        ("POST", ITEM_PATH + "/invite", {"recipients": [{}], "roles": ["contribute"]}, "'contribute' is not one of"),
        ("GET", ITEM_PATH + "?$fields=id", None, "$fields is not known here"),
        ("GET", ITEM_PATH + "?$select=id,etag", None, "names etag, which is no property"),
        ("GET", ITEM_PATH + "/children?$select=id,Size", None, "names Size, which is no property"),
        ("GET", ITEM_PATH + "/retentionLabels", None, "no such operation"),
        ("POST", LABEL_PATH, {}, "no such operation"),
        ("GET", "/drive/b!d/root/delta", None, "no such operation"),
        ("PATCH", LABEL_PATH, None, "request body"),
    ],
)
def test_what_graph_does_not_know_is_caught(method: str, url: str, body: Any, told: str) -> None:
    violations = wrong_in_request(method, url, body)
    assert len(violations) == 1, violations
    assert told.lower() in violations[0].lower()
    assert violations[0].startswith(f"{method} /")


@pytest.mark.parametrize("where", ["query", "body"])
def test_a_misspelt_conflict_behaviour_is_not_held_against_those_that_follow(where: str) -> None:
    def wrong(behaviour: str) -> list[str]:
        named = {"@microsoft.graph.conflictBehavior": behaviour}
        query = "?" + urllib.parse.urlencode(named) if where == "query" else ""
        return wrong_in_request("PATCH", ITEM_PATH + query, {"name": "x"} | (named if where == "body" else {}))

    told = {one: len(wrong(one)) for one in ("skip", "rename", "overwrite", "replace", "fail")}
    assert told == {"skip": 1, "rename": 0, "overwrite": 1, "replace": 0, "fail": 0}


def test_a_body_that_is_no_json_and_one_without_its_type_are_caught() -> None:
    contract = Contract()
    broken = request("PATCH", LABEL_PATH, {})
    broken.body = b'{"name": '
    contract.check_request(broken)
    untyped = request("PATCH", LABEL_PATH, {"name": "x"})
    del untyped.headers["content-type"]
    contract.check_request(untyped)
    assert len(contract.violations) == 2


def test_a_call_without_a_bearer_is_caught_also_when_it_is_known_with_one() -> None:
    contract = Contract()
    contract.check_request(request("GET", ITEM_PATH))
    bare = request("GET", ITEM_PATH)
    del bare.headers["authorization"]
    contract.check_request(bare)
    assert [violation.partition(" request: ")[2][:16] for violation in contract.violations] == ["SecurityNotFound"]


def test_answers_as_graph_gives_them_pass() -> None:
    assert wrong_in_answer("GET", ITEM_PATH, Reply(200, ITEM)) == []
    assert wrong_in_answer("GET", ITEM_PATH + "/children", Reply(200, {"value": [ITEM, ITEM]})) == []
    problem = {"error": {"code": "itemNotFound", "message": "gone", "innerError": {"code": "x", "date": "y"}}}
    assert wrong_in_answer("GET", ITEM_PATH, Reply(404, problem)) == []
    redirect = Reply(302, None, {"Location": "https://localhost/a"})
    assert wrong_in_answer("GET", ITEM_PATH + "/content", redirect) == []
    assert wrong_in_answer("DELETE", ITEM_PATH, Reply(204)) == []


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (Reply(200, but(ITEM, size="5")), "is not of type 'integer'"),
        (Reply(200, but(ITEM, Size=5)), "'Size' was unexpected"),
        (Reply(200, but(ITEM, createdDateTime="yesterday")), "is not a 'date-time'"),
        (Reply(200, but(ITEM, file={"hashes": {"quickXor": "x"}})), "'quickXor' was unexpected"),
        (Reply(200, [ITEM]), "is not of type 'object'"),
        (Reply(200), "ata"),
        (Reply(204), "204"),
        (Reply(404, {"code": "itemNotFound"}), "'error' is a required property"),
        (Reply(423, {"error": {"code": 423, "message": "locked"}}), "code: 423 is not of type 'string'"),
    ],
)
def test_answers_that_graph_does_not_give_are_caught(reply: Reply, told: str) -> None:
    violations = wrong_in_answer("GET", ITEM_PATH, reply)
    assert violations, "nothing was found wrong"
    assert told in violations[0]


def test_one_wrong_element_among_many_right_ones_is_caught_also_after_they_are_known() -> None:
    contract = Contract()
    path = ITEM_PATH + "/children"
    for _ in range(2):
        contract.check_answer(request("GET", path), Reply(200, {"value": [ITEM] * 50}))
    assert contract.violations == []
    contract.check_answer(request("GET", path), Reply(200, {"value": [*[ITEM] * 50, but(ITEM, size="5")]}))
    assert len(contract.violations) == 1
    again = Contract()
    again.check_answer(request("GET", path), Reply(200, {"value": [but(ITEM, size="5")]}))
    assert len(again.violations) == 1, "what is known to be wrong is told to everybody"
    again = Contract()
    again.check_answer(request("GET", path), Reply(200, {"value": [ITEM]}))
    assert again.violations == [], "and is not held against others"


MESSAGES = "/users/ann/messages/AAMk"


@pytest.mark.parametrize(
    ("url", "right", "wrong"),
    [
        (
            LABEL_PATH,
            {"retentionSettings": {"behaviorDuringRetentionPeriod": "retain"}},
            {"retentionSettings": {"behaviorDuringRetentionPeriod": "retainAsRecrod"}},
        ),
        (ITEM_PATH, {"createdDateTime": "2026-02-28T00:00:00Z"}, {"createdDateTime": "2026-02-30T00:00:00Z"}),
        (ITEM_PATH, {"folder": {"childCount": 2**31 - 1}}, {"folder": {"childCount": 2**31}}),
        (ITEM_PATH, {"size": 2**63 - 1}, {"size": 2**63}),
        (ITEM_PATH, {"size": 5}, {"size": 5.5}),
        (MESSAGES + "/attachments/A", {"contentBytes": "AA=="}, {"contentBytes": "AA="}),
    ],
)
def test_a_wrong_value_does_not_hide_behind_a_right_one(url: str, right: Any, wrong: Any) -> None:
    assert wrong_in_answer("GET", url, Reply(200, right)) == []
    assert len(wrong_in_answer("GET", url, Reply(200, wrong))) == 1


words = "a retain retainAsRecord read 2026-01-01T00:00:00Z 2026-13-01T00:00:00Z 2026-01-01 AA==".split()
others = ("", None, True, 0, -1, 5, 2**31, 2**63, 1.5, [], ["a"], {}, {"user": {"displayName": "Ann"}}, {"nonsense": 1})
places = """size name createdDateTime file folder deleted parentReference createdBy retentionLabel x
    file/mimeType file/hashes file/hashes/quickXorHash parentReference/id retentionLabel/name
    retentionLabel/labelAppliedDateTime retentionLabel/retentionSettings/behaviorDuringRetentionPeriod""".split()
changed = st.tuples(st.sampled_from(places), st.sampled_from(words) | st.sampled_from(others))


@settings(max_examples=60, deadline=None)
@given(st.lists(changed, max_size=3))
def test_a_remembered_verdict_is_the_one_that_openapi_core_would_give(changes: list[tuple[str, Any]]) -> None:
    item = copy.deepcopy(ITEM)
    for place, value in changes:
        *way, last = place.split("/")
        inner: Any = item
        for step in way:
            inner = inner.get(step) if isinstance(inner, dict) else None
        if isinstance(inner, dict):
            inner[last] = copy.deepcopy(value)
    remembering, asking = description(), Description(document_once())
    place = "/drives/{drive-id}/items/{driveItem-id}"
    remembered = remembering.judge_answer(request("GET", ITEM_PATH), Reply(200, item), place)
    assert bool(remembered) == bool(asking.judge_answer(request("GET", ITEM_PATH), Reply(200, item), place))


@functools.cache
def document_once() -> dict[str, Any]:
    return document()


def test_the_emulator_tells_at_its_end() -> None:
    with pytest.raises(AssertionError, match=r"PATCH /drives/.*retentionLabel request: .*'label' was unexpected"):
        patch_with_a_typo(Emulator())
    patch_with_a_typo(Emulator(check=False))


def test_a_failing_test_is_not_hidden_by_what_the_emulator_tells() -> None:
    with pytest.raises(ZeroDivisionError), Emulator() as graph:
        requests.get(f"{graph.graph_url}/nonsense", verify=graph.ca_file, timeout=5)
        raise ZeroDivisionError


def test_of_every_n_calls_one_is_looked_at() -> None:
    with Emulator(check_every=3) as graph, session(graph) as http:
        for _ in range(2):
            http.get(f"{graph.graph_url}/nonsense")
        assert graph.violations == []
        http.get(f"{graph.graph_url}/nonsense")
        assert len(graph.violations) == 1
        graph.violations.clear()


def patch_with_a_typo(emulator: Emulator) -> None:
    with emulator as graph, session(graph) as http:
        drive = graph.tenant.add_site("HR", path="/sites/hr").add_library("Documents")
        item = drive.put("a.txt", b"hello")
        graph.tenant.add_retention_label("Keep", behaviour="retain")
        http.patch(f"{graph.graph_url}/drives/{drive.id}/items/{item}/retentionLabel", json={"label": "Keep"})


def session(graph: Emulator) -> requests.Session:
    http = requests.Session()
    http.trust_env = False
    http.verify = graph.ca_file
    app = graph.tenant.add_app(roles={"Sites.FullControl.All"})
    http.headers["Authorization"] = f"Bearer {graph.token_for(app)}"
    return http


def test_looking_at_everything_costs_little() -> None:
    contract = Contract()
    page = {"value": [but(ITEM, name=f"{n}.txt", size=n) for n in range(200)]}
    contract.check_answer(request("GET", ITEM_PATH + "/children"), Reply(200, page))
    started = time.process_time()
    for _ in range(10):
        contract.check_answer(request("GET", ITEM_PATH + "/children"), Reply(200, page))
    spent = time.process_time() - started
    assert spent < 2000 * 0.0005, f"{spent / 2000 * 1e6:.0f} µs for an item"
    assert contract.violations == []
