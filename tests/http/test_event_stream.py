"""An event stream's pace: comments in silence, slow clients, a turn for others."""

import asyncio

import pytest

from gateway.http.event_stream import TURN, EventStream

COMMENT = b":\n\n"


class Clock:
    """Time, and what waits for it."""

    def __init__(self):
        self.now = 100.0
        self.waiting = []

    def __call__(self):
        return self.now

    def timer(self, seconds, call):
        handle = Handle(self, self.now + seconds, call)
        self.waiting.append(handle)
        return handle

    async def pass_(self, seconds):
        end = self.now + seconds
        while due := [each for each in self.waiting if each.at <= end]:
            first = min(due, key=lambda each: each.at)
            self.waiting.remove(first)
            self.now = max(self.now, first.at)
            first.call()
            await turns()
        self.now = end


class Handle:
    def __init__(self, clock, at, call):
        self.clock, self.at, self.call = clock, at, call

    def cancel(self):
        if self in self.clock.waiting:
            self.clock.waiting.remove(self)


class Reply:
    """An exchange whose client takes what it is sent while `open` is set."""

    def __init__(self):
        self.sent = []
        self.open = asyncio.Event()
        self.open.set()

    async def write(self, data):
        self.sent.append(data)
        if not self.open.is_set():
            await self.open.wait()


async def turns(count=5):
    for _ in range(count):
        await asyncio.sleep(0)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def reply():
    return Reply()


@pytest.fixture
async def stream(clock, reply):
    return EventStream(reply, 15.0, clock=clock, timer=clock.timer)


async def test_events_are_written_as_they_are(stream, reply):
    await stream.write(b"data: 1\n\n")
    await stream.write(b"data: 2\n\n")
    assert reply.sent == [b"data: 1\n\n", b"data: 2\n\n"]


async def test_a_silent_stream_gets_a_comment_each_interval(stream, clock, reply):
    await clock.pass_(14.9)
    assert reply.sent == []
    await clock.pass_(0.1)
    assert reply.sent == [COMMENT]
    await clock.pass_(14.9)
    assert reply.sent == [COMMENT]
    await clock.pass_(0.1)
    assert reply.sent == [COMMENT, COMMENT]
    stream.close()


async def test_an_event_begins_the_silence_anew(stream, clock, reply):
    for _ in range(10):
        await clock.pass_(14.0)
        await stream.write(b"x")
    assert reply.sent == [b"x"] * 10
    await clock.pass_(14.9)
    assert COMMENT not in reply.sent
    await clock.pass_(0.1)
    assert reply.sent[-1] == COMMENT


async def test_writing_waits_for_a_slow_client(stream, reply):
    reply.open.clear()
    writing = asyncio.ensure_future(stream.write(b"x"))
    await turns()
    assert not writing.done()
    reply.open.set()
    await writing
    assert reply.sent == [b"x"]


async def test_a_client_that_is_slow_to_take_an_event_gets_no_comment(stream, clock, reply):
    reply.open.clear()
    writing = asyncio.ensure_future(stream.write(b"x"))
    await turns()
    await clock.pass_(60.0)
    assert reply.sent == [b"x"]
    reply.open.set()
    await writing
    await clock.pass_(14.9)  # the silence begins when it was taken
    assert reply.sent == [b"x"]
    await clock.pass_(0.1)
    assert reply.sent == [b"x", COMMENT]


async def test_a_client_that_is_slow_to_take_a_comment_gets_no_second_one(stream, clock, reply):
    reply.open.clear()
    await clock.pass_(60.0)
    assert reply.sent == [COMMENT]
    reply.open.set()
    await turns()
    await clock.pass_(15.0)
    assert reply.sent == [COMMENT, COMMENT]


async def test_a_closed_stream_gets_no_comment(stream, clock, reply):
    stream.close()
    stream.close()
    await clock.pass_(60.0)
    assert reply.sent == []
    assert clock.waiting == []


async def test_a_comment_that_was_due_when_the_stream_was_closed_is_not_written(
    stream, clock, reply
):
    clock.now += 15.0
    clock.waiting[0].call()
    stream.close()
    await turns()
    assert reply.sent == []


async def test_a_client_that_has_gone_cancels_the_writer(stream, reply, monkeypatch):
    async def gone(data):
        raise asyncio.CancelledError

    monkeypatch.setattr(reply, "write", gone)
    with pytest.raises(asyncio.CancelledError):
        await stream.write(b"x")


async def turns_of_others(stream, clock, *, cost, events):
    """Returns how often the others had a turn while a source that never waits made its events."""
    had = 0

    async def others():
        nonlocal had
        while True:
            had += 1
            await asyncio.sleep(0)

    task = asyncio.ensure_future(others())
    for _ in range(events):
        clock.now += cost
        await stream.write(b"x")
    task.cancel()
    return had


@pytest.mark.parametrize(
    ("cost", "turns"),
    [
        pytest.param(TURN, 100, id="of-slow-events-after-each"),
        pytest.param(TURN * 10, 100, id="of-very-slow-events-after-each"),
        pytest.param(TURN / 2.5, 33, id="of-quick-events-after-several"),
    ],
)
async def test_a_source_that_never_waits_leaves_others_their_turns(stream, clock, cost, turns):
    assert await turns_of_others(stream, clock, cost=cost, events=100) == turns


async def test_events_of_one_moment_are_written_in_one_turn(stream, clock):
    assert await turns_of_others(stream, clock, cost=0.0, events=100) == 0


async def test_by_the_clock_of_the_machine_others_have_their_turns_too(reply):
    stream = EventStream(reply)
    left = False

    def leave():
        nonlocal left
        left = True

    asyncio.get_running_loop().call_soon(leave)
    while not left:
        await stream.write(b"x")
    stream.close()
