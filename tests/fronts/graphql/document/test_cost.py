"""What operations cost: calls and rows, from sources, arguments and variables. On the shop's graph."""

from __future__ import annotations

import json
from functools import cache

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInt,
    GraphQLList,
    GraphQLObjectType,
    GraphQLString,
    get_named_type,
)

from gateway.fronts.graphql.document import Documents, Limits
from gateway.fronts.graphql.errors import RequestError, response
from gateway.fronts.graphql.graph.sources import SOURCE, Argument, Join, Lookup, ParentCall
from tests.fronts.graphql import graphs

NESTED = 5
PAGE = 10


def looks_up(rpc, keys, items, by, max_batch):
    registry = graphs.shop_registry()
    service, _, name = rpc.partition("/")
    method = next(each for each in registry.methods(service) if each.name.endswith(f"/{name}"))
    input_, output = registry.message(method.input), registry.message(method.output)
    item = output.fields_by_name[items]
    path = (item.message_type.fields_by_name[by],)
    keyed = input_.fields_by_name[keys]
    return Lookup(method, input_, output, keyed, (item,), item.message_type, path, max_batch)


def edges(types):
    """The joins of the shop, and a score that Python resolves."""
    message = graphs.shop_registry().message
    item, user = message("shop.orders.v1.OrderItem"), message("shop.users.v1.User")
    products = looks_up(
        "shop.catalog.v1.CatalogService/BatchGetProducts", "ids", "products", "id", 100
    )
    orders = looks_up(
        "shop.orders.v1.OrderService/ListOrdersByUsers", "user_ids", "orders", "user_id", 0
    )
    product, order = types.output(products.item), types.output(orders.item)
    key = (item.fields_by_name["product_id"],)
    limit = GraphQLArgument(
        GraphQLInt,
        default_value=3,
        extensions={SOURCE: Argument((orders.input.fields_by_name["limit"],))},
    )
    join = Join(orders, (user.fields_by_name["id"],), many=True)
    call = ParentCall(products.method, products.input, products.output)
    score = GraphQLObjectType("Score", lambda: {"value": GraphQLField(GraphQLInt), "why": GraphQLField(GraphQLList(score))})  # fmt: skip
    return {
        "OrderItem": {
            "product": GraphQLField(product, extensions={SOURCE: Join(products, key)}),
            "similar": GraphQLField(types.output(products.output), extensions={SOURCE: call}),
        },
        "Order": {"score": GraphQLField(score), "label": GraphQLField(GraphQLString)},
        "User": {"orders": GraphQLField(GraphQLList(order), {"limit": limit}, extensions={SOURCE: join})},
    }  # fmt: skip


@cache
def documents():
    return Documents(graphs.graph_of(graphs.shop_registry(), edges=edges).schema, Limits())


