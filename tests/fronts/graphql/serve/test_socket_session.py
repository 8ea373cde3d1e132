"""A session of graphql-transport-ws: every message in every state, limits, and the end."""

import json

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from gateway.fronts.graphql.serve.engine import GraphqlRequest
from gateway.fronts.graphql.serve.socket_session import (
    Admit,
    Close,
    Send,
    Session,
    Start,
    State,
    Stop,
)
from tests.examples import examples

QUERY = {"query": "{a}"}
INIT = {"type": "connection_init"}
SUBSCRIBE = {"type": "subscribe", "id": "1", "payload": QUERY}
COMPLETE = {"type": "complete", "id": "1"}


def told(session, message):
    """What follows from a message; who asks for a connection is let in at once."""
    effects = session.receive(json.dumps(message))
    return session.admitted() if effects == (Admit(None),) else effects


def shown(effects):
    """Effects as the tables have them: messages read, operations by their ids."""
    found = []
    for effect in effects:
        match effect:
            case Send():
                found.append(json.loads(effect.data))
            case Start():
                found.append(("start", effect.operation.id))
            case Stop():
                found.append(("stop", effect.operation.id))
            case Close():
                found.append((effect.code, effect.reason))
    return found


def opened(most=3):
    return Session(most)


def ready(most=3):
    session = Session(most)
    told(session, INIT)
    return session


def busy(most=3):
    """With a single result on its way, "1"."""
    session = ready(most)
    (start,) = told(session, SUBSCRIBE)
    return session, start.operation


def leaving():
    session, _ = busy()
    session.leave()
    return session


def ended():
    session = ready()
    session.closed()
    return session


PONG = {"type": "pong"}
INVALID = (4400, "Invalid message: the type is none that a client sends")
TOO_MANY = (4429, "Too many initialisation requests")

# Message to what follows it: in a session that is open, ready, busy with "1", leaving, closed.
TABLE = {
    "connection_init": (INIT, [{"type": "connection_ack"}], [TOO_MANY], [TOO_MANY], [TOO_MANY], []),
    "ping": ({"type": "ping"}, [PONG], [PONG], [PONG], [PONG], []),
    "pong": (PONG, [], [], [], [], []),
    "subscribe": (
        SUBSCRIBE,
        [(4401, "Unauthorized")],
        [("start", "1")],
        [(4409, "Subscriber for 1 already exists")],
        [],
        [],
    ),
    "subscribe-to-another": (
        {**SUBSCRIBE, "id": "2"},
        [(4401, "Unauthorized")],
        [("start", "2")],
        [("start", "2")],
        [],
        [],
    ),
    "complete": (COMPLETE, [], [], [("stop", "1")], [("stop", "1")], []),
    "complete-of-another": ({**COMPLETE, "id": "2"}, [], [], [], [], []),
    "invalid": ({"type": "start"}, [INVALID], [INVALID], [INVALID], [INVALID], []),
}
STATES = {
    "opened": opened,
    "ready": ready,
    "busy": lambda: busy()[0],
    "leaving": leaving,
    "closed": ended,
}
CASES = {
    f"{message}-when-{state}": (STATES[state], row[0], row[1 + at])
    for message, row in TABLE.items()
    for at, state in enumerate(STATES)
}


@pytest.mark.parametrize(("session", "message", "follows"), CASES.values(), ids=CASES)
def test_a_message_in_a_state(session, message, follows):
    one = session()
    effects = told(one, message)
    assert shown(effects) == follows
    if any(isinstance(effect, Close) for effect in effects):
        assert one.state is State.CLOSED


def test_what_is_asked_is_what_is_started():
    (start,) = told(ready(), {**SUBSCRIBE, "payload": {**QUERY, "variables": {"b": 1}}})
    assert start.request == GraphqlRequest("{a}", variables={"b": 1})


def test_a_ping_is_answered_with_its_payload():
    assert shown(told(opened(), {"type": "ping", "payload": {"a": 1}})) == [
        {"type": "pong", "payload": {"a": 1}}
    ]


