"""Graph's published description, and whether a request or an answer is as it says.

The judge is openapi-core with openapi/graph.yaml and openapi/supplement.yaml, read strictly: a property that the
description does not know is an error, in what we send and in what the emulator answers. Asking the judge takes
milliseconds, so its verdicts are remembered by the shape of what was judged: values of one shape have the same keys
and JSON types everywhere, the same words wherever some enumeration knows the word, and well-formed dates in the same
places. Of a long list one element of each new shape is judged. So a wrong value cannot hide behind a right one; but the
value that is told is the first one of its shape that was met.
"""

from __future__ import annotations

import functools
import json
import re
import threading
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from openapi_core import Config, OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.exceptions import OpenAPIError

from tests.emulator.http import Headers, Reply, Request

_DIRECTORY = Path(__file__).parent / "openapi"
_OPEN_TYPES = frozenset({"microsoft.graph.fieldValueSet"})  # a list's columns are whatever the list has
_ANNOTATIONS = ("@microsoft.graph.", "@odata.", "@removed")
_CONFLICT_BEHAVIOUR = "@microsoft.graph.conflictBehavior"
_CONFLICT_BEHAVIOURS = ("fail", "replace", "rename")
_DATE = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?Z")
_BASE64 = re.compile(r"([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")


@dataclass
class _Question:
    """A request in the form that openapi-core asks for."""

    method: str
    path: str
    parameters: RequestParameters
    body: bytes | None
    content_type: str
    host_url: str = "https://graph.microsoft.com"


@dataclass
class _Answer:
    """An answer in the form that openapi-core asks for."""

    status_code: int
    headers: dict[str, str]
    data: bytes | None
    content_type: str


