"""Durations, sizes, rates and addresses: what is read, what is refused, and back again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config import units
from gateway.config.units import Rate, TcpAddress, UnitError, UnixAddress


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("250ms", 0.25),
        ("2s", 2.0),
        ("1.5s", 1.5),
        ("1m", 60.0),
        ("1h", 3600.0),
        ("0s", 0.0),
        ("0.5ms", 0.0005),
    ],
)
def test_duration(text, seconds):
    assert units.parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text",
    ["", "5", "s", "-1s", "1 s", "1d", "1S", ".5s", "1.s", "1e3s", "١s", "1s\n", "9" * 13 + "s"],
)
def test_not_a_duration(text):
    with pytest.raises(UnitError, match="250ms"):
        units.parse_duration(text)


@pytest.mark.parametrize(
    ("text", "size"),
    [("0", 0), ("17", 17), ("17B", 17), ("64KiB", 65536), ("4MiB", 4194304), ("1GiB", 2**30)],
)
def test_size(text, size):
    assert units.parse_size(text) == size


@pytest.mark.parametrize("text", ["", "4MB", "4M", "4mib", "-1", "1.5MiB", "4 MiB", "1_000", "٤"])
def test_not_a_size(text):
    with pytest.raises(UnitError, match="64KiB"):
        units.parse_size(text)


@pytest.mark.parametrize(
    ("text", "rate", "per_second"),
    [
        ("100/s", Rate(100, 1), 100),
        ("6000/m", Rate(6000, 60), 100),
        ("3600/h", Rate(3600, 3600), 1),
        ("86400/d", Rate(86400, 86400), 1),
    ],
)
def test_rate(text, rate, per_second):
    assert units.parse_rate(text) == rate
    assert rate.per_second == per_second
    assert str(rate) == text


@pytest.mark.parametrize("text", ["", "100", "100/", "/s", "1.5/s", "100/ms", "-1/s", "100 /s"])
def test_not_a_rate(text):
    with pytest.raises(UnitError, match="100/s"):
        units.parse_rate(text)


def test_a_quota_is_no_more_than_headers_can_tell():
    assert units.parse_quota("999999999999/d").count == 999_999_999_999
    assert units.parse_quota("931322GiB/month").count <= units.MOST
    with pytest.raises(UnitError, match="999999999999999 at most"):
        units.parse_quota("931323GiB/month")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8080", TcpAddress("127.0.0.1", 8080)),
        ("localhost:0", TcpAddress("localhost", 0)),
        ("catalog.internal.:50051", TcpAddress("catalog.internal.", 50051)),
        ("dns:80", TcpAddress("dns", 80)),
        ("my_service:1", TcpAddress("my_service", 1)),
        ("[::1]:8080", TcpAddress("::1", 8080)),
        ("[0:0:0:0:0:0:0:1]:65535", TcpAddress("::1", 65535)),
        ("unix:/run/gateway.sock", UnixAddress("/run/gateway.sock")),
        ("unix:gateway.sock", UnixAddress("gateway.sock")),
    ],
)
def test_address(text, address):
    assert units.parse_address(text) == address
    assert units.parse_address(str(address)) == address


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "host:port"),
        ("8080", "host:port"),
        ("localhost", "host:port"),
        ("localhost:", "host:port"),
        ("localhost:http", "host:port"),
        ("localhost:+1", "host:port"),
        ("http://localhost:80", "leave out the scheme"),
        (":8080", "0.0.0.0"),
        ("localhost:65536", "port from 0 to 65535"),
        ("::1:8080", "in brackets"),
        ("[::g]:8080", "between the brackets"),
        ("256.0.0.1:80", "up to 255"),
        ("1.2.3:80", "four numbers"),
        ("a b:80", "host name"),
        ("-a:80", "host name"),
        ("a..b:80", "host name"),
        ("unix:", "path after unix:"),
        ("unix:/a\0b", "path after unix:"),
    ],
)
def test_not_an_address(text, expected):
    with pytest.raises(UnitError, match=expected):
        units.parse_address(text)


@given(st.integers(0, 10**15))
def test_duration_round_trip(microseconds):
    seconds = microseconds / 1e6
    assert units.parse_duration(units.format_duration(seconds)) == pytest.approx(seconds, abs=1e-6)


@given(st.integers(0, 10**12 - 1))
def test_size_round_trip(size):
    assert units.parse_size(units.format_size(size)) == size


@given(st.integers(0, 10**12 - 1), st.sampled_from([1, 60, 3600, 86400]))
def test_rate_round_trip(count, period):
    assert units.parse_rate(str(Rate(count, period))) == Rate(count, period)


@given(st.ip_addresses(), st.integers(0, 65535))
def test_address_round_trip(host, port):
    address = TcpAddress(str(host), port)
    if getattr(host, "scope_id", None) is None:
        assert units.parse_address(str(address)) == address


@pytest.mark.parametrize(
    "parse", [units.parse_duration, units.parse_size, units.parse_rate, units.parse_address]
)
@given(text=st.text() | st.text("0123456789.:/[]msKiBunx-", max_size=12))
def test_any_text_is_read_or_refused(parse, text):
    try:
        parse(text)
    except UnitError as error:
        assert str(error)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0ms"), (0.0012345, "1.23ms"), (0.25, "250ms"), (1.239, "1.24s"), (90.4, "90s"),
     (120, "2m"), (7200, "2h")],
)  # fmt: skip
def test_a_time_is_said_to_three_digits(seconds, said):
    assert units.say_time(seconds) == said
