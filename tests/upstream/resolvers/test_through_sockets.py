"""Upstreams that follow a real name server to real backends, by either transport."""

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import replace

import grpc
import pytest
import trustme

from gateway.call import Call, Deadline
from gateway.upstream.channel import State
from gateway.upstream.endpoints import Listing
from gateway.upstream.spec import BalancingSpec, ChannelSpec, DnsSpec, Tls, UpstreamSpec
from gateway.upstream.upstream import build
from tests.upstream.clients import Client, failure, unary, until
from tests.upstream.servers import backend

NAME = "_grpc._tcp.orders.example"
REFRESH = 0.02


class Gate:
    """A backend that says its name, or keeps calls until it is opened."""

    def __init__(self, name):
        self.name = name
        self.opened = asyncio.Event()
        self.waiting = 0

    async def who(self, request, context):
        return self.name.encode()

    async def wait(self, request, context):
        self.waiting += 1
        await self.opened.wait()
        return self.name.encode()

    async def chat(self, requests, context):
        async for request in requests:
            yield self.name.encode() + request

    def running(self, **arguments):
        return backend(Who=self.who, Wait=self.wait, Chat=("stream_stream", self.chat), **arguments)


@pytest.fixture(params=["native", "grpcio"])
def transport(request):
    return request.param


@asynccontextmanager
async def following(server, transport, *, tls=None, name=NAME, port=None):
    """An upstream that follows the name server, which leaves nothing in the end."""
    resolver = DnsSpec(name, port, (server.endpoint,), REFRESH)
    upstream = build(
        UpstreamSpec(
            "orders",
            resolver=resolver,
            channel=ChannelSpec(transport=transport, tls=tls),
            balancing=BalancingSpec("round_robin"),
        )
    )
    try:
        yield upstream
    finally:
        await upstream.close(0)
        assert (upstream.pending, upstream.queue.waiting) == (0, 0)
        assert not upstream.leaving
        # Those that stay are the test's own: they are named for what they run.
        assert not [task for task in asyncio.all_tasks() if "gateway/upstream" in repr(task)]


def lists(server, *endpoints):
    """Has the name server list backends by their ports."""
    server.has("here.example", "A", "127.0.0.1")
    server.has(NAME, "SRV", *(f"0 1 {each.port} here.example." for each in endpoints))


async def ready(upstream, *endpoints):
    """Waits until these and no others are connected."""
    ports = {each.port for each in endpoints}
    await until(
        lambda: (
            {each.port for each in upstream.nodes} == ports
            and {node.state for node in upstream.nodes.values()} == {State.READY}
        )
    )


async def answers(upstream, count):
    replies = [await unary(upstream, Call("t.E/Who")) for _ in range(count)]
    return Counter(reply.message.decode() for reply in replies)


async def test_calls_before_the_first_answer_wait_for_it(server, transport):
    server.silent = True
    gate = Gate("a")
    async with gate.running() as one, following(server, transport) as upstream:
        await server.times(1)
        call = asyncio.ensure_future(unary(upstream, Call("t.E/Who")))
        client = Client("t.E/Chat", [b"1"])
        stream = asyncio.ensure_future(upstream.stream(client))
        await until(lambda: upstream.queue.waiting == 2)
        lists(server, one)
        server.speak()
        assert (await call).message == b"a"
        await stream
        assert client.replies == [b"a1"]


async def test_backends_that_come_and_go_cost_no_call(server, transport):
    gates = [Gate(name) for name in "abc"]
    async with gates[0].running() as a, gates[1].running() as b, gates[2].running() as c:
        lists(server, a)
        async with following(server, transport) as upstream:
            assert await answers(upstream, 5) == {"a": 5}
            stays = next(iter(upstream.nodes.values()))
            lists(server, a, b, c)
            await ready(upstream, a, b, c)
            assert await answers(upstream, 9) == {"a": 3, "b": 3, "c": 3}
            lists(server, a)
            await ready(upstream, a)
            assert await answers(upstream, 5) == {"a": 5}
            assert list(upstream.nodes.values()) == [stays]
            await until(lambda: not upstream.leaving)


async def test_calls_in_flight_to_a_backend_that_is_not_listed_any_more_end_well(server, transport):
    old, new = Gate("old"), Gate("new")
    async with old.running() as one, new.running() as other:
        lists(server, one)
        async with following(server, transport) as upstream:
            go_on = asyncio.Event()
            client = Client("t.E/Chat", [b"1", go_on, b"2"])
            stream = asyncio.ensure_future(upstream.stream(client))
            call = asyncio.ensure_future(unary(upstream, Call("t.E/Wait")))
            await until(lambda: old.waiting and client.replies)
            lists(server, other)
            await ready(upstream, other)
            assert await answers(upstream, 3) == {"new": 3}
            (leaving,) = upstream.leaving
            assert leaving.pending == 2
            go_on.set()
            old.opened.set()
            assert (await call).message == b"old"
            await stream
            assert client.replies == [b"old1", b"old2"]
            await until(lambda: not upstream.leaving)
            assert leaving.pending == 0


