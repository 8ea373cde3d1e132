"""An upstream that follows its resolver."""

import asyncio
import logging
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from gateway.call import Call, RpcError
from gateway.upstream.channel import State
from gateway.upstream.endpoints import Endpoint, Listing
from gateway.upstream.report import report
from gateway.upstream.resolvers.following import Following
from gateway.upstream.spec import DnsSpec, FileSpec, UpstreamSpec
from gateway.upstream.upstream import Upstream
from tests.upstream.clients import Client, failure, unary, until
from tests.upstream.fakes import Clock, FakeChannel, listings

SPEC = UpstreamSpec("test", resolver=DnsSpec("orders", 50051))


class Script:
    """A resolver that tells what the test says."""

    def __init__(self, spec):
        self.spec = spec
        self.told = None
        self.asked = 0
        self.ended = False

    async def run(self, told):
        self.told = told
        try:
            await asyncio.Event().wait()
        finally:
            self.ended = True

    def again(self):
        self.asked += 1


class World:
    """An upstream on fake channels, and the resolvers that were made for it."""

    def __init__(self, monkeypatch, spec=SPEC):
        self.channels = {}
        self.resolvers = []
        watchers = (lambda upstream: Following(upstream, self.resolver),)
        monkeypatch.setattr("gateway.upstream.upstream.WATCHERS", watchers)
        self.upstream = Upstream(spec, self.channel, clock=Clock())
        self.upstream.open()

    def resolver(self, spec, clock):
        self.resolvers.append(Script(spec))
        return self.resolvers[-1]

    def channel(self, spec, endpoint, heard, queue):
        made = self.channels[str(endpoint)] = FakeChannel(str(endpoint))
        made.heard = heard
        return made

    async def told(self):
        """What is told by the newest resolver, once that runs."""
        await until(lambda: self.resolvers[-1].told)
        return self.resolvers[-1].told

    @property
    def endpoints(self):
        return [str(each) for each in self.upstream.nodes]


@pytest_asyncio.fixture(loop_scope="session")
async def world(monkeypatch):
    made = World(monkeypatch)
    yield made
    await made.upstream.close(0)
    assert not [task for task in asyncio.all_tasks() if "Following" in repr(task)]
    assert made.upstream.queue.waiting == 0
    assert all(each.ended for each in made.resolvers)


# Calls that wait for the first endpoints.


async def test_calls_wait_until_endpoints_are_known(world):
    client = Client("m")
    reply = asyncio.ensure_future(unary(world.upstream, Call("m")))
    stream = asyncio.ensure_future(world.upstream.stream(client))
    await until(lambda: world.upstream.queue.waiting == 2)
    (await world.told()).listed(listings(1))
    assert (await reply).message == b"h:1"
    await stream
    assert client.replies == [b"h:1"]


async def test_after_that_calls_wait_no_more(world):
    (await world.told()).listed(listings(1))
    assert world.upstream.lobby is None
    assert (await unary(world.upstream, Call("m"))).message == b"h:1"


async def test_when_the_first_look_fails_calls_fail_at_once_until_there_are_endpoints(world):
    waiting = asyncio.ensure_future(failure(world.upstream, Call("m")))
    await until(lambda: world.upstream.queue.waiting)
    told = await world.told()
    told.failed("there is no such name")
    assert (await waiting).reason == "UPSTREAM_UNAVAILABLE"
    assert (await failure(world.upstream, Call("m"))).reason == "UPSTREAM_UNAVAILABLE"
    with pytest.raises(RpcError) as ended:
        await world.upstream.stream(Client("m"))
    assert ended.value.reason == "UPSTREAM_UNAVAILABLE"
    told.listed(listings(1))
    assert (await unary(world.upstream, Call("m"))).message == b"h:1"


async def test_an_upstream_that_is_closed_ends_those_that_wait(world):
    waiting = asyncio.ensure_future(failure(world.upstream, Call("m")))
    await until(lambda: world.upstream.queue.waiting)
    await world.upstream.close(0)
    assert (await waiting).reason == "DRAINING"


# Sets that follow each other.


