"""Joins: which calls are made for which keys, and where each answer goes."""

from typing import ClassVar

import pytest

from gateway.call import Code
from tests.fronts.graphql.execute import orders
from tests.fronts.graphql.execute.orders import bench, new
from tests.fronts.graphql.execute.upstreams import codes, failure

ITEMS = "{ getOrder { items { product { title } } } }"


def order(*product_ids, **more):
    return new("Order", items=[new("Item", product_id=each) for each in product_ids], **more)


def product(id_, **more):
    return new("Product", id=id_, title=f"T{id_}", **more)


def batch(request):
    """All products that are asked for, in an order that is not the keys'."""
    return new("Products", products=[product(each) for each in sorted(request.ids, reverse=True)])


def titles(response):
    items = response["data"]["getOrder"]["items"]
    return [each["product"] and each["product"]["title"] for each in items]


def test_answers_are_matched_by_key_not_by_order():
    found = bench({"GetOrder": lambda _: order("a", "b", "c"), "BatchGetProducts": batch})
    assert titles(found.run(ITEMS)) == ["Ta", "Tb", "Tc"]


@pytest.mark.parametrize(
    ("answered", "shown"),
    [
        (["b"], [None, "Tb"]),
        (["b", "a", "b", "a"], ["Ta", "Tb"]),
        (["x", "a", "y", "b"], ["Ta", "Tb"]),
        ([], [None, None]),
    ],
    ids=["a hole is null", "of duplicates the first", "what nobody asked for", "nothing at all"],
)
def test_what_a_batch_may_answer(answered, shown):
    answers = {
        "GetOrder": lambda _: order("a", "b"),
        "BatchGetProducts": lambda _: new("Products", products=map(product, answered)),
    }
    response = bench(answers).run(ITEMS)
    assert titles(response) == shown
    assert "errors" not in response


def test_keys_are_asked_for_once_in_the_order_of_the_parents():
    found = bench({"GetOrder": lambda _: order("b", "a", "b", "", "a"), "BatchGetProducts": batch})
    assert titles(found.run(ITEMS)) == ["Tb", "Ta", "Tb", None, "Ta"]
    assert found.backend.names == ["GetOrder", "BatchGetProducts"]
    assert list(found.backend.asked[1].request.ids) == ["b", "a"]


@pytest.mark.parametrize(
    "fields",
    [{}, {"coupon_id": ""}],
    ids=["not set", "set and empty"],
)
def test_a_key_of_an_optional_field_counts_where_it_is_set(fields):
    found = bench({"GetOrder": lambda _: order(**fields), "BatchGetProducts": batch})
    response = found.run("{ getOrder { coupon { id title } } }")
    if fields:
        assert response["data"]["getOrder"]["coupon"] == {"id": "", "title": "T"}
    else:
        assert response["data"]["getOrder"]["coupon"] is None
        assert found.backend.names == ["GetOrder"]


def test_a_key_within_a_message_that_is_not_set_is_none():
    answers = {
        "BatchGetProducts": lambda _: new("Products", products=[product("a")]),
        "GetCategory": lambda r: new("Category", id=r.id),
    }
    found = bench(answers)
    response = found.run("{ batchGetProducts { products { category { id } } } }")
    assert response["data"]["batchGetProducts"]["products"] == [{"category": None}]
    assert found.backend.names == ["BatchGetProducts"]


def test_a_list_of_keys_gives_a_list_in_its_order_with_null_for_what_is_missing():
    def answer(request):
        found = [p for p in ("a", "b") if p in request.ids] or ["m"]
        return new(
            "Products", products=[product(each, related_ids=["b", "x", "a", "b"]) for each in found]
        )

    found = bench({"BatchGetProducts": answer})
    response = found.run("{ batchGetProducts(ids: []) { products { related { title } } } }")
    (only,) = response["data"]["batchGetProducts"]["products"]
    assert only["related"] == [{"title": "Tb"}, None, {"title": "Ta"}, {"title": "Tb"}]
    assert list(found.backend.asked[1].request.ids) == ["b", "x", "a"]


def test_an_empty_list_of_keys_asks_for_nothing():
    found = bench({"BatchGetProducts": lambda _: new("Products", products=[product("a")])})
    response = found.run("{ batchGetProducts { products { related { title } } } }")
    assert response["data"]["batchGetProducts"]["products"] == [{"related": []}]
    assert len(found.backend.asked) == 1


