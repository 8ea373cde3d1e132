"""One timer for all that an upstream's calls wait for."""

from gateway.upstream.attempts.alarms import Alarms
from tests.upstream.fakes import Clock


def made():
    clock = Clock(0.0)
    return clock, Alarms(clock, clock.call_at), []


def test_alarms_ring_in_the_order_of_their_times():
    clock, alarms, rung = made()
    for seconds in (3, 1, 2, 1):
        alarms.set(seconds, lambda seconds=seconds: rung.append((seconds, clock.now)))
    clock.advance(0.5)
    assert rung == []
    clock.advance(10)
    assert rung == [(1, 1), (1, 1), (2, 2), (3, 3)]
    assert len(alarms) == 0


def test_there_is_one_timer_however_many_alarms():
    clock, alarms, _ = made()
    for number in range(1000):
        alarms.set(1 + number / 1000, lambda: None)
    assert len([timer for timer in clock.timers if timer.on]) == 1


def test_one_that_is_off_does_not_ring():
    clock, alarms, rung = made()
    off = alarms.set(1, lambda: rung.append("off"))
    alarms.set(1, lambda: rung.append("on"))
    alarms.turn_off(off)
    alarms.turn_off(off)
    assert len(alarms) == 1
    clock.advance(2)
    assert rung == ["on"]


def test_turning_off_one_that_rang_has_no_effect():
    clock, alarms, _ = made()
    alarm = alarms.set(1, lambda: None)
    clock.advance(1)
    alarms.turn_off(alarm)
    assert len(alarms) == 0


def test_nothing_is_kept_of_many_that_are_off():
    _, alarms, _ = made()
    for _ in range(10_000):
        alarms.turn_off(alarms.set(60, lambda: None))
    assert len(alarms) == 0
    assert len(alarms._heap) < 300


def test_an_alarm_may_set_and_turn_off_others():
    clock, alarms, rung = made()
    later = alarms.set(2, lambda: rung.append("never"))

    def ring():
        alarms.turn_off(later)
        alarms.set(clock.now + 1, lambda: rung.append(clock.now))

    alarms.set(1, ring)
    clock.advance(5)
    assert rung == [2]


def test_a_bug_in_one_does_not_keep_others(caplog):
    clock, alarms, rung = made()
    alarms.set(1, lambda: 1 / 0)
    alarms.set(1, lambda: rung.append("on"))
    clock.advance(1)
    assert rung == ["on"]
    assert "an alarm of an upstream failed on a bug" in caplog.text


def test_in_the_end_all_ring():
    clock, alarms, rung = made()
    alarms.set(100, lambda: alarms.set(200, lambda: rung.append("second")))
    alarms.turn_off(alarms.set(50, lambda: rung.append("off")))
    alarms.end()
    assert rung == ["second"]
    assert len(alarms) == 0
    assert not [timer for timer in clock.timers if timer.on]
