"""REST views through real sockets: variables in, data out, errors in REST's form."""

import asyncio
from dataclasses import replace

import pytest

from gateway.call import Code
from gateway.errors import error
from gateway.fronts.graphql.trusted.views import views_of
from gateway.fronts.rest.compile import RestOptions, compiling_front
from gateway.schema.problem import SchemaError
from gateway.turns import at_once
from tests.fronts.graphql.graphs import shop_registry
from tests.fronts.graphql.trusted.conftest import PATIENCE
from tests.fronts.graphql.trusted.shop import Services, engine_of, failure, files, trusted_of

HOME = dict(files())["schema/operations/home.graphql"]
USER = """query One($id: String!) @rest(get: "/x/users/{id}") {
  user: getUser(id: $id) { id displayName }
}"""
SEARCH = """query Search(
  $query: String, $pageSize: Int, $states: [ProductState!], $onSale: Boolean = false,
  $minRating: Float, $gtin: UInt64, $color: UInt32, $createdAfter: DateTime, $attributes: JSON
) @rest(get: "/x/search") {
  searchProducts(
    query: $query, pageSize: $pageSize, states: $states, onSale: $onSale, minRating: $minRating,
    gtin: $gtin, color: $color, createdAfter: $createdAfter, attributes: $attributes
  ) { __typename }
}"""


def raising(error):
    def fill(_request, _reply):
        raise error

    return fill


def user(request, reply):
    reply.id, reply.display_name = request.id, "Ada"


def featured(_request, reply):
    reply.products.add(id="p1", title="Spade")


def orders(request, reply):
    for name in request.user_ids:
        reply.orders.add(id="o1", user_id=name).items.add(product_id="p1", quantity=2)


def products(request, reply):
    for name in request.ids:
        reply.products.add(id=name, title="Spade")


def stock(request, reply):
    for name in request.product_ids:
        reply.stocks.add(product_id=name, available=7)


def summaries(request, reply):
    for name in request.product_ids:
        reply.summaries.add(product_id=name, average=4.5, review_count=2)


SHOP = {
    "GetUser": user,
    "ListFeaturedProducts": featured,
    "ListOrdersByUsers": orders,
    "BatchGetProducts": products,
    "BatchGetStock": stock,
    "BatchGetReviewSummaries": summaries,
}


async def test_the_home_screen_asks_five_services_once_each(start):
    client = await start(HOME, SHOP)
    reply = await client.get("/v1/home/u1?orders=2")
    assert reply.status == 200
    assert "x-partial" not in reply.headers
    assert reply.json["user"]["orders"][0]["items"][0]["product"]["title"] == "Spade"
    assert reply.json["featured"]["products"][0]["stock"] == {"available": "7"}
    assert sorted(client.services.called) == sorted(SHOP)
    (asked,) = [each for name, each, _ in client.services.calls if name == "ListOrdersByUsers"]
    assert asked.limit == 2


@pytest.mark.parametrize("etag", [False, True], ids=["plain", "with a tag"])
@pytest.mark.parametrize(
    ("private", "headers", "expected"),
    [
        pytest.param(True, {}, "private", id="callers-may-be-known"),
        pytest.param(True, {"authorization": "Bearer x"}, None, id="caches-see-it-themselves"),
        pytest.param(False, {}, None, id="nobody-is-known"),
    ],
)
async def test_what_may_be_one_callers_is_kept_out_of_shared_caches(
    start, etag, private, headers, expected
):
    client = await start(HOME, SHOP, etag=etag, private=private)
    reply = await client.get("/v1/home/u1", **headers)
    assert reply.status == 200
    assert reply.headers.get("cache-control") == expected
    if etag:
        again = await client.get("/v1/home/u1", if_none_match=reply.headers["etag"], **headers)
        assert (again.status, again.headers.get("cache-control")) == (304, expected)


class Limited:
    """A gate that charges calls, and refuses those of one RPC."""

    def __init__(self, left, refuses=""):
        self.left = left
        self.refuses = refuses

    def admit(self, call):
        self.left -= 1
        call.reply_headers = {"ratelimit": f'"all";r={self.left}'}
        if call.method.endswith(f"/{self.refuses}"):
            raise error("RATE_LIMITED", "Too many.", retry_after=2)


