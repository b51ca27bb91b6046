"""Patterns of `regex` that the standard library runs on ASCII text: the same matches, several times as fast."""

from __future__ import annotations

import re
import warnings

import regex

from agent.detection.reach import reach_of
from agent.detection.superset import NotSimpler, parsed

_FLAGS = ((regex.IGNORECASE, re.IGNORECASE), (regex.MULTILINE, re.MULTILINE), (regex.DOTALL, re.DOTALL))
# White space to `re` and not to `regex`.
_SEPARATORS = "\x1c\x1d\x1e\x1f"


def is_plain(text: str) -> bool:
    """Whether both libraries take each character of a text for the same."""
    return text.isascii() and not any(separator in text for separator in _SEPARATORS)


def for_ascii(expression: str, flags: int) -> re.Pattern[str] | None:
    """The expression for plain texts, None if `re` may read it in another way, or take forever over it.

    `re` cannot be stopped: what it is given is bounded in length.
    """
    try:
        parsed(expression, flags)
    except NotSimpler:
        return None
    if reach_of(expression, flags).length is None:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return re.compile(expression, sum(ours for theirs, ours in _FLAGS if flags & theirs))
        except (re.error, Warning, RecursionError, OverflowError):
            return None
