"""What becomes of endpoints that say how they are: without sockets, time by hand."""

import asyncio
import logging
import random
from itertools import pairwise

import pytest
from grpc_health.v1.health_pb2 import HealthCheckResponse

from gateway.call import NO_METADATA, Code, Reply, RpcError, Status
from gateway.errors import error
from gateway.upstream import upstream as upstreams
from gateway.upstream.channel import State
from gateway.upstream.endpoints import Endpoint, Listing
from gateway.upstream.health.checks import HealthChecks
from gateway.upstream.health.messages import CHECK, WATCH
from gateway.upstream.health.watching import PAUSE
from gateway.upstream.node import Cause
from gateway.upstream.outliers.outliers import Outliers
from gateway.upstream.spec import HealthSpec, OutlierSpec, UpstreamSpec
from tests.upstream.fakes import FakeChannel, listings, upstream_of
from tests.upstream.timers import Timers


def response(status):
    return HealthCheckResponse(status=status).SerializeToString()


SERVING = Reply(response("SERVING"))
NOT_SERVING = Reply(response("NOT_SERVING"))
UNIMPLEMENTED = RpcError(Status(Code.UNIMPLEMENTED, "unknown service"))
SILENCE = error("DEADLINE_EXCEEDED", "The backend took too long.")
AWAY = error("UPSTREAM_UNAVAILABLE", "The backend cannot be reached.")
BROKEN = error("UPSTREAM_RESET", "The backend broke off.")


class Backend(FakeChannel):
    """A channel of a backend with health: what Check answers, and what is said by Watch."""

    def __init__(self, name="a", result=SERVING, *, watch=True):
        super().__init__(name, result)
        self.watching = watch
        self.said = None
        self.watches = 0

    @property
    def checks(self):
        return sum(call.method == CHECK for call in self.calls)

    async def stream(self, call):
        assert call.method == WATCH
        if not self.watching:
            raise UNIMPLEMENTED
        self.watches += 1
        self.said = asyncio.Queue()
        assert await call.receive() is not None
        assert await call.receive() is None
        await call.start(NO_METADATA)
        try:
            while True:
                said = await self.said.get()
                if isinstance(said, RpcError):
                    raise said
                await call.send(said.message)
        finally:
            self.said = None


@pytest.fixture
def timers(monkeypatch):
    timers = Timers()
    monkeypatch.setattr(
        upstreams, "WATCHERS", (lambda upstream: HealthChecks(upstream, timers.later),)
    )
    return timers


def opened(timers, *backends, **health):
    return upstream_of(
        *backends, clock=timers.clock, random=lambda: 0.5, health=HealthSpec(**health)
    )


async def turns():
    for _ in range(5):
        await asyncio.sleep(0)


def out(upstream):
    return [node.out.get(Cause.HEALTH) for node in upstream.nodes.values()]


async def test_all_are_asked_at_once_and_then_at_each_interval(timers):
    made = [Backend("a"), Backend("b")]
    upstream = opened(timers, *made)
    for count in (1, 2, 3):
        timers.advance(0 if count == 1 else 5)
        assert [each.checks for each in made] == [count, count]
    assert made[0].calls[0].deadline.at == 1000.0 + 1
    await upstream.close(0)


async def test_all_that_watch_hear_what_answers_come_to(timers, monkeypatch):
    heard = []
    backend = Backend()
    upstream = opened(timers, backend, healthy_after=2, unhealthy_after=1)
    monkeypatch.setattr(upstream, "checked", lambda node, *, well: heard.append(well))
    timers.advance()
    assert heard == [True]
    backend.result = SILENCE
    timers.advance(5)
    assert heard == [True, False]
    backend.result = SERVING
    timers.advance(5)
    assert heard == [True, False], "one good answer is not enough"
    timers.advance(1)
    assert heard == [True, False, True]
    backend.result = UNIMPLEMENTED
    timers.advance(5)
    assert heard == [True, False, True, True]
    await upstream.close(0)


