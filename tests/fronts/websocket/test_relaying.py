"""The relay's part, alone and with the owner's at the other end of a real Unix socket."""

import asyncio
import socket as sockets

import pytest

from gateway.fronts.websocket.relay_records import Kind, arrived, closed, closing
from gateway.fronts.websocket.relayed import RelayedSocket
from gateway.fronts.websocket.relaying import Relaying
from tests.fronts.websocket.relays import Client, Wire, arrival, turns

PIECE = b"x" * 10_000


async def begun():
    """A client that is relayed; the relay; what the owner says and hears."""
    client = Client()
    relaying = Relaying(client)
    wire = Wire(relaying.link)
    asking = asyncio.ensure_future(relaying.is_adopted(arrival()))
    await turns()
    assert [kind for kind, _ in wire.sent] == [Kind.ARRIVED]
    wire.tell(Kind.ADOPTED)
    assert await asking
    relaying.begin("hello")
    return client, relaying, wire


# The beginning.


async def test_the_owner_is_asked_first_and_nothing_is_read_meanwhile():
    client = Client()
    relaying = Relaying(client)
    wire = Wire(relaying.link)
    client.say("behind hello")
    asking = asyncio.ensure_future(relaying.is_adopted(arrival("2.f")))
    await turns()
    ((kind, payload),) = wire.sent
    assert (kind, arrived(payload).session) == (Kind.ARRIVED, "2.f")
    relaying.link.pause_writing()
    relaying.link.resume_writing()
    wire.tell(Kind.GO)
    await turns()
    assert not asking.done()
    assert client.held
    assert wire.sent == []


async def test_what_a_client_says_right_behind_its_hello_comes_behind_it():
    client = Client()
    relaying = Relaying(client)
    wire = Wire(relaying.link)
    client.say("1", b"2")
    asking = asyncio.ensure_future(relaying.is_adopted(arrival()))
    await turns()
    client.say("3")
    wire.tell(Kind.ADOPTED)
    await asking
    wire.sent.clear()
    relaying.begin(b"hello")
    client.say("4")
    await turns()
    assert wire.sent == [
        (Kind.BINARY, b"hello"),
        (Kind.TEXT, b"1"),
        (Kind.BINARY, b"2"),
        (Kind.TEXT, b"3"),
        (Kind.TEXT, b"4"),
    ]


async def test_an_owner_that_closes_the_link_drives_nothing():
    client = Client()
    relaying = Relaying(client)
    wire = Wire(relaying.link)
    asking = asyncio.ensure_future(relaying.is_adopted(arrival()))
    await turns()
    wire.lose()
    assert not await asking
    assert client.is_open


async def test_an_owner_that_is_lost_as_it_begins_is_a_gateway_that_goes_away():
    client = Client()
    relaying = Relaying(client)
    wire = Wire(relaying.link)
    asking = asyncio.ensure_future(relaying.is_adopted(arrival()))
    await turns()
    wire.tell(Kind.ADOPTED)
    wire.lose()
    assert await asking
    assert client.is_open
    relaying.begin("hello")
    assert client.ended == (4000, "going away")


# What each is told.


async def test_the_client_is_sent_what_the_owner_says():
    client, _, wire = await begun()
    wire.tell(Kind.TEXT, "ä".encode())
    wire.tell(Kind.BINARY, b"\xff")
    wire.tell(Kind.CLOSE, closing(4003, "the token has expired"))
    assert client.got == ["ä", b"\xff"]
    assert client.ended == (4003, "the token has expired")


async def test_the_owner_cuts():
    client, _, wire = await begun()
    wire.tell(Kind.CUT)
    assert client.ended == "cut"


async def test_pings_are_answered_by_the_client():
    client, _, wire = await begun()
    wire.sent.clear()
    wire.tell(Kind.PING)
    wire.tell(Kind.PING)
    assert wire.sent == []
    client.answer()
    assert wire.sent == [Kind.PONG]
    client.answer()
    assert wire.sent == [Kind.PONG]


async def test_a_client_that_takes_nothing_is_told_of_as_often_as_it_is_seen():
    client, _, wire = await begun()
    wire.sent.clear()
    wire.tell(Kind.WATCH, b"1.5")
    seconds, stalled = client.stalled
    assert seconds == 1.5
    stalled()
    stalled()
    assert wire.sent == [Kind.STALLED] * 2


async def test_a_drain_is_the_owners_to_answer():
    client, _, wire = await begun()
    wire.sent.clear()
    client.drain()
    assert wire.sent == [Kind.DRAINING]
    assert client.is_open


async def test_the_clients_end_is_the_last_word():
    client, _, wire = await begun()
    wire.sent.clear()
    client.say("last")
    client.leave(1001, "gone")
    *messages, (kind, payload) = wire.sent
    assert messages == [(Kind.TEXT, b"last")]
    assert (kind, closed(payload)) == (Kind.CLOSED, (1001, "gone"))
    assert wire.closed
    wire.tell(Kind.TEXT, b"late")
    assert client.got == []


async def test_an_owner_that_is_lost_is_a_gateway_that_goes_away():
    client, _, wire = await begun()
    wire.lose(ConnectionResetError())
    assert client.ended == (4000, "going away")
    client.say("nobody hears this")
    client.leave(4000)


