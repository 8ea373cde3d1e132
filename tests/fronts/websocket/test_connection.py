"""One socket: what a frame means in which state, and what is due when."""

import json

import pytest

from gateway.call import Code
from gateway.fronts.websocket.connection import NEVER, Connection, State
from gateway.fronts.websocket.frames import End, Welcome
from gateway.fronts.websocket.json_frames import JsonFraming
from gateway.fronts.websocket.limits import Limits
from gateway.fronts.websocket.session import Session
from gateway.fronts.websocket.terms import Rates, Times
from tests.fronts.websocket.sessions import Calls

FRAMING = JsonFraming()
START = 1000.0


class Host:
    """Notes what the connection asks for (`connection.Host`)."""

    def __init__(self):
        self.asked = []
        self.hears = True

    def greet(self, hello):
        self.asked.append("greet")

    def renew(self, token):
        self.asked.append(f"renew {token}")

    def ping(self):
        self.asked.append("ping")

    def expire(self):
        self.asked.append("expire")

    def abandon(self):
        self.asked.append("abandon")

    def close(self, code, reason):
        self.asked.append(f"close {code} {reason}")


class Socket:
    """A connection with a clock that is turned by hand."""

    def __init__(self, *, chance=0.0, token=None, times=None, rates=None, resumable=False):
        self.host = Host()
        self.calls = Calls()
        self.now = START
        self.token = token
        self.connection = Connection(
            FRAMING,
            Times(**(times or {})),
            Rates(**(rates or {})),
            self.host,
            now=START,
            chance=chance,
        )
        self.session = self.calls.session = Session(
            FRAMING, Limits(), self.calls, resumable=resumable
        )

    def says(self, t, **members):
        return self.connection.receive(json.dumps({"t": t, **members}), self.now)

    def opens(self, id_):
        return self.says("open", id=id_, method="m")

    def welcome(self):
        welcome = Welcome("0.ab", 25.0, 1, 1, 1, 1, 1, 1.0, token=self.token)
        self.connection.welcome(self.session, welcome, self.now)
        return self

    def greeted(self):
        self.says("hello")
        self.welcome()
        (welcome,) = self.written()
        assert welcome.startswith("welcome")
        self.host.asked.clear()
        return self

    def written(self):
        """What is written now."""
        found = []
        while (frame := self.session.next()) is not None:
            said = json.loads(frame)
            found.append(" ".join([said["t"], *[str(said[key]) for key in SHOWN if key in said]]))
        return found

    def turn(self, seconds):
        """Lets time pass, timer by timer."""
        end = self.now + seconds
        while (due := self.connection.due()) <= end:
            self.now = due
            self.connection.tick(due)
        self.now = end
        self.connection.tick(end)

    def in_state(self, state):
        match state:
            case State.NEW:
                return self
            case State.CHECKING:
                self.says("hello")
            case State.OPEN | State.LEAVING | State.CLOSED:
                self.greeted()
        if state in {State.OPEN, State.LEAVING}:
            self.opens(1)
        if state is State.LEAVING:
            self.connection.leave("draining", self.now)
        if state is State.CLOSED:
            self.connection.closed()
        self.written()
        self.host.asked.clear()
        self.calls.began.clear()
        assert self.connection.state is state
        return self


SHOWN = ("id", "code", "message", "token_s", "reason", "reconnect_ms", "data")
FRAMES = {
    "hello": {},
    "open": {"id": 2, "method": "m"},
    "message": {"id": 1, "body": 1},
    "credit": {"id": 1, "n": 1},
    "cancel": {"id": 1},
    "auth": {"token": "x"},
    "ping": {"data": "x"},
    "pong": {},
}
KINDS = {"open": "open", "message": "message"}


# What follows in each state from each frame: what the host is asked, and what is written.
def _early(kind, why):
    return [f"close 4400 {kind} {why}"], []


STREAMING = {
    "hello": (["close 4400 hello came twice"], []),
    "open": ([], []),
    "message": ([], []),
    "credit": ([], []),
    "cancel": ([], ["status 1 1 CANCELLED"]),
    "auth": (["renew x"], []),
    "ping": ([], ["pong x"]),
    "pong": ([], []),
}
TABLE = {
    State.NEW: {
        **{kind: _early(kind, "came before hello") for kind in FRAMES},
        "hello": (["greet"], []),
    },
    State.CHECKING: {kind: _early(kind, "came before welcome") for kind in FRAMES},
    State.OPEN: STREAMING,
    State.LEAVING: {**STREAMING, "open": ([], ["status 2 14 DRAINING"])},
    State.CLOSED: dict.fromkeys(FRAMES, ([], [])),
}


