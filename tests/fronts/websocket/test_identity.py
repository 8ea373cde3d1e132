"""Who makes the calls of a socket: what it shows, where, and until when that holds."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import replace

import pytest

from gateway.call import Metadata, Principal, RpcError
from gateway.errors import error
from gateway.fronts.websocket.identity import NOBODY, Credentials, Identity, by_gate
from gateway.http import Headers, Request
from gateway.http.certificate import Certificate
from gateway.policies.auth.authenticate import Authenticate
from gateway.policies.auth.watch import Watch
from tests.fronts.websocket.drivers import reply, short, text
from tests.fronts.websocket.plain.fakes import settled
from tests.policies.auth.callers import Fake, FakeGuard

ANN = Principal("ann", "fake")
BOB = Principal("bob", "fake")
NAMELESS = Principal("", "fake")
NOW = 1_700_000_000.0
"""What the wall clock says when the clock of the loop says 1000."""


def bearer(**people):
    """A provider that knows bearer tokens."""
    known = {f"Bearer {token}": principal for token, principal in people.items()}
    return Fake(scheme="Bearer", header="authorization", people=known)


class Policy:
    """Who may call, as it may change."""

    def __init__(self, clock, provider, *, optional=False):
        self.clock = clock
        self.use(provider, optional=optional)
        self.watch = Watch(self, self.wall, later=clock.call_later)

    def use(self, provider, *, optional=False):
        self.provider = provider
        self.gate = Authenticate([provider], optional=optional, guard=FakeGuard())

    def admit(self, call):
        return self.gate.admit(call)

    def wall(self):
        return NOW + self.clock.now - 1000.0


@pytest.fixture
def guarded(world, hand_clock):
    """Makes sockets whose clients must be known, as the app makes them."""

    def make(provider, *, optional=False, **options):
        policy = Policy(hand_clock, provider, optional=optional)
        it = world(
            authenticate=by_gate(lambda _: policy, policy.wall),
            policies=(policy, policy.watch),
            times={"ping": 1e9, "idle": 1e9, "max_age": 1e9},
            **options,
        )
        it.policy = policy
        return it

    return make


async def waits(call):
    await call.start(Metadata())
    await call.send(text("begun"))
    await asyncio.Event().wait()


async def ann(it, **hello):
    client = it.dial()
    await client.hello(token="a", **hello)
    return client


# The hook: what asks a gate.


def shown(token=None, *fields):
    request = Request("GET", "/ws", None, Headers(fields), peer="192.0.2.1")
    return Credentials.of(request, token)


class Gate:
    def __init__(self, principal=None, refusal=None, *, waits=False):
        self.principal = principal
        self.refusal = refusal
        self.waits = waits
        self.asked = []

    def admit(self, call):
        self.asked.append(call)
        if self.waits:
            return self._later(call)
        return self._now(call)

    async def _later(self, call):
        await asyncio.sleep(0)
        self._now(call)

    def _now(self, call):
        if self.refusal is not None:
            raise self.refusal
        call.principal = self.principal


async def test_without_a_gate_everybody_is_nobody():
    assert await by_gate(lambda _: None, lambda: NOW)(shown("t")) is NOBODY


@pytest.mark.parametrize("waits", [False, True], ids=["at once", "later"])
async def test_a_gate_says_who_it_is(waits):
    gate = Gate(ANN, waits=waits)
    assert await by_gate(lambda _: gate, lambda: NOW)(shown("t")) == Identity(ANN)
    (call,) = gate.asked
    assert (call.method, call.peer, call.front) == ("", "192.0.2.1", "websocket")
    assert call.head.headers.get("authorization") == "Bearer t"


@pytest.mark.parametrize("waits", [False, True], ids=["at once", "later"])
async def test_a_gate_refuses(waits):
    gate = Gate(refusal=error("INVALID_CREDENTIALS", "No."), waits=waits)
    with pytest.raises(RpcError) as caught:
        await by_gate(lambda _: gate, lambda: NOW)(shown("t"))
    assert caught.value is gate.refusal


@pytest.mark.parametrize(
    ("expires", "lasts"),
    [(None, None), (NOW + 90.5, 90.5), (NOW, 0.0), (NOW - 5.0, 0.0)],
    ids=["no end", "an end", "now", "over"],
)
async def test_what_is_shown_lasts_until_it_expires(expires, lasts):
    gate = Gate(replace(ANN, expires=expires))
    identity = await by_gate(lambda _: gate, lambda: NOW)(shown("t"))
    assert identity.lasts == lasts


async def test_the_gate_is_that_of_the_time():
    gates = [Gate(ANN), Gate(BOB)]
    authenticate = by_gate(lambda _: gates.pop(0), lambda: NOW)
    assert [(await authenticate(shown("t"))).principal for _ in range(2)] == [ANN, BOB]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (ANN, ANN, True),
        (ANN, replace(ANN, expires=NOW, scopes=frozenset({"x"})), True),
        (ANN, BOB, False),
        (ANN, replace(ANN, provider="another"), False),
        (None, None, True),
        (None, ANN, False),
        (ANN, None, False),
        (NAMELESS, NAMELESS, False),
        (NAMELESS, ANN, False),
    ],
    ids=[
        "same",
        "same with other claims",
        "other",
        "of another provider",
        "nobody",
        "nobody and somebody",
        "somebody and nobody",
        "without a name",
        "without a name and somebody",
    ],
)
def test_one_subject(one, other, same):
    assert Identity(one).is_of(Identity(other)) is same


def test_what_is_shown_is_in_no_repr():
    credentials = shown("s3cr3t", ("x-api-key", "s3cr3t"))
    assert "s3cr3t" not in repr(credentials)


# Where a caller may be shown.


def subprotocol(token):
    offered = "bearer." + base64.urlsafe_b64encode(token.encode()).decode().rstrip("=")
    return ("sec-websocket-protocol", f"{offered}, grpcws.v1.json")


@pytest.mark.parametrize(
    ("provider", "fields", "hello"),
    [
        (bearer(a=ANN), [("authorization", "Bearer a")], {}),
        (bearer(a=ANN), [subprotocol("a")], {}),
        (bearer(a=ANN), [("sec-websocket-protocol", "Bearer, a")], {}),
        (bearer(a=ANN), [], {"token": "a"}),
        (bearer(a=ANN), [("authorization", "Bearer a")], {"token": "b"}),
        (bearer(a=ANN), [("authorization", "Basic eDp5")], {"token": "a"}),
        (Fake(header="x-api-key", people={"k": ANN}), [("x-api-key", "k")], {}),
        (Fake(header="authorization", people={"Basic eDp5": ANN}), [("authorization", "Basic eDp5")], {}),
        (Fake(header="cookie", people={"t=a": ANN}), [("cookie", "t=a")], {}),
    ],
    ids=[
        "header",
        "subprotocol",
        "pair of subprotocols",
        "hello",
        "header before hello",
        "hello before another scheme",
        "api key",
        "basic",
        "cookie",
    ],
)  # fmt: skip
async def test_callers_are_known_by(guarded, provider, fields, hello):
    it = guarded(provider)
    client = it.dial(headers=fields)
    await client.hello(**hello)
    client.opens(1, "Unary", "x")
    assert it.backends["Unary"].call.principal == ANN


async def test_callers_are_known_by_the_certificate_of_the_handshake(world):
    mine = Certificate("CN=billing")

    class ByCertificate:
        def admit(self, call):
            assert call.head.certificate is mine
            call.principal = ANN

    gate = ByCertificate()
    it = world(authenticate=by_gate(lambda _: gate, lambda: NOW), policies=(gate,))
    client = it.dial(certificate=mine)
    await client.hello(token="t")
    client.opens(1, "Unary", "x")
    assert it.backends["Unary"].call.principal == ANN


@pytest.mark.parametrize(
    ("optional", "hello", "code"),
    [
        (False, {}, 4401),
        (False, {"token": "bad"}, 4401),
        (True, {"token": "bad"}, 4401),
        (True, {}, None),
    ],
    ids=["nothing shown", "bad", "bad where nothing need be shown", "nothing need be shown"],
)
async def test_who_is_let_in(guarded, optional, hello, code):
    client = guarded(bearer(a=ANN), optional=optional).dial()
    await client.hello(**hello)
    assert client.ended == code


# Each open is a call of its own.


async def test_nobody_may_call_what_is_open_to_all(guarded):
    it = guarded(bearer(a=ANN), optional=True)
    client = it.dial()
    await client.hello()
    client.opens(1, "Unary", "x")
    assert it.backends["Unary"].call.principal is None
    it.policy.use(it.policy.provider)
    client.opens(2, "Unary", "x")
    assert client.hears() == ["status 2 UNAUTHENTICATED CREDENTIALS_MISSING"]
    assert client.ended is None


async def test_one_refused_stream_harms_no_other(world):
    class Only:
        """Lets in who calls one method."""

        def admit(self, call):
            if call.method not in {"", "t.S/Unary"}:
                raise error("INSUFFICIENT_SCOPE", "No.")

    gate = Only()
    it = world(authenticate=by_gate(lambda _: gate, lambda: NOW), policies=(gate,))
    client = it.dial()
    await client.hello()
    client.opens(1, "Unary", "x")
    client.opens(2, "Server", "x", end=True)
    await settled()
    assert client.hears() == ["status 2 PERMISSION_DENIED INSUFFICIENT_SCOPE"]
    it.backends["Unary"].done[0](reply("y"))
    assert client.hears() == ["message 1 y", "status 1 OK"]


async def test_a_gate_may_take_its_time(world):
    gate = Gate(ANN, waits=True)
    it = world(authenticate=by_gate(lambda _: gate, lambda: NOW), policies=(gate,))
    client = it.dial()
    await client.hello()
    client.opens(1, "Unary", "x")
    assert it.backends["Unary"].calls == []
    await settled()
    assert it.backends["Unary"].call.principal == ANN


async def test_a_revoked_token_is_refused_at_the_next_open(guarded):
    it = guarded(bearer(a=ANN))
    client = await ann(it)
    client.opens(1, "Unary", "x")
    it.policy.provider.people.clear()
    client.opens(2, "Unary", "x")
    assert client.hears() == ["status 2 UNAUTHENTICATED INVALID_CREDENTIALS"]
    assert it.backends["Unary"].cancelled == 0
    assert client.ended is None


async def test_a_stream_of_a_revoked_token_ends_within_a_minute(guarded, hand_clock):
    it = guarded(bearer(a=ANN))
    it.backends["Bidi"].script = waits
    client = await ann(it)
    client.opens(1, "Bidi")
    await settled()
    assert client.hears() == ["headers 1", "message 1 begun"]
    it.policy.provider.people.clear()
    hand_clock.turn(60.0)
    await settled()
    assert client.hears() == ["status 1 UNAUTHENTICATED INVALID_CREDENTIALS"]
    assert it.backends["Bidi"].cancelled == 1
    assert client.ended is None


async def test_a_changed_policy_holds_for_the_next_open(guarded):
    it = guarded(bearer(a=ANN))
    client = await ann(it)
    it.policy.use(bearer(b=BOB))
    client.opens(1, "Unary", "x")
    assert client.hears() == ["status 1 UNAUTHENTICATED INVALID_CREDENTIALS"]
    client.says("auth", token="a")
    await settled()
    assert client.ended == 4401


async def test_metadata_of_an_open_makes_nobody_else_of_a_caller(guarded):
    it = guarded(bearer(a=ANN, b=BOB))
    client = await ann(it)
    client.opens(1, "Unary", "x", metadata=[["authorization", "Bearer b"], ["x-api-key", "k"]])
    call = it.backends["Unary"].call
    assert call.principal == ANN
    assert call.head.headers.get("authorization") == "Bearer a"
    assert call.head.headers.get("x-api-key") is None


async def test_metadata_of_an_open_makes_nobody_known(guarded):
    it = guarded(bearer(a=ANN), optional=True)
    client = it.dial()
    await client.hello()
    client.opens(1, "Unary", "x", metadata=[["authorization", "Bearer a"]])
    assert it.backends["Unary"].call.principal is None


# A new token.


async def test_auth_reaches_streams_that_run(guarded, hand_clock):
    it = guarded(bearer(a=ANN, a2=ANN))
    it.backends["Bidi"].script = waits
    client = await ann(it)
    client.opens(1, "Bidi")
    client.opens(2, "Unary")
    await settled()
    client.says("auth", token="a2")
    await settled()
    assert client.hears()[-1] == "auth_ok for ever"
    del it.policy.provider.people["Bearer a"]
    hand_clock.turn(600.0)
    client.sends(2, "x", end=True)
    await settled()
    assert client.hears() == []
    assert it.backends["Bidi"].cancelled == 0
    assert it.backends["Unary"].call.head.headers.get("authorization") == "Bearer a2"


async def test_a_stream_ends_with_the_token_of_its_session(guarded, hand_clock):
    it = guarded(bearer(a=replace(ANN, expires=NOW + 100.0)))
    it.backends["Bidi"].script = waits
    client = it.dial()
    assert (await client.hello(token="a"))["token_s"] == 100
    client.opens(1, "Bidi")
    await settled()
    client.hears()
    hand_clock.turn(70.0)
    assert client.hears() == ["auth_expiring 30"]
    hand_clock.turn(30.0)
    await settled()
    assert client.hears() == ["status 1 UNAUTHENTICATED TOKEN_EXPIRED"]
    assert client.ended == 4003
    assert it.backends["Bidi"].cancelled == 1


async def test_a_stream_goes_on_with_a_new_token(guarded, hand_clock):
    old, new = replace(ANN, expires=NOW + 100.0), replace(ANN, expires=NOW + 1000.0)
    it = guarded(bearer(a=old, a2=new))
    it.backends["Bidi"].script = waits
    client = await ann(it)
    client.opens(1, "Bidi")
    await settled()
    hand_clock.turn(90.0)
    client.says("auth", token="a2")
    await settled()
    client.hears()
    del it.policy.provider.people["Bearer a"]
    hand_clock.turn(800.0)
    await settled()
    assert client.hears() == []
    assert client.ended is None


@pytest.mark.parametrize("token", ["b", "nobody's"])
async def test_auth_for_another_subject(guarded, token):
    it = guarded(bearer(a=ANN, b=BOB))
    client = await ann(it)
    client.opens(1, "Unary", "x")
    client.says("auth", token=token)
    await settled()
    assert client.ended == (4403 if token == "b" else 4401)
    assert it.backends["Unary"].cancelled == 1
    assert it.backends["Unary"].call.head.headers.get("authorization") == "Bearer a"


async def test_nobody_can_not_become_somebody(guarded):
    it = guarded(bearer(a=ANN), optional=True)
    client = it.dial()
    await client.hello()
    client.says("auth", token="a")
    await settled()
    assert client.ended == 4403


async def test_a_token_beside_a_good_api_key(guarded):
    """Both go along; which of them counts is as the providers' order has it."""
    it = guarded(Fake(header="x-api-key", people={"k": ANN}))
    client = it.dial(headers=[("x-api-key", "k")])
    await client.hello()
    client.says("auth", token="whatever")
    await settled()
    assert client.hears() == ["auth_ok for ever"]


