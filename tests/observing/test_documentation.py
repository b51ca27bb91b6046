"""The how-to says of metrics and events what the code says."""

from __future__ import annotations

import re
from pathlib import Path

from agent.observing.metrics import METRICS
from agent.observing.sentences import MESSAGE_IDS

TEXT = (Path(__file__).parents[2] / "docs" / "how-to" / "monitor-the-service.md").read_text(encoding="utf-8")


def test_every_metric_stands_in_the_how_to_with_its_labels() -> None:
    rows = re.findall(r"^\| `(retentiond_\w+)` \| ([^|]*) \| ([^|]*) \|$", TEXT, re.MULTILINE)
    assert {name: (said, tuple(filter(None, labels.strip().split(", ")))) for name, labels, said in rows} == METRICS


def test_every_event_that_an_administrator_may_wait_for_stands_in_the_how_to() -> None:
    assert dict(re.findall(r"^\| `([\w.]+)` \| [^|]* \| `([0-9a-f]{32})` \|$", TEXT, re.MULTILINE)) == MESSAGE_IDS
