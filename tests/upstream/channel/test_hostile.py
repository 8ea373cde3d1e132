"""Peers that break the rules, or keep to them in the worst way: calls end, and others live.

What both transports make of a peer is held on both; what grpcio does its own way, or takes seconds
for, is held on the native one alone (`test_native_*`).
"""

import asyncio

import pytest

from gateway.call import Call, Code, Deadline
from gateway.upstream.channel import NotSentError, State
from gateway.upstream.channel.native import NativeChannel
from tests.upstream.clients import Client, failure, opened, stream_failure, unary
from tests.upstream.servers import (
    GRPC,
    answer,
    answering,
    data,
    frame,
    goaway,
    headers,
    message,
    peers,
    reset,
    scripted,
    settings,
    window,
)

METHOD = "test.Echo/Call"
INITIAL_WINDOW, MAX_FRAME, MAX_STREAMS = 4, 5, 3
BIG = b"x" * 100_000


def soon(seconds=0.2):
    return Deadline(asyncio.get_running_loop().time() + seconds)


def call(request=b"x", **arguments):
    return Call(METHOD, request, **arguments)


# Windows.


async def test_a_window_that_never_opens_holds_calls_until_their_deadline(make):
    """RFC 9113, 6.9: and only those that have something to send."""
    async with (
        peers(values={INITIAL_WINDOW: 0}) as servers,
        opened(make, servers.endpoint) as channel,
    ):
        held = asyncio.ensure_future(failure(channel, call(deadline=soon())))
        client = Client(METHOD, [b"x"], deadline=soon())
        stream = asyncio.ensure_future(stream_failure(channel, client))
        # A call whose content is empty but for the prefix waits too; one that only listens does not.
        listener = Client("test.Echo/Listen", [asyncio.Event()])
        listens = asyncio.ensure_future(channel.stream(listener))
        peer = await servers.at(0)
        await peer.until(lambda: len(peer.heard(1)) == 3)
        (number,) = (frame[2] for frame in peer.frames if frame[0] == 1 and b"Listen" in frame[3])
        peer.say(answer(number, b"hi"))
        await listens
        assert (await held).reason == "DEADLINE_EXCEEDED"
        assert (await stream).reason == "DEADLINE_EXCEEDED"
        assert channel.pending == 0
        await peer.until(lambda: len(peer.heard(3)) >= 2)
        assert peer.heard(0) == []
    assert listener.replies == [b"hi"]


async def test_a_window_that_opens_byte_by_byte_lets_a_message_through(make):
    async def grudging(peer):
        peer.say(settings({INITIAL_WINDOW: 0}))
        (block,) = await peer.until(lambda: [f for f in peer.frames if f[0] == 1])
        size = 5 + 300
        for sent in range(size):
            peer.say(window(block[2], 1))
            await peer.until(lambda sent=sent: len(peer.content(block[2])) > sent)
        assert peer.content(block[2]) == message(b"x" * 300)
        peer.say(answer(await peer.request(), b"hi"))
        await peer.closed.wait()

    async with peers(grudging) as servers, opened(make, servers.endpoint) as channel:
        peer = await servers.at(0)
        await peer.until(lambda: peer.heard(4))
        while channel.state is not State.READY:
            await asyncio.sleep(0.01)
        assert (await unary(channel, call(b"x" * 300))).message == b"hi"


async def test_a_window_that_shrinks_below_nothing_is_waited_for(make):
    """RFC 9113, 6.9.2: a change of SETTINGS_INITIAL_WINDOW_SIZE may make windows negative."""

    async def shrinking(peer):
        (block,) = await peer.until(lambda: [f for f in peer.frames if f[0] == 1])
        await peer.until(lambda: len(peer.content(block[2])) == 65_535)
        peer.say(settings({INITIAL_WINDOW: 10}), window(0, 2**20), window(block[2], 65_525))
        peer.say(frame(6, 0, 0, b"question"))
        await peer.until(lambda: b"question" in peer.heard(6))
        assert len(peer.content(block[2])) == 65_535
        peer.say(settings({INITIAL_WINDOW: 65_535}))
        assert await peer.request() == block[2]
        assert peer.content(block[2]) == message(BIG)
        peer.say(answer(block[2], b"hi"))
        await peer.closed.wait()

    async with peers(shrinking) as servers, opened(make, servers.endpoint) as channel:
        assert (await unary(channel, call(BIG))).message == b"hi"


