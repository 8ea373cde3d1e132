"""Copies of calls: what they are, how many there are, and that nobody waits for them or sees them."""

from __future__ import annotations

import asyncio
import logging

import pytest

from gateway.call import NO_METADATA, Call, Code, Deadline, Metadata, Reply, RpcError, Status
from gateway.cookies import Cookies
from gateway.policies.mirror import Copies, Mirror

FAILED = RpcError(Status(Code.UNAVAILABLE, "away"))


class Backend:
    """Takes calls, and answers when it is told to."""

    def __init__(self):
        self.calls = []
        self.dones = []
        self.cancelled = []

    def start(self, call, done):
        self.calls.append(call)
        self.dones.append(done)
        return lambda: self.cancelled.append(call)


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def own():
    return Backend()


@pytest.fixture
def other():
    return Backend()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def copies(clock):
    return Copies("next", clock, most=2)


@pytest.fixture
def mirror(copies, other, clock):
    def mirror(*, percent=100.0, at=0.0, own=False, start=other.start):
        return Mirror(
            copies, start, own=own, percent=percent, timeout=3.0, random=lambda: at, clock=clock
        )

    return mirror


def answered(result=None):
    return [result or Reply(b"r")].append


def test_a_copy_is_what_the_client_sent_with_a_deadline_of_its_own(mirror, own, other):
    call = Call(
        "a.B/C",
        b"asked",
        Metadata([("x-a", "1")]),
        Deadline(100.5),
        peer="192.0.2.1",
        reply_headers={"x-b": "2"},
        cookies=Cookies(),
    )
    mirror().filter(call, answered(), own.start)
    (copy,) = other.calls
    assert (copy.method, copy.request, copy.metadata) == ("a.B/C", b"asked", call.metadata)
    assert copy.deadline == Deadline(103.0)
    assert call.deadline == Deadline(100.5)
    assert copy.reply_headers is None
    assert copy.cookies is None
    assert own.calls == [call]


def test_what_the_way_of_the_call_adds_is_not_copied(mirror, other):
    def way(call, done):
        call.metadata += [("x-token", "of its own backend")]
        return lambda: None

    mirror().filter(Call("a.B/C"), answered(), way)
    assert other.calls[0].metadata == NO_METADATA


def test_nobody_sees_or_waits_for_the_answer(mirror, copies, own, other):
    seen = []
    mirror().filter(Call("a.B/C"), seen.append, own.start)
    other.dones[0](FAILED)
    assert seen == []
    own.dones[0](reply := Reply(b"r"))
    assert seen == [reply]
    assert (copies.counts.sent, copies.counts.failed, len(copies)) == (1, 1, 0)


def test_who_leaves_does_not_end_the_copy(mirror, copies, own, other):
    call = Call("a.B/C")
    mirror().filter(call, answered(), own.start)()
    assert own.cancelled == [call]
    assert other.cancelled == []
    assert len(copies) == 1


@pytest.mark.parametrize(
    ("percent", "at", "copied"),
    [(0.0, 0.0, 0), (10.0, 0.0999, 1), (10.0, 0.1, 0), (100.0, 0.9999, 1)],
    ids=["none", "below-the-share", "at-the-share", "all"],
)
def test_a_share_is_copied(mirror, other, percent, at, copied):
    own = Backend()
    mirror(percent=percent, at=at).filter(Call("a.B/C"), answered(), own.start)
    assert len(other.calls) == copied
    assert len(own.calls) == 1


@pytest.mark.parametrize(
    ("is_own", "chosen", "copied"),
    [(False, "next", 0), (False, "", 1), (True, "", 0), (True, "canary", 1)],
    ids=["it-was-chosen", "it-was-not", "it-is-the-services-own", "the-own-sees-what-left-it"],
)
def test_who_goes_there_is_not_copied_there(mirror, other, is_own, chosen, copied):
    call = Call("a.B/C", upstream=chosen)
    mirror(own=is_own).filter(call, answered(), Backend().start)
    assert len(other.calls) == copied


def test_what_would_be_more_is_left_out_and_counted(mirror, copies, own, other):
    each = mirror()
    for _ in range(5):
        each.filter(Call("a.B/C"), answered(), own.start)
    assert (len(copies), copies.counts.sent, copies.counts.left_out) == (2, 2, 3)
    assert len(own.calls) == 5
    other.dones[0](Reply(b""))
    each.filter(Call("a.B/C"), answered(), own.start)
    assert (len(copies), copies.counts.sent) == (2, 3)


def test_only_so_many_bytes_are_held_for_copies(mirror, own, other, clock):
    copies = Copies("next", clock, most_bytes=10)
    for request in (b"a" * 11, b"a" * 6, b"b" * 5, b"c" * 4):
        copies.send(Call("a.B/C", request), other.start)
    assert [len(each.request) for each in other.calls] == [6, 4]
    assert copies.counts.left_out == 2
    other.dones[0](Reply(b""))
    other.dones[0](Reply(b""))  # to be told twice frees nothing twice
    for request in (b"d" * 7, b"e" * 6):
        copies.send(Call("a.B/C", request), other.start)
    assert [len(each.request) for each in other.calls] == [6, 4, 6]


async def test_the_end_frees_all_bytes_once(other, clock):
    copies = Copies("next", clock, most_bytes=10)
    copies.send(Call("a.B/C", b"a" * 10), other.start)
    await copies.close()
    other.dones[0](FAILED)  # whoever was cancelled may still say so
    assert (copies._bytes, len(copies)) == (0, 0)


def test_what_ends_at_once_leaves_nothing(mirror, copies, own):
    class AtOnce(Backend):
        def start(self, call, done):
            done(FAILED)
            return lambda: self.cancelled.append(call)

    at_once = AtOnce()
    mirror(start=at_once.start).filter(Call("a.B/C"), answered(), own.start)
    assert len(copies) == 0
    assert copies.counts.failed == 1


async def test_the_end_ends_all_that_is_under_way(mirror, copies, own, other):
    each = mirror()
    await copies.open()
    each.filter(Call("a.B/C"), answered(), own.start)
    await copies.close()
    assert other.cancelled == other.calls
    assert len(copies) == 0
    each.filter(Call("a.B/C"), answered(), own.start)  # of a generation that goes on for a while
    assert (len(other.calls), len(own.calls)) == (1, 2)
    assert asyncio.all_tasks() == {asyncio.current_task()}


def test_the_log_is_told_once_in_a_while(mirror, own, other, clock, caplog):
    each = mirror()
    with caplog.at_level(logging.WARNING, "gateway.mirror"):
        for _ in range(4):
            each.filter(Call("a.B/C"), answered(), own.start)
        clock.now += 61
        other.dones[0](FAILED)
    assert [record.getMessage() for record in caplog.records] == [
        "copies for next: 2 sent, 0 failed, 1 left out, at most 2 and 16 MiB at a time",
        "copies for next: 0 sent, 1 failed, 1 left out, at most 2 and 16 MiB at a time",
    ]


def test_it_says_so(mirror, copies):
    assert mirror(percent=2.5).describe() == (
        "Sends copies of 2.5 % of the calls to next, and waits for no answer."
    )
