"""The page of metrics, the dashboard and the alerts name the metrics that there are, and no others."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from gateway.errors import REASONS
from gateway.telemetry.metrics.catalogue import METRICS
from gateway.telemetry.metrics.definition import Kind

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "metrics.md").read_text()
DASHBOARD = json.loads((DOCS / "grafana" / "dashboard.json").read_text())
ALERTS = yaml.safe_load((DOCS / "prometheus" / "alerts.yaml").read_text())
RULES = [rule for group in ALERTS["groups"] for rule in group["rules"]]
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]

SAMPLES = {name: metric for metric in METRICS.values() for name in metric.samples}
SCRAPED = {"job", "instance", "le"}
"""Labels that Prometheus adds, and that of buckets."""

SELECTOR = re.compile(r"\b((?:gateway|http|rpc|process|cpython)_\w+)(?:\{([^}]*)\})?(?!\w)")
MATCHER = re.compile(r'(\w+)\s*(?:=~|!~|!=|=)\s*"([^"]*)"')
BY = re.compile(r"\bby \(([^)]*)\)")


def exprs():
    for panel in PANELS:
        for target in panel["targets"]:
            yield pytest.param(target["expr"], id=f"panel {panel['title']} {target['refId']}")
    for annotation in DASHBOARD["annotations"]["list"]:
        yield pytest.param(annotation["expr"], id=f"annotation {annotation['name']}")
    for rule in RULES:
        yield pytest.param(rule["expr"], id=f"alert {rule['alert']}")
    for index, block in enumerate(re.findall(r"```promql\n(.*?)```", PAGE, re.DOTALL)):
        yield pytest.param(block, id=f"page {index}")


EXPRS = list(exprs())


@pytest.mark.parametrize("expr", EXPRS)
def test_a_query_names_metrics_and_labels_that_there_are(expr):
    grouped = {label.strip() for group in BY.findall(expr) for label in group.split(",")}
    without_groups = BY.sub("", expr)
    found = [(name, matchers) for name, matchers in SELECTOR.findall(without_groups)]
    assert found
    known = set(SCRAPED)
    for name, matchers in found:
        labels = set(SAMPLES[name].prometheus_labels)
        assert {label for label, _ in MATCHER.findall(matchers)} <= labels | SCRAPED
        known |= labels
    assert grouped <= known
    assert expr.count("(") == expr.count(")")


@pytest.mark.parametrize("expr", EXPRS)
def test_only_counters_are_rated_and_only_buckets_have_quantiles(expr):
    for function, name in re.findall(r"(rate|increase)\((\w+)", expr):
        assert SAMPLES[name].kind is not Kind.GAUGE, function
    for inner in re.findall(r"histogram_quantile\((.*)", expr):
        assert "le" in BY.findall(inner)[0].replace(" ", "").split(",")
        assert "_bucket" in inner


@pytest.mark.parametrize("expr", EXPRS)
def test_a_reason_that_is_asked_for_is_one(expr):
    for label, value in MATCHER.findall(expr):
        if label == "gateway_reason":
            assert set(value.split("|")) <= set(REASONS)


def test_the_page_has_every_metric_as_it_is():
    row = re.compile(r"^\| `(\w+)` \| (\w+) \| (.*?) \| (.*) \|$", re.MULTILINE)
    written = {name: (kind, labels, text) for name, kind, labels, text in row.findall(PAGE)}
    for metric in METRICS.values():
        ending = "_total" if metric.kind is Kind.COUNTER else ""
        kind, labels, text = written.pop(metric.prometheus + ending)
        assert kind == metric.kind.value
        assert re.findall(r"`(\w+)`", labels) == list(metric.prometheus_labels)
        assert text.startswith(metric.help)
    assert not written


def test_no_two_metrics_have_names_that_prometheus_would_confuse():
    names = [name for metric in METRICS.values() for name in metric.samples]
    assert len(names) == len(set(names))
    assert not {metric.prometheus for metric in METRICS.values()} & {
        name
        for metric in METRICS.values()
        if metric.kind is Kind.HISTOGRAM
        for name in metric.samples
    }


def test_names_and_labels_are_prometheus():
    for metric in METRICS.values():
        for name in (*metric.samples, *metric.prometheus_labels):
            assert re.fullmatch(r"[a-z][a-z0-9_]*", name)
            assert "__" not in name


def test_panels_can_be_imported():
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    taken = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert at["x"] + at["w"] <= 24
        assert not cells & taken
        taken |= cells
    assert {each["name"] for each in DASHBOARD["templating"]["list"]} == {"datasource", "job"}


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_a_legend_names_labels_that_its_query_keeps(panel):
    for target in panel["targets"]:
        kept = {label.strip() for group in BY.findall(target["expr"]) for label in group.split(",")}
        assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= kept


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_says_what_is_wrong(rule):
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    assert rule["labels"]["severity"] in {"info", "warning", "critical"}
    assert set(rule["annotations"]) == {"summary", "description"}
    kept = {label.strip() for group in BY.findall(rule["expr"])[:1] for label in group.split(",")}
    for text in rule["annotations"].values():
        assert set(re.findall(r"\$labels\.(\w+)", text)) <= kept
    assert re.fullmatch(r"\d+[smh]", rule.get("for", "0s"))
