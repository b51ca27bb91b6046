"""Holds with everything filled in that a test does not care about."""

from __future__ import annotations

from datetime import UTC, datetime

from agent.model.hold import Hold, HoldKind, HoldScope

PLACED = datetime(2026, 3, 1, 10, 30, 0, 123456, tzinfo=UTC)


def a_hold(name: str = "Smith v Acme", **parts: object) -> Hold:
    given: dict[str, object] = {
        "kind": HoldKind.LEGAL_HOLD,
        "scope": HoldScope("path: HR/**\n"),
        "reason": "A claim",
        "citation": "Claim 2026-17",
        "placed_by": "jo",
        "placed_at": PLACED,
    }
    return Hold(0, name, **{**given, **parts})  # type: ignore[arg-type]
