"""Fields that need scopes: who sees them, what others are told, and that there is no other way."""

import json

import pytest
from graphql import GraphQLNonNull, OperationType

from gateway.call import NO_METADATA, Principal
from gateway.fronts.graphql.document import Documents
from gateway.fronts.graphql.engine import Engine
from gateway.fronts.graphql.errors import RequestError
from gateway.fronts.graphql.serve.engine import GraphqlRequest
from tests.fronts.graphql.execute.catalog import bench, graph, new, packed, product, registry
from tests.fronts.graphql.execute.upstreams import CALLER, WIDE, Backend, codes

ALL = {"cost", "supply", "notes", "extra"}


def told(response):
    """The path, code, reason and metadata of each error."""
    return [
        (each["path"], each["extensions"]["code"], each["extensions"]["reason"])
        for each in response["errors"]
    ]


def test_who_has_the_scope_sees_the_field():
    response = bench({"cost"}).run('{ getProduct(id: "a") { id cost { amount } } }')
    assert response == {"data": {"getProduct": {"id": "a", "cost": {"amount": "9.99"}}}}


def test_to_who_lacks_it_the_field_is_null_and_the_rest_is_as_ever():
    response = bench({"supply"}).run('{ getProduct(id: "a") { id cost { amount } title } }')
    assert response["data"] == {"getProduct": {"id": "a", "cost": None, "title": "Ta"}}
    [error] = response["errors"]
    assert error["path"] == ["getProduct", "cost"]
    assert error["locations"] == [{"line": 1, "column": 28}]
    assert error["message"] == "The caller lacks a scope; Product.cost needs: cost."
    assert error["extensions"] == {
        "code": "PERMISSION_DENIED",
        "reason": "INSUFFICIENT_SCOPE",
        "details": [
            {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "INSUFFICIENT_SCOPE",
                "domain": "gateway",
                "metadata": {"field": "Product.cost", "scopes": "cost", "everywhere": "true"},
            }
        ],
    }


def test_whom_nobody_knows_is_asked_who_it_is():
    response = bench(None).run('{ getProduct(id: "a") { cost { amount } } }')
    assert response["data"] == {"getProduct": {"cost": None}}
    expected = (["getProduct", "cost"], "UNAUTHENTICATED", "CREDENTIALS_MISSING")
    assert told(response) == [expected]


def test_all_scopes_of_a_field_are_needed():
    query = "{ getProduct { notes } }"
    assert bench({"notes", "cost"}).run(query)["data"]["getProduct"]["notes"] == ["n-secret"]
    for some in ({"notes"}, {"cost"}, set()):
        assert bench(some).run(query)["data"]["getProduct"]["notes"] is None


def test_a_field_is_told_of_once_however_many_items_have_it():
    many = {
        "ListProducts": lambda _: new("Products", products=[product(f"{n}") for n in range(1000)])
    }
    response = bench(set(), many).run("{ listProducts { products { id cost { amount } plain } } }")
    products = response["data"]["listProducts"]["products"]
    assert len(products) == 1000
    assert all(each["cost"] is None and each["plain"] is None for each in products)
    assert [path for path, _, _ in told(response)] == [
        ["listProducts", "products", 0, "cost"],
        ["listProducts", "products", 0, "plain"],
    ]


def test_each_place_of_a_document_is_told_of():
    response = bench(set()).run(
        "{ getProduct { a: cost { amount } ...F again { cost { amount } } } }"
        " fragment F on Product { b: plain }"
    )
    assert [path for path, _, _ in told(response)] == [
        ["getProduct", "a"],
        ["getProduct", "b"],
        ["getProduct", "again", "cost"],
    ]
    shown = {"a": None, "b": None, "again": {"cost": None}}
    assert response["data"]["getProduct"] == shown


def test_an_alias_hides_nothing():
    response = bench(set()).run("{ getProduct { id: plain title: supplierId __typename } }")
    assert response["data"]["getProduct"] == {"id": None, "title": None, "__typename": "Product"}


@pytest.mark.parametrize("directive", ["@skip(if: true)", "@include(if: false)"])
def test_what_is_not_asked_for_needs_nothing(directive):
    found = bench(set())
    response = found.run(f"{{ getProduct {{ id plain {directive} }} }}")
    assert "errors" not in response