@pytest.mark.parametrize(
    ("session", "follows"),
    [
        pytest.param(opened, [(4408, "Connection initialisation timeout")], id="not-initialised"),
        pytest.param(ready, [], id="initialised"),
        pytest.param(ended, [], id="closed"),
    ],
)
def test_the_time_for_connection_init_is_over(session, follows):
    assert shown(session().init_is_late()) == follows


def test_results_then_complete():
    session, one = busy()
    assert shown(session.result(one, b'{"data":{}}')) == [
        {"id": "1", "type": "next", "payload": {"data": {}}}
    ]
    assert shown(session.finished(one)) == [{"id": "1", "type": "complete"}]
    assert session.result(one, b"{}") == session.finished(one) == session.failed(one, b"[]") == ()


def test_an_error_ends_without_complete():
    session, one = busy()
    assert shown(session.failed(one, b"[]")) == [{"id": "1", "type": "error", "payload": []}]
    assert session.finished(one) == ()


def test_what_is_not_wanted_any_more_is_not_sent():
    session, one = busy()
    told(session, COMPLETE)
    assert session.result(one, b"{}") == session.finished(one) == session.failed(one, b"[]") == ()


def test_an_id_is_free_again_as_soon_as_it_is_completed():
    session, old = busy()
    told(session, COMPLETE)
    (start,) = told(session, SUBSCRIBE)
    assert session.result(old, b"{}") == ()
    assert shown(session.result(start.operation, b"{}"))


def test_one_operation_too_many_is_refused_and_the_others_go_on():
    session, one = busy(most=1)
    (refused,) = shown(told(session, {**SUBSCRIBE, "id": "2"}))
    assert (refused["id"], refused["type"]) == ("2", "error")
    (error,) = refused["payload"]
    assert error["extensions"] == {
        "code": "LIMIT_EXCEEDED",
        "limit": "operations",
        "value": 2,
        "maximum": 1,
    }
    assert shown(session.result(one, b"{}"))


def test_a_place_is_free_when_the_work_has_ended_not_when_it_is_cancelled():
    session, one = busy(most=1)
    told(session, COMPLETE)
    assert shown(told(session, SUBSCRIBE))[0]["type"] == "error"
    session.ended(one)
    assert shown(told(session, SUBSCRIBE)) == [("start", "1")]


GOODBYE = [(1001, "The gateway shuts down")]


@pytest.mark.parametrize("session", [opened, ready], ids=["not-initialised", "idle"])
def test_it_leaves_at_once_where_nothing_is_on_its_way(session):
    assert shown(session().leave()) == GOODBYE


def test_it_leaves_streams_behind():
    session, one = busy()
    one.streams = True
    assert shown(session.leave()) == GOODBYE


def test_it_leaves_when_the_last_result_is_sent():
    session, one = busy()
    (start,) = told(session, {**SUBSCRIBE, "id": "2"})
    assert session.leave() == ()
    assert shown(session.result(one, b"{}"))
    assert session.ended(one) == ()
    assert shown(session.ended(start.operation)) == GOODBYE
    assert session.leave() == ()


