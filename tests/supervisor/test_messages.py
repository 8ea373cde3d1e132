"""What supervisor and worker tell each other survives the way."""

import asyncio
import socket

import pytest

from gateway.supervisor.channel import Channel, TooLongError
from gateway.supervisor.messages import (
    Answered,
    Ask,
    Counted,
    Drain,
    Drained,
    Failed,
    Ready,
    Refused,
    Reload,
    Reloaded,
    Start,
    Suggest,
    Suggestions,
    decode,
    encode,
)
from gateway.supervisor.snapshot import Snapshot

FILE = Snapshot("gateway.yaml", "a: 'b\nc'\n", ["x.y='ü'", "bad=\udcff"])
MADE = Snapshot("--reflect", {"upstreams": {"a": {"services": ["*"]}}})
MESSAGES = [
    Start(
        2,
        [7, 8],
        FILE,
        MADE,
        "meeting",
        9,
        ["info", "text"],
        shows_progress=True,
        taps=[{"watch": "me"}],
    ),
    Reload(3, FILE, 2),
    Suggest(calls=True),
    Ask(5, "purge", {"tag": "a"}),
    Drain(),
    Ready(["a warning"], '{"keys": []}'),
    Failed(["gateway.yaml:1:1: wrong"], 2),
    Reloaded(3, "1 service", [], ["admin"]),
    Refused(3, ["wrong"]),
    Suggestions(["curl x"]),
    Answered(5, {"purged": 1}),
    Answered(6, {}, "BAD_REQUEST", "There is no such tag."),
    Counted([["2026-11-21", "", "", "", "a/b", 1, 0, 1, 2, 1, 3]]),
    Drained(4),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda each: type(each).__name__)
def test_a_message_is_a_line(message):
    line = encode(message)
    assert line.index(b"\n") == len(line) - 1
    # JSON has no tuples: an empty one comes back as a list.
    assert encode(decode(line)) == line
    assert type(decode(line)) is type(message)


@pytest.mark.parametrize(
    "line", [b"\n", b"{}\n", b'{"kind": "x"}\n', b'{"kind": "drain", "a": 1}\n', b"[]\n"]
)
def test_what_is_no_message_is_named(line):
    with pytest.raises(ValueError, match="no message"):
        decode(line)


async def test_a_config_of_any_size_passes_and_the_end_is_told():
    one, other = [await Channel.over(each) for each in socket.socketpair()]
    large = Snapshot("gateway.yaml", "\x01" * 4 * 1024**2)
    async with asyncio.timeout(60):
        one.send(Start(1, [], large, large, "meeting", 9, ["info", "text"]))
        received = await other.receive()
        assert received.config == received.started == Snapshot("gateway.yaml", large.content, [])
        await one.close()
        assert await other.receive() is None
        other.send(Drain())  # to nobody
        await other.close()


async def test_what_the_other_end_would_not_take_is_not_sent():
    one, other = [await Channel.over(each) for each in socket.socketpair()]
    with pytest.raises(TooLongError):
        one.send(Answered(1, {"rows": "x" * 64 * 1024**2}))
    one.send(Drain())
    assert await other.receive() == Drain()
    for each in (one, other):
        await each.close()


async def test_who_sends_in_turn_waits_for_the_other_end_and_sends_all_or_nothing():
    ours, theirs = socket.socketpair()
    one = await Channel.over(ours)
    large = Counted([["x" * 1024**2]])
    await one.send_in_turn(large)
    waiting = asyncio.create_task(one.send_in_turn(Drain()))
    given_up = asyncio.create_task(one.send_in_turn(large))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not waiting.done()
    given_up.cancel()
    other = await Channel.over(theirs)
    async with asyncio.timeout(60):
        assert await other.receive() == large
        await waiting
        assert await other.receive() == Drain()
        await one.close()
        assert await other.receive() is None
        await other.send_in_turn(Drain())  # to nobody
        await other.close()