@pytest.mark.parametrize("kind", FRAMES)
@pytest.mark.parametrize("state", State, ids=lambda state: state.name.lower())
def test_a_frame_in_a_state(state, kind):
    socket = Socket().in_state(state)
    socket.says(kind, **FRAMES[kind])
    asked, written = TABLE[state][kind]
    assert (socket.host.asked, socket.written()) == (asked, written)


@pytest.mark.parametrize("state", [State.OPEN, State.LEAVING], ids=["open", "leaving"])
def test_frames_reach_their_streams(state):
    socket = Socket().in_state(state)
    socket.says("message", id=1, body=7)
    assert socket.calls.told == [("arrived", 1)]
    socket.says("credit", id=1, n=0)
    socket.says("cancel", id=1)
    assert socket.calls.stopped == [(1, "CANCELLED")]


@pytest.mark.parametrize("state", State, ids=lambda state: state.name.lower())
def test_what_is_no_frame_closes_once(state):
    socket = Socket().in_state(state)
    socket.connection.receive("{", socket.now)
    socket.connection.receive(b"\0", socket.now)
    expected = [] if state is State.CLOSED else ["close 4400 the frame is not valid JSON"]
    assert socket.host.asked == expected
    assert socket.connection.state is State.CLOSED
    assert socket.connection.due() == NEVER


def test_an_id_that_was_used_closes_with_4409():
    socket = Socket().greeted()
    socket.opens(1)
    socket.opens(1)
    assert socket.host.asked == ["close 4409 the id 1 was used before"]


def test_a_welcome_for_a_socket_that_has_closed_is_not_said():
    socket = Socket().in_state(State.CHECKING)
    socket.connection.closed()
    socket.welcome()
    assert socket.written() == []
    assert socket.connection.session is None
    assert socket.connection.due() == NEVER


# Hello in time.


def test_hello_must_come_in_time():
    socket = Socket(times={"hello": 5.0})
    socket.turn(4.9)
    assert socket.host.asked == []
    socket.turn(0.1)
    assert socket.host.asked == ["close 4408 no hello came in time"]


def test_finding_out_who_it_is_takes_as_long_as_it_takes():
    socket = Socket().in_state(State.CHECKING)
    socket.turn(60.0)
    assert socket.host.asked == []
    assert socket.connection.due() == NEVER


# Pings.


def test_pings_are_sent_while_they_are_answered():
    socket = Socket(times={"ping": 10.0}).greeted()
    for _ in range(3):
        socket.turn(10.0)
        assert socket.host.asked == ["ping"]
        socket.connection.alone = True
        socket.connection.ponged()
        socket.host.asked.clear()


def test_no_answer_before_the_next_is_due_closes_with_4002():
    socket = Socket(times={"ping": 10.0}).greeted()
    socket.turn(10.0)
    socket.connection.alone = True
    socket.turn(9.9)
    assert socket.host.asked == ["ping"]
    socket.turn(0.1)
    assert socket.host.asked == ["ping", "close 4002 a ping was not answered"]


# Age.


def test_a_client_that_is_not_read_owes_no_answer():
    socket = Socket(times={"ping": 10.0}).greeted()
    socket.connection.alone = True
    socket.host.hears = False
    socket.turn(10.0)
    assert socket.host.asked == []
    socket.host.hears = True
    socket.turn(10.0)
    assert socket.host.asked == ["close 4002 a ping was not answered"]


@pytest.mark.parametrize(("chance", "age"), [(0.0, 1000.0), (0.5, 950.0), (1.0, 900.0)])
def test_max_age_is_less_up_to_a_tenth(chance, age):
    socket = Socket(chance=chance, times={"max_age": 1000.0, "ping": 1e9, "idle": 1e9}).greeted()
    socket.opens(1)
    assert socket.connection.due() == START + age
    socket.turn(age)
    assert socket.written() == [f"goaway max_age {round(chance * 5000)}"]
    assert socket.connection.state is State.LEAVING