class Cached:
    """A cache that keeps nothing, and says how long replies hold."""

    def __init__(self, **held):
        self.held = held

    def filter(self, call, done, proceed):
        said = self.held.get(call.method.rpartition("/")[2])

        def told(reply):
            done(reply if said is None else replace(reply, headers={"cache-control": said}))

        return proceed(call, told)


async def test_headers_of_calls_are_headers_of_the_reply(start):
    client = await start(HOME, SHOP, policies=[Limited(100)])
    reply = await client.get("/v1/home/u1")
    assert reply.status == 200
    assert reply.headers["ratelimit"] == f'"all";r={100 - len(client.services.called)}'


async def test_a_required_part_that_a_limit_refuses_is_429(start):
    client = await start(HOME, SHOP, policies=[Limited(100, "GetUser")])
    reply = await client.get("/v1/home/u1")
    assert reply.status == 429
    assert reply.headers["retry-after"] == "2"
    assert reply.headers["ratelimit"].startswith('"all";r=')
    assert reply.json["error"]["details"][0]["reason"] == "RATE_LIMITED"


async def test_a_part_that_a_limit_refuses_is_missing_and_says_when_to_try_again(start):
    client = await start(HOME, SHOP, policies=[Limited(100, "BatchGetStock")])
    reply = await client.get("/v1/home/u1")
    assert reply.status == 200
    assert reply.headers["x-partial"] == "featured.products.stock"
    assert reply.headers["retry-after"] == "2"


TWO = """query Two @rest(get: "/x/two") {
  a: getUser(id: "a") { id } list: listFeaturedProducts(limit: 1) { products { id } }
}"""


@pytest.mark.parametrize(
    ("held", "private", "expected"),
    [
        ({"GetUser": "max-age=60", "ListFeaturedProducts": "max-age=5"}, False, "max-age=5"),
        ({"GetUser": "max-age=60"}, False, None),
        ({"GetUser": "private, max-age=60"}, False, "private"),
        ({"GetUser": "max-age=60"}, True, "private"),
    ],
    ids=[
        "the shortest time of all",
        "none where a call has none",
        "private where one is",
        "private where callers may be known",
    ],
)
async def test_caches_keep_a_view_as_long_as_all_its_calls_hold(start, held, private, expected):
    client = await start(TWO, SHOP, policies=[Cached(**held)], private=private)
    reply = await client.get("/x/two")
    assert reply.headers.get("cache-control") == expected


async def test_what_is_not_whole_is_kept_by_nobody(start):
    held = {"GetUser": "max-age=60", "ListFeaturedProducts": "max-age=5"}
    policies = [Limited(9, "ListFeaturedProducts"), Cached(**held)]
    reply = await (await start(TWO, SHOP, policies=policies)).get("/x/two")
    assert reply.headers.getall("cache-control") == ["no-store"]


@pytest.mark.parametrize(
    ("rpc", "parts"),
    [
        pytest.param("ListOrdersByUsers", "user.orders", id="a-join"),
        pytest.param("BatchGetStock", "featured.products.stock", id="a-join-below-a-list"),
        pytest.param("ListFeaturedProducts", "featured", id="a-root-field"),
    ],
)
async def test_parts_that_failed_are_null_and_named(start, rpc, parts):
    client = await start(HOME, {**SHOP, rpc: raising(failure())}, etag=True)
    reply = await client.get("/v1/home/u1")
    assert reply.status == 200
    assert reply.headers["x-partial"] == parts
    assert reply.headers["cache-control"] == "no-store"
    assert "etag" not in reply.headers
    assert "errors" not in reply.json
    assert reply.json["user"]["displayName"] == "Ada"


async def test_several_parts_are_named_in_order(start):
    answers = {**SHOP, "BatchGetStock": raising(failure()), "ListOrdersByUsers": raising(failure())}
    reply = await (await start(HOME, answers)).get("/v1/home/u1")
    assert reply.headers["x-partial"] == "user.orders, featured.products.stock"


