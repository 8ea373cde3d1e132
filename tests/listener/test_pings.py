"""Pings and pongs: RFC 6455 sections 5.5.2 and 5.5.3."""

from gateway.listener.pings import Pings


def told(pings, data, now):
    return [(answered("?"), seconds) for answered, seconds in pings.answers(data, now)]


def named(name):
    return lambda _: name


def test_a_pong_tells_the_time_it_took():
    pings = Pings()
    data = pings.sends(10.0, named("a"))
    assert told(pings, data, 12.5) == [("a", 2.5)]


def test_a_pong_answers_the_pings_before_its_own():
    pings = Pings()
    _, middle, last = (pings.sends(at, named(at)) for at in (1.0, 2.0, 3.0))
    assert told(pings, middle, 4.0) == [(1.0, 3.0), (2.0, 2.0)]
    assert told(pings, last, 4.0) == [(3.0, 1.0)]


def test_a_pong_that_comes_again_or_was_never_asked_for_answers_none():
    pings = Pings()
    data = pings.sends(1.0, named("a"))
    assert told(pings, b"x", 2.0) == []
    assert told(pings, data, 2.0) == [("a", 1.0)]
    assert told(pings, data, 3.0) == []


def test_nobody_need_be_told():
    pings = Pings()
    assert told(pings, pings.sends(1.0, None), 2.0) == []


def test_sixteen_are_remembered():
    pings = Pings()
    first, *others = (pings.sends(float(at), named(at)) for at in range(17))
    assert told(pings, first, 20.0) == []
    assert [name for name, _ in told(pings, others[-1], 20.0)] == list(range(1, 17))
