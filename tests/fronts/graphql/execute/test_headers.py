"""The gateway's own headers: what those of several calls come to, and where an answer tells them."""

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.call import Call, Code, Reply, RpcError, Status
from gateway.errors import error
from gateway.fronts.graphql.document import Documents
from gateway.fronts.graphql.engine import Engine
from gateway.fronts.graphql.errors import RequestError
from gateway.fronts.graphql.execute.headers import heard, merged, shown
from tests.fronts.graphql.execute.orders import bench, new
from tests.fronts.graphql.execute.test_subscriptions import Stream, engine, responses_of
from tests.fronts.graphql.execute.upstreams import WIDE, codes


def of(name, *values, calls=None):
    found = merged([{name: value} for value in values], calls or len(values))
    return found.get(name)


@pytest.mark.parametrize(
    ("name", "values", "told"),
    [
        ("deprecation", ["@1782777600", "@1688169599"], "@1688169599"),
        ("deprecation", ["true", "@1782777600"], "@1782777600"),
        (
            "sunset",
            ["Wed, 30 Jun 2027 00:00:00 GMT", "Thu, 31 Dec 2026 00:00:00 GMT"],
            "Thu, 31 Dec 2026 00:00:00 GMT",
        ),
        ("sunset", ["soon", "Wed, 30 Jun 2027 00:00:00 GMT"], "Wed, 30 Jun 2027 00:00:00 GMT"),
        (
            "link",
            ['</a,b>; rel="sunset"', '</c>; rel="sunset"', '</a,b>; rel="sunset"'],
            '</a,b>; rel="sunset", </c>; rel="sunset"',
        ),
    ],
    ids=["the-first-date", "no-date", "the-first-end", "no-end", "links-each-once-and-whole"],
)
def test_of_methods_that_go_away_the_first_end_is_told(name, values, told):
    assert of(name, *values) == told


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (['"a";r=5;t=9', '"a";r=3;t=9', '"a";r=4;t=9'], '"a";r=3;t=9'),
        (['"a";r=5', '"b";r=1'], '"a";r=5, "b";r=1'),
        (['"a";r=5, "b";r=1', '"b";r=0, "a";r=9'], '"a";r=5, "b";r=0'),
        (['"a";r=5;pk=:Zm9v:', '"a";r=1;pk=:YmFy:'], '"a";r=5;pk=:Zm9v:, "a";r=1;pk=:YmFy:'),
        (['"a;r=1, b";r=5', '"a;r=1, b";r=4'], '"a;r=1, b";r=4'),
        (['"a";r=5;t=9', '"a";r=5;t=8'], '"a";r=5;t=8'),
        (['"a";r=5', '"a"'], '"a"'),
        (['"a";r=5'], '"a";r=5'),
    ],
    ids=[
        "of a limit the call with the least left",
        "limits by name",
        "each of its own call",
        "partitions are limits of their own",
        "what is quoted is no syntax",
        "of equal ones the newest",
        "one that does not say how much counts as nothing",
        "one call is told as it is",
    ],
)
def test_ratelimit(values, told):
    assert of("ratelimit", *values) == told


@pytest.mark.parametrize(
    ("name", "values", "told"),
    [
        (
            "ratelimit-policy",
            ['"a";q=5;w=1, "b";q=9;w=2', '"b";q=9;w=2'],
            '"a";q=5;w=1, "b";q=9;w=2',
        ),
        ("ratelimit-policy", ['"a";q=5;w=1', '"a";q=6;w=1'], '"a";q=5;w=1, "a";q=6;w=1'),
        (
            "vary",
            ["accept-language", "authorization, accept-language"],
            "accept-language, authorization",
        ),
        ("age", ["3", "12", "7"], "12"),
        ("retry-after", ["3", "12", "Sat, 21 Nov 2026 10:00:00 GMT"], "12"),
        ("cache-control", ["max-age=60", "private, max-age=5"], "private, max-age=5"),
        ("x-tenant", ["a", "b"], "b"),
        ("etag", ['"1"'], None),
        ("content-type", ["text/html"], None),
    ],
    ids=[
        "policies once each",
        "policies that differ are told both",
        "what any of them varies by",
        "the oldest reply",
        "the longest wait",
        "the strictest word to caches",
        "the last of any other",
        "a tag is of one reply",
        "so is a type",
    ],
)
def test_others(name, values, told):
    assert of(name, *values) == told


