"""A session, frame by frame (docs/websocket.md, "Streams", "Flow control", "Resuming")."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

import pytest

from gateway.client.errors import Status
from gateway.client.exchange import Exchange, Opening, Phase
from gateway.client.frames import (
    Cancel,
    Credit,
    End,
    Headers,
    Open,
    ProtocolError,
    Reply,
    Request,
    Resumed,
)
from gateway.client.session import CANCELLED, LOST, Session
from tests.client.model import LIMITS, welcome

NOW = 1000.0


class Client:
    """A session and what it has to send."""

    def __init__(self, **more) -> None:
        self.waiting: deque[Exchange] = deque()
        self.session = Session(welcome(**more), self.waiting)

    def begin(self, opening: Opening | None = None) -> Exchange:
        """Has a call wait."""
        exchange = Exchange(opening or Opening("a.B/C"), lambda: None)
        self.waiting.append(exchange)
        return exchange

    def open(self, opening: Opening | None = None) -> Exchange:
        """Makes a call."""
        exchange = self.begin(opening)
        assert isinstance(self.sent()[-1], Open)
        return exchange

    def sent(self) -> list:
        """All that is to be sent now."""
        frames = []
        while (frame := self.session.next_frame(NOW)) is not None:
            frames.append(frame)
        return frames

    def receive(self, *frames) -> None:
        for frame in frames:
            self.session.receive(frame)


@pytest.fixture
def client():
    return Client()


@pytest.fixture
def resumable():
    return Client(resume_ms=30_000)


class TestOpening:
    def test_ids_go_up_from_1(self, client):
        first, second = client.begin(), client.begin()
        assert [frame.id for frame in client.sent()] == [1, 2]
        assert (first.id, second.id) == (1, 2)
        assert first.phase is Phase.OPEN

    def test_all_that_a_call_begins_with_rides_in_open(self, client):
        client.begin(Opening("a.B/C", (("k", "v"),), NOW + 1.5, 16, b"body", end=True))
        assert client.sent() == [Open(1, "a.B/C", (("k", "v"),), 1500, 16, b"body", end=True)]

    def test_the_time_that_is_left_is_counted_when_the_open_is_written(self, client):
        client.begin(Opening("a.B/C", deadline=NOW + 0.0001))
        client.begin(Opening("a.B/C", deadline=NOW - 5))
        assert [frame.timeout_ms for frame in client.sent()] == [1, 1]

    def test_calls_beyond_the_limit_wait_until_one_is_over(self, client):
        calls = [client.begin() for _ in range(LIMITS.streams + 1)]
        assert len(client.sent()) == LIMITS.streams
        assert calls[-1].phase is Phase.WAITING
        client.receive(End(1, 0, "OK"))
        assert [frame.id for frame in client.sent()] == [LIMITS.streams + 1]

    def test_a_call_that_its_user_left_keeps_its_place_until_its_status(self, client):
        calls = [client.begin() for _ in range(LIMITS.streams)]
        client.sent()
        client.session.cancel(calls[0], CANCELLED)
        client.begin()
        assert client.sent() == [Cancel(1)]
        client.receive(End(1, 1, "CANCELLED"))
        assert len(client.sent()) == 1

    def test_after_goaway_calls_wait(self, client):
        client.session.leaving = True
        client.begin()
        assert client.sent() == []

    def test_more_than_may_be_opened_in_a_second_wait(self):
        client = Client(limits=replace(LIMITS, opens=4))
        for _ in range(3):
            client.begin()
        assert len(client.sent()) == 2
        assert client.session.due == NOW + 0.25
        assert client.session.next_frame(NOW + 0.2) is None
        assert client.session.next_frame(NOW + 0.25).id == 3
        assert client.session.next_frame(NOW + 0.25) is None
        assert client.session.due is None

    def test_a_first_message_that_is_too_large_ends_its_call_only(self, client):
        large = client.begin(Opening("a.B/C", body=b"x" * (LIMITS.message_size + 1)))
        client.begin()
        assert [frame.id for frame in client.sent()] == [1]
        assert large.status.status == "RESOURCE_EXHAUSTED"


class TestSending:
    def test_messages_and_the_end(self, client):
        call = client.open()
        client.session.send(call, b"1", end=False)
        client.session.send(call, None, end=True)
        assert client.sent() == [Request(1, b"1", end=False), Request(1, None, end=True)]
        assert call.closed

    def test_the_end_takes_no_credit(self, client):
        call = client.open()
        for _ in range(LIMITS.credit):
            client.session.send(call, b"1", end=False)
        assert call.sending.credit == 0
        client.session.send(call, None, end=True)
        assert call.sending.credit == 0

    def test_a_grant_gives_credit_again(self, client):
        call = client.open()
        for _ in range(LIMITS.credit):
            client.session.send(call, b"1", end=False)
        assert not call.sending.ask(1)
        client.receive(Credit(1, 2))
        assert call.sending.credit == 2

    def test_streams_take_turns_and_control_goes_first(self, client):
        first, second, third = (client.open(Opening("a.B/C", credit=1)) for _ in range(3))
        for body in (b"1", b"2", b"3"):
            client.session.send(first, body, end=False)
        client.session.send(second, b"4", end=False)
        client.receive(Reply(3, "x"))
        client.session.take(third)
        client.session.cancel(third, CANCELLED)
        client.begin()
        kinds = [(type(frame), frame.id) for frame in client.sent()]
        assert kinds == [(Cancel, 3), (Open, 4), *[(Request, id_) for id_ in (1, 2, 1, 1)]]

    def test_what_waits_of_a_call_that_is_over_is_not_sent(self, client):
        call = client.open()
        client.session.send(call, b"1", end=False)
        client.receive(End(1, 5, "NOT_FOUND"))
        assert client.sent() == []

    def test_nothing_is_sent_while_a_session_moves(self):
        client = Client(limits=replace(LIMITS, opens=1))
        client.open()
        client.begin()
        assert client.sent() == []
        assert client.session.due is not None
        client.session.held = True
        assert client.session.next_frame(NOW + 1) is None
        assert client.session.due is None


class TestWhatStreamsShare:
    """A stream has filled what all may send together; another wants to send, and waits."""

    @pytest.fixture(params=[{}, {"resume_ms": 30_000}], ids=["not-resumed", "resumed"])
    def client(self, request):
        return Client(limits=replace(LIMITS, session_buffer=30), **request.param)

    @pytest.fixture
    def full(self, client):
        full = client.open()
        client.session.send(full, b"x" * 30, end=False)
        assert isinstance(client.sent()[-1], Request)
        return full

    @pytest.fixture
    def waits(self, client, full):
        waits = client.open()
        assert not waits.sending.ask(1)
        return waits

    @pytest.mark.parametrize(
        "frame",
        [Credit(1, 1), End(1, 0, "OK", seq=1)],
        ids=["grant", "status"],
    )
    def test_is_free_again_by_what_the_gateway_says(self, client, waits, frame):
        client.receive(frame)
        assert waits.sending.ask(30)

    def test_is_free_when_a_call_is_left_whose_cancel_is_written_first(self, client, full, waits):
        client.session.cancel(full, CANCELLED)
        assert waits.sending.ask(30)
        client.session.send(waits, b"y" * 30, end=False)
        assert [type(frame) for frame in client.sent()] == [Cancel, Request]
        client.receive(Credit(1, 1), End(1, 1, "CANCELLED", seq=1))
        client.begin()
        (third,) = (each for each in client.sent() if isinstance(each, Open))
        assert third.id == 3
        assert not client.session.going_on()[3].sending.ask(1)  # it is not free a second time

    @pytest.mark.parametrize(
        ("frees", "room"), [(False, False), (True, True)], ids=["kept", "lost"]
    )
    def test_goes_on_with_the_session(self, client, full, waits, frees, room):
        named = client.session.going_on()
        there = (Resumed(2, 0, LIMITS.credit),)
        if not frees:
            there += (Resumed(1, 0, LIMITS.credit),)
        again = welcome(resume_ms=30_000, resumed=there, last_id=2)
        client.session.resume_with(again, named)
        assert (full.status is LOST) is frees
        assert waits.sending.ask(1) is room

    def test_counts_what_is_sent_again_with_its_open(self, client, full, waits):
        named = client.session.going_on()
        client.session.resume_with(welcome(resume_ms=30_000, last_id=0), named)
        assert not waits.sending.ask(1)

    def test_has_no_bound_at_a_gateway_that_names_none(self):
        client = Client(limits=replace(LIMITS, session_buffer=None))
        for call in [client.open() for _ in range(LIMITS.streams)]:
            assert call.sending.ask(1000)
            client.session.send(call, b"x" * 1000, end=False)


class TestReceiving:
    def test_headers_messages_status(self, client):
        call = client.open()
        client.receive(
            Headers(1, (("k", "v"),)),
            Reply(1, "a"),
            End(1, 5, "NOT_FOUND", "no", ({"@type": "t"},), (("t", "v"),)),
        )
        assert call.headers == (("k", "v"),)
        assert list(call.inbox) == ["a"]
        assert call.status == Status(5, "NOT_FOUND", "no", ({"@type": "t"},), (("t", "v"),))
        assert client.session.idle

    @pytest.mark.parametrize("frame", [Reply(1, "a"), End(1, 0, "OK")], ids=["message", "status"])
    def test_without_headers_there_are_none(self, client, frame):
        call = client.open()
        client.receive(frame)
        assert call.headers == ()

    def test_messages_that_came_before_the_status_can_be_taken_after_it(self, client):
        call = client.open(Opening("a.B/C", credit=1))
        client.receive(Reply(1, "a"), End(1, 0, "OK"))
        assert client.session.take(call) == "a"
        assert client.sent() == []  # and grant nothing any more

    def test_taking_grants_at_half_of_the_window(self, client):
        call = client.open(Opening("a.B/C", credit=4))
        client.receive(*(Reply(1, n) for n in range(4)))
        client.session.take(call)
        assert client.sent() == []
        client.session.take(call)
        assert client.sent() == [Credit(1, 2)]

    def test_more_than_was_granted_breaks_the_protocol(self, client):
        client.open(Opening("a.B/C", credit=1))
        client.receive(Reply(1, "a"))
        with pytest.raises(ProtocolError, match="more messages than were granted"):
            client.receive(Reply(1, "b"))

    @pytest.mark.parametrize("frame", [Headers(1, ()), Reply(1, 0), Credit(1, 1), End(1, 0, "OK")])
    def test_frames_of_a_call_that_is_over_are_ignored(self, client, frame):
        call = client.open()
        client.receive(End(1, 0, "OK"), frame)
        assert call.status.ok
        assert not call.inbox

    @pytest.mark.parametrize("id_", [0, 2])
    def test_frames_of_a_stream_that_was_never_opened_break_the_protocol(self, client, id_):
        client.open()
        with pytest.raises(ProtocolError, match="never opened"):
            client.receive(Reply(id_, "x"))


class TestCancelling:
    def test_the_gateway_is_told_and_nothing_more_is_heard(self, client):
        call = client.open()
        client.receive(Reply(1, "a"))
        client.session.cancel(call, CANCELLED)
        client.receive(Reply(1, "b"), End(1, 0, "OK"))
        assert call.status is CANCELLED
        assert not call.inbox
        assert client.sent() == [Cancel(1)]
        assert client.session.idle

    def test_all_can_be_cancelled(self, client):
        calls = [client.open(), client.open()]
        client.session.cancel_all()
        assert client.sent() == [Cancel(1), Cancel(2)]
        assert [call.status for call in calls] == [CANCELLED, CANCELLED]


def test_calls_of_a_session_that_is_lost_are_unavailable_and_keep_what_has_come(client):
    call = client.open()
    client.session.send(call, b"1", end=False)
    client.receive(Reply(1, "a"))
    client.session.lose()
    assert call.status is LOST
    assert list(call.inbox) == ["a"]
    assert client.sent() == []


class TestResuming:
    def back(self, client, *resumed, last_id, named=None):
        """Has the session go on with another socket."""
        named = client.session.going_on() if named is None else named
        again = welcome(resume_ms=30_000, resumed=resumed, last_id=last_id)
        client.session.resume_with(again, named)

    def test_requests_are_numbered_for_each_stream(self, resumable):
        first, second = resumable.open(), resumable.open()
        resumable.session.send(first, b"1", end=False)
        resumable.session.send(first, None, end=True)
        resumable.session.send(second, b"2", end=False)
        assert [(frame.id, frame.seq) for frame in resumable.sent()] == [(1, 1), (2, 1), (1, 2)]

    def test_grants_carry_the_highest_seq(self, resumable):
        call = resumable.open(Opening("a.B/C", credit=2))
        resumable.receive(Headers(1, (), 1), Reply(1, "a", 2))
        resumable.session.take(call)
        assert resumable.sent() == [Credit(1, 1, 2)]

    def test_a_status_is_acknowledged(self, resumable):
        resumable.open()
        resumable.receive(Reply(1, "a", 1), End(1, 0, "OK", seq=2))
        assert not resumable.session.idle
        assert resumable.sent() == [Credit(1, 0, 2)]
        assert resumable.session.idle

    def test_what_is_much_is_acknowledged_before_it_is_taken(self, resumable):
        for _ in range(2):
            resumable.open()
        resumable.session.receive(Reply(1, "a", 1), 300 * 1024)
        assert resumable.sent() == []
        resumable.session.receive(Reply(2, "b", 1), 300 * 1024)
        assert sorted(resumable.sent(), key=lambda frame: frame.id) == [
            Credit(1, 0, 1),
            Credit(2, 0, 1),
        ]
        resumable.session.receive(Reply(1, "a", 2), 300 * 1024)
        assert resumable.sent() == []

    def test_what_comes_twice_is_dropped(self, resumable):
        call = resumable.open(Opening("a.B/C", credit=2))
        resumable.receive(Reply(1, "a", 1), Reply(1, "a", 1), Reply(1, "b", 2), Reply(1, "a", 1))
        assert list(call.inbox) == ["a", "b"]

    def test_what_is_missing_breaks_the_protocol(self, resumable):
        resumable.open()
        with pytest.raises(ProtocolError, match="goes on with 2"):
            resumable.receive(Reply(1, "b", 2))

    def test_what_has_no_number_breaks_the_protocol(self, resumable):
        resumable.open()
        with pytest.raises(ProtocolError, match="without a seq"):
            resumable.receive(Reply(1, "b"))

    def test_a_status_may_stand_behind_messages_that_were_dropped(self, resumable):
        call = resumable.open()
        resumable.receive(End(1, 4, "DEADLINE_EXCEEDED", seq=3))
        assert call.status.code == 4

    def test_requests_are_kept_until_they_are_acknowledged(self, resumable):
        call = resumable.open()
        for body in (b"1", b"2"):
            resumable.session.send(call, body, end=False)
        resumable.sent()
        resumable.receive(Credit(1, 0, 1))
        assert [request.body for request in call.unacknowledged] == [b"2"]

    def test_what_the_gateway_lacks_is_sent_again_in_order(self, resumable):
        call = resumable.open()
        for body in (b"1", b"2", b"3"):
            resumable.session.send(call, body, end=False)
        resumable.session.next_frame(NOW)
        resumable.session.next_frame(NOW)
        self.back(resumable, Resumed(1, 1, LIMITS.credit), last_id=1)
        assert resumable.sent() == [Request(1, b"2", False, 2), Request(1, b"3", False, 3)]

    def test_an_open_that_never_arrived_is_sent_again_with_its_requests(self, resumable):
        call = resumable.open()
        resumable.session.send(call, b"1", end=False)
        resumable.sent()
        self.back(resumable, last_id=0)
        new = resumable.begin()
        sent = resumable.sent()
        assert [(type(frame), frame.id) for frame in sent] == [(Open, 1), (Open, 2), (Request, 1)]
        assert new.id == 2

    def test_requests_of_an_open_that_is_sent_again_wait_for_it(self):
        client = Client(resume_ms=30_000, limits=replace(LIMITS, opens=2))
        call = client.open()
        client.session.send(call, b"1", end=False)
        client.sent()
        self.back(client, last_id=0)
        client.session.send(call, b"2", end=False)
        assert client.sent() == []  # it would be too fast
        assert isinstance(client.session.next_frame(NOW + 0.5), Open)
        assert [client.session.next_frame(NOW + 0.5).body for _ in range(2)] == [b"1", b"2"]

    def test_a_call_that_is_left_before_its_open_is_sent_again_is_never_made(self, resumable):
        call = resumable.open()
        self.back(resumable, last_id=0)
        resumable.session.cancel(call, CANCELLED)
        assert resumable.sent() == []
        assert resumable.session.idle

    def test_grants_that_were_lost_are_made_good(self, resumable):
        call = resumable.open()
        for _ in range(LIMITS.credit):
            resumable.session.send(call, b"1", end=False)
        resumable.sent()
        self.back(resumable, Resumed(1, LIMITS.credit, LIMITS.credit + 3), last_id=1)
        assert call.sending.credit == 3

    def test_streams_that_the_gateway_does_not_have_are_lost(self, resumable):
        call = resumable.open()
        self.back(resumable, last_id=1)
        assert call.status is LOST
        assert resumable.session.idle

    def test_calls_that_users_have_left_are_not_named(self, resumable):
        resumable.session.cancel(resumable.open(), CANCELLED)
        kept = resumable.begin()
        resumable.sent()
        assert resumable.session.going_on() == {2: kept}
        self.back(resumable, Resumed(2, 0, LIMITS.credit), last_id=2)
        assert resumable.sent() == []

    def test_a_call_that_is_left_during_the_welcome_is_cancelled_again(self, resumable):
        call = resumable.open()
        named = resumable.session.going_on()
        resumable.session.cancel(call, CANCELLED)
        self.back(resumable, Resumed(1, 0, LIMITS.credit), last_id=1, named=named)
        assert resumable.sent() == [Cancel(1)]

    def test_a_call_that_never_arrived_and_is_left_is_never_made(self, resumable):
        call = resumable.open()
        named = resumable.session.going_on()
        resumable.session.cancel(call, CANCELLED)
        self.back(resumable, last_id=0, named=named)
        assert resumable.sent() == []
        assert resumable.session.idle

    def test_a_status_that_came_during_the_welcome_is_acknowledged_anew(self, resumable):
        resumable.open()
        named = resumable.session.going_on()
        resumable.receive(End(1, 0, "OK", seq=1))
        self.back(resumable, Resumed(1, 0, LIMITS.credit), last_id=1, named=named)
        assert resumable.sent() == [Credit(1, 0, 1)]

    def test_goaway_is_forgotten_on_the_new_socket(self, resumable):
        resumable.session.leaving = resumable.session.held = True
        self.back(resumable, last_id=0)
        resumable.begin()
        assert len(resumable.sent()) == 1


def test_limits_of_zero_streams_let_no_call_begin():
    client = Client(limits=replace(LIMITS, streams=0))
    client.begin()
    assert client.sent() == []
