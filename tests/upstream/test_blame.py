"""Who is to blame for the end of an attempt."""

import pytest

from gateway.call import Code, RpcError, Status
from gateway.errors import REASONS, error
from gateway.upstream.blame import PATIENCE, Blame, blame_of

FAILURES = {Code.UNKNOWN, Code.INTERNAL, Code.UNAVAILABLE, Code.DATA_LOSS}


@pytest.mark.parametrize("code", [code for code in Code if code is not Code.OK])
def test_a_status_of_the_backend(code):
    expected = Blame.FAILED if code in FAILURES else Blame.ANSWERED
    assert blame_of(RpcError(Status(code)), 9, PATIENCE) is expected


OURS = {
    "UPSTREAM_UNAVAILABLE": Blame.FAILED,
    "UPSTREAM_RESET": Blame.BROKEN,
    "UPSTREAM_PROTOCOL_ERROR": Blame.FAILED,
    "UPSTREAM_HTTP_ERROR": Blame.FAILED,
    "DEADLINE_EXCEEDED": Blame.LATE,
}


@pytest.mark.parametrize("reason", REASONS)
def test_an_error_of_the_gateways_own(reason):
    assert blame_of(error(reason, "It failed."), 9, PATIENCE) is OURS.get(reason, Blame.NOBODY)


@pytest.mark.parametrize(
    ("seconds", "patience", "expected"),
    [
        pytest.param(0.001, 1.0, Blame.NOBODY, id="a client with 1 ms says nothing of an endpoint"),
        pytest.param(1.0, 1.0, Blame.LATE, id="there was time enough"),
        pytest.param(0.25, 0.25, Blame.LATE, id="the operator gives attempts less time"),
    ],
)
def test_a_deadline_that_passed(seconds, patience, expected):
    assert blame_of(error("DEADLINE_EXCEEDED", "Late."), seconds, patience) is expected


def test_the_deadline_of_a_stream_that_was_being_answered_says_nothing():
    late = error("DEADLINE_EXCEEDED", "Late.")
    assert blame_of(late, 60, PATIENCE, answered=True) is Blame.NOBODY
    assert blame_of(late, 60, PATIENCE, answered=False) is Blame.LATE
    assert blame_of(error("UPSTREAM_RESET", "Broke."), 60, PATIENCE, answered=True) is Blame.BROKEN