def test_times_are_told_only_where_all_calls_have_one():
    assert of("cache-control", "max-age=60", calls=2) is None
    assert of("cache-control", "private, max-age=60", calls=2) == "private"


def test_the_older_headers_belong_together():
    few = {"x-ratelimit-limit": "10", "x-ratelimit-remaining": "2", "x-ratelimit-reset": "60"}
    many = {"x-ratelimit-limit": "99", "x-ratelimit-remaining": "50", "x-ratelimit-reset": "1"}
    assert merged([few, many], 2) == merged([many, few], 2) == few


def test_without_any_there_are_none():
    assert merged([], 3) == {}


def test_a_cookie_is_no_pages_to_see_nor_is_what_caches_vary_by():
    headers = {"set-cookie": "a=b; HttpOnly", "vary": "authorization", "age": "1"}
    assert shown(headers) == {"age": "1"}


@given(st.lists(st.text(max_size=30), min_size=2, max_size=4))
def test_anything_in_a_header_can_be_merged(values):
    for name in ("ratelimit", "ratelimit-policy", "x-ratelimit-remaining", "age"):
        assert all(
            isinstance(each, str) for each in merged([{name: v} for v in values], 9).values()
        )


class TestOfACall:
    def call(self, **headers):
        return Call("a.B/C", reply_headers={k.replace("_", "-"): v for k, v in headers.items()})

    def test_what_its_reply_says_counts_more_than_what_its_gates_said(self):
        reply = Reply(b"", headers={"Age": "4", "X-Both": "reply"})
        found = heard(self.call(ratelimit='"a";r=1', x_both="gate"), reply)
        assert found == {"ratelimit": '"a";r=1', "x-both": "reply", "age": "4"}

    def test_of_an_error_what_it_says_of_limits(self):
        headers = {
            "RateLimit": '"a";r=0',
            "X-RateLimit-Remaining": "0",
            "WWW-Authenticate": "Bearer",
        }
        refusal = RpcError(Status(Code.RESOURCE_EXHAUSTED), headers=headers)
        assert heard(Call("a.B/C"), refusal) == {
            "ratelimit": '"a";r=0',
            "x-ratelimit-remaining": "0",
        }

    def test_of_an_error_when_to_try_again_in_whole_seconds(self):
        refusal = error("TOO_MANY_UNAUTHENTICATED", "No.", retry_after=1.2)
        assert heard(Call("a.B/C"), refusal)["retry-after"] == "2"


# In answers.


class Charging:
    """A gate that charges calls, and refuses those for which nothing is left."""

    def __init__(self, left):
        self.left = left

    def admit(self, call):
        self.left -= 1
        call.reply_headers = {"ratelimit": f'"all";r={max(self.left, 0)};t=60'}
        if self.left < 0:
            raise error("TOO_MANY_UNAUTHENTICATED", "Too many.", retry_after=2)


def order(_request):
    return new("Order", id="o1", items=[new("Item", product_id="a")])


def products(request):
    return new("Products", products=[new("Product", id=each, title="T") for each in request.ids])


ANSWERS = {"GetOrder": order, "BatchGetProducts": products}
DOCUMENT = '{ a: getOrder { id } b: getOrder(id: "b") { items { product { title } } } }'


def test_a_document_is_charged_its_rpcs_and_tells_what_is_left():
    found = bench(ANSWERS, policies=[Charging(10)])
    response = found.run(DOCUMENT)
    assert found.backend.names == ["GetOrder", "GetOrder", "BatchGetProducts"]
    assert response["extensions"] == {"headers": {"ratelimit": '"all";r=7;t=60'}}
    assert response["data"]["b"]["items"] == [{"product": {"title": "T"}}]


