"""How connections of the native channel begin and end, at the hands of peers that misbehave."""

import asyncio
import gc
import ssl

import hpack
import pytest
import trustme

from gateway.call import Call
from gateway.upstream.channel import NotSentError, State, native_connect, native_connection
from gateway.upstream.channel.native import NativeChannel
from gateway.upstream.channel.native_connection import NativeConnection
from gateway.upstream.spec import ChannelSpec, Keepalive, Tls
from gateway.wire.hpack import Decoder
from gateway.wire.settings import Limits
from tests.upstream.clients import Client, failure, opened, stream_failure, unary, until
from tests.upstream.servers import (
    answer,
    answering,
    frame,
    goaway,
    peers,
    reset,
    settings,
    tcp,
    window,
)

METHOD = "test.Echo/Call"
TABLE_SIZE, INITIAL_WINDOW = 1, 4
CA = trustme.CA()
TLS = Tls(ca=CA.cert_pem.bytes())


def call(request=b"x", **arguments):
    return Call(METHOD, request, **arguments)


async def silent(peer):
    await peer.closed.wait()


def certified(alpn):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    CA.issue_cert("127.0.0.1").configure_cert(context)
    context.set_alpn_protocols(alpn)
    return context


# Beginnings.


async def mute(peer):
    peer.acknowledges = False
    await peer.closed.wait()


async def test_settings_that_never_come_are_no_connection(monkeypatch):
    monkeypatch.setattr(native_connect, "PATIENCE", 0.1)
    async with (
        peers(mute, first=b"") as servers,
        opened(NativeChannel, servers.endpoint) as channel,
    ):
        error = await failure(channel, call())
        assert error.reason == "UPSTREAM_UNAVAILABLE"
        assert isinstance(error, NotSentError)
        await (await servers.at(0)).closed.wait()
        await servers.at(1)


async def test_settings_that_are_never_acknowledged_end_the_connection(monkeypatch):
    """RFC 9113, 6.5.3: SETTINGS_TIMEOUT."""
    monkeypatch.setattr(native_connection, "_SETTINGS_PATIENCE", 0.1)

    async with peers(mute) as servers, opened(NativeChannel, servers.endpoint) as channel:
        error = await failure(channel, call())
        assert error.reason == "UPSTREAM_PROTOCOL_ERROR"
        assert not isinstance(error, NotSentError)
        peer = await servers.at(0)
        await peer.closed.wait()
        (goodbye,) = peer.heard(7)
        assert goodbye[4:8] == b"\0\0\0\x04"


@pytest.mark.parametrize(
    "more",
    [goaway(0, 0), goaway(0, 11, b"too_many_pings"), b"\xff" * 9, frame(6, 0, 0, b"short")],
    ids=["GOAWAY", "too many pings", "garbage", "a broken ping"],
)
async def test_a_connection_that_ends_as_it_begins_is_none(more):
    """SETTINGS and the end come in one segment: it was ready, and is over."""
    async with (
        peers(silent, first=settings({}) + more) as servers,
        opened(NativeChannel, servers.endpoint) as channel,
    ):
        for _ in range(3):
            error = await failure(channel, call())
            assert isinstance(error, NotSentError)
        assert channel._connections == []
        assert channel.state is State.FAILING
        assert len(servers.all) <= 3


async def test_the_first_block_on_the_wire_says_that_there_is_no_table():
    """RFC 7541, 4.2: whoever shrinks the table is told so first, also if the first call is gone."""
    async with (
        peers(answering, {TABLE_SIZE: 0}) as servers,
        opened(NativeChannel, servers.endpoint) as channel,
    ):
        peer = await servers.at(0)
        await until(lambda: channel.state is State.READY)
        channel.start(call(), lambda _: pytest.fail("it was cancelled"))()
        await unary(channel, call())
        await unary(channel, call())
        decoder = hpack.Decoder()
        decoder.max_allowed_table_size = 0
        for block in peer.heard(1):
            assert (":method", "POST") in decoder.decode(block)


@pytest.mark.parametrize("alpn", [["http/1.1"], []], ids=["HTTP/1.1", "nothing"])
async def test_tls_that_does_not_agree_on_http2_is_no_connection(alpn):
    async def connection(reader, writer):
        await reader.read()

    async with (
        tcp(connection, certified(alpn)) as endpoint,
        opened(NativeChannel, endpoint, tls=TLS) as channel,
    ):
        error = await failure(channel, call())
        assert error.reason == "UPSTREAM_PROTOCOL_ERROR"
        assert isinstance(error, NotSentError)


async def test_tls_that_stalls_in_the_handshake_is_no_connection(monkeypatch):
    monkeypatch.setattr(native_connect, "PATIENCE", 0.1)
    heard = []

    async def stalls(reader, writer):
        heard.append(await reader.read(1))
        await reader.read()

    async with tcp(stalls) as endpoint, opened(NativeChannel, endpoint, tls=TLS) as channel:
        error = await failure(channel, call())
        assert error.reason == "UPSTREAM_UNAVAILABLE"
        assert isinstance(error, NotSentError)
        await until(lambda: len(heard) >= 2)
    assert heard[0] == b"\x16"


