"""The two text forms, read by the parsers of `prometheus_client`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as parse_text

from gateway.telemetry.metrics import catalogue, exposition, standing, told
from gateway.telemetry.metrics.definition import Kind
from gateway.telemetry.metrics.instruments import Exemplar, Histograms, Numbers

PARSERS = [
    pytest.param(exposition.text, parse_text, id="0.0.4"),
    pytest.param(exposition.openmetrics, parse_openmetrics, id="openmetrics"),
]
VALUES = st.text(st.characters(codec="utf-8", exclude_characters="\r\x85\u2028\u2029"))


def every_metric():
    """Something of each metric that there is."""
    found = {}
    for name, metric in catalogue.METRICS.items():
        if metric.kind is Kind.HISTOGRAM:
            family = Histograms(metric)
            family.child(*(f"a {label}" for label in metric.labels)).observe(0.3)
            found[name] = told.histograms(family)
        else:
            numbers = Numbers(metric)
            numbers.child(*(f"a {label}" for label in metric.labels)).value = 3
            found[name] = told.numbers(numbers)
    return found


def parsed(parse, text):
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in parse(text)
        for sample in family.samples
    }


@pytest.mark.parametrize(("write", "parse"), PARSERS)
def test_every_metric_is_read_as_what_it_is(write, parse):
    families = {family.name: family for family in parse(write(every_metric()))}
    for metric in catalogue.METRICS.values():
        family = families.pop(metric.prometheus)
        assert family.type == metric.kind.value
        assert family.documentation == metric.help
        assert {sample.name for sample in family.samples} == set(metric.samples)
    assert not families


def test_units_are_openmetrics_own():
    families = {
        each.name: each for each in parse_openmetrics(exposition.openmetrics(every_metric()))
    }
    assert families["process_cpu_time_seconds"].unit == "seconds"
    assert families["gateway_streams"].unit == ""
    assert "# UNIT" not in exposition.text(every_metric())


@given(values=st.tuples(VALUES, VALUES), count=st.integers(0, 2**53))
def test_whatever_labels_say_is_read_again(values, count):
    rows = {catalogue.REFUSALS.name: [[list(values), count]]}
    labels = zip(catalogue.REFUSALS.prometheus_labels, values, strict=True)
    key = "gateway_refusals_total", frozenset((label, value) for label, value in labels if value)
    assert parsed(parse_text, exposition.text(rows)) == {key: count}
    assert parsed(parse_openmetrics, exposition.openmetrics(rows)) == {key: count}


@pytest.mark.parametrize(("write", "parse"), PARSERS)
def test_buckets_are_cumulative_and_end_with_all(write, parse):
    family = Histograms(standing.LAG)
    for value in (0.001, 0.0011, 0.3, 100):
        family.child("0").observe(value)
    samples = parsed(parse, write({standing.LAG.name: told.histograms(family)}))
    name = standing.LAG.prometheus

    def bucket(bound):
        return samples[f"{name}_bucket", frozenset({("gateway_worker", "0"), ("le", bound)})]

    assert [bucket(each) for each in ("0.001", "0.0025", "0.25", "0.5", "+Inf")] == [1, 2, 2, 3, 4]
    assert samples[f"{name}_count", frozenset({("gateway_worker", "0")})] == 4
    assert samples[f"{name}_sum", frozenset({("gateway_worker", "0")})] == pytest.approx(100.3021)


def test_exemplars_are_openmetrics_own():
    family = Histograms(catalogue.CALL_DURATION)
    child = family.child("rest", "a.B/C", "OK", "")
    child.observe(0.3)
    child.show(Exemplar("0af7651916cd43dd8448eb211c80319c", 0.3, 1234.5678))
    rows = {catalogue.CALL_DURATION.name: told.histograms(family)}
    (found,) = parse_openmetrics(exposition.openmetrics(rows))
    (exemplar,) = [each.exemplar for each in found.samples if each.exemplar]
    assert exemplar.labels == {"trace_id": "0af7651916cd43dd8448eb211c80319c"}
    assert (exemplar.value, float(exemplar.timestamp)) == (0.3, 1234.568)
    assert "trace_id" not in exposition.text(rows)


def test_what_nothing_is_told_of_is_left_out():
    assert exposition.text({catalogue.CACHED.name: []}) == ""
    assert exposition.openmetrics({}) == "# EOF\n"