async def test_one_that_hung_and_was_put_out_for_it_takes_calls_as_soon_as_it_is_well(
    timers, monkeypatch
):
    made = [Backend("a"), Backend("b")]
    both = *upstreams.WATCHERS, lambda upstream: Outliers(upstream, timers.later)
    monkeypatch.setattr(upstreams, "WATCHERS", both)
    upstream = upstream_of(
        *made,
        clock=timers.clock,
        random=lambda: 0.5,
        health=HealthSpec(),
        outliers=OutlierSpec(),
    )
    hung, _ = upstream.nodes.values()
    timers.advance(1)
    for _ in range(5):
        hung.started()
        hung.ended(SILENCE, 1.0)
    made[0].result = SILENCE
    timers.advance(6)
    assert {*hung.out} == {Cause.OUTLIER, Cause.HEALTH}
    made[0].result = SERVING
    timers.advance(6)
    assert not hung.out
    await upstream.close(0)


async def test_intervals_are_not_of_equal_length(timers):
    backend = Backend()
    upstream = upstream_of(backend, clock=timers.clock, random=lambda: 0.0, health=HealthSpec())
    timers.advance()
    assert [each.at for each in timers.due] == [1004.0]
    await upstream.close(0)


async def test_one_that_does_not_answer_takes_no_calls_until_it_does(timers, caplog):
    caplog.set_level(logging.INFO, "gateway.upstream")
    bad = Backend("a")
    upstream = opened(timers, bad, Backend("b"))
    timers.advance()
    bad.result = SILENCE
    timers.advance(5)
    assert out(upstream) == [None, None]
    timers.advance(1)  # in doubt, it is asked again soon
    assert out(upstream) == ["it did not answer in time", None]
    bad.result = AWAY
    timers.advance(5)
    assert out(upstream) == ["it cannot be reached", None]
    bad.result = SERVING
    timers.advance(5)
    assert out(upstream) == [None, None]
    assert [record.message for record in caplog.records] == [
        "backend h:1: it takes no calls: it did not answer in time",
        "backend h:1: it is well again",
    ]
    await upstream.close(0)


async def test_calls_that_one_is_given_while_it_is_out_are_moved_at_the_next_check(timers):
    class Attempt:
        moved = 0

        def move(self):
            self.moved += 1

    backend = Backend(result=SILENCE, watch=False)
    upstream = opened(timers, backend, Backend("b"), interval=1, unhealthy_after=1)
    await turns()
    timers.advance(1)
    await turns()
    (node, _) = upstream.nodes.values()
    assert Cause.HEALTH in node.out
    attempt = Attempt()
    node.movable.add(attempt)
    timers.advance(1)
    await turns()
    assert attempt.moved == 1
    await upstream.close(0)


async def test_a_server_that_says_so_by_watch_is_believed_at_once(timers):
    backend = Backend()
    upstream = opened(timers, backend, Backend("b"))
    timers.advance()
    await turns()
    backend.said.put_nowait(NOT_SERVING)
    await turns()
    assert out(upstream) == ["it says NOT_SERVING", None]
    backend.said.put_nowait(SERVING)
    await turns()
    timers.advance(PAUSE)
    assert out(upstream) == [None, None]
    await upstream.close(0)


async def test_of_a_server_that_says_something_else_all_the_time_the_last_is_heard(timers, caplog):
    caplog.set_level(logging.INFO, "gateway.upstream")
    backend = Backend()
    upstream = opened(timers, backend, Backend("b"))
    timers.advance()
    await turns()
    for _ in range(1000):
        backend.said.put_nowait(NOT_SERVING)
        backend.said.put_nowait(SERVING)
    backend.said.put_nowait(NOT_SERVING)
    while not backend.said.empty():
        await turns()
    assert len(caplog.records) == 1
    timers.advance(PAUSE)
    assert out(upstream) == ["it says NOT_SERVING", None]
    assert len(caplog.records) == 1
    await upstream.close(0)
    assert not timers.due