async def test_a_required_part_that_failed_is_the_error_of_the_view(start):
    gone = raising(failure(Code.NOT_FOUND, "There is no user u9."))
    reply = await (await start(HOME, {**SHOP, "GetUser": gone})).get("/v1/home/u9")
    assert reply.status == 404
    assert reply.json["error"]["status"] == "NOT_FOUND"
    assert reply.json["error"]["message"] == "There is no user u9."


async def test_a_required_part_below_fails_with_what_is_above(start):
    text = USER.replace('{id}"', '{id}", required: ["user.id"]').replace(
        "{ id displayName }", "{ id displayName } whoAmI { peer }"
    )
    reply = await (await start(text, {"GetUser": raising(failure())})).get("/x/users/1")
    assert reply.status == 503


async def test_where_nothing_is_left_the_first_error_is_the_answer(start):
    client = await start(USER, {"GetUser": raising(failure(Code.PERMISSION_DENIED, "No."))})
    reply = await client.get("/x/users/1")
    assert reply.status == 403
    assert reply.json["error"]["message"] == "No."


async def test_a_message_that_is_none_says_nothing_of_the_parser(start):
    client = await start(
        USER, {"GetUser": raising(error("INVALID_UPSTREAM_MESSAGE", "It is none."))}
    )
    reply = await client.get("/x/users/1")
    assert (reply.status, reply.json["error"]["message"]) == (500, "It is none.")


async def test_data_is_whole_also_with_one_root_field(start):
    reply = await (await start(USER, SHOP)).get("/x/users/u%2F1")
    assert reply.json == {"user": {"id": "u/1", "displayName": "Ada"}}
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["x-request-id"]


async def test_head_is_answered_as_get(start):
    reply = await (await start(USER, SHOP)).send("HEAD", "/x/users/1")
    assert (reply.status, reply.json) == (200, None)


async def test_a_client_that_has_the_answer_is_told_so(start):
    client = await start(USER, SHOP, etag=True)
    first = await client.get("/x/users/1")
    again = await client.get("/x/users/1", if_none_match=first.headers["etag"])
    assert (again.status, again.json) == (304, None)
    assert again.headers["etag"] == first.headers["etag"]


async def test_texts_become_values_by_the_variables_types(start):
    client = await start(SEARCH)
    reply = await client.get(
        "/x/search?query=a+b&pageSize=3&states=PRODUCT_STATE_ACTIVE&states=PRODUCT_STATE_DRAFT"
        "&onSale=true&minRating=4.5&gtin=18446744073709551615&color=7"
        "&createdAfter=2026-01-31T12:00:00Z&attributes=%7B%22size%22:%22L%22%7D"
    )
    assert reply.status == 200, reply.json
    ((_, asked, _),) = client.services.calls
    assert (asked.query, asked.page_size, list(asked.states)) == ("a b", 3, [2, 1])
    assert (asked.on_sale, asked.min_rating, asked.gtin, asked.color) == (True, 4.5, 2**64 - 1, 7)
    assert asked.created_after.seconds == 1769860800
    assert asked.attributes["size"] == "L"


