"""Where the time of requests went: phases, in order, that add up."""

import pytest

from gateway.telemetry.phases import phases_of
from tests.telemetry.records import Maker

BODY, REPLY = ("request body", 1 / 64), ("reply", 3 / 64)


def request(calls=1, attempts=1):
    maker = Maker()
    record = maker.request()
    made = []
    for _ in range(calls):
        made.append(maker.call(record))
        for _ in range(attempts):
            maker.attempt(made[-1])
        maker.ends(made[-1])
    maker.answered(record)
    return record, made


@pytest.mark.parametrize(
    ("given", "phases"),
    [
        ({"calls": 0}, [("all", 3 / 64)]),
        ({}, [BODY, ("policies and queues", 1 / 32), ("backend", 1 / 8), REPLY]),
        ({"attempts": 2}, [BODY, ("policies and queues", 1 / 32), ("backend", 9 / 32), REPLY]),
        ({"attempts": 0}, [BODY, ("in the gateway", 0), REPLY]),
        ({"calls": 2}, [BODY, ("calls", 21 / 64), REPLY]),
    ],
    ids=["no call", "one attempt", "two attempts", "refused before", "several calls"],
)
def test_phases_add_up(given, phases):
    record, calls = request(**given)
    found = phases_of(record, calls)
    assert found == phases
    assert sum(seconds for _, seconds in found) == record.ended - record.began


def test_attempts_that_end_late_count_until_the_end_of_the_request():
    record, calls = request(attempts=0)
    late = [(calls[0].began, record.ended + 1)]
    assert phases_of(record, calls, late) == [
        BODY, ("policies and queues", 0), ("backend", 3 / 64), ("reply", 0),
    ]  # fmt: skip