class Description:
    """The merged, strict description; it remembers verdicts and is shared by all emulators of a process."""

    def __init__(self, document: dict[str, Any]) -> None:
        _make_strict(document)
        self._words = frozenset(_enumerated(document))
        self._bytes = frozenset(_of_format(document, "byte"))
        unvalidated = Config(spec_validator_cls=None)  # type: ignore[arg-type]  # a test validates the document, once
        self._api = OpenAPI.from_dict(document, config=unvalidated)
        self._templates: dict[int, list[tuple[re.Pattern[str], str]]] = {}
        self._queries: dict[tuple[str, str], frozenset[str]] = {}
        self._selectable: dict[tuple[str, str], frozenset[str] | None] = {}
        for template, item in document["paths"].items():
            pattern = re.compile(re.sub(r"\\\{[^/]+?\\\}", "[^/]+", re.escape(template)))
            self._templates.setdefault(template.count("/"), []).append((pattern, template))
            for method, operation in item.items():
                names = (one["name"] for one in operation["parameters"] if one["in"] == "query")
                self._queries[method.upper(), template] = frozenset(names)
                self._selectable[method.upper(), template] = _selectable(document, operation)
        for same in self._templates.values():
            same.sort(key=lambda entry: entry[1].count("{"))
        self._verdicts: dict[Hashable, tuple[str, ...]] = {}
        self._lock = threading.Lock()  # of the judge, which is not said to bear several threads

    def template(self, path: str) -> str | None:
        """The path of the description that this path is an instance of."""
        for pattern, template in self._templates.get(path.count("/"), []):
            if pattern.fullmatch(path):
                return template
        return None

    def knows(self, method: str, template: str) -> bool:
        """Whether the description has this operation."""
        return (method, template) in self._queries

    def judge_request(self, request: Request, template: str) -> tuple[str, ...]:
        """What is wrong with a request, one line each."""
        body = _parsed(request.body)
        key = (
            request.method,
            template,
            frozenset(request.query),
            request.query.get("$select"),
            "Authorization" in request.headers,
            request.headers.get("Content-Type"),
            self._shape(body) if body is not _NOT_JSON else request.body,
        )
        if (known := self._verdicts.get(key)) is None:
            known = self._verdicts[key] = tuple(self._judge_request(request, template, body))
        return (*known, *_judge_conflict_behaviour(request, body))  # its value is in no enumeration, so in no shape

    def judge_answer(self, request: Request, reply: Reply, template: str) -> tuple[str, ...]:
        """What is wrong with an answer, one line each."""
        place = (request.method, template, reply.status)
        if not isinstance(reply.body, dict):
            key: Hashable = (*place, frozenset(reply.headers), reply.headers.get("Content-Type"), reply.body is None)
            if (known := self._verdicts.get(key)) is None:
                known = self._verdicts[key] = tuple(self._judge_answer(request, reply, reply.body))
            return known
        body = dict(reply.body)
        new: dict[Hashable, Any] = {}
        shape: Hashable
        wrong: tuple[str, ...] = ()
        if isinstance(body.get("value"), list):
            for element in body["value"]:
                shape = (*place, "element", self._shape(element))
                if (verdict := self._verdicts.get(shape)) is None:
                    new.setdefault(shape, element)
                else:
                    wrong += verdict
            body["value"] = []
        whole = (*place, self._shape(body))
        if whole not in self._verdicts:
            self._verdicts[whole] = tuple(self._judge_answer(request, reply, body))
        for shape, element in new.items():
            body["value"] = [element]
            self._verdicts[shape] = tuple(self._judge_answer(request, reply, body))
            wrong += self._verdicts[shape]
        return wrong + self._verdicts[whole]

    def _judge_request(self, request: Request, template: str, body: Any) -> Iterator[str]:
        for name in sorted(set(request.query) - self._queries[request.method, template]):
            yield f"query: {name} is not known here"
        yield from self._judge_selection(request, template)
        data = request.body or None if body in (None, _NOT_JSON) else json.dumps(_without_annotations(body)).encode()
        try:
            with self._lock:
                self._api.validate_request(self._question(request, data))
        except OpenAPIError as error:
            yield from _lines(error)

    def _judge_selection(self, request: Request, template: str) -> Iterator[str]:
        """Graph is silent about a misspelt property in $select, and does not tell it ever after."""
        known = self._selectable[request.method, template]
        if known is None:
            return
        for name in filter(None, (part.strip() for part in request.query.get("$select", "").split(","))):
            if name not in known and not name.startswith("@microsoft.graph.") and name != "content.downloadUrl":
                yield f"query: $select names {name}, which is no property of what is asked for"

    def _judge_answer(self, request: Request, reply: Reply, body: Any) -> Iterator[str]:
        content_type = reply.headers.get("Content-Type", "application/json" if reply.is_json else "")
        if isinstance(body, dict | list):
            data: bytes | None = json.dumps(_without_annotations(body)).encode()
        else:
            data = None if body is None else b"content"
            content_type = content_type or ("" if body is None else "application/octet-stream")
        try:
            with self._lock:
                self._api.validate_response(
                    self._question(request, None),
                    _Answer(reply.status, reply.headers, data, content_type.partition(";")[0].lower()),
                )
        except OpenAPIError as error:
            yield from _lines(error)

    def _question(self, request: Request, data: bytes | None) -> _Question:
        parameters = RequestParameters(query=request.query, header=Headers(request.headers), cookie={}, path={})
        content_type = request.headers.get("Content-Type", "").partition(";")[0].lower()
        return _Question(request.method.lower(), request.raw_path, parameters, data, content_type)

    def _shape(self, value: Any, name: str = "") -> Hashable:
        if isinstance(value, str):
            if value in self._words:
                return value
            if name in self._bytes:
                return _BASE64.fullmatch(value) is not None
            return "date" if value[-1:] == "Z" and _DATE.fullmatch(value) is not None else str
        if isinstance(value, dict):
            return tuple((key, self._shape(inner, key)) for key, inner in value.items())
        if isinstance(value, list):
            return frozenset(self._shape(inner, name) for inner in value)
        if type(value) is int:
            return ("int", value.bit_length() > 31, value.bit_length() > 63, value < 0)
        return type(value).__name__


