"""Each refusal is a line of the log; what anybody can cause is told by its count."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from gateway.call import Code, RpcError, Status
from gateway.errors import error
from gateway.policies.auth.authenticate import Authenticate
from gateway.policies.auth.refusals import Refusals
from gateway.policies.authorize import Authorize
from gateway.policies.authorize_messages import AuthorizeMessages
from tests.policies.auth.callers import ADA, Fake, FakeGuard, call, head


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


class Never:
    def allows(self, call):
        return False

    def allows_message(self, call, message):
        return False


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def refusals(clock):
    return Refusals(clock)


@pytest.fixture
def lines(caplog):
    caplog.set_level(logging.INFO, "gateway.auth")
    return lambda: [record.getMessage() for record in caplog.records]


def asked(*fields, principal=None, method="a.B/C", front="rest"):
    made = call(*fields, method=method)
    made.principal, made.request_id, made.front = principal, "r1", front
    return made


async def refused(gate, call):
    with pytest.raises(RpcError):
        pending = gate.admit(call)
        if pending is not None:
            await pending


def authenticate(refusals, provider=None, guard=None):
    return Authenticate(
        [provider or Fake()], optional=False, guard=guard or FakeGuard(), refusals=refusals
    )


FROM = "refused a.B/C from 203.0.113.7: "


@pytest.mark.parametrize(
    ("fields", "down", "line"),
    [
        pytest.param([], None, "no credentials; request 'r1'", id="nobody is shown"),
        pytest.param(
            [("x-fake", "bad")],
            None,
            "bad credentials; provider fake; it is in no table; request 'r1'",
            id="what is shown is bad",
        ),
        pytest.param(
            [("x-fake", "slow:bad")],
            None,
            "bad credentials; provider fake; nobody knows it; request 'r1'",
            id="and so after a while",
        ),
        pytest.param(
            [("x-fake", "other:x")],
            None,
            "bad credentials; no provider takes its issuer and audience; request 'r1'",
            id="nobody takes it",
        ),
        pytest.param(
            [("x-fake", "s")],
            "LOCKED_OUT",
            "locked out; provider fake; request 'r1'",
            id="locked out",
        ),
        pytest.param(
            [("x-fake", "s")],
            "AUTHORIZATION_DENIED",
            "denied by the authorization service; provider fake; request 'r1'",
            id="another service denies it",
        ),
    ],
)
async def test_who_is_not_known_is_told(refusals, lines, fields, down, line):
    provider = Fake(down=error(down, "no") if down else None)
    await refused(authenticate(refusals, provider), asked(*fields))
    assert lines() == [FROM + line]


async def test_an_address_that_asks_too_often_is_told(refusals, lines):
    guard = FakeGuard()
    guard.refusal = error("TOO_MANY_UNAUTHENTICATED", "no")
    await refused(authenticate(refusals, guard=guard), asked(("x-fake", "hunter2")))
    assert lines() == [FROM + "too many calls of the address that show nobody; request 'r1'"]


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"scopes": ["orders.write"]}, "a scope is missing"),
        ({"roles": ["admin"]}, "a role is missing"),
        ({"when": Never()}, "the condition does not hold"),
    ],
)
async def test_who_may_not_is_told_with_the_callers_name(refusals, lines, given, what):
    secretive = replace(ADA, claims={"mail": "ada@shop.example"})
    await refused(Authorize(**given, refusals=refusals), asked(principal=secretive))
    assert lines() == [f"{FROM}{what}; caller fake 'ada'; request 'r1'"]


def test_a_message_that_may_not_pass_is_told(refusals, lines):
    gate = AuthorizeMessages(Never(), refusals=refusals)
    with pytest.raises(RpcError):
        gate.check(asked(principal=ADA), b"secret")
    assert lines() == [FROM + "the condition does not hold; caller fake 'ada'; request 'r1'"]


def test_a_page_or_socket_has_no_method(refusals, lines):
    refusals.tell(asked(method="", front="graphql"), error("CREDENTIALS_MISSING", "no"))
    (line,) = lines()
    assert line.startswith("refused a page or socket of graphql from 203.0.113.7: no credentials")


async def test_nothing_that_was_shown_is_told(refusals, lines):
    await refused(authenticate(refusals), asked(("x-fake", "hunter2"), ("authorization", "s3")))
    assert "hunter2" not in str(lines())
    assert "s3" not in str(lines())
    assert head(("x-fake", "hunter2")).path not in str(lines())


def test_a_subject_can_not_make_lines_of_its_own(refusals, lines):
    forged = replace(ADA, subject="ada\nINFO gateway.auth: all is well" + "x" * 1000)
    refusals.tell(asked(principal=forged), error("ROLE_MISSING", "no"))
    (line,) = lines()
    assert "\n" not in line
    assert len(line) < 400


@pytest.mark.parametrize(
    "reason", ["CREDENTIALS_MISSING", "TOO_MANY_UNAUTHENTICATED", "AUTHENTICATION_UNAVAILABLE"]
)
def test_what_anybody_can_cause_is_told_once_a_second_with_its_count(
    refusals, clock, lines, reason
):
    for _ in range(1000):
        refusals.tell(asked(), error(reason, "no"))
    assert len(lines()) == 1
    clock.now += 1
    refusals.tell(asked(), error(reason, "no"))
    assert len(lines()) == 2
    assert lines()[1].endswith("; 999 more such lines left out before")
    clock.now += 1
    refusals.tell(asked(), error(reason, "no"))
    assert "left out" not in lines()[2]


def test_a_flood_of_one_kind_hides_no_other(refusals, lines):
    for _ in range(10):
        refusals.tell(asked(), error("CREDENTIALS_MISSING", "no"))
    for _ in range(3):
        refusals.tell(asked(principal=ADA), error("ROLE_MISSING", "no"))
    refusals.tell(asked(), error("TOO_MANY_UNAUTHENTICATED", "no"))
    assert len(lines()) == 5


def test_a_stream_that_ends_is_told_with_who_it_was(refusals, lines):
    refusals.ended(asked(), error("TOKEN_EXPIRED", "no"), ADA)
    (line,) = lines()
    assert line == (
        "ended the stream of a.B/C from 203.0.113.7: bad credentials; caller fake 'ada'; "
        "request 'r1'"
    )


def test_another_status_is_told_by_its_name(refusals, lines):
    refusals.tell(asked(), RpcError(Status(Code.ABORTED)))
    assert lines() == [FROM + "ABORTED; request 'r1'"]


def test_nothing_is_counted_that_would_not_be_written(refusals, clock, caplog):
    caplog.set_level(logging.WARNING, "gateway.auth")
    for _ in range(10):
        refusals.tell(asked(), error("CREDENTIALS_MISSING", "no"))
    caplog.set_level(logging.INFO, "gateway.auth")
    refusals.tell(asked(), error("CREDENTIALS_MISSING", "no"))
    assert "left out" not in caplog.text
    assert "no credentials" in caplog.text