def cost(text, **variables):
    return documents().get(text).operation(None).cost(variables)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("{__typename}", 0, id="nothing-is-called"),
        pytest.param("{__schema{types{name}}}", 0, id="introspection"),
        pytest.param('{getProduct(id:"1"){title}}', 1 + 1, id="a-call-and-what-it-answers"),
        pytest.param('{a:getProduct(id:"1"){title} b:getProduct(id:"2"){title}}', 4, id="aliases-add"),
        pytest.param("{listProducts(pageSize:50){products{title}}}", 1 + 50, id="page-size"),
        pytest.param("{listProducts{products{title}}}", 1 + PAGE, id="no-page-size"),
        pytest.param("{listProducts(pageSize:0){products{title}}}", 1 + PAGE, id="zero-is-the-default"),
        pytest.param("{listProducts(pageSize:-3){products{title}}}", 1 + PAGE, id="negative"),
        pytest.param("{listProducts(pageSize:50){nextPageToken}}", 1 + 1, id="no-list-asked-for"),
        pytest.param('{batchGetProducts(ids:["1","2","3"]){products{title}}}', 1 + 3, id="keys"),
        pytest.param("{batchGetProducts(ids:[]){products{title}}}", 1 + 0, id="no-keys"),
        pytest.param('{batchGetProducts(ids:"1"){products{title}}}', 1 + 1, id="a-key-for-a-list"),
        pytest.param('{listOrdersByUsers(userIds:["1","2"],limit:7){orders{id}}}', 1 + 14, id="a-bound-for-each-key"),
        pytest.param('{listOrdersByUsers(userIds:["1","2"]){orders{id}}}', 1 + 2 * PAGE, id="no-bound-for-each-key"),
        pytest.param("{listFeaturedProducts(limit:4){products{title}}}", 1 + 4, id="limit"),
        pytest.param('{getOrder(id:"1"){items{quantity}}}', 1 + 1, id="a-list-in-a-message-is-free"),
        pytest.param('{getOrder(id:"1"){items{product{title}}}}', 2 + 1 + NESTED, id="a-join-from-it-is-not"),
        pytest.param("{listOrders(pageSize:50){orders{items{product{title}}}}}", 1 + 50 + 3 + 50 * NESTED, id="batches-of-100"),
        pytest.param("{listOrders(pageSize:2){orders{items{similar{products{title}}}}}}", 3 + 10 + 10, id="a-call-for-each-parent"),
        pytest.param("{listUsers(pageSize:4){users{orders{id}}}}", 5 + 1 + 4 * 3, id="many-with-a-default-bound"),
        pytest.param("{listUsers(pageSize:4){users{orders(limit:9){id}}}}", 5 + 1 + 4 * 9, id="many-with-a-bound"),
        pytest.param("{listOrders(pageSize:4){orders{label}}}", 5 + 4, id="python-costs-a-row"),
        pytest.param("{listOrders(pageSize:4){orders{score{value}}}}", 5 + 4, id="its-attributes-are-free"),
        pytest.param("{listOrders(pageSize:4){orders{score{why{value}}}}}", 5 + 4 + 4 * PAGE, id="its-lists-are-not"),
        pytest.param('mutation{deleteProduct(id:"1"){_}}', 2, id="mutation"),
        pytest.param('subscription{watchOrder(id:"1"){status}}', 2, id="an-event"),
    ],
)  # fmt: skip
def test_cost(text, expected):
    assert cost(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("{listOrders(pageSize:4){orders{id}} listOrders(pageSize:4){orders{items{quantity}}}}", id="fields-merge"),
        pytest.param("{...F ...F ...{listOrders(pageSize:4){orders{id}}}} fragment F on Query{listOrders(pageSize:4){orders{id}}}", id="fragments-merge"),
        pytest.param('{listOrders(pageSize:4){orders{id}} getOrder(id:"1") @skip(if:true){id}}', id="skipped"),
        pytest.param('{listOrders(pageSize:4){orders{id}} ...@include(if:false){getOrder(id:"1"){id}}}', id="not-included"),
    ],
)  # fmt: skip
def test_what_is_asked_for_once_costs_once(text):
    assert cost(text) == 5


def test_what_a_variable_decides_is_counted():
    text = (
        'query($v:Boolean!){listOrders(pageSize:4){orders{id}} getOrder(id:"1") @skip(if:$v){id}}'
    )
    assert cost(text, v=True) == cost(text, v=False) == 7


SIZED = "query($n:Int=6){listProducts(pageSize:$n){products{title}}}"
KEYED = "query($k:[String!]!){batchGetProducts(ids:$k){products{title}}}"


@pytest.mark.parametrize(
    ("text", "variables", "expected"),
    [
        pytest.param(SIZED, {"n": 40}, 41, id="size"),
        pytest.param(SIZED, {"n": None}, 1 + PAGE, id="null"),
        pytest.param(SIZED, {}, 1 + PAGE, id="absent"),
        pytest.param(SIZED, {"n": 2**31 - 1}, 2**31, id="largest"),
        pytest.param(KEYED, {"k": ["1", "2"]}, 3, id="keys"),
    ],
)
def test_variables(text, variables, expected):
    assert cost(text, **variables) == expected


def test_an_operation_that_is_too_dear_is_refused():
    operation = documents().get(SIZED).operation(None)
    operation.check_cost({"n": 999})
    with pytest.raises(RequestError) as caught:
        operation.check_cost({"n": 1000})
    (error,) = json.loads(response(caught.value.errors))["errors"]
    assert error == {
        "message": "The operation has an estimated cost of 1001; the limit is 1000.",
        "locations": [{"line": 1, "column": 1}],
        "extensions": {"code": "LIMIT_EXCEEDED", "limit": "cost", "value": 1001, "maximum": 1000},
    }


def test_the_cost_is_the_sum_of_its_tree():
    operation = (
        documents().get("{listOrders{orders{items{product{title}} score{value}}}}").operation(None)
    )

    def added(estimates):
        return sum(each.calls + each.rows + added(each.below) for each in estimates)

    assert added(operation.estimates({})) == operation.cost({}) > 0


def test_every_query_of_the_shop_has_a_price():
    for name, field in documents()._schema.query_type.fields.items():
        required = [arg for arg, it in field.args.items() if str(it.type).endswith("!")]
        given = f"({' '.join(f'{arg}:${arg}' for arg in required)})" if required else ""
        declared = f"({' '.join(f'${arg}:{field.args[arg].type}' for arg in required)})" if required else ""  # fmt: skip
        selected = "{__typename}" if hasattr(get_named_type(field.type), "fields") else ""
        assert cost(f"query{declared}{{{name}{given}{selected}}}") == 2