@functools.cache
def description() -> Description:
    """The description, read once in a process."""
    return Description(document())


def document() -> dict[str, Any]:
    """Graph's description with our supplement, as it is in the files."""
    merged: dict[str, Any]
    merged, supplement = (
        yaml.load((_DIRECTORY / name).read_text(), Loader=yaml.CSafeLoader)
        for name in ("graph.yaml", "supplement.yaml")
    )
    for template, item in supplement["paths"].items():
        merged["paths"].setdefault(template, {}).update(item)
    schemas = merged["components"]["schemas"]
    for name, schema in supplement["components"]["schemas"].items():
        schemas.setdefault(name, schema)["properties"].update(schema["properties"])
    return merged


_NOT_JSON = object()


def _parsed(body: bytes) -> Any:
    if not body:
        return None
    try:
        return json.loads(body)
    except ValueError:
        return _NOT_JSON


def _without_annotations(value: Any) -> Any:
    """A copy without OData's annotations, which any object may have; those of a list are described, and stay."""
    if isinstance(value, list):
        return [_without_annotations(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    is_list = isinstance(value.get("value"), list)
    return {
        name: _without_annotations(inner)
        for name, inner in value.items()
        if is_list or not any(annotation in name for annotation in _ANNOTATIONS)
    }


def _make_strict(node: Any, name: str = "") -> None:
    if isinstance(node, list):
        for inner in node:
            _make_strict(inner)
    elif isinstance(node, dict):
        is_object = node.get("type") == "object" and isinstance(node.get("properties"), dict)
        if is_object and name not in _OPEN_TYPES:
            node.setdefault("additionalProperties", False)
        for key, inner in node.items():
            _make_strict(inner, key)


def _selectable(document: dict[str, Any], operation: dict[str, Any]) -> frozenset[str] | None:
    """The properties of what an operation answers with; None when they can be anything, or it is not JSON."""
    content = operation["responses"].get("200", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema", {})
    name = schema.get("$ref", "").rpartition("/")[2]
    schema = document["components"]["schemas"].get(name, schema)
    if "value" in schema.get("properties", {}):
        schema = schema["properties"]["value"].get("items", {})
        name = schema.get("$ref", "").rpartition("/")[2]
        schema = document["components"]["schemas"].get(name, schema)
    return None if name in _OPEN_TYPES or "properties" not in schema else frozenset(schema["properties"])


def _enumerated(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for inner in node:
            yield from _enumerated(inner)
    elif isinstance(node, dict):
        if isinstance(node.get("enum"), list):
            yield from (word for word in node["enum"] if isinstance(word, str))
        for inner in node.values():
            yield from _enumerated(inner)


def _of_format(node: Any, wanted: str, name: str = "") -> Iterator[str]:
    if isinstance(node, list):
        for inner in node:
            yield from _of_format(inner, wanted)
    elif isinstance(node, dict):
        if node.get("format") == wanted:
            yield name
        for key, inner in node.items():
            yield from _of_format(inner, wanted, key)


def _judge_conflict_behaviour(request: Request, body: Any) -> Iterator[str]:
    behaviour = request.query.get(_CONFLICT_BEHAVIOUR)
    if isinstance(body, dict):
        behaviour = body.get(_CONFLICT_BEHAVIOUR, behaviour)
    if behaviour is not None and behaviour not in _CONFLICT_BEHAVIOURS:
        yield "conflictBehavior is none of " + ", ".join(_CONFLICT_BEHAVIOURS)


def _lines(error: OpenAPIError) -> Iterator[str]:
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    found = getattr(cause, "schema_errors", None) or getattr(error.__cause__, "schema_errors", None)
    if not found:
        yield f"{type(cause).__name__}: {cause}"
        return
    for one in found:
        message = one.message if len(one.message) < 300 else f"{one.message[:100]} … {one.message[-100:]}"
        yield f"{'/'.join(map(str, one.absolute_path)) or 'body'}: {message}"
