"""Notes of a call: bounded, the first and the last are kept; and the deadlines that it had."""

import pytest

from gateway.call import Call, Deadline
from gateway.policies.deadline import DeadlineGate
from gateway.record import MOST_NOTES
from tests.telemetry.records import METHOD, Maker


def test_of_too_many_notes_the_first_and_the_last_stay():
    record = Maker().request().call(METHOD)
    for number in range(MOST_NOTES * 3):
        record.note("limits", str, number)
    assert len(record.notes) == MOST_NOTES
    assert record.notes[0] == ("limits", str, 0)
    assert record.notes[-1] == ("limits", str, MOST_NOTES * 3 - 1)


@pytest.mark.parametrize(
    ("timeout", "asked", "noted"),
    [
        (2, None, (0, 12)),
        (2, 15, (15, 12)),
        (2, 11, (11, 11)),
        (0, 11, (11, 11)),
        (0, None, (0, 0)),
    ],
    ids=["the gateway's", "the gateway's, for it is shorter", "the client's", "alone", "none"],
)
def test_whose_deadline_it_was_is_noted(timeout, asked, noted):
    record = Maker().request().call(METHOD)
    record.began = 10.0  # as its chain says
    call = Call(METHOD, deadline=None if asked is None else Deadline(asked), record=record)
    DeadlineGate(timeout, lambda: 10.0).admit(call)
    assert (record.asked, record.until) == noted
