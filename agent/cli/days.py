"""Days as people type them."""

from __future__ import annotations

from datetime import date

from agent.errors import UsageError


def day(text: str, option: str = "--at") -> date:
    """The day that `text` names as YYYY-MM-DD. Raises `UsageError` that names the option."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{option}: {text!r} is not a day. Write it as YYYY-MM-DD, for example 2026-03-31.") from None
