"""The rules of streams (docs/websocket.md): each by name."""

import pytest

from gateway.call import Code
from gateway.errors import error
from gateway.fronts.websocket.frames import MOST_CREDIT, FrameError
from tests.fronts.websocket.sessions import Peer

NEVER_OPENED = "the stream 2 was never opened"


@pytest.fixture
def peer():
    return Peer()


@pytest.fixture
def resumable():
    return Peer(resumable=True)


# Ids.


@pytest.mark.parametrize("id_", [3, 2], ids=["the same", "a smaller one"])
@pytest.mark.parametrize("ended", [False, True], ids=["open", "ended"])
def test_an_id_that_was_used_closes_with_4409(peer, id_, ended):
    peer.open(3)
    if ended:
        peer.end(3)
        assert peer.written() == ["status 3 OK"]
    with pytest.raises(FrameError, match=f"the id {id_} was used before") as wrong:
        peer.open(id_)
    assert wrong.value.code == 4409


def test_ids_may_leave_others_out(peer):
    peer.open(3)
    peer.open(2**53 - 1)
    assert peer.calls.began == [3, 2**53 - 1]
    assert peer.session.last_id == 2**53 - 1


@pytest.mark.parametrize("kind", ["message", "credit", "cancel"])
def test_a_frame_for_an_id_that_was_never_opened_closes_with_4400(peer, kind):
    peer.open(1)
    say = {
        "message": lambda: peer.message(b"", 2),
        "credit": lambda: peer.credit(1, 2),
        "cancel": lambda: peer.cancel(2),
    }
    with pytest.raises(FrameError, match=NEVER_OPENED) as wrong:
        say[kind]()
    assert wrong.value.code == 4400


def test_frames_for_a_stream_that_has_ended_are_ignored(peer):
    peer.open(1)
    peer.end()
    assert peer.written() == ["status 1 OK"]
    peer.message(b"late")
    peer.message(None, end=True)
    peer.credit(5)
    peer.cancel()
    assert peer.written() == []
    assert peer.calls.told == peer.calls.stopped == []


def test_frames_that_come_before_the_status_is_written_are_ignored_too(peer):
    peer.open(1)
    peer.end()
    peer.message(b"late")
    peer.message(b"x" * 2**21)
    peer.cancel()
    assert peer.written() == ["status 1 OK"]
    assert peer.calls.told == peer.calls.stopped == []
    assert peer.session._ungranted == 0


# Opening.


def test_a_refused_stream_gets_its_status_and_counts_as_seen(peer):
    peer.open(4, refused=error("DRAINING", "No."))
    assert peer.written() == ["status 4 UNAVAILABLE DRAINING"]
    assert peer.session.last_id == 4
    assert peer.session.streams == {}
    assert peer.calls.began == []
    peer.message(b"late", 4)


def test_more_streams_than_are_allowed_are_refused_and_others_go_on():
    peer = Peer(streams=2)
    peer.open(1)
    peer.open(2)
    peer.open(3)
    peer.send("a", 1)
    assert peer.written() == ["status 3 RESOURCE_EXHAUSTED TOO_MANY_STREAMS", "message 1 a"]
    peer.end(1)
    assert peer.written() == ["status 1 OK"]
    peer.open(4)
    assert peer.calls.began == [1, 2, 4]


def test_a_stream_counts_until_its_status_is_written():
    peer = Peer(streams=1)
    peer.open(1)
    peer.end(1)
    peer.open(2)
    assert peer.written() == ["status 2 RESOURCE_EXHAUSTED TOO_MANY_STREAMS", "status 1 OK"]


def test_ended_streams_whose_status_was_not_acknowledged_count():
    peer = Peer(streams=1, resumable=True)
    peer.open(1)
    peer.end(1)
    assert peer.written() == ["status 1#1 OK"]
    peer.open(2)
    assert peer.calls.began == [1]
    peer.credit(0, 1, seq=1)
    peer.open(3)
    assert peer.calls.began == [1, 3]


def test_a_body_in_open_that_is_too_large_ends_the_stream(peer):
    peer.open(1, body=bytes(2**20 + 1))
    assert peer.written() == ["status 1 RESOURCE_EXHAUSTED MESSAGE_TOO_LARGE"]
    assert peer.calls.began == []
    peer.open(2, body=bytes(2**20))
    assert peer.calls.began == [2]


def test_what_came_with_open_is_there_when_the_call_begins(peer):
    peer.open(1, body=b"first", end=True)
    assert peer.stream().inflow.inbox == [b"first"]
    assert peer.stream().inflow.ended
    assert peer.take() == b"first"
    assert peer.take() is None