class Anything(RuleBasedStateMachine):
    """Whatever client, work and clock do: ids are one's own, and what is closed stays silent."""

    operations = Bundle("operations")
    most = 2

    def __init__(self):
        super().__init__()
        self.session = Session(self.most)
        self.working = set()
        self.wanted = {}
        self.closed = False

    def take(self, effects):
        if self.closed:
            assert effects == ()
        for effect in effects:
            assert not self.closed, "something follows a close"
            if isinstance(effect, Close):
                assert 1000 <= effect.code < 5000
                assert len(effect.reason.encode()) <= 123
                self.closed = True
            elif isinstance(effect, Send):
                sent = json.loads(effect.data)
                if sent["type"] in {"complete", "error"}:
                    self.wanted.pop(sent["id"], None)
        return effects

    @rule()
    def init(self):
        self.take(told(self.session, INIT))

    @rule(
        message=st.sampled_from([{"type": "ping"}, PONG, {**COMPLETE, "id": "none"}, {"type": "x"}])
    )
    def other(self, message):
        self.take(told(self.session, message))

    @rule(target=operations, id_=st.sampled_from("abc"), streams=st.booleans())
    def subscribe(self, id_, streams):
        effects = self.take(told(self.session, {**SUBSCRIBE, "id": id_}))
        for effect in effects:
            if isinstance(effect, Start):
                assert id_ not in self.wanted
                effect.operation.streams = streams
                self.working.add(effect.operation)
                self.wanted[id_] = effect.operation
                return effect.operation
        return None

    @rule(id_=st.sampled_from("abc"))
    def complete(self, id_):
        effects = self.take(told(self.session, {**COMPLETE, "id": id_}))
        stopped = [effect.operation for effect in effects if isinstance(effect, Stop)]
        wanted = self.wanted.pop(id_, None)
        if not self.closed:
            assert stopped == ([] if wanted is None else [wanted])

    @rule(operation=operations)
    def result(self, operation):
        if operation is not None:
            expected = not self.closed and self.wanted.get(operation.id) is operation
            assert bool(self.take(self.session.result(operation, b"{}"))) == expected

    @rule(operation=consumes(operations), how=st.sampled_from(["finished", "failed", "ended"]))
    def end(self, operation, how):
        if operation is None:
            return
        if how == "finished":
            self.take(self.session.finished(operation))
        elif how == "failed":
            self.take(self.session.failed(operation, b"[]"))
        self.working.discard(operation)
        self.take(self.session.ended(operation))

    @rule()
    def late(self):
        self.take(self.session.init_is_late())

    @rule()
    def leave(self):
        self.take(self.session.leave())

    @invariant()
    def never_more_work_than_allowed(self):
        assert len(self.working) <= self.most

    @invariant()
    def closed_is_closed(self):
        assert (self.session.state is State.CLOSED) == self.closed


TestAnything = Anything.TestCase
TestAnything.settings = settings(max_examples=examples(2), stateful_step_count=30, deadline=None)


# Who is let in.


def asked():
    session = opened()
    effects = session.receive(json.dumps({**INIT, "payload": {"authorization": "Bearer t"}}))
    assert effects == (Admit("Bearer t"),)
    assert session.state is State.ASKED
    return session


def test_who_is_let_in_is_acknowledged():
    session = asked()
    assert shown(session.admitted()) == [{"type": "connection_ack"}]
    assert session.state is State.READY
    assert session.admitted() == ()


def test_who_is_not_let_in_is_told_by_a_close():
    session = asked()
    assert shown(session.refused(4403, "Forbidden: TOKEN_EXPIRED")) == [
        (4403, "Forbidden: TOKEN_EXPIRED")
    ]
    assert session.state is State.CLOSED


@pytest.mark.parametrize(
    ("message", "follows"),
    [
        (INIT, [TOO_MANY]),
        ({"type": "ping"}, [PONG]),
        (PONG, []),
        (SUBSCRIBE, [(4401, "Unauthorized")]),
        (COMPLETE, []),
    ],
    ids=["connection_init", "ping", "pong", "subscribe", "complete"],
)
def test_a_message_before_that_is_known(message, follows):
    assert shown(told(asked(), message)) == follows


def test_the_answer_comes_too_late_for_a_session_that_is_closed():
    for session in (asked(), asked()):
        session.closed()
        assert session.admitted() == session.refused(4403, "Forbidden") == ()


def test_nobody_is_late_who_has_asked():
    assert asked().init_is_late() == ()


def test_a_gateway_that_leaves_does_not_wait_to_know():
    session = asked()
    assert shown(session.leave()) == [(1001, "The gateway shuts down")]
    assert session.admitted() == ()
