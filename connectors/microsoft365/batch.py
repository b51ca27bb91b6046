"""Asking for several things at once. It saves time on the way, not resource units: each costs what it costs alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.errors import ItemNotFound, SourceFault
from connectors.microsoft365.graph import Graph

MOST = 20  # requests in one batch

_OK, _GONE = 200, (404, 410)

Object = dict[str, Any]


def get_each(graph: Graph, paths: Sequence[str], *, cost: float = 1) -> list[Object | None]:
    """What lies at each of these paths, in their order; none where there is nothing.

    What is refused in a batch is asked for by itself: waiting, renewing the token and telling faults apart is done
    there. Raises what `Graph.get` does.
    """
    found: list[Object | None] = []
    for start in range(0, len(paths), MOST):
        found.extend(_together(graph, paths[start : start + MOST], cost))
    return found


def _together(graph: Graph, paths: Sequence[str], cost: float) -> Iterator[Object | None]:
    answers = _answers(graph, paths, cost) if len(paths) > 1 else {}
    for number, path in enumerate(paths):
        answer = answers.get(str(number), {})
        status, body = answer.get("status"), answer.get("body")
        if status == _OK and isinstance(body, dict):
            yield body
        elif status in _GONE:
            yield None
        else:
            yield _alone(graph, path, cost)


def _answers(graph: Graph, paths: Sequence[str], cost: float) -> Mapping[str, Object]:
    requests = [{"id": str(number), "method": "GET", "url": path} for number, path in enumerate(paths)]
    try:
        told = graph.send("POST", "/$batch", {"requests": requests}, cost=cost * len(paths)).json or {}
    except SourceFault:
        return {}  # a batch that only asks does no harm when its answer is lost
    responses = told.get("responses")
    answers = [answer for answer in responses if isinstance(answer, dict)] if isinstance(responses, list) else []
    waits = [_wait_seconds(answer) for answer in answers if answer.get("status") in (429, 503)]
    if waits:
        asked = [seconds for seconds in waits if seconds is not None]
        graph.gate.throttled(max(asked) if asked else None)
    return {answer["id"]: answer for answer in answers if isinstance(answer.get("id"), str)}


def _wait_seconds(answer: Object) -> float | None:
    headers = answer.get("headers")
    for name, value in headers.items() if isinstance(headers, dict) else ():
        if name.lower() == "retry-after" and isinstance(value, str) and value.strip().isascii() and value.isdigit():
            return float(value)
    return None


def _alone(graph: Graph, path: str, cost: float) -> Object | None:
    try:
        return graph.get(path, cost=cost)
    except ItemNotFound:
        return None