# A session that comes back.


async def back(it, welcome, token, *, seen):
    client = it.dial()
    granted = dict.fromkeys(seen, 64)
    session = welcome["session"]
    said = {"features": ["resume"], "session": session, "seen": seen, "granted": granted}
    client.says("hello", token=token, **said)
    await settled()
    return client, client.hears_frames()


async def test_streams_go_on_with_what_the_new_socket_shows(guarded, hand_clock):
    it = guarded(bearer(a=ANN, a2=ANN), resume=30.0)
    it.backends["Bidi"].script = waits
    client = it.dial()
    welcome = await client.hello(token="a", features=["resume"])
    client.opens(1, "Bidi")
    await settled()
    client.socket.goes()
    other, (again,) = await back(it, welcome, "a2", seen={"1": 2})
    assert [each["id"] for each in again["resumed"]] == [1]
    del it.policy.provider.people["Bearer a"]
    hand_clock.turn(600.0)
    await settled()
    assert other.hears() == []
    assert it.backends["Bidi"].cancelled == 0


@pytest.mark.parametrize(
    ("began", "comes", "code"),
    [("a", "b", 4403), ("a", None, 4403), (None, "a", 4403), ("a", "bad", 4401), ("a", "a2", None)],
    ids=["another", "nobody", "somebody to nobody's", "bad", "the same"],
)
async def test_who_may_come_back(guarded, began, comes, code):
    it = guarded(bearer(a=ANN, a2=ANN, b=BOB), optional=True, resume=30.0)
    client = it.dial()
    welcome = await client.hello(token=began, features=["resume"])
    client.opens(1, "Unary", "x")
    client.socket.goes()
    thief, _ = await back(it, welcome, comes, seen={"1": 0})
    assert thief.ended == code
    assert it.backends["Unary"].cancelled == 0


