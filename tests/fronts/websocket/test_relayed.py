"""The owner's socket keeps every sentence of `gateway.http.WebSocket`."""

import asyncio
import logging

import pytest

from gateway.fronts.websocket.relay_records import Kind, arriving, closed, closing
from gateway.fronts.websocket.relayed import RelayedSocket
from gateway.http import SocketClosed
from tests.fronts.websocket.relays import Wire, arrival, turns

CLOSED = Kind.CLOSED, closing(1000, "bye")


class Front:
    """Listens, and notes what it is told."""

    def __init__(self, *, listens=True, drains=True, adopts=True):
        self.listens, self.drains, self.adopts = listens, drains, adopts
        self.told = []
        self.arrivals = []
        self.left = 0

    def adopt(self, socket, arrived):
        self.arrivals.append(arrived)
        if self.listens and self.adopts:
            draining = (lambda: self.told.append("draining")) if self.drains else None
            socket.listen(self.message, self.closed, draining)
        return self.adopts

    def message(self, message):
        self.told.append(message)

    def closed(self, code, reason):
        self.told.append((code, reason))

    def leave(self, _socket):
        self.left += 1


def adopted(front=None):
    front = front or Front()
    socket = RelayedSocket(front.adopt, front.leave)
    wire = Wire(socket.link)
    wire.tell(Kind.ARRIVED, arriving(arrival()))
    return front, socket, wire


@pytest.fixture
async def open_socket():
    """A front that listens to a socket; the socket; what the other worker says and hears."""
    front, socket, wire = adopted()
    await turns()
    assert wire.sent == [Kind.ADOPTED]
    return front, socket, wire


# The beginning.


async def test_who_adopts_is_told_of_the_client():
    front, socket, _ = adopted()
    (found,) = front.arrivals
    assert (found.session, found.framing) == ("1.0", "grpcws.v1.json")
    assert found.request.headers.all("a") == ["1", "2"]
    assert socket.subprotocol == "grpcws.v1.json"


async def test_a_socket_that_is_not_adopted_goes_back_by_the_end_of_the_link():
    front, _, wire = adopted(Front(adopts=False))
    assert (wire.sent, wire.closed) == ([], True)
    await turns()
    assert (front.told, front.left) == ([], 1)


async def test_a_bug_while_it_is_adopted_leaves_the_socket_where_it_is(caplog):
    class Broken(Front):
        def adopt(self, socket, arrived):
            raise LookupError("a bug")

    with caplog.at_level(logging.ERROR):
        front, _, wire = adopted(Broken())
    assert (wire.sent, wire.closed) == ([], True)
    await turns()
    assert front.left == 1
    assert "LookupError" in caplog.text


async def test_who_asks_and_goes_before_it_says_a_word_is_forgotten():
    front = Front()
    socket = RelayedSocket(front.adopt, front.leave)
    Wire(socket.link).lose()
    assert (front.told, front.left) == ([], 1)


# Messages.


async def test_messages_are_passed_on_as_what_they_were(open_socket):
    front, _, wire = open_socket
    wire.tell(Kind.TEXT, "ä".encode())
    wire.tell(Kind.BINARY, b"\xff")
    wire.tell(Kind.TEXT)
    wire.tell(Kind.BINARY)
    assert front.told == ["ä", b"\xff", "", b""]


async def test_messages_wait_until_somebody_listens():
    front, socket, wire = adopted(Front(listens=False))
    wire.tell(Kind.TEXT, b"early")
    await turns()
    assert front.told == []
    socket.listen(front.message, front.closed)
    wire.tell(Kind.TEXT, b"late")
    await turns()
    assert front.told == ["early", "late"]


async def test_no_message_comes_while_it_is_paused_and_all_come_in_order_later(open_socket):
    front, socket, wire = open_socket
    socket.pause()
    wire.tell(Kind.TEXT, b"1")
    wire.tell(Kind.BINARY, b"2")
    await turns()
    assert front.told == []
    socket.resume()
    wire.tell(Kind.TEXT, b"3")
    await turns()
    assert front.told == ["1", b"2", "3"]


async def test_a_pause_from_within_a_message_holds_the_next(open_socket):
    front, socket, wire = open_socket
    socket.listen(lambda message: (front.told.append(message), socket.pause()), front.closed)
    for text in (b"1", b"2", b"3"):
        wire.tell(Kind.TEXT, text)
    assert front.told == ["1"]
    for count in (2, 3):
        socket.resume()
        await turns()
        assert len(front.told) == count
    assert front.told == ["1", "2", "3"]


async def test_a_pause_right_after_a_resume_holds(open_socket):
    front, socket, wire = open_socket
    socket.pause()
    wire.tell(Kind.TEXT, b"1")
    socket.resume()
    socket.pause()
    await turns()
    assert front.told == []


async def test_the_client_is_read_no_further_while_something_waits(open_socket):
    _, socket, wire = open_socket
    socket.pause()
    assert wire.sent == []  # nobody says anything, so nobody need be stopped
    wire.tell(Kind.TEXT, b"1")
    wire.tell(Kind.TEXT, b"2")
    assert wire.sent == [Kind.HOLD]
    socket.resume()
    await turns()
    assert wire.sent == [Kind.GO]


