"""Resolvers call services as the client: their calls show what it showed, so gates know it."""

import pytest

from gateway.call import NO_METADATA, RpcError
from gateway.errors import error
from gateway.fronts.graphql.extend.client import Gateway, Services
from gateway.http import Headers, Request
from gateway.routing.caller import caller_of
from gateway.routing.metadata import HeaderRules
from tests.fronts.graphql.execute.catalog import API, product, registry
from tests.fronts.graphql.execute.upstreams import Backend

HEAD = Request("POST", "/graphql", None, Headers([("authorization", "Bearer t")]))


def gateway(backend, heard=None):
    caller = caller_of(
        HEAD,
        HeaderRules(),
        lambda: 0.0,
        front="graphql",
        request_id="r1",
        request_id_passes=False,
    )
    return Gateway(Services(backend.methods(), registry()), caller, [] if heard is None else heard)


async def test_a_call_shows_what_its_client_showed():
    backend = Backend(registry(), {f"{API}/GetProduct": lambda r: product(r.id)})
    assert (await gateway(backend).call(f"{API}/GetProduct", {"id": "a"})).id == "a"
    (asked,) = backend.asked
    assert asked.call.head is HEAD
    assert asked.call.metadata == NO_METADATA  # the token is for the gateway, not for backends


async def test_so_does_a_stream():
    calls = []

    async def watch(call):
        calls.append(call)
        await call.start(NO_METADATA)
        await call.send(product("a").SerializeToString())

    backend = Backend(registry(), streams={f"{API}/WatchProducts": watch})
    found = [each.id async for each in gateway(backend).stream(f"{API}/WatchProducts")]
    assert found == ["a"]
    assert calls[0].head is HEAD


class Charging:
    """A gate that says what is left."""

    left = 3

    def admit(self, call):
        self.left -= 1
        call.reply_headers = {"ratelimit": f'"all";r={self.left}'}
        if self.left < 0:
            raise error("RATE_LIMITED", "Too many.", retry_after=2)


async def test_the_headers_of_its_calls_are_heard():
    answers = {f"{API}/GetProduct": lambda r: product(r.id)}
    heard, backend = [], Backend(registry(), answers, policies=[Charging()])
    calling = gateway(backend, heard)
    for _ in range(3):
        await calling.call(f"{API}/GetProduct", {"id": "a"})
    with pytest.raises(RpcError):
        await calling.call(f"{API}/GetProduct", {"id": "a"})
    assert heard == [
        {"ratelimit": '"all";r=2'},
        {"ratelimit": '"all";r=1'},
        {"ratelimit": '"all";r=0'},
        {"ratelimit": '"all";r=-1', "retry-after": "2"},
    ]


async def test_so_are_those_of_a_stream_once():
    async def watch(call):
        for name in "abc":
            await call.send(product(name).SerializeToString())

    heard = []
    backend = Backend(registry(), streams={f"{API}/WatchProducts": watch}, policies=[Charging()])
    calling = gateway(backend, heard)
    assert [each.id async for each in calling.stream(f"{API}/WatchProducts")] == ["a", "b", "c"]
    assert heard == [{"ratelimit": '"all";r=2'}]