async def test_a_token_may_end_while_its_client_is_away(guarded, hand_clock):
    it = guarded(bearer(a=replace(ANN, expires=NOW + 20.0), a2=ANN), resume=30.0)
    it.backends["Bidi"].script = waits
    client = it.dial()
    welcome = await client.hello(token="a", features=["resume"])
    client.opens(1, "Bidi")
    await settled()
    client.socket.goes()
    it.policy.provider.people.pop("Bearer a")  # as a provider does with what has expired
    hand_clock.turn(20.0)
    await settled()
    assert it.backends["Bidi"].cancelled == 1
    _, heard = await back(it, welcome, "a2", seen={"1": 2})
    assert short(heard[1]) == "status 1#3 UNAUTHENTICATED INVALID_CREDENTIALS"


# The gateway's own headers.


class Headed:
    """A policy that sets a header of the reply; may refuse the call."""

    def __init__(self, refusal=None):
        self.refusal = refusal

    def admit(self, call):
        call.reply_headers = {"ratelimit": "r=1"}
        if self.refusal is not None:
            raise self.refusal


OWN = ["ratelimit", "r=1"]


async def frames(world, method, policy, script=None, result=None):
    it = world(policies=(policy,))
    it.backends[method].script = script
    it.backends[method].at_once = result
    client = it.dial()
    await client.hello()
    client.opens(1, method, "x", end=True)
    await settled()
    return {each["t"]: each for each in client.hears_frames()}