async def test_a_record_of_the_relays_own_is_a_bug_and_ends_the_link():
    _, _, wire = await begun()
    with pytest.raises(AssertionError):
        wire.tell(Kind.DRAINING)


# Who waits for whom.


async def test_the_client_is_read_on_when_neither_the_owner_nor_the_link_holds_it():
    client, relaying, wire = await begun()
    await turns()
    wire.tell(Kind.HOLD)
    assert client.held
    relaying.link.pause_writing()
    wire.tell(Kind.GO)
    assert client.held
    wire.tell(Kind.HOLD)
    relaying.link.resume_writing()
    assert client.held
    wire.tell(Kind.GO)
    assert not client.held


async def test_the_owner_is_told_once_of_a_client_that_takes_nothing_and_once_when_it_does():
    client, _, wire = await begun()
    wire.sent.clear()
    client.stop_taking()
    for _ in range(3):
        wire.tell(Kind.TEXT, b"x")
    assert wire.sent == [Kind.FULL]
    client.take_again()
    await turns()
    assert wire.sent == [Kind.TAKEN]
    client.stop_taking()
    wire.tell(Kind.BINARY, b"x")
    assert wire.sent == [Kind.FULL]


async def test_a_close_reaches_a_client_that_takes_nothing():
    client, _, wire = await begun()
    client.stop_taking()
    wire.tell(Kind.TEXT, b"x")
    wire.tell(Kind.CLOSE, closing(4001, ""))
    assert client.ended == (4001, "")
    client.take_again()
    await turns()
    assert Kind.TAKEN not in wire.sent  # it takes nothing more
    assert not client.tasks


# Both ends.


class Owner:
    """Listens to a relayed socket, and takes messages as a test says."""

    def __init__(self, *, paused=False):
        self.paused = paused
        self.got = []
        self.closed = asyncio.get_running_loop().create_future()
        self.socket = RelayedSocket(self.adopt, lambda _: None)

    def adopt(self, socket, _arrival):
        socket.listen(self.got.append, lambda *end: self.closed.set_result(end))
        if self.paused:
            socket.pause()
        return True


@pytest.fixture
async def joined():
    """Connects a client's relay with an owner, by a Unix socket."""
    transports = []

    async def join(client, owner):
        loop = asyncio.get_running_loop()
        ends = sockets.socketpair()
        relaying = Relaying(client)
        for link, end in zip((relaying.link, owner.socket.link), ends, strict=True):
            transport, _ = await loop.create_unix_connection(lambda: link, sock=end)  # noqa: B023
            transports.append(transport)
        assert await relaying.is_adopted(arrival())
        relaying.begin("hello")
        return relaying

    yield join
    for transport in transports:
        transport.abort()
    await turns()


async def until(check):
    async with asyncio.timeout(20):
        while not check():
            await asyncio.sleep(0)


async def test_an_owner_that_takes_nothing_has_the_client_wait(joined):
    client, owner = Client(), Owner(paused=True)
    await joined(client, owner)
    await until(lambda: client.held)
    client.say(*[PIECE] * 100)
    await turns(100)
    assert client.unread == 100
    owner.socket.resume()
    await until(lambda: len(owner.got) == 101)
    assert owner.got == ["hello", *[PIECE] * 100]


async def test_a_client_that_takes_nothing_has_the_owner_wait_and_loses_nothing(joined):
    client, owner = Client(), Owner()
    await joined(client, owner)
    client.stop_taking()
    sent = 0
    while owner.socket.writable:
        owner.socket.send_binary(sent.to_bytes(4) + PIECE)
        sent += 1
        await asyncio.sleep(0)
    assert sent < 100
    assert len(client.got) <= sent
    client.take_again()
    async with asyncio.timeout(20):
        await owner.socket.drained()
    await until(lambda: len(client.got) == sent)
    assert [int.from_bytes(each[:4]) for each in client.got] == list(range(sent))


async def test_an_owner_that_does_not_even_read_has_the_client_wait(joined):
    client, owner = Client(), Owner()
    relaying = await joined(client, owner)
    await turns()
    transport = owner.socket.link._transport
    transport.pause_reading()
    await until(lambda: not client.held)
    said = 0
    while not client.held:
        client.say(PIECE)
        said += 1
    assert relaying.link.full
    assert said < 1000
    transport.resume_reading()
    await until(lambda: len(owner.got) == said + 1 and not client.held)


async def test_a_client_that_left_is_heard_of_by_an_owner_that_takes_nothing(joined):
    client, owner = Client(), Owner(paused=True)
    await joined(client, owner)
    await until(lambda: client.held)
    client.say("last")
    client.leave(1001, "gone")
    async with asyncio.timeout(20):
        assert await owner.closed == (1001, "gone")
    assert owner.got == ["hello", "last"]


@pytest.mark.parametrize("lost", ["owner", "relay"])
async def test_either_side_learns_that_the_other_is_gone(joined, lost):
    client, owner = Client(), Owner(paused=True)
    relaying = await joined(client, owner)
    if lost == "owner":
        owner.socket.link._transport.abort()
        await until(lambda: client.ended is not None)
        assert client.ended == (4000, "going away")
    else:
        relaying.link._transport.abort()
        async with asyncio.timeout(20):
            assert await owner.closed == (1006, "")