# The end.


def test_the_status_is_last_and_comes_once(peer):
    peer.open(1)
    stream = peer.stream()
    peer.headers()
    peer.send("a")
    peer.end()
    peer.session.end(stream, None)
    peer.session.send(stream, b"1")
    peer.session.headers(stream, [])
    peer.cancel()
    written = peer.written()
    # The client had cancelled, and does not get all of it.
    assert written == ["headers 1", "status 1 CANCELLED The client cancelled the call."]
    assert peer.session.idle


def test_a_cancelled_stream_gets_its_status(peer):
    peer.open(1)
    peer.cancel()
    peer.cancel()
    assert peer.calls.stopped == [(1, "CANCELLED")]
    assert peer.written() == ["status 1 CANCELLED CANCELLED"]


def test_cancel_drops_messages_that_wait_for_credit(peer):
    peer.open(1, credit=0)
    peer.headers()
    peer.send("a")
    peer.cancel()
    assert peer.written() == ["headers 1", "status 1 CANCELLED CANCELLED"]


def test_a_status_stands_behind_the_messages_before_it(peer):
    peer.open(1, credit=0)
    peer.send("a")
    peer.end()
    assert peer.written() == []
    peer.credit(1)
    assert peer.written() == ["message 1 a", "status 1 OK"]


def test_status_and_headers_need_no_credit(peer):
    peer.open(1, credit=0)
    peer.headers()
    peer.end(code=Code.NOT_FOUND)
    assert peer.written() == ["headers 1", "status 1 NOT_FOUND"]


def test_a_status_that_was_on_its_way_when_cancel_came_is_the_one(peer):
    peer.open(1)
    peer.end()
    peer.cancel()
    assert peer.written() == ["status 1 OK"]


def test_but_not_without_the_messages_before_it(peer):
    peer.open(1, credit=0)
    peer.send("a")
    peer.end()
    peer.cancel()
    assert peer.written() == ["status 1 CANCELLED The client cancelled the call."]
    assert peer.calls.stopped == []


# Half-close.


@pytest.mark.parametrize("body", [b"x", None], ids=["with a message", "alone"])
def test_end_says_that_there_are_no_more(peer, body):
    peer.open(1)
    peer.message(body, end=True)
    assert peer.stream().inflow.ended
    assert peer.stream().inflow.inbox == ([] if body is None else [body])
    assert peer.calls.told == [("arrived", 1)]


@pytest.mark.parametrize("body", [b"x", None], ids=["a message", "end again"])
def test_a_frame_after_end_ends_the_stream(peer, body):
    peer.open(1, end=True)
    peer.message(body, end=True)
    assert peer.written() == ["status 1 INVALID_ARGUMENT UNEXPECTED_MESSAGE"]


def test_the_server_still_sends_after_end(peer):
    peer.open(1, end=True)
    peer.send("a")
    assert peer.written() == ["message 1 a"]


# Credit from the client.


def test_no_more_is_written_than_was_granted(peer):
    peer.open(1, credit=1)
    for text in "abc":
        peer.send(text)
    assert peer.written() == ["message 1 a"]
    peer.credit(1)
    assert peer.written() == ["message 1 b"]
    peer.credit(0)
    assert peer.written() == []
    peer.credit(7)
    assert peer.written() == ["message 1 c"]
    assert peer.stream().outflow.credit == 6


def test_the_call_is_told_when_all_it_sent_was_written(peer):
    peer.open(1, credit=0)
    peer.send("a")
    assert peer.written() == []
    assert peer.calls.told == []
    peer.credit(1)
    peer.written()
    assert peer.calls.told == [("written", 1)]


def test_without_credit_in_open_all_that_was_written_is_granted_again(peer):
    peer.open(1)
    for number in range(200):
        peer.send(number)
    assert len(peer.written()) == 200
    assert peer.stream().outflow.credit == 64


def test_of_a_session_that_can_be_resumed_credit_comes_by_frames_alone(resumable):
    resumable.open(1)
    for number in range(65):
        resumable.send(number)
    assert len(resumable.written()) == 64
    resumable.credit(1)
    assert resumable.written() == ["message 1#65 64"]


def test_credit_ends_at_its_highest(peer):
    peer.open(1, credit=MOST_CREDIT)
    for _ in range(3):
        peer.credit(MOST_CREDIT)
    assert peer.stream().outflow.credit == MOST_CREDIT


