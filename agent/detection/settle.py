"""Which of several spans at one place are told."""

from __future__ import annotations

from collections.abc import Iterable

from agent.model.finding import Span


def settle(spans: Iterable[Span]) -> list[Span]:
    """The spans in order, without those inside another one that is as sure: a number inside an account number, say."""
    kept: dict[Span, None] = {}
    open_spans: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start, -span.end, -span.score, span.entity_type)):
        open_spans = [other for other in open_spans if other.end > span.start]
        if any(_covers(other, span) for other in open_spans):
            continue
        for weaker in [other for other in open_spans if _covers(span, other)]:
            kept.pop(weaker, None)
            open_spans.remove(weaker)
        kept[span] = None
        open_spans.append(span)
    return sorted(kept, key=lambda span: (span.start, span.end, span.entity_type))


def _covers(outer: Span, inner: Span) -> bool:
    if not (outer.start <= inner.start and inner.end <= outer.end):
        return False
    longer = outer.end - outer.start > inner.end - inner.start
    return outer.score > inner.score or (longer and outer.score >= inner.score)