def test_a_call_that_is_refused_is_an_error_of_its_field():
    response = bench(ANSWERS, policies=[Charging(2)]).run(DOCUMENT)
    assert response["data"]["a"] == {"id": "o1"}
    assert codes(response) == [("b/items/0/product", "RESOURCE_EXHAUSTED")]
    extensions = response["errors"][0]["extensions"]
    assert extensions["reason"] == "TOO_MANY_UNAUTHENTICATED"
    assert extensions["details"][0] == {
        "@type": "type.googleapis.com/google.rpc.RetryInfo",
        "retryDelay": "2s",
    }
    assert response["extensions"]["headers"] == {"ratelimit": '"all";r=0;t=60', "retry-after": "2"}


def test_nothing_is_added_where_no_call_has_any():
    assert "extensions" not in bench(ANSWERS).run(DOCUMENT)


def test_extensions_come_last():
    found = bench({"GetOrder": lambda _: error("INTERNAL", "No.")}, policies=[Charging(9)])
    (response,) = found.start("{ getOrder { id } }").responses
    assert list(json.loads(response)) == ["errors", "data", "extensions"]


def test_how_old_an_answer_is():
    kept = Reply(
        order(None).SerializeToString(), headers={"Age": "7", "Cache-Control": "max-age=9"}
    )
    both = {"GetOrder": lambda _: kept, "BatchGetProducts": products}
    assert bench(both).run("{ getOrder { id } }")["extensions"]["headers"] == {
        "age": "7",
        "cache-control": "max-age=9",
    }
    whole = bench(both).run("{ getOrder { items { product { id } } } }")
    assert whole["extensions"]["headers"] == {"age": "7"}, "the product may be another at once"


def test_an_answer_tells_what_python_heard_too():
    """`heard` is where calls of resolvers put their headers (`extend.client`)."""

    def context(_caller, heard):
        heard.append({"ratelimit": '"all";r=1;t=60', "cache-control": "max-age=9"})

    found = bench(ANSWERS, policies=[Charging(10)])
    found.engine = Engine(
        found.schema, found.backend.methods(), Documents(found.schema, WIDE), context=context
    )
    response = found.run("{ getOrder { id } }")
    assert response["extensions"] == {"headers": {"ratelimit": '"all";r=1;t=60'}}


async def test_each_part_tells_of_its_own_calls():
    found = bench(ANSWERS, policies=[Charging(10)])
    parts = []

    async def emit(part, _more):
        parts.append(json.loads(part))

    prepared = found.prepare("{ getOrder { id ... @defer { items { product { title } } } } }")
    running = asyncio.ensure_future(found.engine.run_incremental(prepared, emit))
    for _ in range(20):
        await asyncio.sleep(0)
        found.turns.turn()
    await running
    told = [part["extensions"]["headers"]["ratelimit"] for part in parts]
    assert told == ['"all";r=9;t=60', '"all";r=8;t=60']


class Stamped(Stream):
    """A stream whose gates say other headers while it runs."""

    def __init__(self, headers, *messages, **options):
        super().__init__(*messages, **options)
        self.headers = iter(headers)

    async def __call__(self, call):
        send = call.take

        async def take(message):
            call.reply_headers = next(self.headers)
            await send(message)

        call.take = take
        await super().__call__(call)


EVENT = "subscription { watchOrders { id } }"


async def test_an_event_tells_what_its_stream_says_once():
    same = {"ratelimit": '"all";r=3'}
    said = [same, dict(same), {"ratelimit": '"all";r=2'}]
    found, _ = engine(Stamped(said, *[new("Order", id=each) for each in "abc"]))
    told = [each.get("extensions") for each in await responses_of(found, query=EVENT)]
    assert told == [
        {"headers": {"ratelimit": '"all";r=3'}},
        None,
        {"headers": {"ratelimit": '"all";r=2'}},
    ]


async def test_a_stream_that_is_refused_tells_all_at_its_error():
    found, backend = engine(Stream())
    backend.policies = [Charging(0)]
    found = type(found)(found.schema, backend.methods(), found.documents)
    with pytest.raises(RequestError) as caught:
        await responses_of(found, query=EVENT)
    (refused,) = caught.value.errors
    assert refused.extensions["code"] == "RESOURCE_EXHAUSTED"
    assert refused.extensions["headers"]["ratelimit"] == '"all";r=0;t=60'
    assert refused.extensions["details"][0]["retryDelay"] == "2s"
