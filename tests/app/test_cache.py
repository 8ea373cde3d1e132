"""Which methods keep replies, and what of a config can't hold."""

from __future__ import annotations

import asyncio

import pytest

from gateway.app import build
from gateway.app.build_error import BuildError
from gateway.app.lasting import Lasting
from gateway.app.pool import UpstreamPool
from gateway.call import Call, Metadata, Principal, Reply
from gateway.config import from_mapping
from gateway.http import Headers, Request
from gateway.operations import OperationError

PROTO = """syntax = "proto3"; package x.v1; import "google/api/annotations.proto";
message Ask {{ string id = 1; {field} }}
message Other {{}}
message Answer {{}}
service S {{
  rpc Get(Ask) returns (Answer) {{ option idempotency_level = NO_SIDE_EFFECTS; }}
  rpc List(Other) returns (Answer) {{ option (google.api.http) = {{get: "/list"}}; }}
  rpc Put(Ask) returns (Answer);
  rpc Watch(Ask) returns (stream Answer) {{ option idempotency_level = NO_SIDE_EFFECTS; }}
}}
service T {{ rpc Put(Ask) returns (Answer); }}
"""
GET, LIST, PUT, WATCH = (f"x.v1.S/{name}" for name in ("Get", "List", "Put", "Watch"))


@pytest.fixture
def built(tmp_path):
    """Builds a generation with policies; of those after the first, by the same store."""
    lasting = Lasting()

    async def built(*policies, field="", previous=None, endpoint="127.0.0.1:1", **sections):
        (tmp_path / "x.proto").write_text(PROTO.format(field=field))
        (tmp_path / "keys.yaml").write_text("keys: {}\n")
        data = {
            "schema": {"protos": ["."]},
            "upstreams": {"x": {"services": ["x.v1.*"], "endpoints": [endpoint], "timeout": "3s"}},
            "policies": list(policies),
        }
        pool = UpstreamPool()
        try:
            loaded = from_mapping(data | sections, origin="test", directory=tmp_path)
            generation = await build(loaded, pool, previous=previous, lasting=lasting)
            await lasting.open(generation.taken)
            await lasting.settle(generation.taken)
            return generation
        finally:
            await pool.close(0)

    return built


def policy(*methods, **said):
    return {"methods": list(methods), **said}


def kept_by(generation):
    """The methods whose chains keep replies, or make equal calls once."""
    return {
        name: type(each).__name__
        for name, method in generation.methods.items()
        for each in method.policies
        if hasattr(each, "filter")
    }


async def problems(built, *policies, **sections):
    with pytest.raises(BuildError) as caught:
        await built(*policies, **sections)
    return caught.value.problems


async def test_methods_that_change_nothing_keep_replies(built):
    generation = await built(policy("x.v1.S/*", cache={"ttl": "1m"}))
    assert kept_by(generation) == {GET: "Cache", LIST: "Cache"}
    assert [method.keeps_keys for method in generation.methods.values()] == [
        name in (GET, LIST) for name in generation.methods
    ]


async def test_equal_calls_are_made_once_where_the_policy_says_so(built):
    generation = await built(policy("x.v1.S/*", coalesce=True))
    assert kept_by(generation) == {GET: "Coalesce", LIST: "Coalesce"}


@pytest.mark.parametrize(
    "policies",
    [
        [],
        [policy("*", timeout="1s")],
        [policy("*", cache={"ttl": "1m"}), policy("*", cache={"ttl": "0s"})],
        [policy("*", coalesce=True), policy("*", coalesce=False)],
        [policy("*", cache={"ttl": "0s", "stale_if_error": "1m"})],
    ],
)
async def test_others_pay_nothing(built, policies):
    generation = await built(*policies)
    assert kept_by(generation) == {}
    assert not any(key[0] == "cache" for key in generation.taken.used) or policies


async def test_what_is_left_out_is_noted(built):
    generation = await built(policy("x.v1.*", cache={"ttl": "1m"}), policy(GET, coalesce=True))
    (note,) = generation.notes
    assert "policies.0.cache.ttl: without effect on x.v1.S/Put, x.v1.S/Watch, x.v1.T/Put" in note
    assert not generation.warnings or not any("cache" in each for each in generation.warnings)