@pytest.mark.parametrize(
    ("query", "reason", "name", "description"),
    [
        pytest.param(
            "pageSize=x",
            "INVALID_QUERY",
            "pageSize",
            "must be an integer from -2147483648 to 2147483647",
            id="int",
        ),
        pytest.param(
            "pageSize=99999999999",
            "INVALID_QUERY",
            "pageSize",
            "must be an integer from -2147483648 to 2147483647",
            id="int-out-of-range",
        ),
        pytest.param(
            "color=-1",
            "INVALID_QUERY",
            "color",
            "must be an integer from 0 to 4294967295",
            id="uint32",
        ),
        pytest.param(
            "gtin=x",
            "INVALID_QUERY",
            "gtin",
            "must be an integer, or a string of one, from 0 to 18446744073709551615",
            id="uint64",
        ),
        pytest.param(
            "onSale=yes", "INVALID_QUERY", "onSale", "must be true, false, 1 or 0", id="boolean"
        ),
        pytest.param("minRating=NaN", "INVALID_QUERY", "minRating", "must be a number", id="float"),
        pytest.param(
            "attributes={",
            "INVALID_QUERY",
            "attributes",
            "must be a JSON value (a text in quotes)",
            id="json",
        ),
        pytest.param("query=a&query=b", "INVALID_QUERY", "query", "is given twice", id="twice"),
        pytest.param("q=a", "UNKNOWN_QUERY_PARAMETER", "q", "is unknown", id="unknown"),
    ],
)
async def test_a_wrong_parameter_is_named(start, query, reason, name, description):
    client = await start(SEARCH)
    reply = await client.get(f"/x/search?{query}")
    assert reply.status == 400
    info, bad, _ = reply.json["error"]["details"]
    assert info["reason"] == reason
    assert bad["fieldViolations"] == [{"field": name, "description": description}]
    assert not client.services.calls


async def test_an_enum_names_what_it_may_be(start):
    reply = await (await start(SEARCH)).get("/x/search?states=NEW")
    assert reply.json["error"]["message"].startswith(
        '"states" must be PRODUCT_STATE_UNSPECIFIED, PRODUCT_STATE_DRAFT,'
    )


async def test_names_of_a_query_can_be_ignored(start):
    client = await start(SEARCH, ignore_query=["utm_*"])
    assert (await client.get("/x/search?utm_source=mail")).status == 200


async def test_what_the_path_binds_is_not_in_the_query(start):
    reply = await (await start(USER, SHOP)).get("/x/users/1?id=2")
    assert reply.json["error"]["details"][0]["reason"] == "CONFLICTING_FIELD"


async def test_a_required_parameter_that_is_missing_is_named(start):
    text = 'query A($id: String!) @rest(get: "/x/user") { getUser(id: $id) { id } }'
    reply = await (await start(text)).get("/x/user")
    assert reply.status == 400
    (violation,) = reply.json["error"]["details"][1]["fieldViolations"]
    assert violation == {"field": "id", "description": "It is required."}


async def test_an_answer_that_costs_too_much_is_refused_with_the_limit(start):
    text = (
        'query A($n: Int) @rest(get: "/x/all") { listProducts(pageSize: $n) { products { id } } }'
    )
    client = await start(text)
    reply = await client.get("/x/all?n=1000000")
    assert reply.status == 400
    assert "the limit is 1000" in reply.json["error"]["message"]
    assert not client.services.calls


RENAME = """mutation Rename($id: String!, $title: String!) @rest(
  patch: "/x/products/{id}", body: "*"
) { product: renameProduct(id: $id, title: $title) { id title } }"""
CREATE = """mutation Create($user: UserInput!, $note: String) @rest(post: "/x/users", body: "user") {
  user: createUser(user: $user) { id }
  note: renameProduct(id: "n", title: "t") @include(if: false) { id }
  whoAmI: cancelOrder(id: "1", reason: $note) { id }
}"""


async def test_the_body_is_the_variables_that_the_path_leaves(start):
    client = await start(RENAME)
    reply = await client.send("PATCH", "/x/products/p1", {"title": "Spade"})
    assert reply.status == 200
    ((name, asked, _),) = client.services.calls
    assert (name, asked.id, asked.title) == ("RenameProduct", "p1", "Spade")


async def test_the_body_is_one_variable(start):
    client = await start(CREATE)
    reply = await client.send("POST", "/x/users?note=n", {"email": "a@example.com"})
    assert reply.status == 200, reply.json
    (_, created, _), (_, cancelled, _) = client.services.calls
    assert (created.user.email, cancelled.reason) == ("a@example.com", "n")