def test_streams_go_on_after_goaway_and_the_socket_closes_after_the_last():
    socket = Socket(times={"max_age": 10.0}).greeted()
    socket.opens(1)
    socket.turn(10.0)
    assert socket.written() == ["goaway max_age 0"]
    socket.connection.settle()
    assert socket.host.asked == []
    socket.session.end(socket.session.streams[1], End(Code.OK))
    socket.connection.settle()
    assert socket.host.asked == []
    assert socket.written() == ["status 1 0"]
    socket.connection.settle()
    assert socket.host.asked == ["close 4000 going away"]


def test_goaway_is_said_once():
    socket = Socket(times={"max_age": 10.0}).greeted()
    socket.opens(1)
    socket.connection.leave("draining", socket.now)
    socket.connection.leave("draining", socket.now)
    socket.turn(10.0)
    assert socket.written() == ["goaway draining 0"]


def test_a_socket_without_streams_closes_when_goaway_is_written():
    socket = Socket().greeted()
    socket.connection.leave("draining", socket.now)
    assert socket.host.asked == []
    assert socket.written() == ["goaway draining 0"]
    socket.connection.settle()
    assert socket.host.asked == ["close 4000 going away"]


@pytest.mark.parametrize("state", [State.NEW, State.CHECKING], ids=["new", "checking"])
def test_a_socket_without_a_session_closes_at_once(state):
    socket = Socket().in_state(state)
    socket.connection.leave("draining", socket.now)
    assert socket.host.asked == ["close 4000 draining"]


def test_streams_have_their_time_to_end():
    socket = Socket(times={"drain": 30.0}).greeted()
    socket.opens(1)
    socket.connection.leave("draining", socket.now)
    socket.turn(26.9)
    assert "abandon" not in socket.host.asked
    socket.turn(0.1)
    assert socket.host.asked[-2:] == ["abandon", "close 4000 going away"]


def test_a_session_that_can_be_resumed_goes_on_after_a_socket_that_was_too_old():
    socket = Socket(resumable=True, times={"drain": 30.0, "ping": 1e9}).greeted()
    socket.opens(1)
    socket.connection.leave("max_age", socket.now)
    socket.turn(27.0)
    assert socket.host.asked == ["close 4000 going away"]


def test_but_not_after_the_gateway():
    socket = Socket(resumable=True, times={"drain": 30.0, "ping": 1e9}).greeted()
    socket.opens(1)
    socket.connection.leave("max_age", socket.now)
    socket.turn(20.0)
    socket.connection.leave("draining", socket.now, for_good=True)
    assert socket.written() == ["goaway max_age 0"]
    socket.turn(7.0)
    assert socket.host.asked == ["abandon", "close 4000 going away"]


# Tokens.


def test_the_client_is_told_30_seconds_before_its_token_expires():
    socket = Socket(token=100.0, times={"ping": 1e9}).greeted()
    socket.turn(69.9)
    assert socket.written() == []
    socket.turn(0.1)
    assert socket.written() == ["auth_expiring 30"]
    socket.turn(29.9)
    assert socket.host.asked == []
    socket.turn(0.1)
    assert socket.host.asked == ["expire", "close 4003 the token has expired"]


def test_of_a_short_token_the_client_is_told_after_half_of_its_time():
    """Where the next one is as short, to be told at once would be to be told for ever."""
    socket = Socket(token=20.0).greeted()
    socket.turn(9.9)
    assert socket.written() == []
    socket.turn(0.1)
    assert socket.written() == ["auth_expiring 10"]


def test_a_token_that_is_given_again_and_again_is_asked_for_a_few_times_only():
    socket = Socket(token=30.0, times={"ping": 1e9}).greeted()
    asked = 0
    while not socket.host.asked:
        socket.turn(0.25)
        for frame in socket.written():
            if frame.startswith("auth_expiring"):
                asked += 1
                socket.connection.renewed(30.0 - (socket.now - START), socket.now)
    assert asked <= 6
    assert socket.host.asked == ["expire", "close 4003 the token has expired"]


