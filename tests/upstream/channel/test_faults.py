"""What a failure on the way to a backend is called: tables."""

import pytest

from gateway.call import Code
from gateway.errors import REASONS
from gateway.upstream.channel import faults
from gateway.upstream.channel.faults import (
    AWAY,
    GARBAGE,
    MESSAGE_TOO_LARGE,
    METADATA_TOO_LARGE,
    REFUSED,
    RESET,
    Fault,
    of_http,
)
from gateway.upstream.channel.native_faults import of_answer, of_reset
from gateway.wire.frames import ErrorCode
from gateway.wire.grpc import AnswerError, Wrong
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
    fault = of_reset(Reset(code, Origin.PEER, ""), answered=answered)
    if code is ErrorCode.REFUSED_STREAM and not answered:
        assert fault is REFUSED
    else:
        assert fault is (GARBAGE if code in BROKEN else RESET)


@pytest.mark.parametrize("answered", [True, False])
@pytest.mark.parametrize("code", ErrorCode)
def test_a_reset_by_this_side_is_for_what_the_peer_did(code, answered):
    fault = of_reset(Reset(code, Origin.HERE, ""), answered=answered)
    assert fault is (METADATA_TOO_LARGE if code is ErrorCode.ENHANCE_YOUR_CALM else GARBAGE)


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
