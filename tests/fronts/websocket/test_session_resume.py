"""What both sides of a session do when its socket broke: numbers, what is kept, and coming back."""

import pytest

from gateway.errors import error
from gateway.fronts.websocket.frames import MOST_CREDIT, FrameError, Resumed
from tests.fronts.websocket.sessions import Peer


@pytest.fixture
def resumable():
    return Peer(resumable=True)


def test_frames_of_a_stream_are_numbered(resumable):
    resumable.open(1)
    resumable.open(2)
    resumable.headers()
    resumable.send("a")
    resumable.send("b", 2)
    resumable.end()
    assert resumable.written() == [
        "headers 1#1",
        "message 2#1 b",
        "message 1#2 a",
        "status 1#3 OK",
    ]


def test_credit_of_the_servers_says_what_has_arrived():
    peer = Peer(credit=2, resumable=True)
    peer.open(1)
    peer.message()
    peer.take()
    assert peer.written() == ["credit 1#1 1"]


@pytest.mark.parametrize("body", [b"x", None], ids=["a message", "end"])
def test_what_comes_again_is_taken_once(resumable, body):
    resumable.open(1)
    resumable.message(body, end=body is None)
    resumable.seqs[1] = 0
    resumable.message(body, end=body is None)
    assert len(resumable.stream().inflow.inbox) == (body is not None)
    assert resumable.calls.told == [("arrived", 1)]
    assert resumable.written() == []


@pytest.mark.parametrize("seq", [0, 2, 2**53 - 1])
def test_a_number_that_is_not_the_next_closes_with_4400(resumable, seq):
    resumable.open(1)
    resumable.seqs[1] = seq - 1
    with pytest.raises(FrameError, match="seq 1 of stream 1 is missing") as wrong:
        resumable.message()
    assert wrong.value.code == 4400


def test_what_is_acknowledged_is_kept_no_more(resumable):
    resumable.open(1)
    for text in "abc":
        resumable.send(text)
    resumable.written()
    assert [each.seq for each in resumable.stream().outflow.kept] == [1, 2, 3]
    resumable.credit(0, seq=2)
    assert [each.seq for each in resumable.stream().outflow.kept] == [3]
    resumable.credit(0, seq=1)
    assert [each.seq for each in resumable.stream().outflow.kept] == [3]


def test_a_stream_is_over_when_its_status_is_acknowledged(resumable):
    resumable.open(1)
    resumable.end()
    resumable.credit(0, seq=1)  # forged: it was not written yet
    assert resumable.written() == ["status 1#1 OK"]
    assert not resumable.session.idle
    resumable.credit(0, seq=2**53 - 1)
    assert resumable.session.idle


def test_what_the_client_lacks_is_written_again_and_what_waits_after_it(resumable):
    resumable.open(1, credit=3)
    for text in "abcd":
        resumable.send(text)
    assert resumable.written() == ["message 1#1 a", "message 1#2 b", "message 1#3 c"]
    assert resumable.session.restore({1: 1}, {1: 4}) == [Resumed(1, 0, 16)]
    assert resumable.written() == ["message 1#2 b", "message 1#3 c", "message 1#4 d"]


def test_what_is_written_again_costs_no_credit(resumable):
    resumable.open(1, credit=2)
    for text in "abc":
        resumable.send(text)
    resumable.written()
    resumable.session.restore({1: 0}, {1: 2})
    assert resumable.written() == ["message 1#1 a", "message 1#2 b"]
    resumable.session.restore({1: 0}, {1: 3})
    assert resumable.written() == ["message 1#1 a", "message 1#2 b", "message 1#3 c"]


def test_the_client_says_what_it_has_granted_for_frames_may_be_lost(resumable):
    resumable.open(1, credit=2)
    resumable.send("a")
    resumable.written()
    resumable.session.restore({1: 1}, {1: 12})
    assert resumable.stream().outflow.credit == 11


def test_streams_that_are_not_named_are_cancelled(resumable):
    resumable.open(1)
    resumable.open(2)
    resumable.end(2)
    assert resumable.session.restore({}, {}) == []
    assert resumable.calls.stopped == [(1, "CANCELLED")]
    assert resumable.session.streams == {}
    assert resumable.written() == []
    assert resumable.session.idle


def test_a_status_that_was_lost_is_written_again(resumable):
    resumable.open(1)
    resumable.end()
    resumable.written()
    assert resumable.session.restore({1: 0}, {1: 64}) == [Resumed(1, 0, 16)]
    assert resumable.written() == ["status 1#1 OK"]


def test_a_stream_whose_status_the_client_has_is_over(resumable):
    resumable.open(1)
    resumable.end()
    resumable.written()
    assert resumable.session.restore({1: 1}, {1: 64}) == []
    assert resumable.session.idle


def test_what_the_client_has_sent_and_was_granted_is_told():
    peer = Peer(credit=2, resumable=True)
    peer.open(1)
    peer.message()
    peer.message()
    peer.take()
    assert peer.session.restore({1: 0}, {1: 64}) == [Resumed(1, 2, 3)]


def test_words_that_were_lost_are_not_said_again(resumable):
    resumable.open(1)
    resumable.session.say(b'{"t":"pong","id":0}')
    resumable.session.restore({1: 0}, {1: 64})
    assert resumable.written() == []


@pytest.mark.parametrize(
    ("seen", "granted"),
    [
        ({1: 2**53 - 1, 7: 3, 2**53 - 1: 1}, {1: 2**53 - 1, 9: 1}),
        ({1: 0}, {}),
        ({1: 0}, {1: 0}),
    ],
    ids=["huge and unknown", "missing", "less than was sent"],
)
def test_forged_numbers_break_nothing(resumable, seen, granted):
    resumable.open(1, credit=1)
    resumable.send("a")
    resumable.send("b")
    resumable.written()
    (resumed,) = resumable.session.restore(seen, granted)
    assert resumed == Resumed(1, 0, 16)
    outflow = resumable.stream().outflow
    assert 0 <= outflow.credit <= MOST_CREDIT
    resumable.credit(1)
    assert resumable.written()[-1] == "message 1#2 b"


def test_a_number_is_given_to_no_frame_that_is_never_written(resumable):
    """A client that finds one missing takes it for lost."""
    resumable.open(1, credit=1)
    for text in "ab":
        resumable.send(text)
    resumable.cancel()
    assert resumable.written() == ["status 1#1 CANCELLED CANCELLED"]
    resumable.open(2, credit=0)
    resumable.headers(2)
    resumable.send("a", 2)
    resumable.end(2)
    resumable.cancel(2)
    assert resumable.written() == [
        "headers 2#1",
        "status 2#2 CANCELLED The client cancelled the call.",
    ]


def test_cancel_after_coming_back_drops_only_what_was_never_written(resumable):
    resumable.open(1, credit=1)
    for text in "ab":
        resumable.send(text)
    assert resumable.written() == ["message 1#1 a"]
    resumable.session.restore({1: 0}, {1: 1})
    resumable.cancel()
    assert resumable.written() == ["message 1#1 a", "status 1#2 CANCELLED CANCELLED"]


def test_statuses_of_refused_streams_are_not_kept(resumable):
    resumable.open(1, refused=error("DRAINING", "No."))
    assert resumable.session.restore({1: 0}, {1: 64}) == []
    assert resumable.session.last_id == 1
    assert resumable.written() == []
