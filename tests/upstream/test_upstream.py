"""Many endpoints as one: who takes a call, and what happens when one of them is gone."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
import uvloop

from gateway.call import Call, Code, RpcError, Status
from gateway.errors import error
from gateway.upstream.channel import NotSentError, State, native
from gateway.upstream.channel.trouble import Trouble
from gateway.upstream.endpoints import Endpoint
from gateway.upstream.spec import BalancingSpec, ChannelSpec, Keepalive, Tls, UpstreamSpec
from gateway.upstream.upstream import build
from tests.upstream.clients import Client, failure, spec, stream_failure, unary
from tests.upstream.fakes import FakeChannel, upstream_of
from tests.upstream.processes import mortal
from tests.upstream.servers import backend, echo

NEVER_SENT = NotSentError.of(error("UPSTREAM_UNAVAILABLE", "The backend cannot be reached."))
SENT = RpcError(Status(Code.UNAVAILABLE, "busy"))


TURNS = {"balancing": BalancingSpec("round_robin")}


def channels(*results):
    return [FakeChannel(name, result) for name, result in zip("abcdefgh", results, strict=False)]


async def test_calls_go_round():
    upstream = upstream_of(*channels(None, None, None), **TURNS)
    replies = [(await unary(upstream, Call("m"))).message for _ in range(6)]
    assert replies == [b"a", b"b", b"c"] * 2


async def test_streams_and_unary_calls_take_the_same_turns():
    upstream = upstream_of(*channels(None, None), **TURNS)
    client = Client("m")
    await unary(upstream, Call("m"))
    await upstream.stream(client)
    assert client.replies == [b"b"]


async def test_a_call_that_was_never_sent_goes_to_the_others_once_each():
    made = channels(NEVER_SENT, NEVER_SENT, None)
    upstream = upstream_of(*made, **TURNS)
    client = Client("m")
    assert (await unary(upstream, Call("m"))).message == b"c"
    await upstream.stream(client)
    assert client.replies == [b"c"]
    made[2].result = NEVER_SENT
    for channel in made:
        channel.calls.clear()
    assert await failure(upstream, Call("m")) is NEVER_SENT
    assert await stream_failure(upstream, Client("m")) is NEVER_SENT
    assert [len(channel.calls) for channel in made] == [2, 2, 2]


async def test_a_call_that_may_have_been_sent_is_not_made_again():
    made = channels(SENT, None)
    upstream = upstream_of(*made, **TURNS)
    assert await failure(upstream, Call("m")) is SENT
    await unary(upstream, Call("m"))
    assert await stream_failure(upstream, Client("m")) is SENT
    assert [len(channel.calls) for channel in made] == [2, 1]


@pytest.mark.parametrize("at_once", [True, False])
async def test_cancel_reaches_the_endpoint_that_has_the_call(at_once):
    first, second = channels(NEVER_SENT, None)
    first.waits, second.waits = not at_once, True
    upstream = upstream_of(first, second, **TURNS)
    cancel = upstream.start(Call("m"), None)
    if not at_once:
        first.done(NEVER_SENT)
    cancel()
    assert (first.cancelled, second.cancelled) == (0, 1)


async def test_close_closes_every_channel_with_the_grace():
    made = channels(None, None)
    upstream = upstream_of(*made, **TURNS)
    await unary(upstream, Call("m"))
    assert upstream.pending == 1  # a fake one's calls stay
    await upstream.close(7)
    assert [channel.closed for channel in made] == [7, 7]


async def test_a_repr_says_who_it_is():
    (channel,) = channels(None)
    assert repr(upstream_of(channel)) == "Upstream(test, [Node(a, ready, 0 pending)])"


# What an upstream is made of.


def test_equal_arguments_are_equal_specs():
    def made(**changes):
        return ChannelSpec(**({"tls": Tls(ca=b"x")} | changes))

    assert made() == made()
    assert hash(made()) == hash(made())
    different = [
        made(tls=None),
        made(tls=Tls(ca=b"y")),
        made(keepalive=Keepalive(time=1)),
        made(message_size=1),
        made(transport="grpcio"),
        made(connections=2),
    ]
    assert len({made(), *different}) == 7


def test_a_key_is_not_shown():
    assert "hidden" not in repr(Tls(certificate=b"shown", key=b"hidden"))


@pytest.mark.parametrize("half", [{"certificate": b"x"}, {"key": b"x"}])
def test_a_certificate_and_its_key_go_together(half):
    with pytest.raises(ValueError, match="go together"):
        Tls(**half)


def test_there_is_an_endpoint():
    with pytest.raises(ValueError, match="upstream empty needs endpoints or a resolver"):
        UpstreamSpec("empty")


async def test_there_is_such_a_transport():
    with pytest.raises(ValueError, match="no transport 'pigeon', only native, grpcio"):
        build(spec(Endpoint("h", 1), channel=ChannelSpec(transport="pigeon")))


# With real backends.


@asynccontextmanager
async def built(*endpoints):
    upstream = build(spec(*endpoints, **TURNS))
    try:
        yield upstream
    finally:
        await upstream.close(0)


def named(name):
    async def answer(request, context):
        return name.encode()

    async def stream(requests, context):
        async for request in requests:
            yield name.encode() + request

    return {"Who": answer, "Chat": ("stream_stream", stream)}


async def test_real_calls_go_round():
    async with AsyncExitStack() as stack:
        endpoints = [
            await stack.enter_async_context(backend(**named(name))) for name in ("a", "b", "c")
        ]
        upstream = await stack.enter_async_context(built(*endpoints))
        while {node.state for node in upstream.nodes.values()} != {State.READY}:
            await asyncio.sleep(0.01)
        replies = Counter([(await unary(upstream, Call("t.E/Who"))).message for _ in range(30)])
    assert replies == {b"a": 10, b"b": 10, b"c": 10}


async def test_a_replica_that_is_killed_costs_no_call_and_comes_back():
    async with (
        mortal() as process,
        backend(Echo=named("other")["Who"], Talk=named("o")["Chat"]) as other,
        built(process.endpoint, other) as upstream,
    ):
        mortal_node = upstream.nodes[process.endpoint]
        await unary(upstream, Call("t.E/Echo", b"x"))
        await unary(upstream, Call("t.E/Echo", b"x"))
        await process.kill()
        while mortal_node.state is State.READY:
            await asyncio.sleep(0.01)
        replies = [(await unary(upstream, Call("t.E/Echo", b"x"))).message for _ in range(20)]
        client = Client("t.E/Talk", [b"1"])
        await upstream.stream(client)
        assert replies == [b"other"] * 20
        assert client.replies == [b"o1"]
        await process.start()
        while mortal_node.state is not State.READY:
            await asyncio.sleep(0.01)
        replies = Counter([(await unary(upstream, Call("t.E/Echo"))).message for _ in range(10)])
        assert replies == {b"": 5, b"other": 5}


async def test_a_backend_on_a_unix_socket(tmp_path):
    async with (
        backend(path=str(tmp_path / "backend.sock"), Echo=echo) as endpoint,
        built(endpoint) as upstream,
    ):
        assert (await unary(upstream, Call("t.E/Echo", b"x"))).message == b"x"


async def test_without_any_backend_a_call_fails_and_says_so():
    dead = [Endpoint("127.0.0.1", 1), Endpoint("127.0.0.1", 2)]
    async with built(*dead) as upstream:
        error = await failure(upstream, Call("t.E/Who"))
    assert error.reason == "UPSTREAM_UNAVAILABLE"


async def test_an_endpoint_that_goes_on_failing_is_tried_now_and_then_and_no_news(monkeypatch):
    heard, waits, tried = [], [], asyncio.Event()

    def delay(failures, _):
        waits.append(failures)
        if len(waits) == 4:
            tried.set()
        return 0.001

    monkeypatch.setattr(Trouble, "heard", lambda self, state: heard.append(state))
    monkeypatch.setattr(native, "delay", delay)
    async with built(Endpoint("127.0.0.1", 1)):
        await tried.wait()
        assert heard == [State.FAILING]
    assert waits[:4] == [1, 2, 3, 4], "it waits before each try"


def test_answers_that_take_less_than_a_millisecond_are_told_apart():
    """uvloop's own clock has no finer time."""

    async def resolution():
        async with built(Endpoint("127.0.0.1", 1)) as upstream:
            assert abs(upstream.clock() - asyncio.get_running_loop().time()) < 1
            times = {upstream.clock() for _ in range(1000)}
        return max(times) - min(times), len(times)

    spent, different = uvloop.run(resolution())
    assert different > spent * 2000