@pytest.mark.parametrize(
    ("policies", "expected"),
    [
        pytest.param(
            [policy(GET, PUT, cache={"ttl": "1m"})],
            "policies.0.cache.ttl: calls of x.v1.S/Put may change something",
            id="a-method-that-is-named",
        ),
        pytest.param(
            [policy(WATCH, cache={"vary": ["a"]})],
            "policies.0.cache.vary: calls of x.v1.S/Watch may change something, or are streams",
            id="a-stream",
        ),
        pytest.param(
            [policy("x.v1.T/*", cache={"ttl": "1m"})],
            "policies.0.cache.ttl: calls of x.v1.T/Put may change something",
            id="a-glob-that-finds-no-other",
        ),
        pytest.param(
            [policy(PUT, coalesce=True)],
            "policies.0.coalesce: calls of x.v1.S/Put may change something",
            id="coalesce",
        ),
        pytest.param(
            [policy(GET, cache={"ttl": "1m", "vary": ["a b"]})],
            'policies.0.cache.vary: "a b" is no name of a header',
            id="a-header-that-is-none",
        ),
        pytest.param(
            [policy(GET, cache={"ttl": "1m", "vary": ["*"]})],
            'policies.0.cache.vary: "*" is no name of a header',
            id="all-headers",
        ),
        pytest.param(
            [policy(GET, cache={"ttl": "1m", "tags": ["p:{name}"]})],
            "policies.0.cache.tags: {name}: x.v1.Ask has no field name (x.v1.S/Get)",
            id="a-tag-of-no-field",
        ),
        pytest.param(
            [policy(GET, LIST, cache={"ttl": "1m", "tags": ["p:{id}"]})],
            "policies.0.cache.tags: {id}: x.v1.Other has no field id (x.v1.S/List)",
            id="a-tag-that-does-not-fit-a-method-that-is-named",
        ),
        pytest.param(
            [policy("x.v1.S/*", cache={"ttl": "1m", "tags": ["p:{"]})],
            'policies.0.cache.tags: "p:{" is no template',
            id="a-tag-that-is-none",
        ),
    ],
)
async def test_what_can_not_hold(built, policies, expected):
    (problem,) = await problems(built, *policies)
    assert expected in problem


async def test_a_policy_for_all_methods_may_find_none(built):
    generation = await built(policy("*", cache={"ttl": "1m"}), upstreams={
        "x": {"services": ["x.v1.T"], "endpoints": ["127.0.0.1:1"]}
    })  # fmt: skip
    assert kept_by(generation) == {}


async def test_a_tag_is_left_out_where_a_glob_finds_methods_without_its_field(built):
    generation = await built(policy("x.v1.S/*", cache={"ttl": "1m", "tags": ["p:{id}", "all"]}))
    assert any("p:{id} is no tag of methods" in each and LIST in each for each in generation.notes)
    assert kept_by(generation) == {GET: "Cache", LIST: "Cache"}


class Backend:
    """What stands behind a method's cache, in place of its upstream."""

    def __init__(self, message=b""):
        self.calls = 0
        self.message = message

    def start(self, call, done):
        self.calls += 1
        done(Reply(self.message, Metadata([("x-cache-tags", "all")])))
        return lambda: None


async def ask(generation, backend, method=GET, **parts):
    cache = next(each for each in generation.methods[method].policies if hasattr(each, "filter"))
    found = []
    cache.filter(Call(method, **parts), found.append, backend.start)
    (result,) = found
    return result


CACHED = policy("x.v1.S/*", cache={"ttl": "1m"})


@pytest.mark.parametrize(
    ("change", "asked"),
    [
        pytest.param({}, 1, id="the-same"),
        pytest.param({"field": "string name = 2;"}, 2, id="other-types"),
        pytest.param({"endpoint": "127.0.0.1:2"}, 2, id="another-upstream"),
        pytest.param({"cache": {"size": "1MiB"}}, 2, id="another-size"),
        pytest.param({"limits": {}}, 1, id="something-else"),
    ],
)
async def test_what_a_reload_keeps(built, change, asked):
    backend = Backend()
    before = await built(CACHED)
    await ask(before, backend)
    after = await built(CACHED, previous=before, **change)
    await ask(after, backend)
    assert backend.calls == asked


async def test_claims_that_backends_are_told_make_others(built):
    backend = Backend()
    providers = {"partners": {"api_key": {"keys": {"file": "keys.yaml"}}}}
    auth = {"providers": providers, "forward": {"claims": ["tenant"]}}
    generation = await built(CACHED, auth=auth)
    for tenant in ("a", "b", "a"):
        principal = Principal("ada", "partners", claims={"tenant": tenant, "email": object()})
        await ask(generation, backend, principal=principal)
    assert backend.calls == 2


async def test_a_provider_that_asks_another_issuer_knows_others(built):
    backend, ada = Backend(), Principal("ada", "partners")
    generation = None
    for client in ("one", "one", "other"):
        introspection = {
            "endpoint": "https://issuer.test/ask", "client_id": client, "client_secret": "s3cr3t"
        }  # fmt: skip
        auth = {"providers": {"partners": {"introspection": introspection}}}
        generation = await built(CACHED, auth=auth, previous=generation)
        await ask(generation, backend, principal=ada)
    assert backend.calls == 2


@pytest.mark.parametrize(
    ("said", "forward", "noted"),
    [
        pytest.param({"cache": {"shared": True}}, {"subject": "x-subject"}, True, id="subject"),
        pytest.param({"cache": {"shared": True}}, {"claims": ["tenant"]}, True, id="claims"),
        pytest.param({"cache": {"shared": True}}, {}, False, id="nothing-is-told"),
        pytest.param({"cache": {"ttl": "1m"}}, {"subject": "x-subject"}, False, id="not-shared"),
    ],
)
async def test_that_a_backend_is_told_of_one_caller_for_all_is_noted(built, said, forward, noted):
    generation = await built(policy("x.v1.S/*", **said), auth={"forward": forward})
    text = "policies.0.cache.shared: the backend is told of one caller for all (auth.forward)"
    assert sum(text in each for each in generation.notes) == noted