@pytest.mark.parametrize(
    ("body", "headers", "status", "reason"),
    [
        pytest.param(b"{", {}, 400, "INVALID_JSON", id="no-json"),
        pytest.param([], {}, 400, "INVALID_BODY", id="no-object"),
        pytest.param({"titel": "x"}, {}, 400, "INVALID_BODY", id="unknown-variable"),
        pytest.param({"title": 3}, {}, 400, "INVALID_BODY", id="wrong-type"),
        pytest.param({}, {}, 400, "INVALID_BODY", id="missing"),
        pytest.param(b"", {}, 400, "INVALID_BODY", id="empty"),
        pytest.param({"id": "p2"}, {}, 400, "CONFLICTING_FIELD", id="bound-by-the-path"),
        pytest.param({"title": "x" * 2000}, {}, 413, "BODY_TOO_LARGE", id="too-large"),
        pytest.param(
            b"title=x",
            {"content_type": "application/x-www-form-urlencoded"},
            415,
            "UNSUPPORTED_CONTENT_TYPE",
            id="a-form",
        ),
    ],
)
async def test_a_wrong_body_is_refused(start, body, headers, status, reason):
    client = await start(RENAME)
    reply = await client.send("PATCH", "/x/products/p1", body, **headers)
    assert (reply.status, reply.json["error"]["details"][0]["reason"]) == (status, reason)
    assert not client.services.calls


async def test_a_wrong_body_names_the_field_inside(start):
    reply = await (await start(CREATE)).send("POST", "/x/users", {"email": 3})
    (violation,) = reply.json["error"]["details"][1]["fieldViolations"]
    assert violation["field"] == "user.email"


async def test_a_view_without_a_body_takes_none(start):
    reply = await (await start(USER, SHOP)).send("GET", "/x/users/1", {"id": "2"})
    assert reply.json["error"]["details"][0]["reason"] == "UNEXPECTED_BODY"


async def test_calls_carry_the_caller(start):
    client = await start(USER, SHOP)
    await client.get(
        "/x/users/1", authorization="Bearer t", x_request_timeout="5", x_request_id="mine"
    )
    ((_, _, call),) = client.services.calls
    assert call.metadata.text("authorization") == "Bearer t"
    assert (call.front, call.request_id) == ("rest", "mine")
    assert call.deadline is not None


async def test_a_client_that_leaves_cancels_the_calls(start):
    client = await start(USER, SHOP, held=["GetUser"])
    asking = asyncio.ensure_future(client.get("/x/users/1"))
    async with asyncio.timeout(PATIENCE):
        while not client.services.calls:
            await asyncio.sleep(0)
        asking.cancel()
        while not client.services.cancelled:
            await asyncio.sleep(0)
    assert client.services.cancelled == ["GetUser"]


async def test_views_stand_under_the_prefix(start):
    client = await start(USER, SHOP, prefix="/api")
    assert (await client.get("/api/x/users/1")).status == 200
    assert (await client.get("/x/users/1")).status == 404


async def test_a_path_answers_405_for_other_methods(start):
    reply = await (await start(USER, SHOP)).send("DELETE", "/x/users/1")
    assert (reply.status, reply.headers["allow"]) == (405, "GET, HEAD, OPTIONS")


def test_a_view_that_takes_an_rpc_s_path_is_a_mistake_of_the_file(codec):
    services = Services()
    trusted = trusted_of(USER.replace("/x/users", "/v1/users"))
    views = views_of(trusted, engine_of(services, trusted), body_size=1000)
    with pytest.raises(SchemaError) as raised:
        at_once(
            compiling_front(
                services.methods().values(),
                shop_registry(),
                codec,
                None,
                RestOptions(),
                views=views,
            )
        )
    (problem,) = raised.value.problems
    assert "query One" in str(problem)
    assert "a.graphql:1" in str(problem)
    assert "shop.users.v1.UserService/GetUser" in str(problem)


def test_views_are_listed_for_people(codec):
    services = Services()
    trusted = trusted_of(USER)
    views = views_of(trusted, engine_of(services, trusted), body_size=1000)
    options = RestOptions(prefix="/api")
    found = at_once(
        compiling_front(
            services.methods().values(), shop_registry(), codec, None, options, views=views
        )
    )
    assert found.views == (("GET", "/api/x/users/{id}", "query One", "a.graphql:1"),)
