"""The timeouts that a client may ask for (grpc/grpc, doc/PROTOCOL-HTTP2.md; rest.md)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.call import RpcError
from gateway.http import Headers
from gateway.routing.timeout import client_timeout


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("1H", 3600),
        ("2M", 120),
        ("3S", 3),
        ("1500m", 1.5),
        ("250u", 0.00025),
        ("1n", 1e-9),
        ("99999999H", 99999999 * 3600),
        ("00000001S", 1),
    ],
)
def test_grpc_timeout_has_a_unit(value, seconds):
    assert client_timeout(Headers([("grpc-timeout", value)])) == pytest.approx(seconds)


@pytest.mark.parametrize(("value", "seconds"), [("1.5", 1.5), ("2", 2), ("0.001", 0.001)])
def test_x_request_timeout_is_in_seconds(value, seconds):
    assert client_timeout(Headers([("x-request-timeout", value)])) == seconds


def test_none_without_a_header():
    assert client_timeout(Headers([("accept", "*/*")])) is None


def test_the_shorter_of_both():
    both = [("grpc-timeout", "2S"), ("x-request-timeout", "1.5"), ("grpc-timeout", "3S")]
    assert client_timeout(Headers(both)) == 1.5


@pytest.mark.parametrize("name", ["grpc-timeout", "x-request-timeout"])
@pytest.mark.parametrize(
    "value",
    [
        *("", "S", "1 S", "-1S", "+1S", "1.5S", "123456789S", "1s", "0S", "1SS", "٣S", "1S\n"),
        *("-1", "0", "0.0", "nan", "inf", "1e3", "1_0", " 1", "1.", ".5", "٣", "1,2", "1\n"),
    ],
)
def test_a_bad_one_is_refused(name, value):
    with pytest.raises(RpcError) as caught:
        client_timeout(Headers([("grpc-timeout", "1S"), (name, value)]))
    assert caught.value.reason == "INVALID_TIMEOUT"
    assert name in caught.value.status.message


@given(st.sampled_from(["grpc-timeout", "x-request-timeout"]), st.text(max_size=20))
def test_any_value_is_a_positive_time_or_refused(name, value):
    try:
        assert client_timeout(Headers([(name, value)])) > 0
    except RpcError as error:
        assert error.reason == "INVALID_TIMEOUT"