async def test_a_reload_that_takes_a_backend_out_ends_its_calls_well(transport):
    old, new, stays = Gate("old"), Gate("new"), Gate("stays")
    async with old.running() as one, new.running() as other, stays.running() as third:
        spec = UpstreamSpec(
            "orders",
            (Listing(one), Listing(third)),
            channel=ChannelSpec(transport=transport),
            balancing=BalancingSpec("round_robin"),
        )
        upstream = build(spec)
        await ready(upstream, one, third)
        kept = upstream.nodes[third]
        go_on = asyncio.Event()
        clients = [Client("t.E/Chat", [b"1", go_on, b"2"]) for _ in range(2)]
        calls = [asyncio.ensure_future(upstream.stream(client)) for client in clients]
        calls += [asyncio.ensure_future(unary(upstream, Call("t.E/Wait"))) for _ in range(2)]
        await until(lambda: old.waiting and stays.waiting and all(each.replies for each in clients))
        upstream.configure(replace(spec, endpoints=(Listing(third), Listing(other))))
        await ready(upstream, third, other)
        assert upstream.nodes[third] is kept
        assert kept.pending == 2
        assert await answers(upstream, 4) == {"stays": 2, "new": 2}
        go_on.set()
        old.opened.set()
        stays.opened.set()
        await asyncio.gather(*calls)
        assert sorted(each.replies[-1] for each in clients) == [b"old2", b"stays2"]
        await until(lambda: not upstream.leaving)
        assert upstream.pending == 0
        await upstream.close(0)


@pytest.mark.parametrize(
    "trouble",
    [
        lambda server: setattr(server, "code", "SERVFAIL"),
        lambda server: setattr(server, "code", "NXDOMAIN"),
        lambda server: setattr(server, "silent", True),
        lambda server: server.has(NAME, "SRV"),
        lambda server: server.has(NAME, "SRV", "0 0 0 ."),
    ],
    ids=["fails", "forgets the name", "is silent", "lists nothing", "says there is nothing"],
)
async def test_a_name_server_in_trouble_costs_no_call(server, transport, trouble):
    gate = Gate("a")
    async with gate.running() as one:
        lists(server, one)
        async with following(server, transport) as upstream:
            assert await answers(upstream, 3) == {"a": 3}
            trouble(server)
            before = len(server.asked)
            await server.times(before + 2 if not server.silent else before + 1)
            assert await answers(upstream, 10) == {"a": 10}


async def test_calls_fail_at_once_when_the_first_answer_is_a_failure_and_pass_after_the_next(
    server, transport
):
    gate = Gate("a")
    async with gate.running() as one, following(server, transport) as upstream:
        assert (await failure(upstream, Call("t.E/Who"))).reason == "UPSTREAM_UNAVAILABLE"
        assert upstream.lobby is None
        assert (await failure(upstream, Call("t.E/Who"))).reason == "UPSTREAM_UNAVAILABLE"
        lists(server, one)
        await ready(upstream, one)
        assert await answers(upstream, 1) == {"a": 1}


async def test_a_call_waits_for_the_first_answer_until_its_deadline(server, transport):
    server.silent = True
    async with following(server, transport) as upstream:
        deadline = Deadline(asyncio.get_running_loop().time() + 0.05)
        late = await failure(upstream, Call("t.E/Who", deadline=deadline))
        assert late.reason == "DEADLINE_EXCEEDED"


async def test_certificates_have_the_name_that_is_resolved(server, transport):
    ca = trustme.CA()
    leaf = ca.issue_cert("orders.example")
    chain = b"".join(blob.bytes() for blob in leaf.cert_chain_pems)
    credentials = grpc.ssl_server_credentials([(leaf.private_key_pem.bytes(), chain)])
    gate, tls = Gate("a"), Tls(ca=ca.cert_pem.bytes())
    async with gate.running(credentials=credentials) as one:
        lists(server, one)
        server.has("orders.example", "A", "127.0.0.1")
        for name, port in ((NAME, None), ("orders.example", one.port)):
            async with following(server, transport, tls=tls, name=name, port=port) as upstream:
                assert await answers(upstream, 1) == {"a": 1}


async def test_a_backend_with_another_name_in_its_certificate_is_not_believed(server, transport):
    ca = trustme.CA()
    leaf = ca.issue_cert("127.0.0.1", "here.example")  # where it is, and not what it is
    chain = b"".join(blob.bytes() for blob in leaf.cert_chain_pems)
    credentials = grpc.ssl_server_credentials([(leaf.private_key_pem.bytes(), chain)])
    tls = Tls(ca=ca.cert_pem.bytes())
    async with Gate("a").running(credentials=credentials) as one:
        lists(server, one)
        async with following(server, transport, tls=tls) as upstream:
            assert (await failure(upstream, Call("t.E/Who"))).reason == "UPSTREAM_UNAVAILABLE"


async def test_when_all_backends_have_moved_they_are_looked_up_at_once(server):
    """And not when the answer, which holds for an hour, is over."""
    async with Gate("new").running() as other:
        async with Gate("old").running() as one:
            server.ttl = 3600
            lists(server, one)
            upstream = build(
                UpstreamSpec(
                    "orders", resolver=DnsSpec(NAME, None, (server.endpoint,), refresh=3600)
                )
            )
            assert await answers(upstream, 1) == {"old": 1}
            lists(server, other)
        await ready(upstream, other)
        assert await answers(upstream, 1) == {"new": 1}
        await upstream.close(0)