def test_many_groups_answers_under_their_key():
    answers = {
        "MapUsers": lambda _: new("Users", users={u: new("User", id=u) for u in ("u", "v", "w")}),
        "ListOrdersByUsers": lambda _: new(
            "Orders", orders=[new("Order", id=i, user_id=u) for i, u in ("1v", "2u", "3v", "4x")]
        ),
    }
    response = bench(answers).run("{ mapUsers { users { key value { orders { id } } } } }")
    found = {e["key"]: e["value"]["orders"] for e in response["data"]["mapUsers"]["users"]}
    assert found == {"u": [{"id": "2"}], "v": [{"id": "1"}, {"id": "3"}], "w": []}


def test_keys_of_a_map_are_the_keys_of_its_answers():
    answers = {
        "GetOrder": lambda _: order(user_id="u"),
        "MapUsers": lambda _: new("Users", users={"u": new("User", id="other", name="U")}),
    }
    response = bench(answers).run("{ getOrder { user { name } } }")
    assert response["data"]["getOrder"]["user"] == {"name": "U"}


class TestWhatIsShared:
    ANSWERS: ClassVar = {
        "GetOrder": lambda _: order("a", "b", coupon_id="c"),
        "BatchGetProducts": batch,
    }

    def asked(self, selection, variables=None):
        found = bench(self.ANSWERS)
        head = "query($de: String)" if variables is not None else ""
        response = found.run(f"{head} {{ getOrder {{ {selection} }} }}", variables)
        assert "errors" not in response
        return [(e.request.language, list(e.request.ids)) for e in found.backend.asked[1:]]

    def test_two_aliases_with_other_arguments_are_two_batches(self):
        de, en = 'x: product(language: "de") { title }', 'y: product(language: "en") { title }'
        assert self.asked(f"items {{ {de} {en} }}") == [("de", ["a", "b"]), ("en", ["a", "b"])]

    def test_two_aliases_with_the_same_arguments_are_one_batch(self):
        de = 'product(language: "de")'
        assert self.asked(f"items {{ x: {de} {{ title }} y: {de} {{ id }} }}") == [
            ("de", ["a", "b"])
        ]

    def test_a_variable_and_a_literal_of_the_same_value_are_one_batch(self):
        x, y = 'x: product(language: "de") { id }', "y: product(language: $de) { id }"
        assert self.asked(f"items {{ {x} {y} }}", {"de": "de"}) == [("de", ["a", "b"])]

    def test_two_edges_to_one_lookup_share_their_call(self):
        assert self.asked("coupon { title } items { product { title } }") == [("", ["c", "a", "b"])]

    def test_calls_that_take_other_things_of_their_parents_are_not_shared(self):
        answers = {
            "GetOrder": lambda _: order("a"),
            "GetQuote": lambda r: new("Quote", price=1 if r.wanted.product_id else 2),
        }
        found = bench(answers)
        response = found.run("{ getOrder { items { price quote(currency: null) { price } } } }")
        assert response["data"]["getOrder"]["items"] == [{"price": 1.0, "quote": {"price": 1.0}}]
        assert found.backend.names == ["GetOrder", "GetQuote", "GetQuote"]


class TestChunks:
    def test_no_call_has_more_keys_than_the_lookup_takes(self):
        answers = {"GetOrder": lambda _: order(*"abcde"), "BatchGetProducts": batch}
        found = bench(answers, max_batch=2)
        assert titles(found.run(ITEMS)) == ["Ta", "Tb", "Tc", "Td", "Te"]
        assert [list(e.request.ids) for e in found.backend.asked[1:]] == [
            ["a", "b"], ["c", "d"], ["e"],
        ]  # fmt: skip

    def test_a_chunk_that_fails_fails_its_own_keys_at_each_parent(self):
        def answer(request):
            return failure(Code.UNAVAILABLE) if "c" in request.ids else batch(request)

        answers = {"GetOrder": lambda _: order(*"abcdc"), "BatchGetProducts": answer}
        response = bench(answers, max_batch=2).run(ITEMS)
        assert titles(response) == ["Ta", "Tb", None, None, None]
        assert codes(response) == [
            (f"getOrder/items/{index}/product", "UNAVAILABLE") for index in (2, 3, 4)
        ]