async def test_endpoints_come_and_go_and_those_that_stay_keep_what_they_have(world):
    told = await world.told()
    told.listed(listings(2))
    first, second = world.upstream.nodes.values()
    told.listed(listings(3)[1:])
    assert world.endpoints == ["h:2", "h:3"]
    assert next(iter(world.upstream.nodes.values())) is second
    await until(lambda: first.channel.closed is not None)
    assert second.channel.closed is None


async def test_a_set_in_another_order_changes_nothing(world):
    told = await world.told()
    told.listed(listings(3))
    told.listed(listings(3)[::-1])
    assert world.endpoints == ["h:1", "h:2", "h:3"]


async def test_another_weight_is_taken_over_without_a_new_connection(world):
    told = await world.told()
    told.listed(listings(1))
    (before,) = world.upstream.nodes.values()
    told.listed(listings(1, weight=7))
    assert list(world.upstream.nodes.values()) == [before]
    assert before.weight == 7


async def test_a_failure_keeps_the_set(world):
    told = await world.told()
    told.listed(listings(2))
    told.failed("no name server answered in time")
    assert world.endpoints == ["h:1", "h:2"]
    assert (await unary(world.upstream, Call("m"))).message in (b"h:1", b"h:2")


@pytest.mark.parametrize("state", [State.FAILING, State.IDLE])
async def test_when_a_connection_is_lost_the_resolver_is_asked_to_look_again(world, state):
    (await world.told()).listed(listings(2))
    (resolver,) = world.resolvers
    first, _ = world.channels.values()
    first.become(state)
    assert resolver.asked == 1
    first.become(State.CONNECTING)
    first.become(State.READY)
    assert resolver.asked == 1


async def test_those_that_are_told_are_stranded_when_nothing_can_be_reached(world):
    told = await world.told()
    told.listed(listings(2))
    first, second = world.channels.values()
    first.become(State.FAILING)
    assert not told.stranded
    second.become(State.FAILING)
    assert told.stranded


_SETS = st.lists(
    st.sets(
        st.builds(
            Listing,
            st.builds(Endpoint, st.just("h"), st.integers(1, 6)),
            st.integers(1, 2),
            st.none(),
            st.integers(0, 1),
        ),
        min_size=1,
    ).map(lambda listed: tuple({each.endpoint: each for each in listed}.values())),
    max_size=6,
)


@given(_SETS)
def test_whatever_is_listed_nodes_are_kept_made_and_closed_as_it_says(sets):
    async def follow():
        with pytest.MonkeyPatch.context() as patch:
            world = World(patch)
            told = await world.told()
            known = {}
            for listed in sets:
                told.listed(listed)
                nodes = world.upstream.nodes
                assert {node.listing for node in nodes.values()} == set(listed)
                assert all(nodes[each] is node for each, node in known.items() if each in nodes)
                gone = [node for each, node in known.items() if each not in nodes]
                assert all(node.out for node in gone)
                assert not any(node.out for node in nodes.values())
                known = dict(nodes)
            await until(lambda: not world.upstream.leaving)
            made = sum(channel.closed is None for channel in world.channels.values())
            assert made == len(world.upstream.nodes)
            await world.upstream.close(0)

    asyncio.run(follow())


# Reload.


async def test_a_reload_to_another_resolver_keeps_the_nodes_until_that_has_found_its_own(world):
    (await world.told()).listed(listings(2))
    kept = world.upstream.nodes[Endpoint("h", 2)]
    spec = replace(SPEC, resolver=FileSpec(Path("endpoints.yaml"), lambda data, path: ()))
    world.upstream.configure(spec)
    assert world.endpoints == ["h:1", "h:2"]
    assert world.upstream.lobby is None
    told = await world.told()
    assert world.resolvers[-1].spec is spec.resolver
    assert world.resolvers[0].ended
    told.listed(listings(2)[1:])
    assert list(world.upstream.nodes.values()) == [kept]


async def test_a_reload_that_leaves_the_resolver_as_it_is_leaves_it_alone(world):
    (await world.told()).listed(listings(1))
    world.upstream.configure(replace(SPEC, channel=SPEC.channel, resolver=DnsSpec("orders", 50051)))
    assert len(world.resolvers) == 1