# Credit from the server.


def test_the_client_may_send_as_many_messages_as_it_was_granted():
    peer = Peer(credit=3)
    peer.open(1, body=b"free")
    for _ in range(3):
        peer.message()
    assert peer.written() == []
    peer.message()
    assert peer.written() == ["status 1 RESOURCE_EXHAUSTED FLOW_CONTROL"]


def test_an_end_without_a_message_needs_no_credit():
    peer = Peer(credit=1)
    peer.open(1)
    peer.message()
    peer.message(None, end=True)
    assert peer.written() == []
    assert peer.stream().inflow.ended


def test_the_client_may_send_as_many_bytes_as_the_buffer_has():
    peer = Peer(buffer=10)
    peer.open(1, body=bytes(100))
    peer.message(bytes(6))
    peer.message(bytes(4))
    peer.message(bytes(0))
    assert peer.written() == []
    peer.message(bytes(1))
    assert peer.written() == ["status 1 RESOURCE_EXHAUSTED FLOW_CONTROL"]


def test_one_message_is_allowed_whatever_its_size_where_none_is_on_the_way():
    peer = Peer(buffer=10)
    peer.open(1)
    peer.message(bytes(100))
    peer.take()
    assert peer.written() == ["credit 1 1"]
    peer.message(bytes(100))
    assert peer.written() == []
    peer.message(bytes(1))
    assert peer.written() == ["status 1 RESOURCE_EXHAUSTED FLOW_CONTROL"]


def test_the_server_grants_half_of_what_it_gave_at_a_time():
    peer = Peer(credit=4, message_size=8, buffer=1000)
    peer.open(1, body=b"free")
    for _ in range(4):
        peer.message(b"x")
    written = []
    for _ in range(5):
        peer.take()
        written.append(peer.written())
    assert written == [[], [], ["credit 1 2"], [], ["credit 1 2"]]
    assert peer.stream().inflow.granted == 8


@pytest.mark.parametrize("limit", ["buffer", "session_buffer"])
def test_with_half_of_the_bytes_on_the_way_it_grants_at_once(limit):
    peer = Peer(credit=100, message_size=4, **{limit: 10})
    peer.open(1)
    for _ in range(2):
        peer.message(bytes(3))
    peer.take()
    assert peer.written() == ["credit 1 1"]
    peer.take()
    assert peer.written() == []


def test_what_is_less_is_granted_together_after_a_while():
    """A client that waits to send a large message sends nothing else meanwhile."""
    peer = Peer()
    for id_ in (1, 2, 3):
        peer.open(id_)
        peer.message(b"x", id_)
        peer.message(b"y", id_)
        peer.take(id_)
    assert peer.calls.owing
    peer.take(1)
    peer.end(3)
    assert peer.written() == ["status 3 OK"]
    peer.wait()
    assert peer.written() == ["credit 1 2", "credit 2 1"]
    assert not peer.calls.owing
    peer.wait()
    assert peer.written() == []


def test_what_was_granted_meanwhile_is_not_granted_twice():
    peer = Peer(credit=4)
    peer.open(1)
    for _ in range(2):
        peer.message()
        peer.take()
    assert peer.written() == ["credit 1 2"]
    peer.wait()
    assert peer.written() == []


def test_a_client_that_sends_no_more_on_a_stream_has_its_bytes_back_for_others():
    """Not at once: mostly the status comes before, and says it too."""
    peer = Peer(credit=2, session_buffer=10)
    peer.open(1)
    peer.open(2)
    peer.message(bytes(5))
    peer.message(bytes(5), end=True)
    peer.take()
    peer.take()
    assert peer.written() == []
    peer.wait()
    assert peer.written() == ["credit 1 2"]
    peer.message(bytes(10), 2)
    assert peer.written() == []
    assert peer.session._ungranted == 10


def test_a_grant_is_of_the_oldest_messages():
    peer = Peer(credit=8, buffer=1000, message_size=50)
    peer.open(1)
    for size in (10, 20, 30):
        peer.message(bytes(size))
    peer.take()
    peer.wait()
    assert peer.written() == ["credit 1 1"]
    assert peer.stream().inflow.size == 50
    peer.take()
    peer.wait()
    assert peer.written() == ["credit 1 1"]
    assert peer.stream().inflow.size == 30