async def test_larger_frames_are_used_from_when_they_are_allowed(make):
    """RFC 9113, 6.5.3: and never before."""

    async def allowing(peer):
        (block,) = await peer.until(lambda: [f for f in peer.frames if f[0] == 1])
        await peer.until(lambda: len(peer.content(block[2])) == 65_535)
        assert max(map(len, peer.heard(0))) <= 16_384
        peer.say(settings({MAX_FRAME: 2**20}), window(0, 2**20), window(block[2], 2**20))
        assert await peer.request() == block[2]
        assert peer.content(block[2]) == message(BIG)
        peer.say(answer(block[2], b"hi"))
        await peer.closed.wait()

    async with peers(allowing) as servers, opened(make, servers.endpoint) as channel:
        assert (await unary(channel, call(BIG))).message == b"hi"


# Answers in the smallest pieces.


def small_pieces(stream, payload):
    """An answer with a byte a DATA frame."""
    return (
        headers(stream, GRPC)
        + b"".join(data(stream, bytes([byte])) for byte in message(payload))
        + headers(stream, [("grpc-status", "0")], end=True)
    )


async def test_an_answer_may_come_a_byte_a_frame(make):
    payload = bytes(range(256)) * 4
    async with (
        scripted(lambda stream: small_pieces(stream, payload)) as endpoint,
        opened(make, endpoint) as channel,
    ):
        assert (await unary(channel, call())).message == payload
        client = Client(METHOD)
        await channel.stream(client)
    assert client.replies == [payload]


async def test_an_answer_may_come_a_byte_a_segment():
    """On the native channel: of grpcio's calls, one in some hundreds fails in its core."""

    async def slow(peer):
        while True:
            for byte in answer(await peer.request(), b"hello"):
                peer.say(bytes([byte]))
                await peer.writer.drain()
                await asyncio.sleep(0)

    async with peers(slow) as servers, opened(NativeChannel, servers.endpoint) as channel:
        assert (await unary(channel, call())).message == b"hello"
        client = Client(METHOD)
        await channel.stream(client)
    assert client.replies == [b"hello"]


async def test_frames_may_be_padded():
    """RFC 9113, 6.1 and 6.2: padding counts against windows, and says nothing.

    grpcio takes the padding of HEADERS for fields.
    """

    def padded(kind, flags, stream, payload):
        return frame(kind, flags | 8, stream, b"\xff" + payload + bytes(255))

    def script(stream):
        content = message(b"y" * 10_000)
        pieces = [content[at : at + 100] for at in range(0, len(content), 100)]
        head, tail = headers(stream, GRPC)[9:], headers(stream, [("grpc-status", "0")])[9:]
        return (
            padded(1, 4, stream, head)
            + b"".join(padded(0, 0, stream, piece) for piece in pieces[:50])
            + b"".join(data(stream, piece) for piece in pieces[50:])
            + padded(1, 5, stream, tail)
        )

    async with scripted(script) as endpoint, opened(NativeChannel, endpoint) as channel:
        assert (await unary(channel, call())).message == b"y" * 10_000


# Going away.