async def begins(call):
    await call.start(Metadata([("x-b", "2")]))
    return Metadata([("x-t", "3")])


async def breaks(call):
    await call.start(Metadata())
    raise error("UPSTREAM_RESET", "It broke.")


async def never_begins(call):
    return Metadata()


@pytest.mark.parametrize(
    ("method", "script", "result"),
    [("Unary", None, reply("y", headers={"Age": "4"})), ("Server", begins, None)],
    ids=["unary", "stream"],
)
async def test_headers_carry_what_policies_say(world, method, script, result):
    heard = await frames(world, method, Headed(), script, result)
    assert OWN in heard["headers"]["metadata"]
    assert OWN not in heard["status"].get("trailers", [])


@pytest.mark.parametrize(
    ("method", "script", "result"),
    [
        ("Unary", None, error("UPSTREAM_RESET", "It broke.")),
        ("Server", never_begins, None),
    ],
    ids=["a unary call that fails", "a stream without headers"],
)
async def test_the_status_carries_it_where_there_are_no_headers(world, method, script, result):
    heard = await frames(world, method, Headed(), script, result)
    assert "headers" not in heard
    assert OWN in heard["status"]["trailers"]


async def test_it_is_said_once(world):
    heard = await frames(world, "Server", Headed(), breaks)
    assert OWN in heard["headers"]["metadata"]
    assert OWN not in heard["status"].get("trailers", [])