async def test_what_is_sent_arrives_as_what_it_is(open_socket):
    _, socket, wire = open_socket
    socket.send_text("ä")
    socket.send_text(b"utf-8")
    socket.send_binary(b"\xff")
    assert wire.sent == [
        (Kind.TEXT, "ä".encode()),
        (Kind.TEXT, b"utf-8"),
        (Kind.BINARY, b"\xff"),
    ]


# A client that takes nothing.


@pytest.mark.parametrize("what", ["the client", "the other worker"])
async def test_it_is_writable_while_all_is_taken(open_socket, what):
    _, socket, wire = open_socket

    def stop():
        wire.tell(Kind.FULL) if what == "the client" else socket.link.pause_writing()

    def go_on():
        wire.tell(Kind.TAKEN) if what == "the client" else socket.link.resume_writing()

    await socket.drained()
    stop()
    assert not socket.writable
    sending = [asyncio.ensure_future(socket.send("x")) for _ in range(2)]
    await turns()
    assert not any(each.done() for each in sending)
    go_on()
    await asyncio.gather(*sending)
    assert socket.writable


async def test_it_is_writable_when_neither_is_slow(open_socket):
    _, socket, wire = open_socket
    wire.tell(Kind.FULL)
    socket.link.pause_writing()
    waiting = asyncio.ensure_future(socket.drained())
    await turns()
    wire.tell(Kind.TAKEN)
    await turns()
    assert not waiting.done()
    socket.link.resume_writing()
    await waiting


@pytest.mark.parametrize("how", ["it closes", "the client leaves", "the link is lost"])
async def test_who_waits_for_a_client_that_will_take_nothing_more_is_told(open_socket, how):
    _, socket, wire = open_socket
    wire.tell(Kind.FULL)
    waiting = asyncio.ensure_future(socket.drained())
    await turns()
    match how:
        case "it closes":
            socket.close(4000, "away")
        case "the client leaves":
            wire.tell(*CLOSED)
        case _:
            wire.lose()
    with pytest.raises(SocketClosed) as end:
        await waiting
    assert end.value.code == {"it closes": 4000, "the client leaves": 1000}.get(how, 1006)
    with pytest.raises(SocketClosed):
        await socket.send("nobody hears this")


async def test_who_asks_is_told_of_a_client_that_takes_nothing_each_time(open_socket):
    _, socket, wire = open_socket
    stalls = []
    socket.when_stalled(1.5, lambda: stalls.append(1))
    assert wire.sent == [(Kind.WATCH, b"1.5")]
    wire.tell(Kind.STALLED)
    wire.tell(Kind.STALLED)
    assert stalls == [1, 1]


async def test_nobody_is_told_of_a_stall_who_did_not_ask(open_socket):
    front, socket, wire = open_socket
    wire.tell(Kind.STALLED)
    assert front.told == []
    assert socket.is_open


# Pings.


async def test_each_ping_is_answered_once_in_order(open_socket):
    _, socket, wire = open_socket
    answers = []
    socket.ping(lambda seconds: answers.append((1, seconds >= 0)))
    socket.ping()
    socket.ping(lambda seconds: answers.append((3, seconds >= 0)))
    assert wire.sent == [Kind.PING] * 3
    for expected in ([(1, True)], [(1, True)], [(1, True), (3, True)]):
        wire.tell(Kind.PONG)
        assert answers == expected


async def test_a_pong_is_heard_though_messages_wait_before_it(open_socket):
    front, socket, wire = open_socket
    answers = []
    socket.ping(answers.append)
    socket.pause()
    wire.tell(Kind.TEXT, b"1")
    wire.tell(Kind.PONG)
    assert len(answers) == 1
    assert front.told == []


# Ends.


async def test_a_close_is_said_once_and_nothing_after_it(open_socket):
    front, socket, wire = open_socket
    socket.close(4000, "away")
    socket.close(1011, "again")
    socket.send_text("x")
    socket.send_binary(b"x")
    socket.ping()
    ((kind, payload),) = wire.sent
    assert (kind, closed(payload)) == (Kind.CLOSE, (4000, "away"))
    assert not socket.is_open
    assert front.told == []  # the client has not answered


async def test_what_comes_after_a_close_of_ours_is_not_passed_on(open_socket):
    front, socket, wire = open_socket
    socket.pause()
    wire.tell(Kind.TEXT, b"1")
    socket.close(4000, "")
    wire.tell(Kind.TEXT, b"2")
    # The client's answer stands behind what it has said, so that is read on.
    assert wire.sent[-1] == Kind.GO
    wire.tell(Kind.CLOSED, closing(4000, ""))
    await turns()
    assert front.told == [(4000, "")]


