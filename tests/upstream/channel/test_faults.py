"""What a failure on the way to a backend is called: tables."""

import pytest

from gateway.call import Call, Code, Deadline
from gateway.errors import REASONS
from gateway.upstream.channel import faults
from gateway.upstream.channel.faults import (
    AWAY,
    DEADLINE,
    DROPPED,
    GARBAGE,
    MESSAGE_TOO_LARGE,
    METADATA_TOO_LARGE,
    REFUSED,
    RESET,
    Fault,
    of_http,
    of_status,
)
from gateway.upstream.channel.native_faults import of_answer, of_ending, of_reset
from gateway.upstream.channel.request import late
from gateway.wire.frames import ErrorCode
from gateway.wire.grpc import AnswerError, Ending, Wrong
from gateway.wire.hpack import Field
from gateway.wire.stream import Origin, Reset

ALL = [value for value in vars(faults).values() if isinstance(value, Fault)]


@pytest.mark.parametrize("fault", ALL, ids=lambda fault: fault.text)
def test_every_fault_is_an_error_in_a_sentence(fault):
    assert fault.reason in REASONS
    assert fault.text.endswith(".")
    failure = fault.error()
    assert failure.reason == fault.reason
    assert failure.status.message == fault.text
    assert failure.status.code is REASONS[fault.reason].code


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, Code.INTERNAL),
        (401, Code.UNAUTHENTICATED),
        (403, Code.PERMISSION_DENIED),
        (404, Code.UNIMPLEMENTED),
        (431, Code.INTERNAL),
        (301, Code.UNKNOWN),
        (500, Code.UNKNOWN),
        (999, Code.UNKNOWN),
    ],
)
def test_an_http_status_is_mapped(status, code):
    """grpc/grpc, doc/http-grpc-status-mapping.md."""
    failure = of_http(status).error()
    assert failure.reason == "UPSTREAM_HTTP_ERROR"
    assert failure.status.code is code
    assert str(status) in failure.status.message


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_some_http_statuses_say_that_the_backend_is_away(status):
    assert of_http(status) is AWAY
    assert AWAY.error().status.code is Code.UNAVAILABLE


BROKEN = {
    ErrorCode.PROTOCOL_ERROR,
    ErrorCode.FLOW_CONTROL_ERROR,
    ErrorCode.SETTINGS_TIMEOUT,
    ErrorCode.STREAM_CLOSED,
    ErrorCode.FRAME_SIZE_ERROR,
    ErrorCode.COMPRESSION_ERROR,
    ErrorCode.HTTP_1_1_REQUIRED,
}


@pytest.mark.parametrize("answered", [True, False])
@pytest.mark.parametrize("code", ErrorCode)
def test_a_reset_by_the_peer(code, answered):
    fault = of_reset(Reset(code, Origin.PEER, ""), answered=answered, late=False)
    if code is ErrorCode.REFUSED_STREAM and not answered:
        assert fault is REFUSED
    else:
        assert fault is (GARBAGE if code in BROKEN else RESET)


@pytest.mark.parametrize("answered", [True, False])
@pytest.mark.parametrize("code", ErrorCode)
def test_a_reset_by_this_side_is_for_what_the_peer_did(code, answered):
    fault = of_reset(Reset(code, Origin.HERE, ""), answered=answered, late=True)
    assert fault is (METADATA_TOO_LARGE if code is ErrorCode.ENHANCE_YOUR_CALM else GARBAGE)


@pytest.mark.parametrize("answered", [True, False])
@pytest.mark.parametrize("code", ErrorCode)
def test_a_server_may_cancel_at_the_deadline_before_the_client_does(code, answered):
    """grpc/grpc, doc/PROTOCOL-HTTP2.md, "Client Cancellation"."""
    reset = Reset(code, Origin.PEER, "")
    fault = of_reset(reset, answered=answered, late=True)
    if code is ErrorCode.CANCEL:
        assert fault is DEADLINE
    else:
        assert fault is of_reset(reset, answered=answered, late=False)


# Statuses that do not mean what they say.


@pytest.mark.parametrize("code", Code)
@pytest.mark.parametrize("message", ["CANCELLED", "Deadline Exceeded", "of the backend", ""])
def test_a_status_at_the_deadline(code, message):
    """grpc/grpc, doc/PROTOCOL-HTTP2.md, "Client Cancellation": CANCELLED is checked for it."""
    fault = of_status(code, message, bare=True, late=True)
    assert fault is (DEADLINE if code in (Code.CANCELLED, Code.DEADLINE_EXCEEDED) else None)


@pytest.mark.parametrize("code", Code)
def test_a_call_that_the_server_let_go_of_was_cancelled_by_nobody(code):
    fault = of_status(code, "CANCELLED", bare=True, late=False)
    assert fault is (DROPPED if code is Code.CANCELLED else None)


@pytest.mark.parametrize(
    ("message", "bare"),
    [
        pytest.param("CANCELLED", False, id="there is metadata with it"),
        pytest.param("the order was cancelled", True, id="words of its own"),
        pytest.param("", True, id="no words"),
    ],
)
def test_a_backend_that_means_cancelled_may_say_so(message, bare):
    assert of_status(Code.CANCELLED, message, bare=bare, late=False) is None


@pytest.mark.parametrize(
    ("ending", "fault"),
    [
        (Ending(1, "CANCELLED", ()), DROPPED),
        (Ending(1, "CANCELLED", (Field("a", b"1"),)), None),
        (Ending(99, "CANCELLED", ()), None),
    ],
    ids=["let go of", "with metadata", "a number that gRPC does not define"],
)
def test_the_end_of_an_answer(ending, fault):
    assert of_ending(ending, late=False) is fault


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        pytest.param(12.1, True, id="it has passed"),
        pytest.param(11.995, True, id="the backend's clock is ahead of ours"),
        pytest.param(11, False, id="there is time left"),
    ],
)
def test_who_tells_of_the_deadline_first_makes_no_difference(now, expected):
    assert late(Call("test.Echo/Echo", deadline=Deadline(12.0)), now) is expected


def test_a_call_without_a_deadline_is_never_late():
    assert not late(Call("test.Echo/Echo"), 1e9)


@pytest.mark.parametrize("wrong", Wrong)
def test_every_wrong_answer_has_a_name(wrong):
    fault = of_answer(AnswerError(wrong, "x", http_status=503))
    assert (
        fault
        is {
            Wrong.PROTOCOL: GARBAGE,
            Wrong.TOO_LARGE: MESSAGE_TOO_LARGE,
            Wrong.HTTP_STATUS: AWAY,
        }[wrong]
    )
