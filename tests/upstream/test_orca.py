"""Load reports, held against protobuf's own runtime."""

import math

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from gateway.upstream.orca import LoadReport, LoadReportError, read
from tests.upstream.reports import OrcaLoadReport, load_report

FINITE = st.floats(allow_nan=False, allow_infinity=False)


@given(
    cpu=FINITE,
    application=FINITE,
    calls=FINITE,
    errors=FINITE,
    others=st.fixed_dictionaries(
        {},
        optional={
            "mem_utilization": FINITE,
            "rps": st.integers(0, 2**64 - 1),
            "request_cost": st.lists(st.text(max_size=200), max_size=3),
            "to_come": st.floats(width=32),
        },
    ),
)
def test_what_a_backend_writes_is_read(cpu, application, calls, errors, others):
    data = load_report(
        cpu_utilization=cpu,
        application_utilization=application,
        rps_fractional=calls,
        eps=errors,
        **others,
    )
    assert read(data) == LoadReport(cpu, application, calls, errors)


def test_nothing_is_a_report_of_nothing():
    assert read(b"") == LoadReport()


@given(st.binary(max_size=40))
def test_what_is_read_is_what_protobuf_reads(data):
    try:
        found = read(data)
    except LoadReportError:
        return
    try:
        expected = OrcaLoadReport.FromString(data)
    except DecodeError:
        # It looks into fields that are passed over here.
        return
    for mine, theirs in (
        (found.cpu, expected.cpu_utilization),
        (found.calls, expected.rps_fractional),
        (found.errors, expected.eps),
        (found.application, expected.application_utilization),
    ):
        assert mine == (theirs if math.isfinite(theirs) else 0)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        pytest.param(b"\x09\x00", "ends within a field", id="half a number"),
        pytest.param(b"\x22\x05ab", "ends within a field", id="half a text"),
        pytest.param(b"\x80", "a broken number", id="half a tag"),
        pytest.param(b"\xff" * 11, "a broken number", id="a tag without an end"),
        pytest.param(b"\x0b", "wire type 3", id="a group"),
        pytest.param(b"\x00" * 65537, "65537 bytes", id="too large"),
    ],
)
def test_what_is_no_report_is_refused(data, what):
    with pytest.raises(LoadReportError, match=what):
        read(data)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_none_count_as_nothing(value):
    assert read(load_report(cpu_utilization=value)).cpu == 0


@pytest.mark.parametrize(
    ("report", "weight"),
    [
        pytest.param(LoadReport(cpu=0.5, calls=100), 200, id="calls by utilization"),
        pytest.param(LoadReport(cpu=0.5, application=0.25, calls=100), 400, id="the application's"),
        pytest.param(LoadReport(cpu=0.5, calls=100, errors=50), 100, id="errors count as load"),
        pytest.param(LoadReport(cpu=0.5), 0, id="no calls"),
        pytest.param(LoadReport(calls=100), 0, id="no utilization"),
        pytest.param(LoadReport(cpu=-1, calls=100), 0, id="less than none"),
        pytest.param(LoadReport(cpu=0.5, calls=100, errors=-100), 200, id="negative errors"),
        pytest.param(LoadReport(cpu=5e-324, calls=1e308), 0, id="more than any"),
    ],
)
def test_the_weight_of_a_report(report, weight):
    assert report.weight == pytest.approx(weight)