async def test_hostile_peers_are_met_through_tls_too():
    async def scene(peer):
        peer.say(answer(await peer.request(), b"hi"))
        stream = await peer.request()
        for byte in answer(stream, b"hello"):
            peer.say(bytes([byte]))
            await peer.writer.drain()
        await peer.request()
        peer.writer.transport.abort()

    async with (
        peers(scene, tls=certified(["h2"])) as servers,
        opened(NativeChannel, servers.endpoint, tls=TLS) as channel,
    ):
        assert (await unary(channel, call())).message == b"hi"
        assert (await unary(channel, call())).message == b"hello"
        assert (await failure(channel, call())).reason == "UPSTREAM_RESET"


# Keepalive.


async def test_a_peer_that_freezes_is_found_out_and_left():
    async def freezes(peer):
        await peer.request()
        peer.acknowledges = False
        await peer.closed.wait()

    scenes = iter([freezes])

    async def scene(peer):
        await next(scenes, answering)(peer)

    keepalive = Keepalive(time=0.1, timeout=0.1)
    async with (
        peers(scene) as servers,
        opened(NativeChannel, servers.endpoint, keepalive=keepalive) as channel,
    ):
        client = Client(METHOD, [b"x"])
        error = await stream_failure(channel, client)
        assert error.reason == "UPSTREAM_RESET"
        frozen = await servers.at(0)
        await frozen.closed.wait()
        assert frozen.heard(6) == [b"gateway\0"]
        assert (await unary(channel, call())).message == b"hi"


async def test_too_many_pings_make_the_next_connection_twice_as_patient():
    """gRFC A8."""

    async def annoyed(peer):
        stream = await peer.request()
        peer.say(goaway(stream, 11, b"too_many_pings"), answer(stream, b"hi"))
        await peer.closed.wait()

    scenes = iter([annoyed, annoyed])

    async def scene(peer):
        await next(scenes, answering)(peer)

    keepalive = Keepalive(time=10, timeout=1)
    patience = []
    async with (
        peers(scene) as servers,
        opened(NativeChannel, servers.endpoint, keepalive=keepalive) as channel,
    ):
        for _ in range(3):
            await unary(channel, call())
            patience.append(
                channel._connections[-1]._watch.times.time if channel._connections else 0
            )
            await until(lambda: not channel._connections or len(servers.all) == 3)
        assert channel._connections[0]._watch.times == Keepalive(40, 1)
        assert len(servers.all) == 3


# What a busy server says is no flood.


BDP_PING = frame(6, 0, 0, b"\2\4\x10\x10\x09\x0e\7\7")


async def test_a_server_may_measure_the_link_at_every_request():
    """As grpc-go does: a PING for DATA that it receives, once the last one is answered."""

    async def measuring(peer):
        asked = 0
        while True:
            stream = await peer.request()
            if len(peer.heard(6)) == asked:
                asked += 1
                peer.say(BDP_PING)
            peer.say(answer(stream, b"hi"))
            await peer.until(lambda: len(peer.heard(6)) == asked)  # noqa: B023  read at once

    async with peers(measuring) as servers, opened(NativeChannel, servers.endpoint) as channel:
        for _ in range(1500):
            await unary(channel, call())
        (peer,) = servers.all
        await peer.until(lambda: len(peer.heard(6)) == 1500)


async def test_a_server_may_measure_the_link_at_every_message_of_a_stream():
    async def measuring(peer):
        for asked in range(1500):
            peer.say(BDP_PING)
            await peer.until(lambda: len(peer.heard(6)) > asked)  # noqa: B023  read at once
        peer.say(answer(await peer.request(), b"hi"))
        await peer.closed.wait()

    class Paced(Client):
        async def receive(self):
            await asyncio.sleep(0)
            return await super().receive()

    async with peers(measuring) as servers, opened(NativeChannel, servers.endpoint) as channel:
        peer = await servers.at(0)
        client = Paced(METHOD)
        client.requests = iter(lambda: b"x" if len(peer.heard(6)) < 1500 else None, None)
        await channel.stream(client)
        assert len(servers.all) == 1
    assert client.replies == [b"hi"]


async def test_a_server_may_answer_calls_that_were_given_up():
    """Answers and cancellations cross: under load there are many of them, and all are in order."""

    async def late(peer):
        for _ in range(3000):
            stream = await peer.request()
            await peer.until(lambda stream=stream: peer.heard(3, stream))
            peer.say(answer(stream, b"late"), reset(stream, 0))
        await answering(peer)

    async with peers(late) as servers, opened(NativeChannel, servers.endpoint) as channel:
        peer = await servers.at(0)
        for number in range(3000):
            cancel = channel.start(call(), lambda _: pytest.fail("it was cancelled"))
            if number % 100 == 0:
                await peer.until(lambda: len(peer.heard(0)) == number + 1)  # noqa: B023
            else:
                await asyncio.sleep(0)
                await asyncio.sleep(0)
            cancel()
        assert (await unary(channel, call())).message == b"hi"
        assert len(servers.all) == 1


