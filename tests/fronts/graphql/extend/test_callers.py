"""Resolvers call services as the client: their calls show what it showed, so gates know it."""

from gateway.call import NO_METADATA
from gateway.fronts.graphql.extend.client import Gateway, Services
from gateway.http import Headers, Request
from gateway.routing.caller import caller_of
from gateway.routing.metadata import HeaderRules
from tests.fronts.graphql.execute.catalog import API, product, registry
from tests.fronts.graphql.execute.upstreams import Backend

HEAD = Request("POST", "/graphql", None, Headers([("authorization", "Bearer t")]))


def gateway(backend):
    caller = caller_of(
        HEAD,
        HeaderRules(),
        lambda: 0.0,
        front="graphql",
        request_id="r1",
        request_id_passes=False,
    )
    return Gateway(Services(backend.methods(), registry()), caller, [])


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