class TestOneCallForEachParent:
    QUERY = "{ getOrder { items { product { category { name } } } } }"

    def found(self, count, at_once=False):
        keys = [f"k{index:03}" for index in range(count)]
        answers = {
            "GetOrder": lambda _: order(*keys),
            "BatchGetProducts": lambda r: new(
                "Products",
                products=[product(k, naming=new("Naming", category_id=k)) for k in r.ids],
            ),
            "GetCategory": lambda r: new("Category", id=r.id, name=r.id),
        }
        return bench(answers, at_once=at_once), keys

    def test_at_most_32_are_under_way(self):
        found, keys = self.found(100)
        most = []

        def newest(held):
            most.append(len(held))
            return len(held) - 1

        response = found.run(self.QUERY, pick=newest)
        names = [e["product"]["category"]["name"] for e in response["data"]["getOrder"]["items"]]
        assert names == keys
        assert max(most) == 32
        assert found.backend.names.count("GetCategory") == 100

    def test_thousands_that_complete_at_once_are_no_recursion(self):
        found, keys = self.found(3000, at_once=True)
        response = found.run(self.QUERY)
        assert len(response["data"]["getOrder"]["items"]) == len(keys)
        assert "errors" not in response

    def test_not_found_is_null_where_one_key_is_looked_up(self):
        found, _ = self.found(1)
        found.backend.answers = {
            **found.backend.answers,
            f"{orders.API}/GetCategory": lambda _: failure(Code.NOT_FOUND),
        }
        response = found.run(self.QUERY)
        assert response["data"]["getOrder"]["items"] == [{"product": {"category": None}}]
        assert "errors" not in response


def test_a_call_for_its_parent_is_made_once_for_parents_that_give_it_the_same():
    answers = {
        "GetOrder": lambda _: new(
            "Order",
            items=[
                new("Item", product_id=p, quantity=q) for p, q in (("a", 1), ("a", 1), ("a", 2))
            ],
        ),
        "GetQuote": lambda r: new("Quote", price=r.wanted.quantity),
    }
    found = bench(answers)
    response = found.run("{ getOrder { items { quote { price } } } }")
    assert [e["quote"]["price"] for e in response["data"]["getOrder"]["items"]] == [1.0, 1.0, 2.0]
    assert [e.request.wanted.quantity for e in found.backend.asked[1:]] == [1, 2]


def test_a_parent_whose_number_is_no_number_gets_its_answer_too():
    answers = {
        "BatchGetProducts": lambda _: new("Products", products=[product("a", weight=float("nan"))]),
        "GetQuote": lambda _: new("Quote", price=1),
    }
    response = bench(answers).run("{ batchGetProducts { products { weighed { price } } } }")
    assert response["data"]["batchGetProducts"]["products"] == [{"weighed": {"price": 1.0}}]


def test_what_fails_for_a_call_stands_at_each_parent():
    answers = {
        "GetOrder": lambda _: order("a", "a"),
        "GetQuote": lambda _: failure(Code.PERMISSION_DENIED),
    }
    response = bench(answers).run("{ getOrder { items { p: price quote { price } } } }")
    assert sorted(codes(response)) == [
        (f"getOrder/items/{index}/{key}", "PERMISSION_DENIED")
        for index in (0, 1)
        for key in ("p", "quote")
    ]


def test_a_value_that_can_not_be_written_stands_at_each_parent_that_has_it():
    answers = {
        "GetOrder": lambda _: order("a", "b", "a"),
        "BatchGetProducts": lambda _: new(
            "Products", products=[product("a", score=float("nan")), product("b")]
        ),
    }
    response = bench(answers).run("{ getOrder { items { product { score } } } }")
    assert [path for path, _ in codes(response)] == [
        "getOrder/items/0/product/score",
        "getOrder/items/2/product/score",
    ]
    items = response["data"]["getOrder"]["items"]
    assert [each["product"] for each in items] == [None, {"score": 0.0}, None]


def test_a_reply_that_is_no_message_fails_its_keys():
    answers = {"GetOrder": lambda _: order("a"), "BatchGetProducts": lambda _: b"\xff"}
    response = bench(answers).run(ITEMS)
    assert titles(response) == [None]
    assert [path for path, _ in codes(response)] == ["getOrder/items/0/product"]


def test_each_level_is_one_call():
    answers = {
        "ListOrders": lambda _: new("Orders", orders=[order("a", "b"), order("b", "c")]),
        "BatchGetProducts": lambda r: new(
            "Products",
            products=[product(k, related_ids=[k + k], maker_number=len(k)) for k in r.ids],
        ),
        "BatchGetMakers": lambda r: new(
            "Makers", page=new("Page", makers=[new("Maker", number=n, name="M") for n in r.numbers])
        ),
    }
    found = bench(answers)
    response = found.run(
        "{ listOrders { orders { items { product { related { related { maker { name } } } } } } } }"
    )
    assert "errors" not in response
    orders_ = response["data"]["listOrders"]["orders"]
    deepest = orders_[1]["items"][1]["product"]["related"][0]["related"][0]
    assert deepest == {"maker": {"name": "M"}}
    assert found.backend.names == [
        "ListOrders", "BatchGetProducts", "BatchGetProducts", "BatchGetProducts", "BatchGetMakers",
    ]  # fmt: skip