@pytest.mark.parametrize("method", ["Unary", "Server"])
async def test_a_refusal_says_how_to_show_who_one_is(world, method):
    refusal = error("CREDENTIALS_MISSING", "No.", headers={"www-authenticate": "Bearer"})
    heard = await frames(world, method, Headed(refusal))
    assert heard["status"]["code"] == 16
    assert heard["status"]["trailers"] == [OWN, ["www-authenticate", "Bearer"]]


@pytest.mark.parametrize("method", ["Unary", "Server"])
async def test_a_refusal_says_when_to_try_again(world, method):
    refusal = error("RATE_LIMITED", "No.", retry_after=1.2)
    heard = await frames(world, method, Headed(refusal))
    assert heard["status"]["code"] == 8
    assert heard["status"]["trailers"] == [OWN, ["retry-after", "2"]]


async def test_a_reply_says_how_old_it_is(world):
    heard = await frames(world, "Unary", Headed(), result=reply("y", headers={"Age": "4"}))
    assert heard["headers"]["metadata"] == [OWN, ["age", "4"]]


async def test_of_two_words_that_of_the_error_counts(world):
    refusal = error("TOO_MANY_UNAUTHENTICATED", "No.", headers={"RateLimit": "r=0"})
    heard = await frames(world, "Unary", Headed(refusal))
    assert heard["status"]["trailers"] == [["ratelimit", "r=0"]]