def test_what_is_asked_for_by_a_variable_is_found_for_its_value():
    query = "query($all: Boolean!) { getProduct { id plain @include(if: $all) } }"
    found = bench(set())
    assert "errors" not in found.run(query, {"all": False})
    assert found.run(query, {"all": True})["data"]["getProduct"]["plain"] is None
    assert "errors" not in found.run(query, {"all": False})


def test_callers_that_lack_different_scopes_each_see_their_own():
    query = "{ getProduct { plain supplierId notes } }"
    found = bench()
    for _ in range(2):  # the second time all plans are there already
        for scopes, seen in [
            (ALL, {"plain", "supplierId", "notes"}),
            ({"extra"}, {"plain"}),
            ({"supply", "cost"}, {"supplierId"}),
            (set(), set()),
            (None, set()),
        ]:
            found.scopes = scopes
            shown = found.run(query)["data"]["getProduct"]
            assert {name for name, value in shown.items() if value is not None} == seen


# No other way to the value.


@pytest.mark.parametrize(
    ("selection", "shown"),
    [
        pytest.param("supplier { id name }", {"supplier": None}, id="a-join-by-it"),
        pytest.param("ofSupplier { id }", {"ofSupplier": None}, id="a-call-that-is-given-it"),
        pytest.param("costAgain { amount }", {"costAgain": None}, id="a-call-that-picks-it"),
        pytest.param("maker { name }", {"maker": None}, id="a-join-of-what-has-it-as-its-key"),
        pytest.param("prices { key value { amount } }", {"prices": None}, id="a-map"),
        pytest.param(
            "again { again { plain } }", {"again": {"again": {"plain": None}}}, id="below"
        ),
    ],
)
def test_there_is_no_way_around(selection, shown):
    found = bench(set())
    response = found.run(f'{{ getProduct(id: "a") {{ {selection} }} }}')
    assert response["data"]["getProduct"] == shown
    assert "secret" not in json.dumps(response)
    assert len(response["errors"]) == 1


@pytest.mark.parametrize(
    "selection", ["supplier { id }", "ofSupplier { id }", "costAgain { amount }"]
)
def test_nothing_is_called_for_what_is_not_shown(selection):
    found = bench(set())
    found.run(f"{{ getProduct {{ {selection} }} }}")
    assert found.backend.names == ["GetProduct"]


def test_with_the_scopes_joins_are_as_ever():
    response = bench(ALL).run(
        "{ getProduct { supplier { id } maker { code } costAgain { amount } } }"
    )
    assert response == {
        "data": {
            "getProduct": {
                "supplier": {"id": "s-secret"},
                "maker": {"code": "m1"},
                "costAgain": {"amount": "9.99"},
            }
        }
    }


def test_a_mask_asks_for_nothing_that_is_not_shown():
    found = bench(set())
    found.run("{ getProduct { again { title plain cost { amount } supplier { id } } } }")
    assert list(found.backend.asked[1].request.read_mask.paths) == ["id", "title"]


@pytest.mark.parametrize(
    "query",
    ['{ costOf(id: "a") { amount } }', 'mutation { putAndTell(id: "a") { amount } }'],
    ids=["query", "mutation"],
)
def test_a_root_field_that_picks_it_is_null_and_calls_nothing(query):
    found = bench(set())
    response = found.run(query)
    assert set(response["data"].values()) == {None}
    assert len(response["errors"]) == 1
    assert found.backend.names == []


@pytest.mark.parametrize(
    ("case", "scopes", "shown"),
    [
        ({"parcel": ("Parcel", {"carrier": "c"})}, set(), {"carrier": "c"}),
        ({"pickup": ("Pickup", {"shop": "x"})}, set(), None),
        ({"pickup": ("Pickup", {"shop": "x"})}, {"supply"}, {"shop": "x"}),
        ({"code": "c-secret"}, set(), None),
        ({"code": "c-secret"}, {"supply"}, {"code": "c-secret"}),
        ({}, set(), None),
    ],
    ids=["another-case", "message", "message-shown", "scalar", "scalar-shown", "none-is-set"],
)
def test_of_a_union_the_cases_that_need_scopes(case, scopes, shown):
    fields = {
        name: new(given[0], **given[1]) if isinstance(given, tuple) else given
        for name, given in case.items()
    }
    response = bench(scopes, {"GetProduct": lambda _: product(**fields)}).run(
        "{ getProduct { delivery { __typename ... on Parcel { carrier }"
        " ... on Pickup { shop } ... on Product_DeliveryCode { code } } } }".replace(
            "Product_DeliveryCode", code_type()
        )
    )
    found = response["data"]["getProduct"]["delivery"]
    assert (found and {k: v for k, v in found.items() if k != "__typename"}) == shown
    paths = [path for path, _, _ in told(response)] if "errors" in response else []
    assert paths == ([["getProduct", "delivery"]] if case and shown is None else [])