@pytest.mark.parametrize("held", [False, True], ids=["reading", "paused"])
async def test_what_came_before_the_client_left_is_passed_on(open_socket, held):
    front, socket, wire = open_socket
    if held:
        socket.pause()
    wire.tell(Kind.TEXT, b"1")
    wire.tell(Kind.TEXT, b"2")
    wire.tell(*CLOSED)
    assert front.told == ["1", "2", (1000, "bye")]
    assert wire.closed


async def test_the_end_is_told_once(open_socket):
    front, socket, wire = open_socket
    wire.tell(*CLOSED)
    await turns()  # the link is lost, by itself
    socket.close()
    socket.abort()
    socket.drain()
    assert front.told == [(1000, "bye")]
    assert front.left == 1


async def test_a_relay_that_is_lost_is_a_connection_that_is_lost(open_socket):
    front, socket, wire = open_socket
    wire.tell(Kind.TEXT, b"1")
    wire.lose(ConnectionResetError())
    assert front.told == ["1", (1006, "")]
    assert front.left == 1
    assert not socket.is_open
    socket.send_text("nobody hears this")
    assert wire.sent == []


async def test_abort_cuts_and_passes_nothing_on(open_socket):
    front, socket, wire = open_socket
    socket.abort()
    wire.tell(Kind.TEXT, b"1")
    assert wire.sent == [Kind.CUT]
    assert not socket.is_open
    wire.tell(Kind.CLOSED, closing(1006, ""))
    assert front.told == [(1006, "")]


async def test_a_cut_ends_it_without_the_client(open_socket):
    front, socket, wire = open_socket
    socket.cut(4000, "away")
    ((kind, payload),) = wire.sent
    assert (kind, closed(payload)) == (Kind.CLOSE, (4000, "away"))
    assert front.told == [(1006, "")]
    assert wire.closed


@pytest.mark.parametrize("who", ["this worker", "the other worker"])
async def test_a_drain_asks_for_an_end(who):
    for front in (Front(), Front(drains=False)):
        _, socket, wire = adopted(front)
        await turns()
        wire.sent.clear()
        socket.drain() if who == "this worker" else wire.tell(Kind.DRAINING)
        if front.drains:
            assert front.told == ["draining"]
            assert socket.is_open
        else:
            ((kind, payload),) = wire.sent
            assert (kind, closed(payload)[0]) == (Kind.CLOSE, 1001)


async def test_a_drain_before_anybody_has_asked_ends_the_link_and_says_nothing():
    front = Front()
    socket = RelayedSocket(front.adopt, front.leave)
    wire = Wire(socket.link)
    socket.drain()
    assert (wire.sent, wire.closed) == ([], True)
    await turns()
    assert front.left == 1


# Bugs.

WAYS = {
    "message": lambda wire: wire.tell(Kind.TEXT, b"x"),
    "draining": lambda wire: wire.tell(Kind.DRAINING),
    "ping": lambda wire: wire.tell(Kind.PONG),
    "stall": lambda wire: wire.tell(Kind.STALLED),
}


@pytest.mark.parametrize("way", WAYS)
async def test_a_callback_that_raises_is_logged_and_closes_with_1011(way, caplog):
    def fail(*_):
        raise LookupError("a bug")

    front = Front(listens=False)
    _, socket, wire = adopted(front)
    socket.listen(fail, front.closed, fail)
    socket.ping(fail)
    socket.when_stalled(1, fail)
    await turns()
    wire.sent.clear()
    WAYS[way](wire)
    ((kind, payload),) = wire.sent
    assert (kind, closed(payload)) == (Kind.CLOSE, (1011, "the gateway failed"))
    assert "LookupError" in caplog.text
    wire.tell(Kind.CLOSED, closing(1011, ""))
    assert front.told == [(1011, "")]


async def test_a_bug_of_who_is_told_of_the_end_is_logged(open_socket, caplog):
    front, socket, wire = open_socket

    def fail(*_):
        raise LookupError("a bug")

    socket.listen(front.message, fail)
    wire.tell(*CLOSED)
    assert "LookupError" in caplog.text
    assert front.left == 1


async def test_a_record_of_the_owners_own_is_a_bug_and_ends_the_link(open_socket):
    _, _, wire = open_socket
    with pytest.raises(AssertionError):
        wire.tell(Kind.PING)


# Tasks.


@pytest.mark.parametrize("how", ["the client leaves", "the link is lost"])
async def test_tasks_are_cancelled_at_the_end(open_socket, how):
    _, socket, wire = open_socket
    task = socket.spawn(asyncio.Event().wait())
    await turns()
    if how == "the client leaves":
        wire.tell(*CLOSED)
    else:
        wire.lose()
    await turns()
    assert task.cancelled()
    late = socket.spawn(asyncio.Event().wait())
    await turns()
    assert late.cancelled()


async def test_a_task_that_raises_closes_with_1011(open_socket, caplog):
    _, socket, wire = open_socket

    async def fail():
        raise LookupError("a bug")

    socket.spawn(fail())
    await turns()
    ((kind, payload),) = wire.sent
    assert (kind, closed(payload)[0]) == (Kind.CLOSE, 1011)
    assert "LookupError" in caplog.text