async def test_calls_below_the_last_of_a_goaway_finish_and_those_above_are_sent_anew(make):
    """RFC 9113, 6.8."""
    gate = asyncio.Event()

    async def leaving(peer):
        first, second = await peer.request(), await peer.request()
        peer.say(goaway(first, 0))
        await gate.wait()
        peer.say(answer(first, b"old"))
        await peer.closed.wait()
        assert second > first

    scenes = iter([leaving])

    async def scene(peer):
        await next(scenes, answering)(peer)

    async with peers(scene) as servers, opened(make, servers.endpoint) as channel:
        first = asyncio.ensure_future(unary(channel, call()))
        peer = await servers.at(0)
        await peer.until(lambda: peer.heard(0))
        second = asyncio.ensure_future(unary(channel, call()))
        assert (await second).message == b"hi"
        assert not first.done()
        gate.set()
        assert (await first).message == b"old"
        await peer.closed.wait()
        third = await unary(channel, call())
        assert third.message == b"hi"
        assert len(servers.all) == 2


async def test_a_goaway_in_two_steps_loses_no_call(make):
    """RFC 9113, 6.8: a graceful shutdown says the last identifier twice."""
    second_step = asyncio.Event()

    async def leaving(peer):
        first = await peer.request()
        peer.say(goaway(2**31 - 1, 0))
        await second_step.wait()
        peer.say(goaway(first, 0), answer(first, b"old"))
        await peer.closed.wait()

    scenes = iter([leaving])

    async def scene(peer):
        await next(scenes, answering)(peer)

    async with peers(scene) as servers, opened(make, servers.endpoint) as channel:
        first = asyncio.ensure_future(unary(channel, call()))
        peer = await servers.at(0)
        await peer.until(lambda: peer.heard(0))
        others = [asyncio.ensure_future(unary(channel, call())) for _ in range(5)]
        second_step.set()
        replies = await asyncio.gather(*others)
        assert (await first).message == b"old"
    assert {reply.message for reply in replies} == {b"hi"}


async def test_a_goaway_with_an_error_ends_what_is_below_when_the_connection_closes(make):
    async def broken(peer):
        stream = await peer.request()
        peer.say(goaway(stream, 2, b"secret at 10.0.0.1"))

    async with peers(broken) as servers, opened(make, servers.endpoint) as channel:
        error = await failure(channel, call())
    assert error.reason == "UPSTREAM_RESET"
    assert "10.0.0.1" not in error.status.message
    assert not isinstance(error, NotSentError)


# Ends after a beginning.


@pytest.mark.parametrize(
    ("wire", "reason"),
    [
        (lambda stream: headers(stream, GRPC) + reset(stream, 8), "UPSTREAM_RESET"),
        (lambda stream: headers(stream, GRPC) + reset(stream, 7), "UPSTREAM_RESET"),
        (
            lambda stream: (
                headers(stream, [(":status", "200"), ("content-type", "application/json")])
                + data(stream, b"{}", end=True)
            ),
            "UPSTREAM_PROTOCOL_ERROR",
        ),
    ],
    ids=["RST after the head", "refused after the head", "another content type"],
)
async def test_an_answer_that_breaks_off_harms_no_other_call(make, wire, reason):
    async def scene(peer):
        peer.say(wire(await peer.request()))
        await answering(peer)

    async with peers(scene) as servers, opened(make, servers.endpoint) as channel:
        error = await failure(channel, call())
        assert error.reason == reason
        assert not isinstance(error, NotSentError)
        assert (await unary(channel, call())).message == b"hi"
        assert len(servers.all) == 1


# Floods. Each is sent until the client closes the connection: that it does is what is tested.

NAME = headers(1, GRPC)[9:]

FLOODS = {
    "PING": lambda stream: frame(6, 0, 0, b"flooding"),
    "SETTINGS": lambda stream: settings({INITIAL_WINDOW: 65_535}),
    "answers to no PING": lambda stream: frame(6, 1, 0, b"flooding"),
    "PRIORITY": lambda stream: frame(2, 0, stream, bytes(5)),
    "unknown frames": lambda stream: frame(0xBB, 0, stream, b"?"),
    "empty DATA": lambda stream: data(stream, b""),
    "padding alone": lambda stream: frame(0, 8, stream, b"\x00"),
    "1xx": lambda stream: headers(stream, [(":status", "103")]),
    "CONTINUATION": lambda stream: frame(9, 0, stream, b""),
    "RST of what is over": lambda stream: reset(1, 8),
}


