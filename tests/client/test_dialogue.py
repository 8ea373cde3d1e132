"""What is said on one socket beside the streams."""

from __future__ import annotations

import json
from collections import deque

import pytest

from gateway.client.dialogue import Dialogue
from gateway.client.exchange import Exchange, Opening
from gateway.client.frames import Hello, ProtocolError, Welcome
from gateway.client.json_framing import JsonFraming
from gateway.client.liveness import Verdict
from gateway.client.session import Session

LIMITS = {"streams": 8, "message_size": 1000, "credit": 4, "buffer": 30, "session_buffer": 60}
WELCOME = {"t": "welcome", "session": "s", "ping_ms": 25_000, "limits": LIMITS}


class Talk:
    """A dialogue, its listener, and JSON."""

    def __init__(self) -> None:
        self.told: list = []
        self.waiting: deque[Exchange] = deque()
        self.dialogue = Dialogue(JsonFraming(), Hello("t"), self)
        self.now = 100.0

    def hear(self, **frame) -> None:
        self.dialogue.receive(json.dumps(frame), self.now)

    def said(self) -> list[dict]:
        said = []
        while (payload := self.dialogue.next_payload(self.now)) is not None:
            said.append(json.loads(payload))
        return said

    # dialogue.Listener

    def welcomed(self, welcome: Welcome) -> Session:
        self.told.append("welcomed")
        return Session(welcome, self.waiting)

    def going_away(self, seconds: float) -> None:
        self.told.append(seconds)

    def token_expiring(self) -> None:
        self.told.append("expiring")

    def token_taken(self) -> None:
        self.told.append("taken")


@pytest.fixture
def new():
    return Talk()


@pytest.fixture
def talk(new):
    new.said()
    new.hear(**WELCOME)
    new.told.clear()
    return new


def test_hello_is_the_first_frame_and_calls_wait_for_the_welcome(new):
    new.waiting.append(Exchange(Opening("a.B/C"), lambda: None))
    assert new.said() == [{"t": "hello", "token": "t"}]
    new.hear(**WELCOME)
    assert new.told == ["welcomed"]
    assert [frame["t"] for frame in new.said()] == ["open"]


@pytest.mark.parametrize("frame", [{"t": "ping"}, {"t": "message", "id": 1, "body": 1}])
def test_nothing_may_come_before_the_welcome(new, frame):
    with pytest.raises(ProtocolError, match="before the welcome"):
        new.hear(**frame)


def test_a_welcome_comes_once(talk):
    with pytest.raises(ProtocolError, match="second welcome"):
        talk.hear(**WELCOME)


def test_a_welcome_says_how_often_it_pings(new):
    with pytest.raises(ProtocolError, match="ping_ms"):
        new.hear(**WELCOME | {"ping_ms": 0})


def test_frames_of_a_later_version_are_ignored(talk):
    talk.hear(t="news")
    assert talk.said() == []


def test_pings_are_answered_with_their_data(talk):
    talk.hear(t="ping", data="x")
    assert talk.said() == [{"t": "pong", "data": "x"}]


def test_who_pings_faster_than_it_reads_is_not_answered_for_ever(talk):
    for n in range(1000):
        talk.hear(t="ping", data=str(n))
    assert len(talk.said()) == 16


def test_goaway_keeps_calls_waiting_and_says_when_to_connect_again(talk):
    talk.hear(t="goaway", reason="max_age", reconnect_ms=1500)
    talk.waiting.append(Exchange(Opening("a.B/C"), lambda: None))
    assert talk.told == [1.5]
    assert talk.said() == []


def test_tokens(talk):
    talk.hear(t="auth_expiring", token_s=30)
    talk.dialogue.auth("new")
    assert talk.said() == [{"t": "auth", "token": "new"}]
    talk.hear(t="auth_ok")
    assert talk.told == ["expiring", "taken"]


def test_silence_is_asked_about_and_any_frame_breaks_it(talk):
    talk.now = 125.0
    assert talk.dialogue.look(talk.now) is Verdict.ASK
    assert talk.said() == [{"t": "ping", "data": ""}]
    talk.now = 130.0
    talk.hear(t="pong")
    talk.now = 150.0
    assert talk.dialogue.look(talk.now) is Verdict.WAIT
    talk.now = 155.0
    assert talk.dialogue.look(talk.now) is Verdict.ASK
    talk.now = 180.0
    assert talk.dialogue.look(talk.now) is Verdict.DEAD


def test_what_still_comes_after_the_session_has_moved_is_not_for_it(talk):
    exchange = Exchange(Opening("a.B/C"), lambda: None)
    talk.waiting.append(exchange)
    talk.said()
    talk.dialogue.release()
    talk.hear(t="message", id=1, body=1)
    assert not exchange.inbox
    assert talk.said() == []