async def test_a_reload_to_fixed_endpoints_takes_those_and_ends_the_resolver(world):
    waiting = asyncio.ensure_future(unary(world.upstream, Call("m")))
    await world.told()
    world.upstream.configure(UpstreamSpec("test", listings(1)))
    assert world.endpoints == ["h:1"]
    assert (await waiting).message == b"h:1"
    await until(lambda: world.resolvers[0].ended)


async def test_a_reload_from_fixed_endpoints_keeps_them_until_there_are_others(monkeypatch):
    world = World(monkeypatch, UpstreamSpec("test", listings(1)))
    world.upstream.configure(SPEC)
    assert world.endpoints == ["h:1"]
    assert (await unary(world.upstream, Call("m"))).message == b"h:1"
    told = await world.told()
    told.failed("there is no such name")
    assert world.endpoints == ["h:1"]
    told.listed(listings(2)[1:])
    assert world.endpoints == ["h:2"]
    await world.upstream.close(0)


async def test_a_reload_to_a_resolver_that_lists_the_same_changes_and_says_nothing(world, caplog):
    (await world.told()).listed(listings(2))
    nodes = list(world.upstream.nodes.values())
    world.upstream.configure(UpstreamSpec("test", listings(1)))
    world.upstream.configure(SPEC)
    caplog.set_level(logging.INFO, "gateway.upstream")
    told = await world.told()
    told.listed(listings(1))
    assert list(world.upstream.nodes.values()) == nodes[:1]
    assert not caplog.messages
    told.listed(listings(2))
    assert world.endpoints == ["h:1", "h:2"]


# What operators are told.


async def test_the_log_says_what_comes_and_goes(world, caplog):
    caplog.set_level(logging.INFO, "gateway.upstream")
    told = await world.told()
    told.listed(listings(10))
    told.listed(listings(11)[1:])
    told.listed(listings(11)[1:])
    told.listed(listings(1))
    told.listed(listings(1, weight=2))
    assert caplog.messages[:2] == [
        "upstream test: 10 endpoints; new: h:1, h:10, h:2, h:3, h:4, h:5, h:6, h:7 and 2 more",
        "upstream test: 10 endpoints; new: h:11; gone: h:1",
    ]
    assert caplog.messages[2].startswith("upstream test: 1 endpoint; new: h:1; gone: h:10, h:11, ")
    assert caplog.messages[3:] == ["upstream test: 1 endpoint; listed otherwise"]


async def test_the_log_says_each_reason_once_and_when_it_is_over(world, caplog):
    caplog.set_level(logging.INFO, "gateway.upstream")
    told = await world.told()
    for _ in range(2):
        told.failed("there is no\nsuch name")
    told.listed(listings(2))
    for _ in range(2):
        told.failed("no name server answered in time")
    told.listed(listings(2))
    assert caplog.messages == [
        "upstream test: orders:50051: 'there is no\\nsuch name'; calls fail",
        "upstream test: orders:50051 is resolved again",
        "upstream test: 2 endpoints; new: h:1, h:2",
        "upstream test: orders:50051: 'no name server answered in time'; 2 endpoints stay",
        "upstream test: orders:50051 is resolved again",
    ]


async def test_the_admin_listener_says_why_nothing_is_found(world):
    assert report(world.upstream)["unresolved"] is None
    told = await world.told()
    told.failed("there is no such name")
    assert report(world.upstream)["unresolved"] == "there is no such name"
    told.listed(listings(1))
    assert report(world.upstream)["unresolved"] is None


async def test_a_bug_of_a_resolver_is_told_and_it_is_run_again(world, caplog):
    runs = []

    async def run(told):
        runs.append(told)
        raise ZeroDivisionError

    def broken(spec, clock):
        made = Script(spec)
        made.run, made.ended = run, True
        return made

    (watcher,) = world.upstream._watchers
    watcher._make = broken
    waiting = asyncio.ensure_future(failure(world.upstream, Call("m")))
    await until(lambda: world.upstream.queue.waiting)
    resolver = DnsSpec("orders", 1, refresh=0.01)
    world.upstream.configure(replace(SPEC, resolver=resolver))
    assert (await waiting).reason == "UPSTREAM_UNAVAILABLE"
    await until(lambda: len(runs) > 1)
    assert "its resolver failed on a bug" in caplog.text