def test_a_new_token_counts_anew():
    socket = Socket(token=100.0, times={"ping": 1e9, "idle": 1e9, "max_age": 1e9}).greeted()
    socket.turn(80.0)
    assert socket.written() == ["auth_expiring 30"]
    socket.connection.renewed(100.0, socket.now)
    assert socket.written() == ["auth_ok 100"]
    socket.turn(69.9)
    assert socket.written() == []
    socket.turn(30.0)
    assert socket.written() == ["auth_expiring 30"]
    assert socket.host.asked == []
    socket.connection.renewed(None, socket.now)
    assert socket.written() == ["auth_ok"]
    socket.turn(1e6)
    assert socket.host.asked == []


def test_a_new_token_for_a_socket_that_has_closed_is_not_told():
    socket = Socket(token=100.0).greeted()
    socket.connection.closed()
    socket.connection.renewed(100.0, socket.now)
    assert socket.written() == []
    assert socket.connection.due() == NEVER


# Idle.


def test_a_session_without_a_stream_is_closed():
    socket = Socket(times={"idle": 60.0, "ping": 1e9}).greeted()
    socket.turn(59.9)
    assert socket.host.asked == []
    socket.turn(60.1)
    assert socket.host.asked == ["close 4000 idle"]


def test_a_session_with_a_stream_is_not_idle():
    socket = Socket(times={"idle": 60.0, "ping": 1e9, "max_age": 1e9}).greeted()
    socket.opens(1)
    socket.turn(600.0)
    assert socket.host.asked == []
    socket.session.end(socket.session.streams[1], End(Code.OK))
    assert socket.written() == ["status 1 0"]
    socket.turn(59.0)
    assert socket.host.asked == []
    socket.turn(120.0)
    assert socket.host.asked == ["close 4000 idle"]


def test_streams_that_come_and_go_keep_it():
    socket = Socket(times={"idle": 60.0, "ping": 1e9}).greeted()
    for id_ in range(1, 20):
        socket.opens(id_)
        socket.session.end(socket.session.streams[id_], End(Code.OK))
        socket.written()
        socket.turn(59.0)
    assert socket.host.asked == []


# What is too slow, or too fast.


def test_a_client_that_takes_nothing_is_closed_with_4001():
    socket = Socket().greeted()
    socket.connection.too_slow()
    socket.connection.too_slow()
    assert socket.host.asked == ["close 4001 what was sent was not taken in time"]


def test_messages_have_a_pace():
    socket = Socket(rates={"messages": 10.0}).greeted()  # hello was the first
    assert [socket.says("pong") for _ in range(9)] == [0.0] * 9
    assert socket.says("pong") == pytest.approx(0.1)
    assert socket.says("pong") == pytest.approx(0.2)
    socket.now += 0.3
    assert socket.says("pong") == pytest.approx(0.0)


def test_what_is_no_frame_counts_too():
    socket = Socket(rates={"messages": 1.0})
    socket.connection.receive("{", socket.now)
    assert socket.connection.receive("{", socket.now) == pytest.approx(1.0)


def test_streams_that_are_opened_too_fast_are_refused_and_the_socket_goes_on():
    socket = Socket(rates={"opens": 5.0, "messages": 1e6}).greeted()
    for id_ in range(1, 8):
        socket.opens(id_)
    assert socket.calls.began == [1, 2, 3, 4, 5]
    assert socket.written() == ["status 6 8 TOO_MANY_OPENS", "status 7 8 TOO_MANY_OPENS"]
    socket.now += 0.21
    socket.opens(8)
    socket.opens(9)
    assert socket.calls.began == [1, 2, 3, 4, 5, 8]
    assert socket.host.asked == []


def test_a_client_that_goes_on_opening_is_closed_with_4429():
    socket = Socket(rates={"opens": 5.0, "messages": 1e6}).greeted()
    for id_ in range(1, 5 + 50 + 1):
        socket.opens(id_)
    assert socket.host.asked == []
    socket.opens(56)
    assert socket.host.asked == ["close 4429 too many opens"]


def test_several_things_at_once_are_done_in_order_until_it_is_closed():
    """After a long sleep of the machine, everything is due."""
    socket = Socket(token=100.0).greeted()
    socket.now += 1e6
    socket.connection.tick(socket.now)
    assert [each for each in socket.host.asked if each.startswith("close")] == [
        "close 4003 the token has expired"
    ]
    assert socket.connection.due() == NEVER