async def test_a_process_that_hangs_keeps_its_watch_open_and_is_found_by_checks(timers):
    backend = Backend()
    upstream = opened(timers, backend, Backend("b"))
    timers.advance()
    await turns()
    backend.result = SILENCE
    timers.advance(6)
    assert backend.said is not None
    assert out(upstream) == ["it did not answer in time", None]
    backend.result = SERVING
    timers.advance(5)
    assert out(upstream) == [None, None]
    assert backend.watches == 1
    await upstream.close(0)


async def test_without_watch_check_is_all_there_is(timers):
    backend = Backend(watch=False)
    upstream = opened(timers, backend, Backend("b"))
    timers.advance()
    await turns()
    backend.result = NOT_SERVING
    timers.advance(6)
    assert out(upstream) == ["it says NOT_SERVING", None]
    await upstream.close(0)


async def test_without_either_it_is_well_while_it_answers_which_is_told_once(timers, caplog):
    made = [Backend(name, UNIMPLEMENTED, watch=False) for name in "ab"]
    upstream = opened(timers, *made)
    for _ in range(4):
        timers.advance(5)
    assert out(upstream) == [None, None]
    (record,) = caplog.records
    assert record.message == (
        "backend h:1: it has no grpc.health.v1: endpoints of upstream test that have none are "
        "taken to be well while they answer at all"
    )
    made[0].result = SILENCE
    timers.advance(6)
    assert out(upstream) == ["it did not answer in time", None]
    await upstream.close(0)


async def test_a_watch_that_broke_is_begun_again_after_a_check(timers):
    backend = Backend()
    upstream = opened(timers, backend)
    timers.advance()
    await turns()
    backend.said.put_nowait(SERVING)
    backend.said.put_nowait(BROKEN)
    await turns()
    assert backend.said is None
    assert out(upstream) == [None]
    timers.advance(1)
    await turns()
    assert (backend.watches, backend.checks) == (2, 2)
    await upstream.close(0)


async def test_a_server_that_ends_each_watch_is_asked_no_more_often_for_that(timers):
    backend = Backend()
    upstream = opened(timers, backend)
    for _ in range(10):
        timers.advance(1)
        await turns()
        if backend.said is not None:
            backend.said.put_nowait(BROKEN)
            await turns()
    assert backend.checks <= 3
    await upstream.close(0)


async def test_a_watch_does_not_outlive_the_connection(timers):
    backend = Backend()
    upstream = opened(timers, backend)
    timers.advance()
    await turns()
    backend.become(State.IDLE)
    await turns()
    assert backend.said is None
    backend.become(State.READY)
    timers.advance(5)
    await turns()
    assert backend.watches == 2
    await upstream.close(0)


async def test_one_that_was_away_is_asked_as_soon_as_it_is_connected(timers):
    backend = Backend(result=AWAY)
    backend.state = State.FAILING
    upstream = opened(timers, backend, Backend("b"))
    timers.advance(3)
    assert out(upstream) == ["it cannot be reached", None]
    backend.result = SERVING
    backend.become(State.READY)
    timers.advance()
    assert out(upstream) == [None, None]
    await upstream.close(0)


async def test_at_the_start_all_take_calls_before_they_have_answered(timers):
    made = [Backend("a"), Backend("b")]
    for each in made:
        each.waits = True
    upstream = opened(timers, *made)
    timers.advance()
    assert out(upstream) == [None, None]
    await upstream.close(0)


async def test_one_that_joins_others_that_are_well_answers_first(timers):
    made = [Backend("a"), Backend("b")]
    made[1].waits = True
    left = iter(made)

    def make(spec, endpoint, heard, queue):
        channel = next(left)
        channel.heard = heard
        return channel

    spec = UpstreamSpec("test", listings(1), health=HealthSpec())
    upstream = upstreams.Upstream(spec, make, clock=timers.clock, random=lambda: 0.5)
    upstream.open()
    timers.advance()
    upstream.update(listings(2))
    timers.advance(1)
    assert out(upstream) == [None, "it has not said yet how it is"]
    made[1].done(SERVING)
    assert out(upstream) == [None, None]
    await upstream.close(0)