def test_a_message_that_is_too_large_ends_its_stream_alone():
    peer = Peer(message_size=10, buffer=100)
    peer.open(1)
    peer.open(2)
    peer.message(bytes(11))
    assert peer.written() == ["status 1 RESOURCE_EXHAUSTED MESSAGE_TOO_LARGE"]
    peer.message(bytes(10), 2)
    assert peer.calls.told == [("arrived", 2)]


def test_what_is_on_the_way_is_bounded_over_all_streams():
    peer = Peer(session_buffer=40, message_size=10, buffer=100)
    peer.open(1)
    peer.open(2, body=bytes(10))  # free
    for _ in range(4):
        peer.message(bytes(10), 1)
    assert peer.written() == []
    peer.message(bytes(1), 2)
    assert peer.written() == ["status 2 RESOURCE_EXHAUSTED FLOW_CONTROL"]
    assert peer.session._ungranted == 40
    peer.take(1)
    assert peer.written() == ["credit 1 1"]
    peer.message(bytes(10), 1)
    assert peer.written() == []


def test_where_nothing_is_on_the_way_one_message_is_allowed_whatever_its_size():
    peer = Peer(session_buffer=5, message_size=10)
    peer.open(1)
    peer.open(2)
    peer.message(bytes(10), 1)
    assert peer.written() == []
    peer.message(b"x", 2)
    assert peer.written() == ["status 2 RESOURCE_EXHAUSTED FLOW_CONTROL"]


@pytest.mark.parametrize("how", ["taken", "ended", "cancelled", "broken", "left"])
def test_nothing_is_on_the_way_at_the_end(how):
    peer = Peer(credit=2, resumable=how == "left")
    peer.open(1, body=b"abc")
    peer.message(b"de")
    assert peer.session._ungranted == 2
    match how:
        case "taken":
            assert [peer.take(), peer.take()] == [b"abc", b"de"]
        case "ended":
            peer.end()
        case "cancelled":
            peer.cancel()
        case "broken":
            peer.message()
            peer.message()
        case "left":
            peer.session.restore({}, {})
    assert peer.session._ungranted == 0


# Turns.


def test_streams_take_turns():
    peer = Peer()
    for id_ in (1, 2, 3):
        peer.open(id_)
        for text in "abc":
            peer.send(text, id_)
    assert peer.written(4) == ["message 1 a", "message 2 a", "message 3 a", "message 1 b"]
    peer.open(4)
    peer.send("late", 4)
    assert peer.written(4) == ["message 2 b", "message 3 b", "message 1 c", "message 4 late"]


def test_control_frames_come_first(peer):
    peer.open(1)
    peer.send("a")
    peer.session.say(b'{"t":"pong","id":0}')
    assert peer.written() == ["pong 0", "message 1 a"]


def test_a_stream_without_credit_is_passed_over(peer):
    peer.open(1, credit=0)
    peer.open(2)
    peer.send("a", 1)
    peer.send("b", 2)
    assert peer.written() == ["message 2 b"]
    peer.credit(1, 1)
    assert peer.written() == ["message 1 a"]


def test_idle_is_without_streams_and_words(peer):
    assert peer.session.idle
    peer.session.say(b'{"t":"pong","id":0}')
    assert not peer.session.idle
    peer.written()
    assert peer.session.idle
    peer.open(1)
    assert not peer.session.idle
    peer.end()
    assert not peer.session.idle
    peer.written()
    assert peer.session.idle


# Replies that wait.


@pytest.mark.parametrize("how", ["without credit", "away"])
def test_replies_that_wait_are_bounded_over_all_streams(how):
    peer = Peer(replies=200)
    credit = 0 if how == "without credit" else 9
    peer.session.is_away = how == "away"
    for id_ in (1, 2, 3):
        peer.open(id_, credit=credit)
    peer.send("x" * 1000, 1)  # one may always wait
    peer.send("y", 2)
    assert peer.calls.stopped == [(2, "FLOW_CONTROL")]
    peer.session.is_away = False
    assert "message 1 " + "x" * 1000 not in peer.written() or how == "away"


def test_a_stream_that_has_ended_does_not_hold_its_call(peer):
    peer.open(1, credit=0)
    stream = peer.stream()
    stream.call = object()
    peer.send("a")
    peer.end()
    assert stream.call is None


def test_an_abandoned_session_holds_nothing(peer):
    peer.open(1, credit=0, body=b"x")
    stream = peer.stream()
    stream.call = object()
    peer.send("a")
    peer.session.abandon()
    assert not peer.session.streams
    assert stream.call is None
    assert not stream.outflow.waiting
    assert not stream.inflow.inbox
    assert peer.written() == []