# Ends.


async def deaf(peer):
    """Opens all windows, and does not read; then says what the test wants."""
    await peer.until(lambda: peer.heard(4))
    peer.reading.clear()
    peer.reader._transport.pause_reading()
    peer.say(settings({INITIAL_WINDOW: 2**31 - 1}), window(0, 2**31 - 1 - 65_535))
    await asyncio.Event().wait()


@pytest.mark.parametrize(
    "act",
    [
        lambda peer: peer.writer.write_eof(),
        lambda peer: peer.say(b"\xff" * 9),
    ],
    ids=["half-closes", "breaks the protocol"],
)
async def test_a_peer_that_does_not_read_and_ends_is_left_without_delay(act):
    """What waits for it to read must not keep the socket, or its calls."""
    async with peers(deaf) as servers, opened(NativeChannel, servers.endpoint) as channel:
        peer = await servers.at(0)
        await until(
            lambda: channel._connections and channel._connections[0].http.outgoing.window > 10**6
        )
        (connection,) = channel._connections
        running = asyncio.ensure_future(failure(channel, call(bytes(4_000_000))))
        client = Client(METHOD, [bytes(4_000_000)] * 3)
        stream = asyncio.ensure_future(stream_failure(channel, client))
        await until(lambda: connection.blocked)
        act(peer)
        assert (await running).reason.startswith("UPSTREAM")
        assert (await stream).reason.startswith("UPSTREAM")
        assert channel.pending == 0
        await asyncio.wait({connection._closed}, timeout=30)
        assert connection._closed.done()


async def test_what_a_goodbye_is_followed_by_is_not_answered():
    """A server that ends in order says GOAWAY and PING in one piece (gRPC core does)."""

    class Socket(asyncio.Transport):
        closed = False

        def set_write_buffer_limits(self, high=None, low=None):
            pass

        def is_closing(self):
            return self.closed

        def close(self):
            self.closed = True

        def write(self, data):  # so does uvloop's, and asyncio's says nothing
            assert not self.closed

    class Owner:
        def opened(self, connection):
            pass

        lost = opened

        def draining(self, code, debug):
            pass

    loop = asyncio.get_running_loop()
    connection = NativeConnection(
        Owner(), loop, Decoder(), Limits(), Keepalive(time=3600, timeout=3600)
    )
    failures = []
    loop.set_exception_handler(lambda _, context: failures.append(context))
    try:
        connection.connection_made(Socket())
        connection.data_received(settings({}) + goaway(0, 0) + frame(6, 0, 0, bytes(8)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    finally:
        loop.set_exception_handler(None)
        connection.connection_lost(None)
    assert connection.cause == "drained"
    assert not failures


async def test_close_leaves_no_socket_though_the_peer_does_not_read():
    async with peers(deaf) as servers, opened(NativeChannel, servers.endpoint) as channel:
        await until(
            lambda: channel._connections and channel._connections[0].http.outgoing.window > 10**6
        )
        (connection,) = channel._connections
        running = [
            asyncio.ensure_future(failure(channel, call(bytes(4_000_000)))) for _ in range(4)
        ]
        await until(lambda: connection.blocked)
        await channel.close(0)
        assert {error.reason for error in await asyncio.gather(*running)} == {"DRAINING"}
        assert servers.all
        assert connection._closed.done()


async def test_a_second_close_may_be_more_impatient():
    async with peers(silent) as servers, opened(NativeChannel, servers.endpoint) as channel:
        running = asyncio.ensure_future(failure(channel, call()))
        await (await servers.at(0)).until(lambda: True)
        patient = asyncio.ensure_future(channel.close(3600))
        await asyncio.sleep(0)
        await channel.close(0)
        assert (await running).reason == "DRAINING"
        await patient


async def test_close_ends_an_attempt_to_connect_that_fails_at_the_same_moment():
    """The attempt's failure must not hide that it is cancelled."""
    attempts = []

    async def scene(peer):
        peer.writer.transport.abort()

    class Watched(NativeChannel):
        def lost(self, connection):
            super().lost(connection)
            if not attempts:
                attempts.append(self._connecting)
                self._connecting.cancel()

    async with peers(scene, first=b"") as servers:
        channel = Watched(ChannelSpec(), servers.endpoint)
        await until(lambda: attempts)
        await asyncio.wait(attempts, timeout=20)
        assert attempts[0].cancelled()
        await channel.close(0)
        assert channel.state is State.CLOSED


async def test_a_closed_channel_leaves_nothing():
    before, others = asyncio.all_tasks(), {id(found) for found in connections()}
    async with peers(answering) as servers, opened(NativeChannel, servers.endpoint) as channel:
        await asyncio.gather(*(unary(channel, call()) for _ in range(10)))
        await channel.stream(Client(METHOD, [b"x"]))
    assert asyncio.all_tasks() <= before
    del channel
    gc.collect()
    assert not [found for found in connections() if id(found) not in others]


def connections():
    """Those that there are, also of other tests: a loop may hold one until its timer rings."""
    return [found for found in gc.get_objects() if type(found) is NativeConnection]
