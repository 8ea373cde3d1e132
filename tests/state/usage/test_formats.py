"""Usage for spreadsheets and for Prometheus."""

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.state.usage.counts import NUMBERS, Caller, Count, Key
from gateway.state.usage.formats import csv_of, prometheus_of
from gateway.state.usage.question import Question, answered


def answer(subject="acme", *by):
    counts = {Key("2026-11-21", Caller("keys", subject, "free"), "a/B"): Count(1, 2, 3, 4, 5, 6)}
    return answered(Question("2026-11-21", by or ("principal", "plan", "method")), counts)


def test_csv_has_a_header_and_a_line_for_each_row():
    assert csv_of(answer()) == (
        "period,provider,subject,plan,method,calls,errors,"
        "request_messages,request_bytes,reply_messages,reply_bytes\r\n"
        "2026-11-21,keys,acme,free,a/B,1,2,3,4,5,6\r\n"
    )


@pytest.mark.parametrize(
    ("subject", "field"),
    [
        pytest.param("a,b", '"a,b"', id="a comma"),
        pytest.param('a"b', '"a""b"', id="a quote"),
        pytest.param("a\r\nb", '"a\r\nb"', id="a line"),
        pytest.param("=1+1", "'=1+1", id="formula ="),
        pytest.param("+1", "'+1", id="formula +"),
        pytest.param("-1", "'-1", id="formula -"),
        pytest.param("@SUM(A1)", "'@SUM(A1)", id="formula @"),
        pytest.param("\t=1", "'\t=1", id="formula behind a tab"),
        pytest.param('=HYPERLINK("x")', '"\'=HYPERLINK(""x"")"', id="formula with quotes"),
        pytest.param("mail@x.example", "mail@x.example", id="no formula"),
    ],
)
def test_a_field_is_quoted_and_is_no_formula(subject, field):
    assert f"keys,{field},free" in csv_of(answer(subject))


@given(st.text())
def test_any_subject_is_one_field(subject):
    (_, row) = csv.reader(io.StringIO(csv_of(answer(subject)), newline=""))
    assert row[2] in {subject, f"'{subject}"}
    assert len(row) == 5 + len(NUMBERS)


def test_prometheus_has_a_counter_for_each_number():
    text = prometheus_of(answer())
    labels = '{provider="keys",subject="acme",plan="free",method="a/B"}'
    assert (
        "# HELP gateway_usage_calls_total Calls that ended.\n"
        "# TYPE gateway_usage_calls_total counter\n"
        f"gateway_usage_calls_total{labels} 1\n"
    ) in text
    assert f"gateway_usage_reply_bytes_total{labels} 6\n" in text
    assert text.count("# TYPE ") == len(NUMBERS)


def test_one_sum_has_no_labels():
    whole = answered(
        Question("2026-11", ()), {Key("2026-11-21", Caller("", "", ""), "a/B"): Count(calls=3)}
    )
    assert "\ngateway_usage_calls_total 3\n" in prometheus_of(whole)


def test_labels_are_escaped():
    assert r'subject="a\\b\"c\nd"' in prometheus_of(answer('a\\b"c\nd'))


LINE = re.compile(r'gateway_usage_\w+_total\{(?:\w+="(?:[^"\\\n]|\\[\\"n])*",?)*\} \d+')


@given(st.text())
def test_any_subject_is_one_label(subject):
    for line in prometheus_of(answer(subject)).split("\n")[:-1]:
        assert line.startswith("# ") or LINE.fullmatch(line)
