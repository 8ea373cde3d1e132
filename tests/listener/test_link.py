"""The one timer of a connection, on a clock of the test's own."""

import asyncio

import pytest

from gateway.listener import Limits
from gateway.listener.forwarded import proxies
from gateway.listener.link import Link
from gateway.listener.service import Service
from tests.listener.fakes import Transport


class Clock:
    """A loop of timers alone."""

    def __init__(self):
        self.now = 100.0
        self.timers = []
        self.made = 0

    def time(self):
        return self.now

    def call_at(self, at, callback):
        self.made += 1
        timer = Timer(at, callback)
        self.timers.append(timer)
        return timer

    def call_later(self, seconds, callback):
        return self.call_at(self.now + seconds, callback)

    def call_soon(self, callback):
        self.call_at(self.now, callback)

    def pass_time(self, seconds):
        end = self.now + seconds
        while due := sorted(
            (one for one in self.timers if one.at <= end and not one.gone), key=lambda one: one.at
        ):
            self.now = max(self.now, due[0].at)
            due[0].gone = True
            due[0].callback()
        self.now = end


class Timer:
    def __init__(self, at, callback):
        self.at = at
        self.callback = callback
        self.gone = False

    def cancel(self):
        self.gone = True


class Noting(Link):
    def __init__(self, service):
        super().__init__(service)
        self.rung = []

    def expired(self):
        self.rung.append(self.loop.time())

    def writable(self):
        self.rung.append("writable")


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def link(clock):
    made = Noting(Service(lambda: None, Limits(stream_idle_timeout=10), proxies(()), loop=clock))
    made.connection_made(Transport())
    return made


def test_it_rings_when_the_time_is_over(link, clock):
    link.expire_in(5)
    clock.pass_time(4.9)
    assert not link.rung
    clock.pass_time(1)
    assert link.rung == [105.0]
    clock.pass_time(100)
    assert len(link.rung) == 1


def test_a_later_deadline_needs_no_new_timer_until_the_old_one_rings(link, clock):
    link.expire_in(5)
    for _ in range(1000):
        clock.pass_time(1 / 256)
        link.expire_in(5)
    assert clock.made == 1
    clock.pass_time(4.9)
    assert not link.rung
    clock.pass_time(0.2)
    assert link.rung == [105.0 + 1000 / 256]
    assert clock.made == 2


def test_an_earlier_deadline_comes_first(link, clock):
    link.expire_in(50)
    link.expire_in(1)
    clock.pass_time(2)
    assert link.rung == [101.0]
    clock.pass_time(100)
    assert len(link.rung) == 1


def test_no_deadline_never_rings(link, clock):
    link.expire_in(5)
    link.never_expire()
    clock.pass_time(100)
    assert not link.rung
    link.expire_in(1)
    clock.pass_time(1)
    assert len(link.rung) == 1


def test_nothing_rings_after_the_end(link, clock):
    link.expire_in(5)
    link.pause_writing()
    link.connection_lost(None)
    clock.pass_time(100)
    assert not link.rung


def test_what_is_sent_soon_leaves_together_and_in_order(link, clock):
    link.send_soon(b"a")
    link.send(b"b")
    link.send_soon(b"c")
    assert link.transport.writes == []
    clock.pass_time(0)
    link.send(b"d")
    assert link.transport.writes == [b"abc", b"d"]


def test_a_client_that_takes_something_is_not_cut(link, clock):
    sizes = iter([100, 50, 50, 50])
    link.transport.get_write_buffer_size = lambda: next(sizes)
    link.pause_writing()
    clock.pass_time(10)
    assert not link.transport.closed
    clock.pass_time(10)
    assert link.transport.closed


def test_what_is_sent_meanwhile_does_not_hide_what_a_client_takes(link, clock):
    size = 100
    link.transport.get_write_buffer_size = lambda: size
    link.pause_writing()
    link.send(bytes(30))
    size = 110  # so it took 20
    clock.pass_time(10)
    assert not link.transport.closed
    link.send(bytes(30))
    size = 140
    clock.pass_time(10)
    assert link.transport.closed


def test_resuming_is_told(link):
    link.pause_writing()
    assert link.full
    link.resume_writing()
    assert not link.full
    assert link.rung == ["writable"]


async def test_writers_wait_while_it_is_full():
    link = Noting(Service(lambda: None, Limits(), proxies(())))
    link.connection_made(Transport())
    link.pause_writing()
    waiting = [asyncio.create_task(link.drained()) for _ in range(2)]
    await asyncio.sleep(0)
    assert not any(task.done() for task in waiting)
    link.resume_writing()
    await asyncio.gather(*waiting)
    link.connection_lost(None)