@pytest.mark.parametrize("name", FLOODS)
async def test_a_flood_ends_the_connection_and_the_next_one_serves(name):
    flood = FLOODS[name]

    async def flooding(peer):
        peer.say(answer(await peer.request(), b"hi"))
        stream = await peer.request()
        if name in {"empty DATA", "padding alone"}:
            peer.say(headers(stream, GRPC))
        elif name == "CONTINUATION":
            peer.say(frame(1, 0, stream, NAME))
        while not peer.closed.is_set():
            peer.say(flood(stream) * 10)
            await peer.writer.drain()
            await asyncio.sleep(0)

    scenes = iter([flooding])

    async def scene(peer):
        await next(scenes, answering)(peer)

    async with peers(scene) as servers, opened(NativeChannel, servers.endpoint) as channel:
        await unary(channel, call())
        error = await failure(channel, call())
        assert error.reason == "UPSTREAM_PROTOCOL_ERROR"
        assert not isinstance(error, NotSentError)
        peer = await servers.at(0)
        await peer.closed.wait()
        assert (await unary(channel, call())).message == b"hi"
        assert len(servers.all) == 2


async def test_a_field_block_without_end_ends_the_connection(make):
    """CVE-2024-27316 and its like."""

    async def endless(peer):
        stream = await peer.request()
        peer.say(frame(1, 0, stream, NAME))
        while not peer.closed.is_set():
            peer.say(frame(9, 0, stream, headers(1, [("x", b"y" * 1000)])[9:]))
            await peer.writer.drain()
            await asyncio.sleep(0)

    async with peers(endless) as servers, opened(make, servers.endpoint) as channel:
        error = await failure(channel, call())
    assert error.reason in {"UPSTREAM_PROTOCOL_ERROR", "UPSTREAM_MESSAGE_TOO_LARGE"}


# Peers that do not read.


async def test_a_peer_that_does_not_read_holds_calls_until_their_deadline(make):
    """Nothing is piled up meanwhile: a stream takes no more from its client than fits."""

    async def deaf(peer):
        await peer.until(lambda: len([f for f in peer.frames if f[0] == 4]) >= 1)
        peer.reading.clear()
        peer.reader._transport.pause_reading()
        peer.say(settings({INITIAL_WINDOW: 2**31 - 1}), window(0, 2**31 - 1 - 65_535))
        await asyncio.Event().wait()

    class Endless(Client):
        async def receive(self):
            self.taken += 1
            return bytes(1_000_000)

    async with peers(deaf) as servers, opened(make, servers.endpoint) as channel:
        while channel.state is not State.READY:
            await asyncio.sleep(0.01)
        client = Endless(METHOD, deadline=soon(0.5))
        stream = asyncio.ensure_future(stream_failure(channel, client))
        error = await failure(channel, call(bytes(4_000_000), deadline=soon(0.5)))
        assert error.reason == "DEADLINE_EXCEEDED"
        assert (await stream).reason == "DEADLINE_EXCEEDED"
        assert channel.pending == 0
    # What the kernel's buffers take differs by machine; it is not what an endless client offers.
    assert client.taken < 20


async def test_half_closed_tcp_ends_calls(make):
    """A server that says no more can't answer: RFC 9113, 5.1 knows no half-closed connection."""

    async def scene(peer):
        await peer.request()
        peer.writer.write_eof()
        await peer.closed.wait()

    async with peers(scene) as servers, opened(make, servers.endpoint) as channel:
        error = await failure(channel, call())
        assert error.reason == "UPSTREAM_RESET"
        assert error.status.code is Code.UNAVAILABLE
        peer = await servers.at(0)
        await peer.closed.wait()
