"""Which failures a call may be made again for."""

import pytest

from gateway.call import Code, RpcError, Status
from gateway.errors import REASONS, error
from gateway.upstream.attempts.retryable import is_retryable
from gateway.upstream.channel import AnsweredError, NotSentError

ALL = frozenset(Code) - {Code.OK}
UNAVAILABLE = frozenset({Code.UNAVAILABLE})


def sent(code):
    return RpcError(Status(code, "of the backend"))


@pytest.mark.parametrize("code", sorted(ALL))
def test_a_status_of_the_backend_is_retried_where_it_is_listed(code):
    assert is_retryable(sent(code), frozenset({code}), timed_out=False)
    assert not is_retryable(sent(code), ALL - {code}, timed_out=False)


def test_a_call_that_was_answered_is_committed():
    failure = AnsweredError.of(sent(Code.UNAVAILABLE))
    assert not is_retryable(failure, ALL, timed_out=False)
    assert not is_retryable(failure, ALL, timed_out=True)


@pytest.mark.parametrize("reason", ["UPSTREAM_UNAVAILABLE", "UPSTREAM_RESET"])
def test_a_backend_that_is_not_there_or_breaks_off_is_unavailable(reason):
    assert is_retryable(error(reason, "."), UNAVAILABLE, timed_out=False)
    assert is_retryable(NotSentError.of(error(reason, ".")), UNAVAILABLE, timed_out=False)


@pytest.mark.parametrize("reason", ["UPSTREAM_PROTOCOL_ERROR", "UPSTREAM_HTTP_ERROR"])
def test_garbage_is_what_its_code_says(reason):
    assert is_retryable(error(reason, "."), ALL, timed_out=False)
    assert not is_retryable(error(reason, "."), UNAVAILABLE, timed_out=False)


@pytest.mark.parametrize("reason", sorted(REASONS))
def test_what_the_gateway_refuses_it_would_refuse_again(reason):
    of_the_way = {
        *("UPSTREAM_UNAVAILABLE", "UPSTREAM_RESET", "UPSTREAM_PROTOCOL_ERROR"),
        "UPSTREAM_HTTP_ERROR",
    }
    assert is_retryable(error(reason, "."), ALL, timed_out=False) is (reason in of_the_way)


def test_an_attempt_whose_own_time_is_up_is_retried_and_a_call_is_not():
    failure = error("DEADLINE_EXCEEDED", ".")
    assert is_retryable(failure, UNAVAILABLE, timed_out=True)
    assert not is_retryable(failure, ALL, timed_out=False)


def test_an_answer_that_broke_off_is_none_where_it_commits_to_nothing():
    broken = AnsweredError.of(error("UPSTREAM_RESET", "The backend broke off."))
    assert is_retryable(broken, ALL, timed_out=False, uncommitted=True)
    assert not is_retryable(broken, ALL, timed_out=False)
    said = AnsweredError.of(sent(Code.UNAVAILABLE))
    assert not is_retryable(said, ALL, timed_out=False, uncommitted=True), "the backend said so"
