"""A stream lasts no longer than what its caller showed."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from types import SimpleNamespace

import pytest

from gateway.call import NO_METADATA, Code, RpcError, StreamCall
from gateway.errors import error
from gateway.policies.auth.authenticate import Authenticate
from gateway.policies.auth.watch import Watch
from tests.policies.auth.callers import ADA, Fake, FakeGuard, head


@dataclass(slots=True, kw_only=True)
class Client(StreamCall):
    async def receive(self):
        return None

    async def start(self, initial):
        pass

    async def send(self, message):
        pass


class Time:
    """A clock, and what it calls when its hour has come."""

    def __init__(self):
        self.now = 1_000_000.0
        self.set = []

    def later(self, seconds, call):
        entry = [self.now + seconds, call]
        self.set.append(entry)

        def cancel():
            if entry in self.set:
                self.set.remove(entry)

        return SimpleNamespace(cancel=cancel)

    @property
    def waits(self):
        """The seconds until each hour that is set."""
        return [round(at - self.now, 3) for at, _ in self.set]

    async def pass_(self, seconds):
        self.now += seconds
        for entry in [entry for entry in self.set if entry[0] <= self.now]:
            self.set.remove(entry)
            entry[1]()
        for _ in range(5):
            await asyncio.sleep(0)


class Stream:
    """A stream that runs until it is told to end."""

    def __init__(self, provider, principal=ADA, shown="s", may=None):
        self.time = Time()
        self.provider = provider
        self.ends = asyncio.Event()
        self.cancelled = False
        gate = Authenticate([provider], optional=True, guard=FakeGuard())
        self.watch = Watch(gate, lambda: self.time.now, may=may, later=self.time.later)
        self.call = Client(method="a.B/C", head=head(("x-fake", shown)), principal=principal)
        self.task = asyncio.ensure_future(self.watch.stream(self.call, self._upstream))

    async def _upstream(self, call):
        try:
            await self.ends.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        return NO_METADATA

    async def begun(self):
        await asyncio.sleep(0)
        return self

    async def failure(self):
        with pytest.raises(RpcError) as failure:
            await self.task
        assert self.cancelled
        assert self.time.set == []
        return failure.value


async def test_a_stream_ends_when_its_upstream_does_and_leaves_no_timer():
    stream = await Stream(Fake(cached={"s": ADA})).begun()
    assert stream.time.waits == [60]
    stream.ends.set()
    assert await stream.task == NO_METADATA
    assert stream.time.set == []


async def test_an_anonymous_stream_is_not_watched():
    stream = await Stream(Fake(), principal=None).begun()
    assert stream.time.set == []
    stream.ends.set()
    await stream.task


async def test_who_is_still_known_goes_on():
    stream = await Stream(Fake(cached={"s": ADA})).begun()
    for _ in range(3):
        await stream.time.pass_(60)
        assert stream.time.waits == [60]
    stream.ends.set()
    await stream.task


@pytest.mark.parametrize("shown", ["s", "slow:s"], ids=["known at once", "asked for"])
async def test_what_is_revoked_ends_the_stream_at_the_next_look(shown):
    provider = Fake(people={shown: ADA}, slow={shown: ADA})
    stream = await Stream(provider, shown=shown).begun()
    await stream.time.pass_(60)
    assert not stream.task.done()
    provider.people.clear()
    provider.slow.clear()
    await stream.time.pass_(60)
    failure = await stream.failure()
    assert failure.status.code is Code.UNAUTHENTICATED


async def test_a_stream_is_looked_at_when_what_was_shown_ends():
    expiring = replace(ADA, expires=1_000_010.0)
    stream = await Stream(Fake(cached={"s": expiring}), principal=expiring).begun()
    assert stream.time.waits == [10]
    stream.provider.cached.clear()
    await stream.time.pass_(10)
    assert (await stream.failure()).reason == "INVALID_CREDENTIALS"


async def test_a_new_token_on_the_open_socket_goes_on():
    expiring = replace(ADA, expires=1_000_010.0)
    provider = Fake(cached={"s": expiring, "t": replace(ADA, expires=1_000_040.0)})
    stream = await Stream(provider, principal=expiring).begun()
    stream.call.head = head(("x-fake", "t"))
    await stream.time.pass_(10)
    assert stream.time.waits == [30]
    stream.ends.set()
    await stream.task


async def test_a_token_of_somebody_else_ends_it():
    provider = Fake(cached={"s": replace(ADA, subject="eve")})
    stream = await Stream(provider).begun()
    await stream.time.pass_(60)
    assert (await stream.failure()).status.code is Code.UNAUTHENTICATED


DOWN = error("AUTHENTICATION_UNAVAILABLE", "later")


async def test_a_provider_that_cant_say_leaves_it_alone_until_what_was_shown_ends():
    expiring = replace(ADA, expires=1_000_075.0)
    stream = await Stream(Fake(down=DOWN), principal=expiring).begun()
    await stream.time.pass_(60)
    assert stream.time.waits == [10]
    await stream.time.pass_(10)
    assert stream.time.waits == [5]
    await stream.time.pass_(5)
    assert (await stream.failure()).status.code is Code.UNAVAILABLE


async def test_but_not_for_ever():
    stream = await Stream(Fake(down=DOWN)).begun()
    await stream.time.pass_(60)
    for _ in range(29):
        await stream.time.pass_(10)
        assert not stream.task.done()
    await stream.time.pass_(10)
    assert (await stream.failure()).status.code is Code.UNAVAILABLE


async def test_who_is_known_again_has_all_the_time_again():
    provider = Fake(people={"s": ADA}, down=DOWN)
    stream = await Stream(provider).begun()
    await stream.time.pass_(60)
    provider.down = None
    await stream.time.pass_(10)
    assert stream.time.waits == [60]
    stream.ends.set()
    await stream.task


@pytest.mark.parametrize("reason", ["AUTHORIZATION_DENIED", "LOCKED_OUT", "CROSS_SITE_REQUEST"])
async def test_every_refusal_ends_it(reason):
    stream = await Stream(Fake(down=error(reason, "no"))).begun()
    await stream.time.pass_(60)
    assert (await stream.failure()).reason == reason


async def test_a_bug_is_logged_and_ends_it_where_nobody_has_known_for_long(caplog):
    stream = await Stream(Fake(down=KeyError("a bug"))).begun()
    for seconds in (60, *[10] * 30):
        await stream.time.pass_(seconds)
    assert (await stream.failure()).status.code is Code.INTERNAL
    assert "KeyError" in caplog.text


class May:
    """Says who may call, and notes of whom it was asked."""

    def __init__(self):
        self.failure = None
        self.asked = []

    def admit(self, call):
        self.asked.append(call.principal)
        if self.failure:
            raise self.failure


async def test_who_may_not_any_more_is_refused():
    may = May()
    stream = await Stream(Fake(cached={"s": ADA}), may=may).begun()
    await stream.time.pass_(60)
    assert may.asked == [ADA]
    may.failure = error("ROLE_MISSING", "no")
    await stream.time.pass_(60)
    assert (await stream.failure()).reason == "ROLE_MISSING"


async def test_what_follows_sees_who_the_caller_is_by_now():
    provider = Fake(cached={"s": ADA})
    stream = await Stream(provider).begun()
    provider.cached["s"] = replace(ADA, roles=frozenset({"support"}))
    await stream.time.pass_(60)
    assert stream.call.principal.roles == {"support"}
    stream.ends.set()
    await stream.task


async def test_what_else_comes_from_the_address_does_not_decide():
    guard = FakeGuard()
    gate = Authenticate([Fake(people={"s": ADA})], optional=False, guard=guard).unguarded()
    guard.refusal = error("TOO_MANY_UNAUTHENTICATED", "no")
    made = Client(method="a.B/C", head=head(("x-fake", "s")))
    assert gate.admit(made) is None
    assert made.principal is ADA
    assert gate.providers == ("fake",)


async def test_a_client_that_leaves_cancels_its_stream_as_ever():
    stream = await Stream(Fake(cached={"s": ADA})).begun()
    stream.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stream.task
    assert stream.cancelled
    assert stream.time.set == []


async def test_a_client_that_leaves_in_the_same_moment_is_not_told():
    stream = await Stream(Fake()).begun()
    stream.time.now += 60
    stream.time.set[0][1]()
    stream.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stream.task


async def test_it_is_not_asked_all_the_time_whatever_the_provider_says_of_the_end():
    past = replace(ADA, expires=1.0)
    stream = await Stream(Fake(cached={"s": past}), principal=past).begun()
    assert stream.time.waits == [0.1]
    stream.ends.set()
    await stream.task


async def test_a_stream_that_is_ended_is_in_the_log_with_its_caller(caplog):
    caplog.set_level(logging.INFO, "gateway.auth")
    stream = await Stream(Fake(people={"s": ADA})).begun()
    stream.call.request_id = "r1"
    stream.provider.people.clear()
    await stream.time.pass_(60)
    await stream.failure()
    refused, ended = [record.getMessage() for record in caplog.records]
    assert refused.endswith("bad credentials; provider fake; it is in no table; request 'r1'")
    assert ended == (
        "ended the stream of a.B/C from a Unix socket: bad credentials; caller fake 'ada'; "
        "request 'r1'"
    )
