"""Records are handed on in their order, many at a time, and none is lost or told twice."""

import sys

import pytest

from gateway.call import Code
from gateway.record import AttemptRecord
from gateway.telemetry.access_log.json_lines import JsonLines
from gateway.telemetry.access_log.redaction import Redaction
from gateway.telemetry.records import Records
from tests.telemetry.records import Maker


class Timers:
    """What is to be called later, and when."""

    def __init__(self):
        self.waiting = []

    def __call__(self, seconds, function):
        self.waiting.append((seconds, function))

    def ring(self):
        waiting, self.waiting = self.waiting, []
        for _, function in waiting:
            function()


class Kept:
    """Keeps what it is told, by name."""

    def __init__(self):
        self.told = []

    def called(self, call):
        self.told.append(f"call of {call.request.request_id}")

    def asked(self, request):
        self.told.append(f"{request.request_id}, {len(request.calls)} calls")

    def tried(self, call, attempt):
        self.told.append(f"late at {attempt.endpoint}")


@pytest.fixture
def kept():
    return Kept()


@pytest.fixture
def timers():
    return Timers()


@pytest.fixture
def made(kept, timers):
    maker = Maker()
    maker.records = Records([kept], clock=maker.clock, later=timers)
    return maker


def test_what_is_over_is_handed_on_a_little_later_in_its_order(made, kept, timers):
    made.usual(request_id="a")
    made.usual(request_id="b")
    assert kept.told == []
    ((seconds, _),) = timers.waiting
    assert seconds == pytest.approx(0.02)
    timers.ring()
    assert kept.told == ["call of a", "a, 1 calls", "call of b", "b, 1 calls"]
    made.usual(request_id="c")
    timers.ring()
    assert kept.told[4:] == ["call of c", "c, 1 calls"]


def test_when_there_is_enough_nobody_waits(made, kept, timers):
    for number in range(33):
        made.usual(request_id=str(number))
    assert len(kept.told) == 64
    assert len(timers.waiting) == 1
    timers.ring()
    assert len(kept.told) == 66


def test_calls_without_end_are_handed_on_too(made, kept):
    record = made.request()
    for _ in range(64):
        made.ends(made.call(record))
    assert len(kept.told) == 64


def test_a_call_whose_request_goes_on_is_handed_on_a_little_later(made, kept, timers):
    made.ends(made.call(made.request(request_id="a")))
    assert kept.told == []
    timers.ring()
    assert kept.told == ["call of a"]


def test_who_asks_has_them_handed_on(made, kept):
    made.usual(request_id="a")
    made.records.flush()
    made.records.flush()
    assert kept.told == ["call of a", "a, 1 calls"]


def test_what_was_over_before_others_keep_is_theirs_who_kept(made, kept):
    other = Kept()
    made.usual(request_id="a")
    made.records.replace([other])
    made.usual(request_id="b")
    made.records.flush()
    assert kept.told == ["call of a", "a, 1 calls"]
    assert other.told == ["call of b", "b, 1 calls"]


def test_an_attempt_that_ends_late_is_told_after_its_call(made, kept):
    made.records.replace([kept], latecomers=[kept])
    record = made.usual(request_id="a")
    call = record.calls[0]
    call.tried(AttemptRecord("shop", "127.0.0.1:1", 0.0, 1.0, Code.OK))
    assert kept.told == ["call of a", "a, 1 calls", "late at 127.0.0.1:1"]


def test_one_that_is_told_late_is_told_with_its_own_time(made, timers):
    lines = []

    class Log:
        def __init__(self):
            self._lines = JsonLines(Redaction(()), now=lambda: 1_700_000_000.0 + made.clock.now)

        def called(self, call):
            pass

        def asked(self, request):
            lines.append(self._lines.line(request))

    made.records.replace([Log()])
    began = made.clock.now
    made.usual()
    made.clock.advance(0.5)
    timers.ring()
    seconds = 1_700_000_000 + began
    assert f".{round(seconds % 1 * 1e6):06d}Z" in lines[0]
    assert '"duration_us":218750' in lines[0]


def test_nothing_that_was_told_is_held(made, timers):
    record = made.usual()
    call = record.calls[0]
    timers.ring()
    assert record.calls == ()
    assert sys.getrefcount(call) == 2  # `call`, and what is asked with