async def test_calls_that_trusted_proxies_put_first_wait_for_no_others(built):
    adaptive = {"enabled": True, "priority_header": "x-priority"}
    generation = await built(CACHED, adaptive_concurrency=adaptive)
    cache = next(each for each in generation.methods[GET].policies if hasattr(each, "filter"))
    asked = []

    def start(call, done):
        asked.append(call)
        return lambda: None

    for trusted, said in (
        (True, "low"),
        (True, "high"),
        (True, "low"),
        (True, ""),
        (False, "high"),
    ):
        headers = Headers([("x-priority", said)])
        head = Request("GET", "/", None, headers, is_trusted=trusted)
        cache.filter(Call(GET, head=head), lambda result: None, start)
    assert [call.head.headers.get("x-priority") for call in asked] == ["low", "high", ""]


async def test_vary_names_what_makes_others(built):
    providers = {
        "partners": {"api_key": {"header": "X-Partner", "keys": {"file": "keys.yaml"}}},
    }
    headers = {"request": {"allow": ["accept-language", "traceparent", "x-request-id"]}}
    cache = {"ttl": "1m", "vary": ["X-Shop"]}
    generation = await built(
        policy(GET, cache=cache), auth={"providers": providers}, headers=headers
    )
    reply = await ask(generation, Backend())
    assert reply.headers["vary"] == "accept-language, x-partner, x-shop"


async def test_vary_is_of_everything_where_headers_pass_that_nobody_can_name(built):
    headers = {"request": {"allow": ["accept-language"], "prefix": "grpc-metadata-"}}
    generation = await built(policy(GET, cache={"ttl": "1m"}), headers=headers)
    assert (await ask(generation, Backend())).headers["vary"] == "*"


@pytest.mark.parametrize(("message", "calls"), [(b"\n\1a", 1), (b"\xff", 2)], ids=["one", "none"])
async def test_only_what_is_a_message_of_the_reply_s_type_is_kept(built, message, calls):
    generation, backend = await built(CACHED), Backend(message)
    for _ in range(2):
        assert (await ask(generation, backend)).message == message
    assert backend.calls == calls


class TestPurge:
    @pytest.fixture
    async def filled(self, built):
        """A generation that keeps replies of two methods, and their backend."""
        generation, backend = await built(CACHED), Backend()
        for number in range(3):
            await ask(generation, backend, request=b"\n\1%d" % number)
        await ask(generation, backend, LIST)
        return generation

    @pytest.mark.parametrize(
        ("arguments", "purged"),
        [
            ({"tag": "all"}, 4),
            ({"tag": "none"}, 0),
            ({"method": GET}, 3),
            ({"method": "*/L*"}, 1),
            ({"method": "x.v1.*"}, 4),
            ({"all": "true"}, 4),
        ],
        ids=str,
    )
    async def test_by_tag_by_method_and_all(self, filled, arguments, purged):
        assert await filled.operations.run("purge", arguments) == {"purged": purged}
        assert await filled.operations.run("purge", {"all": "true"}) == {"purged": 4 - purged}

    @pytest.mark.parametrize(
        "arguments",
        [{}, {"tag": ""}, {"all": "yes"}, {"tag": "a", "all": "true"}, {"key": "a"}],
        ids=str,
    )
    async def test_what_is_not_asked_right(self, filled, arguments):
        with pytest.raises(OperationError):
            await filled.operations.run("purge", arguments)

    @pytest.mark.parametrize(
        "arguments", [{"tag": "all"}, {"method": GET}, {"method": "*"}, {"all": "true"}], ids=str
    )
    async def test_what_is_under_way_while_nothing_is_kept_is_not_kept(self, built, arguments):
        generation, backend = await built(CACHED), Backend()
        cache = next(each for each in generation.methods[GET].policies if hasattr(each, "filter"))
        under_way = []

        def start(call, done):
            under_way.append(done)
            return lambda: None

        cache.filter(Call(GET), lambda result: None, start)
        assert await generation.operations.run("purge", arguments) == {"purged": 0}
        under_way[0](Reply(b"old"))
        assert (await ask(generation, backend)).message == b""
        assert backend.calls == 1

    @pytest.mark.parametrize("arguments", [{"tag": "all"}, {"all": "true"}], ids=str)
    async def test_large_purges_let_others_run(self, built, monkeypatch, arguments):
        monkeypatch.setattr("gateway.app.purging.AT_ONCE", 2)
        generation, backend = await built(CACHED), Backend()
        for number in range(9):
            await ask(generation, backend, request=b"\n\1%d" % number)
        ran = []
        asyncio.get_running_loop().call_soon(ran.append, 1)
        assert await generation.operations.run("purge", arguments) == {"purged": 9}
        assert ran
