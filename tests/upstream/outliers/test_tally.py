"""What the calls of one endpoint came to."""

import pytest

from gateway.upstream.blame import Blame
from gateway.upstream.outliers.tally import Counts, Tally
from tests.upstream.fakes import Clock

ENDS = {
    "+": Blame.ANSWERED,
    "-": Blame.FAILED,
    "b": Blame.BROKEN,
    "l": Blame.LATE,
    "?": Blame.NOBODY,
}


def tallied(ends, seconds=1.0, apart=2.0):
    """Returns a tally of such ends, each after so many seconds, and the rows it told of."""
    clock, rows = Clock(), []
    tally = Tally(clock, rows.append)
    for end in ends:
        clock.now += apart
        tally.ended(ENDS[end], seconds)
    return tally, rows


@pytest.mark.parametrize(
    ("ends", "rows"),
    [
        pytest.param("---", [1, 2, 3], id="failures in a row"),
        pytest.param("--+-", [1, 2, 1], id="an answer ends the row"),
        pytest.param("--?-", [1, 2, 3], id="what says nothing does not"),
        pytest.param("ll-l", [1, 2, 3, 4], id="what is late is a failure, while there is silence"),
        pytest.param("+l", [1], id="when the last answer came before the call"),
        pytest.param("b-b", [1, 2, 3], id="connections that break one after the other"),
    ],
)
def test_rows(ends, rows):
    assert tallied(ends)[1] == rows


def test_a_late_call_is_no_failure_in_a_row_where_others_were_answered_meanwhile():
    assert tallied("+l" * 5, seconds=1.0, apart=0.5)[1] == []


def test_calls_that_one_connection_takes_along_are_one_failure():
    tally, rows = tallied("b" * 50, seconds=3.0, apart=0.001)
    assert rows == [1]
    assert tally.take() == Counts(failed=1)


@pytest.mark.parametrize(
    ("seconds", "apart"),
    [
        pytest.param(0.04, 0.05, id="they began after the one before had broken"),
        pytest.param(9.0, 2.0, id="they broke much later"),
    ],
)
def test_other_connections_that_break_are_failures_of_their_own(seconds, apart):
    assert tallied("bbb", seconds, apart)[1] == [1, 2, 3]


def test_an_endpoint_whose_streams_go_on_is_not_silent():
    clock, rows = Clock(), []
    tally = Tally(clock, rows.append)
    for _ in range(3):
        clock.now += 2
        tally.spoke()
        tally.ended(Blame.LATE, 1)
    tally.ended(Blame.FAILED, 1)
    tally.spoke()
    tally.ended(Blame.FAILED, 1)
    assert rows == [1, 2], "but its failures are failures"


def test_counts_are_of_an_interval():
    tally, _ = tallied("+++--l??")
    assert tally.take() == Counts(answered=3, failed=2, late=1)
    assert tally.take() == Counts()
    assert Counts(3, 2, 1).total == 6


def test_all_can_be_forgotten():
    tally, rows = tallied("--")
    tally.forget()
    tally.ended(Blame.FAILED, 1)
    assert rows == [1, 2, 1]
    assert tally.take() == Counts(failed=1)
