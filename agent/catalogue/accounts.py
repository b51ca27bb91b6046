"""The account of a decision, as a disposal keeps it for its certificate."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, date, datetime

from agent.model.disposal import Account, Approval


def write_account(account: Account) -> str:
    """As JSON; `read_account` gives the same again."""
    parts = asdict(account)
    parts["due_on"] = account.due_on.isoformat()
    for approval, written in zip(account.approvals, parts["approvals"], strict=True):
        written["at"] = approval.at.astimezone(UTC).isoformat()
    return json.dumps(parts, sort_keys=True, ensure_ascii=True)


def read_account(text: str) -> Account:
    """What `write_account` wrote."""
    parts = json.loads(text)
    parts["due_on"] = date.fromisoformat(parts["due_on"])
    approvals = [{**one, "at": datetime.fromisoformat(one["at"])} for one in parts["approvals"]]
    return Account(**{**parts, "approvals": tuple(Approval(**one) for one in approvals)})
