"""What the calls of a method pass, in order, by what its policies say."""

from __future__ import annotations

import asyncio

import pytest

from gateway.app.chains import for_operators
from gateway.call import Call

UNARY, STREAM = "x.v1.T/Get", "x.v1.T/Watch"  # of the protos of the fixture `built`
OPEN = {"methods": ["x.v1.S/*"], "authenticate": "none", "authorize": {"scopes": []}}


def policy(**said):
    return {"methods": ["x.v1.T/*"], **said}


def names(method):
    return [type(each).__name__ for each in method.policies]


@pytest.mark.parametrize(
    ("policies", "expected"),
    [
        pytest.param([], ["DeadlineGate", "Authenticate", "Watch"], id="nothing-is-said"),
        pytest.param(
            [policy(authenticate="none")],
            ["DeadlineGate", "Authenticate", "Watch"],
            id="even-none-looks-at-what-is-shown",
        ),
        pytest.param(
            [policy(authorize={"scopes": ["read"]})],
            ["DeadlineGate", "Authenticate", "Watch", "Authorize"],
            id="scopes-are-asked-of-who-is-known",
        ),
        pytest.param(
            [policy(authorize={"roles": ["staff"]})],
            ["DeadlineGate", "Authenticate", "Watch", "Authorize"],
            id="roles",
        ),
        pytest.param(
            [policy(authorize={"roles": ["staff"]}), policy(authorize={"roles": []})],
            ["DeadlineGate", "Authenticate", "Watch"],
            id="what-was-taken-back-is-not-asked",
        ),
    ],
)
async def test_the_order(built, policies, expected):
    generation = await built(policies=policies)
    assert names(generation.methods[UNARY]) == expected


async def test_without_providers_there_is_the_deadline(built):
    generation = await built(providers=(), policies=[OPEN])
    assert {tuple(names(each)) for each in generation.methods.values()} == {("DeadlineGate",)}


@pytest.mark.parametrize(
    ("method", "policies", "upstream", "expected"),
    [
        pytest.param(UNARY, [], {}, 5, id="the-upstream's"),
        pytest.param(UNARY, [policy(timeout="2s")], {}, 2, id="the-policy's-is-shorter"),
        pytest.param(UNARY, [policy(timeout="9s")], {}, 5, id="the-upstream's-is-shorter"),
        pytest.param(STREAM, [policy(timeout="2s")], {}, None, id="streams-have-none"),
        pytest.param(
            STREAM,
            [policy(timeout="2s")],
            {"stream_timeout": "1h"},
            3600,
            id="streams-have-the-upstream's",
        ),
    ],
)
async def test_the_shortest_timeout_counts(built, method, policies, upstream, expected):
    generation = await built(policies=policies, upstream=upstream)
    call = Call(method)
    now = asyncio.get_running_loop().time()
    generation.methods[method].policies[0].admit(call)
    left = None if call.deadline is None else round(call.deadline.at - now)
    assert left == expected


async def test_an_operator_is_asked_for_nothing_but_to_be_in_time(built):
    generation = await built(policies=[policy(authorize={"scopes": ["read"]})])
    method = generation.methods[UNARY]
    bare = for_operators(method, generation.lease.upstreams["x"])
    assert names(bare) == ["DeadlineGate"]
    assert bare.descriptor is method.descriptor


async def test_what_is_put_to_the_clients_metadata_is_counted_at_the_end(built):
    keys = {"api_key": {"header": "x-key", "keys": {"file": "keys.yaml"}}}
    auth = {"providers": {"customers": keys, "partners": keys}, "forward": {"subject": "x-who"}}
    generation = await built(auth=auth, listener={"limits": {"metadata_size": "2KiB"}})
    *_, forward, size = generation.methods[UNARY].policies
    assert type(forward).__name__ == "Forward"
    assert size.describe() == "Admits a call with no more than 2048 bytes of metadata."
