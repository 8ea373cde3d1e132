"""Whether a client is still there: pings on a clock that is turned by hand."""

import pytest

from gateway.fronts.keepalive import KeepAlive
from tests.fronts.graphql.serve.sockets import Clock


class Socket:
    """A WebSocket that counts its pings."""

    def __init__(self):
        self.writable = True
        self.pings = []
        self.aborted = 0

    def ping(self, answered):
        self.pings.append(answered)

    def abort(self):
        self.aborted += 1


@pytest.fixture
def socket():
    return Socket()


@pytest.fixture
def clock():
    return Clock()


def test_a_client_that_answers_is_asked_once_an_interval(socket, clock):
    KeepAlive(socket, 25.0, clock)
    for number in range(1, 4):
        clock.turn(25.0)
        assert len(socket.pings) == number
        socket.pings[-1](0.1)
    assert not socket.aborted


def test_one_that_does_not_answer_until_the_next_is_cut(socket, clock):
    KeepAlive(socket, 25.0, clock)
    clock.turn(25.0)
    clock.turn(24.9)
    assert not socket.aborted
    clock.turn(0.1)
    assert socket.aborted == 1
    assert len(socket.pings) == 1
    assert not clock.due


def test_or_what_the_front_says_happens(socket, clock):
    gone = []
    KeepAlive(socket, 25.0, clock, lambda: gone.append(True))
    clock.turn(25.0)
    clock.turn(25.0)
    assert gone == [True]
    assert not socket.aborted


def test_one_that_takes_nothing_is_not_asked(socket, clock):
    KeepAlive(socket, 25.0, clock)
    socket.writable = False
    clock.turn(25.0)
    clock.turn(25.0)
    assert not socket.pings
    socket.writable = True
    clock.turn(25.0)
    assert len(socket.pings) == 1
    assert not socket.aborted


def test_nor_is_an_answer_expected_that_stands_behind_what_it_does_not_take(socket, clock):
    KeepAlive(socket, 25.0, clock)
    clock.turn(25.0)
    socket.writable = False
    clock.turn(25.0)
    socket.writable = True
    clock.turn(25.0)
    assert not socket.aborted
    assert len(socket.pings) == 2


def test_one_that_is_not_read_is_not_asked(socket, clock):
    hears = False
    KeepAlive(socket, 25.0, clock, hears=lambda: hears)
    clock.turn(25.0)
    clock.turn(25.0)
    assert not socket.pings
    hears = True
    clock.turn(25.0)
    hears = False
    clock.turn(25.0)
    hears = True
    clock.turn(25.0)
    assert not socket.aborted
    assert len(socket.pings) == 2


def test_a_stopped_one_asks_no_more(socket, clock):
    keepalive = KeepAlive(socket, 25.0, clock)
    keepalive.stop()
    clock.turn(25.0)
    assert not socket.pings
