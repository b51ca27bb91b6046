"""$batch: up to twenty calls in one, each of which pays, waits and fails for itself."""

from __future__ import annotations

import base64
from typing import Any

from tests.emulator.http import Problem, Reply, Request, Routes
from tests.emulator.tenant import Tenant

_MOST = 20


def routes(tenant: Tenant) -> Routes:
    """The one path of batches."""
    table = Routes()

    @table.post("/$batch", cost=0)
    def batch(request: Request) -> Reply:
        calls = request.json.get("requests")
        if not isinstance(calls, list) or not 1 <= len(calls) <= _MOST:
            raise Problem(400, "BadRequest", f"A batch has between 1 and {_MOST} requests.")
        if len({each.get("id") for each in calls}) < len(calls):
            raise Problem(400, "BadRequest", "Ids in a batch must differ.")
        answers: dict[str, dict[str, Any]] = {}
        for each in calls:
            answers[each["id"]] = _answered(request, each, answers)
        return Reply(200, {"responses": list(answers.values())})

    return table


def _answered(request: Request, call: dict[str, Any], before: dict[str, dict[str, Any]]) -> dict[str, Any]:
    for needed in call.get("dependsOn", ()):
        if needed not in before or before[needed]["status"] >= 400:
            error = {"code": "FailedDependency", "message": "A request that this one depends on failed."}
            return {"id": call["id"], "status": 424, "headers": {}, "body": {"error": error}}
    reply = request.dispatch(call["method"], call["url"], call.get("headers"), call.get("body"))
    answer: dict[str, Any] = {"id": call["id"], "status": reply.status, "headers": dict(reply.headers)}
    if reply.is_json:
        answer["body"] = reply.body
    elif isinstance(reply.body, bytes):
        answer["body"] = base64.b64encode(reply.body).decode()
    return answer
