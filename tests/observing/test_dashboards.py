"""The shipped dashboard and alert rules ask for nothing that there is not."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from agent.observing.metrics import METRICS, registry_of
from tests.observing.facts import full

CONFIG = Path(__file__).parents[2] / "config"
DASHBOARD: dict[str, Any] = json.loads((CONFIG / "grafana" / "retentiond.json").read_text(encoding="utf-8"))
ALERTS: dict[str, Any] = yaml.safe_load((CONFIG / "prometheus" / "alerts.yaml").read_text(encoding="utf-8"))
RULES: list[dict[str, Any]] = [rule for group in ALERTS["groups"] for rule in group["rules"]]

SCRAPE = {"instance", "job"}  # labels that Prometheus adds
OPERATORS = frozenset({"and", "or", "unless"})
NAME = re.compile(r"\b([a-zA-Z_:][a-zA-Z0-9_:]*)\b(?!\s*\()\s*(\{[^}]*\})?")


def asked(expression: str) -> Iterator[tuple[str, set[str]]]:
    """The metrics of an expression, each with the labels that are asked of it."""
    left = re.sub(r"\[[^\]]*\]", "", expression)  # how far back
    left = re.sub(r"\b(by|on|ignoring)\s*\([^)]*\)", "", left)
    for found in NAME.finditer(left):
        name, selector = found.groups()
        if name not in OPERATORS and not _inside_braces(left, found.start()):
            yield name, set(re.findall(r"([a-z_]+)\s*[=!]~?", selector or ""))


def grouped(expression: str) -> set[str]:
    """The labels that an expression groups or matches by."""
    lists = re.findall(r"\b(?:by|on|ignoring)\s*\(([^)]*)\)", expression)
    return {label.strip() for one in lists for label in one.split(",")}


def _inside_braces(text: str, at: int) -> bool:
    return text.count("{", 0, at) > text.count("}", 0, at)


def told() -> dict[str, set[str]]:
    """Every metric that a scrape gives, with its labels."""
    text = generate_latest(registry_of(full)).decode()
    return {
        sample.name: set(sample.labels) for family in text_string_to_metric_families(text) for sample in family.samples
    }


def panels() -> list[dict[str, Any]]:
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def expressions() -> list[tuple[str, str, set[str]]]:
    """Each expression with where it stands and the labels of which its words make use."""
    found = []
    for panel in panels():
        for target in panel["targets"]:
            used = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            found.append((f"panel {panel['title']}", target["expr"], used))
    for rule in RULES:
        used = set(re.findall(r"\$labels\.(\w+)", " ".join(rule["annotations"].values())))
        found.append((f"alert {rule['alert']}", rule["expr"], used))
    return found


@pytest.mark.parametrize(("where", "expression", "used"), expressions())
def test_an_expression_asks_only_for_metrics_and_labels_that_there_are(
    where: str, expression: str, used: set[str]
) -> None:
    known = told()
    found = list(asked(expression))
    assert found, where
    for name, labels in found:
        assert name in known, f"{where}: there is no metric {name}"
        assert labels <= known[name] | SCRAPE, f"{where}: {name} has no labels {labels - known[name]}"
    of_all = set().union(*(known[name] for name, _ in found)) | SCRAPE
    assert used | grouped(expression) <= of_all, f"{where}: {(used | grouped(expression)) - of_all}"


def test_the_check_above_sees_what_is_wrong() -> None:
    assert list(asked('sum(rate(a_total{b="c"}[5m])) or vector(0) unless on (x, y) time() - z == 1')) == [
        ("a_total", {"b"}),
        ("z", set()),
    ]
    assert grouped("sum by (reason, share) (a)") == {"reason", "share"}


def test_every_metric_of_ours_is_on_the_dashboard() -> None:
    shown = {name for _, expression, _ in expressions() for name, _ in asked(expression)}
    assert set(METRICS) - shown == set()


def test_the_variables_of_the_dashboard_ask_for_what_there_is() -> None:
    variables = {one["name"]: one for one in DASHBOARD["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    for name in ("instance", "share"):
        metric, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", variables[name]["definition"]).groups()  # type: ignore[union-attr]
        assert metric in METRICS
        assert label in {*METRICS[metric][1], "instance"}
    used = set(re.findall(r"\$\{?([a-z]+)", json.dumps(DASHBOARD["panels"])))
    assert used - {"__rate_interval"} <= set(variables)


def test_the_dashboard_takes_its_data_source_from_the_variable_and_needs_a_grafana_from_10_on() -> None:
    assert DASHBOARD["schemaVersion"] >= 38
    for panel in panels():
        for one in (panel, *panel["targets"]):
            assert one["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert panel["type"] in {"stat", "timeseries", "bargauge"}


def test_no_panel_covers_another_and_no_number_is_used_twice() -> None:
    numbers = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(numbers)) == len(numbers)
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells


def test_an_alert_is_there_for_everything_that_must_not_go_unseen() -> None:
    names = [rule["alert"] for rule in RULES]
    assert len(set(names)) == len(names)
    assert {
        "RetentiondScanLate",
        "RetentiondJobFailed",
        "RetentiondShareUnavailable",
        "RetentiondVaultSampleFailed",
        "RetentiondAuditNotAnchored",
        "RetentiondServiceSilent",
    } <= set(names)
    for rule in RULES:
        assert rule["labels"]["severity"] in {"info", "warning", "critical"}
        assert set(rule["annotations"]) == {"summary", "description"}