def code_type():
    (name,) = [
        each.name
        for each in graph().schema.type_map["Product"].fields["delivery"].type.types
        if each.name not in {"Parcel", "Pickup"}
    ]
    return name


def test_what_is_packed_in_an_any_is_shown_without_it_whoever_asks():
    deep = new(
        "Box", product=product("b"), by_name={"x": product("c")}, all=[product("d")], label="L"
    )
    deep.inner.CopyFrom(packed(product("e")))
    outer = product(
        "a", extra=packed(deep), extras=[packed(product("f")), packed(new("Id", id="i"))]
    )
    for scopes in (None, set(), ALL):
        response = bench(scopes, {"GetProduct": lambda _: outer}).run(
            "{ getProduct { extra extras } }"
        )
        assert "errors" not in response
        assert "secret" not in json.dumps(response)
        extra = response["data"]["getProduct"]["extra"]
        assert extra["label"] == "L"
        ids = [extra["product"]["id"], extra["byName"]["x"]["id"], extra["all"][0]["id"]]
        assert [*ids, extra["inner"]["id"]] == ["b", "c", "d", "e"]
        ids = [each["id"] for each in response["data"]["getProduct"]["extras"]]
        assert ids == ["f", "i"]


# Arguments.


@pytest.mark.parametrize(
    ("query", "variables", "path"),
    [
        pytest.param('{ listProducts(supplierId: "s") { __typename } }', {}, [], id="literal"),
        pytest.param(
            "query($s: String) { listProducts(supplierId: $s) { __typename } }",
            {"s": "s"}, [], id="variable",
        ),
        pytest.param(
            "{ listProducts(range: {least: 1, cost: 2}) { __typename } }", {}, [], id="in-an-object"
        ),
        pytest.param(
            "query($r: [RangeInput!]) { listProducts(ranges: $r) { __typename } }",
            {"r": [{"least": 1}, {"cost": 2}]}, [], id="in-a-list-in-a-variable",
        ),
    ],
)  # fmt: skip
def test_who_may_not_see_a_field_may_not_give_it(query, variables, path):
    found = bench(set())
    response = found.run(query, variables)
    assert response["data"] == {"listProducts": None}
    assert codes(response) == [("listProducts", "PERMISSION_DENIED")]
    assert found.backend.names == []
    assert "errors" not in bench(ALL).run(query, variables)
    found.scopes = None
    assert codes(found.run(query, variables)) == [("listProducts", "UNAUTHENTICATED")]


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ('{ listProducts(text: "t", range: {least: 1}) { __typename } }', {}),
        ("{ listProducts(supplierId: null) { __typename } }", {}),
        ("query($s: String) { listProducts(supplierId: $s) { __typename } }", {}),
        ("query($r: RangeInput) { listProducts(range: $r) { __typename } }", {"r": {"cost": None}}),
    ],
    ids=["others", "null", "a-variable-without-a-value", "null-within"],
)
def test_what_is_not_given_needs_nothing(query, variables):
    assert "errors" not in bench(set()).run(query, variables)


# Mutations, parts and streams.


def test_a_mutation_is_made_and_its_answer_shown_in_part():
    found = bench(set())
    response = found.run('mutation { putProduct(id: "a") { id plain } }')
    assert response["data"] == {"putProduct": {"id": "a", "plain": None}}
    assert found.backend.names == ["PutProduct"]


async def test_what_is_put_off_is_shown_in_part_too():
    found = bench(set())
    found.engine = found.engine_of()
    prepared = found.prepare("{ getProduct { id ... @defer { again { id plain } } } }")
    parts = []

    async def emit(part, _more):
        parts.append(json.loads(part))

    await found.engine.run_incremental(prepared, emit)
    first, second = parts
    assert first["data"] == {"getProduct": {"id": "p"}}
    (item,) = second["incremental"]
    assert item["data"] == {"again": {"id": "p", "plain": None}}
    (error,) = second["completed"][0].get("errors", item.get("errors", []))
    assert error["path"] == ["getProduct", "again", "plain"]