async def test_many_that_join_others_that_are_well_are_not_asked_all_at_once(timers):
    made = [Backend(str(number)) for number in range(11)]
    left, luck = iter(made), random.Random(1)

    def make(spec, endpoint, heard, queue):
        channel = next(left)
        channel.heard = heard
        return channel

    spec = UpstreamSpec("test", listings(1), health=HealthSpec(interval=100))
    upstream = upstreams.Upstream(spec, make, clock=timers.clock, random=luck.random)
    upstream.open()
    timers.advance()
    upstream.update(listings(11))
    for joined in made[1:]:
        joined.become(State.READY)
    asked = [0]
    for _ in range(10):
        timers.advance(0.1)
        asked.append(sum(each.checks for each in made[1:]))
    assert max(after - before for before, after in pairwise(asked)) <= 3
    assert asked[-1] == 10, "within the timeout"
    assert out(upstream) == [None] * 11
    await upstream.close(0)


async def test_a_server_that_answers_each_watch_once_and_ends_it_is_asked_no_more_often(timers):
    class Brief(Backend):
        end = None

        async def stream(self, call):
            self.watches += 1
            await call.send(SERVING.message)
            if self.end is not None:
                raise self.end
            return NO_METADATA

    well, broken = Brief("a"), Brief("b")
    broken.end = BROKEN
    upstream = opened(timers, well, broken, interval=5, timeout=0.5)
    for _ in range(200):
        timers.advance(0.5)
        await turns()
    assert well.checks <= 21, "one an interval: to end a Watch is no sign of being unwell"
    assert well.watches <= 7, "each time it is asked for another later"
    assert broken.checks <= 2 * 21, "one more an interval"
    assert broken.watches <= 7
    await upstream.close(0)


async def test_a_watch_that_ends_with_its_connection_is_waited_for(timers):
    class Slow(Backend):
        ended = False

        async def stream(self, call):
            try:
                await super().stream(call)
            finally:
                await asyncio.sleep(0.01)
                self.ended = True

    backend = Slow()
    upstream = opened(timers, backend)
    timers.advance()
    await turns()
    backend.become(State.FAILING)
    await upstream.close(0)
    assert backend.ended


async def test_health_can_be_switched_on_and_off(timers):
    backend = Backend()
    upstream = opened(timers, backend, Backend("b"))
    timers.advance()
    await turns()
    backend.said.put_nowait(NOT_SERVING)
    await turns()
    off = UpstreamSpec("test", upstream.spec.endpoints)
    on = upstream.spec
    upstream.configure(off)
    await turns()
    assert (out(upstream), timers.due, backend.said) == ([None, None], [], None)
    upstream.configure(on)
    backend.result = NOT_SERVING
    timers.advance(2)
    assert out(upstream) == ["it says NOT_SERVING", None]
    await upstream.close(0)


async def test_what_is_known_outlives_other_intervals(timers):
    backend = Backend(result=NOT_SERVING)
    upstream = opened(timers, backend, Backend("b"))
    timers.advance(2)
    upstream.configure(UpstreamSpec("test", upstream.spec.endpoints, health=HealthSpec(interval=9)))
    assert out(upstream) == ["it says NOT_SERVING", None]
    timers.advance(1)
    assert sorted(each.at for each in timers.due) == [1011.5, 1011.5]
    await upstream.close(0)


@pytest.mark.parametrize("under_way", ["nothing", "check", "watch"])
async def test_nothing_is_left_of_one_that_leaves_nor_in_the_end(timers, under_way):
    gone, stays = Backend("a"), Backend("b")
    gone.waits = under_way == "check"
    before = asyncio.all_tasks()
    upstream = opened(timers, gone, stays)
    if under_way != "nothing":
        timers.advance()
        await turns()
    assert (gone.said is not None) == (under_way == "watch")
    upstream.update([Listing(Endpoint("h", 2))])
    await turns()
    assert gone.said is None
    assert gone.cancelled == (under_way == "check")
    assert len(timers.due) == 1
    await upstream.close(0)
    assert timers.due == []
    assert asyncio.all_tasks() == before
    assert stays.said is None