def stream_of(*messages):
    async def run(call):
        await call.start(NO_METADATA)
        for each in messages:
            await call.send(each.SerializeToString())

    return run


async def events_of(found, query):
    found.engine = found.engine_of()
    seen = []

    async def emit(response):
        seen.append(json.loads(response))

    await found.engine.subscribe(found.prepare(query), emit)
    return seen


async def test_each_event_of_a_subscription_is_shown_in_part_and_says_so():
    found = bench(set(), streams={"WatchProducts": stream_of(product("a"), product("b"))})
    events = await events_of(found, "subscription { watchProducts { id plain } }")
    for event, id_ in zip(events, "ab", strict=True):
        assert event["data"] == {"watchProducts": {"id": id_, "plain": None}}
        assert codes(event) == [("watchProducts/plain", "PERMISSION_DENIED")]


async def test_a_subscription_of_nothing_else_is_refused():
    found = bench(set(), streams={"WatchProducts": stream_of(product("a"))})
    query = 'subscription { watchCost(id: "a") { amount } }'
    with pytest.raises(RequestError) as refused:
        await events_of(found, query)
    assert refused.value.errors[0].extensions["code"] == "PERMISSION_DENIED"
    found.scopes = {"cost"}
    assert await events_of(found, query) == [{"data": {"watchCost": {"amount": "9.99"}}}]


# Who is asked, and when.


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ("{ getProduct { id title } }", False),
        ("{ getProduct { maker { __typename } } }", True),
        ("{ getProduct { plain } }", True),
        ('{ listProducts(text: "t") { __typename } }', False),
        ("{ listProducts(range: {least: 1}) { __typename } }", True),
        ("{ getProduct { extra } }", False),
        ("{ __typename }", False),
    ],
)
def test_only_documents_that_need_scopes_have_anyone_asked(query, asked):
    found = bench(set())
    prepared = found.engine.prepare(GraphqlRequest(query), CALLER)
    assert (prepared.gate is not None) is asked
    assert prepared.kind is OperationType.QUERY


def test_what_has_not_passed_its_gate_is_not_run():
    found = bench(ALL)
    prepared = found.engine.prepare(GraphqlRequest("{ getProduct { plain } }"), CALLER)
    with pytest.raises(TypeError, match="gate"):
        found.engine.run(prepared, lambda _: None)
    assert found.backend.names == []


def test_without_providers_nobody_has_a_scope():
    backend = Backend(registry(), {"test.v1.Catalog/GetProduct": lambda _: product()})
    engine = Engine(
        graph().schema,
        backend.methods(),
        Documents(graph().schema, WIDE),
        soon=lambda work: work(),
        scopes=graph().types.scopes,
    )
    seen = []
    engine.run(engine.prepare(GraphqlRequest("{ getProduct { plain } }"), CALLER), seen.append)
    (response,) = map(json.loads, seen)
    assert response["data"] == {"getProduct": {"plain": None}}


def test_calls_are_made_for_whom_the_gate_named():
    found = bench(ALL)
    prepared = found.engine.prepare(GraphqlRequest("{ getProduct { plain } }"), CALLER)
    ada = Principal("ada", "customers", frozenset(ALL))
    found.engine.run(found.engine.known(prepared, ada), lambda _: None)
    assert found.backend.asked[0].call.principal is ada


# The graph.


def test_a_field_that_needs_scopes_may_be_null():
    fields = graph().schema.type_map["Product"].fields
    for name in ("cost", "supplierId", "notes", "prices", "plain"):
        assert not isinstance(fields[name].type, GraphQLNonNull), name
    assert isinstance(fields["title"].type, GraphQLNonNull)


def test_its_description_says_what_it_needs():
    fields = graph().schema.type_map["Product"].fields
    assert fields["notes"].description == "Needs the scopes: cost, notes."
    assert fields["title"].description is None


def test_many_different_callers_keep_few_plans():
    found = bench()
    query = "{ getProduct { plain supplierId notes cost { amount } } }"
    for number in range(64):
        found.scopes = {name for bit, name in enumerate(sorted(ALL)) if number >> bit & 1}
        found.run(query)
    (operation,) = found.documents.get(query).operations
    assert len(operation.plan.plans) <= 16
