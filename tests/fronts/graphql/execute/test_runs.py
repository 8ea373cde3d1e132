"""Runs: partial answers, order, sharing, cancelling; `done` is called once, whatever happens."""

import json
from typing import ClassVar

import pytest
from google.protobuf.message_factory import GetMessageClass

from gateway.call import Call, Code
from tests.fronts.graphql import graphs
from tests.fronts.graphql.execute import orders
from tests.fronts.graphql.execute.orders import bench, new
from tests.fronts.graphql.execute.upstreams import CALLER, Backend, Bench, codes, failure

FIVE = """{
  a: getOrder(id: "a") { id } b: getOrder(id: "b") { id } c: getOrder(id: "c") { id }
  d: getOrder(id: "d") { id } e: getOrder(id: "e") { id }
}"""
BOTH = pytest.mark.parametrize("at_once", [True, False], ids=["at once", "later"])


def echo(request):
    return new("Order", id=request.id)


def failing(*ids, code=Code.UNAVAILABLE):
    return lambda request: failure(code) if request.id in ids else echo(request)


@BOTH
def test_one_of_five_fails_and_four_answers_stay(at_once):
    response = bench({"GetOrder": failing("c")}, at_once=at_once).run(FIVE)
    assert response["data"] == {"a": {"id": "a"}, "b": {"id": "b"}, "c": None, "d": {"id": "d"}, "e": {"id": "e"}}  # fmt: skip
    (error,) = response["errors"]
    assert error["path"] == ["c"]
    assert error["message"] == "It is away."
    assert error["extensions"] == {"code": "UNAVAILABLE"}
    assert error["locations"] == [{"line": 2, "column": 59}]


def test_errors_come_before_the_data():
    found = bench({"GetOrder": failing("c")})
    assert found.start(FIVE).responses[0].startswith(b'{"errors":[')


class TestAHangingCall:
    """GetOrder hangs; what is joined to ListOrders goes on."""

    ANSWERS: ClassVar = {
        "ListOrders": lambda _: new("Orders", orders=[new("Order", coupon_id="p", user_id="u")]),
        "BatchGetProducts": lambda _: new("Products", products=[new("Product", id="p", title="P")]),
        "MapUsers": lambda _: new("Users"),
        "GetOrder": lambda _: new("Order", id="late"),
    }
    QUERY = "{ getOrder { id } listOrders { orders { coupon { title } user { name } } } }"

    def started(self):
        found = bench(self.ANSWERS, at_once=False)
        running = found.start(self.QUERY)
        return found, running

    def answer(self, found, name):
        (asked,) = [each for each in found.backend.held if each.name == f"{orders.API}/{name}"]
        found.backend.answer(asked)
        found.turns.turn()

    def test_joins_of_others_go_on(self):
        found, running = self.started()
        self.answer(found, "ListOrders")
        assert found.backend.names == ["GetOrder", "ListOrders", "BatchGetProducts", "MapUsers"]
        self.answer(found, "MapUsers")
        self.answer(found, "BatchGetProducts")
        assert running.responses == []
        self.answer(found, "GetOrder")
        assert running.response["data"]["getOrder"] == {"id": "late"}
        assert running.response["data"]["listOrders"]["orders"][0]["coupon"] == {"title": "P"}

    def test_cancelling_ends_all_that_is_under_way_and_answers_nothing(self):
        found, running = self.started()
        self.answer(found, "ListOrders")
        self.answer(found, "MapUsers")
        running.cancel()
        by_name = {each.name.partition("/")[2]: each.cancelled for each in found.backend.asked}
        assert by_name == {
            "GetOrder": True, "ListOrders": False, "BatchGetProducts": True, "MapUsers": False,
        }  # fmt: skip
        assert running.responses == []

    def test_what_ends_after_the_cancel_is_not_heard(self):
        found, running = self.started()
        running.cancel()
        for each in found.backend.asked:
            found.backend.answer(each)
        found.turns.turn()
        running.cancel()
        assert running.responses == []
        assert len(found.backend.asked) == 2

    def test_batches_that_wait_for_the_end_of_the_turn_are_not_sent_after_a_cancel(self):
        found, running = self.started()
        found.backend.answer(found.backend.asked[1])
        running.cancel()
        found.turns.turn()
        assert found.backend.names == ["GetOrder", "ListOrders"]

    def test_cancelling_after_the_response_does_nothing(self):
        found = bench({"GetOrder": echo}, at_once=False)
        running = found.start("{ getOrder { id } }")
        found.backend.answer(found.backend.asked[0])
        running.cancel()
        assert len(running.responses) == 1
        assert not found.backend.asked[0].cancelled


class TestMutations:
    QUERY = 'mutation { a: changeOrder(id: "1") { id } b: changeOrder(id: "2") { id } c: changeOrder(id: "1") { id } }'

    @BOTH
    def test_each_is_made_as_often_as_it_is_written_in_order(self, at_once):
        found = bench({"ChangeOrder": echo}, at_once=at_once)
        response = found.run(
            self.QUERY, pick=lambda held: 0 if len(held) == 1 else pytest.fail("two at once")
        )
        assert [each.request.id for each in found.backend.asked] == ["1", "2", "1"]
        assert list(response["data"].values()) == [{"id": "1"}, {"id": "2"}, {"id": "1"}]

    @BOTH
    def test_one_that_fails_does_not_stop_the_next(self, at_once):
        found = bench({"ChangeOrder": failing("2")}, at_once=at_once)
        response = found.run(self.QUERY)
        assert len(found.backend.asked) == 3
        assert response["data"]["b"] is None
        assert codes(response) == [("b", "UNAVAILABLE")]

    @BOTH
    def test_the_next_waits_for_the_joins_of_the_one_before(self, at_once):
        answers = {
            "ChangeOrder": lambda r: new("Order", id=r.id, coupon_id="p"),
            "BatchGetProducts": lambda _: new("Products", products=[new("Product", id="p")]),
        }
        found = bench(answers, at_once=at_once)
        found.run(
            "mutation { a: changeOrder { coupon { id } } b: changeOrder { id coupon { title } } }"
        )
        assert found.backend.names == ["ChangeOrder", "BatchGetProducts", "ChangeOrder"]

    def test_a_wrong_argument_does_not_stop_the_next(self):
        found = bench({"ChangeOrder": echo})
        query = (
            'mutation($x: String) { a: changeOrder(id: $x) { id } b: changeOrder(id: "2") { id } }'
        )
        response = found.run(query, {"x": "\ud800"})
        assert response["data"] == {"a": None, "b": {"id": "2"}}
        assert codes(response) == [("a", "BAD_USER_INPUT")]

    def test_hundreds_that_complete_at_once_are_no_recursion(self):
        found = bench({"ChangeOrder": echo})
        names = [f"m{index}" for index in range(100)]
        query = "mutation { " + " ".join(f"{name}: changeOrder {{ id }}" for name in names) + " }"
        assert list(found.run(query)["data"]) == names


class TestSharing:
    @BOTH
    def test_identical_queries_are_one_call(self, at_once):
        found = bench({"GetOrder": echo}, at_once=at_once)
        query = 'query($x: String) { a: getOrder(id: "1") { id } b: getOrder(id: $x) { x: id } c: getOrder { id } }'
        response = found.run(query, {"x": "1"})
        assert response["data"] == {"a": {"id": "1"}, "b": {"x": "1"}, "c": {"id": ""}}
        assert len(found.backend.asked) == 2

    def test_one_that_fails_fails_at_each_of_its_fields(self):
        found = bench({"GetOrder": failing("1")})
        response = found.run('{ a: getOrder(id: "1") { id } b: getOrder(id: "1") { id } }')
        assert codes(response) == [("a", "UNAVAILABLE"), ("b", "UNAVAILABLE")]
        assert len(found.backend.asked) == 1

    def test_joins_of_fields_that_share_a_call_are_loaded_for_each(self):
        answers = {
            "GetOrder": lambda _: new("Order", coupon_id="p", user_id="u"),
            "BatchGetProducts": lambda _: new("Products", products=[new("Product", id="p")]),
            "MapUsers": lambda _: new("Users", users={"u": new("User", id="u")}),
        }
        found = bench(answers)
        response = found.run("{ a: getOrder { coupon { id } } b: getOrder { user { id } } }")
        assert response["data"] == {"a": {"coupon": {"id": "p"}}, "b": {"user": {"id": "u"}}}
        assert sorted(found.backend.names) == ["BatchGetProducts", "GetOrder", "MapUsers"]


class TestTextThatIsNone:
    """Strings of proto2 may hold any bytes: protobuf does not look at them when it parses."""

    ASKED = 'getLegacy(id: "x", piece: {})'

    def run(self, data, selection):
        registry = graphs.torture_registry()
        legacy = GetMessageClass(registry.pool.FindMessageTypeByName("torture.v1.Legacy"))
        answers = {"torture.v1.LegacyService/GetLegacy": lambda _request: legacy.FromString(data)}
        found = Bench(graphs.torture().schema, Backend(registry, answers))
        return found.run(f"{{ a: {self.ASKED} {{ {selection} }} b: __typename }}")

    @pytest.mark.parametrize(
        ("sent", "selection", "written", "path"),
        [
            (b"\x22\x01\xff", "without", {"without": None}, "without"),
            (b"\x0a\x01\xff", "id", None, "id"),
            (b"\x12\x03\x0a\x01\xff", "piece { text }", {"piece": {"text": None}}, "piece.text"),
        ],
        ids=["nullable", "required", "nested"],
    )
    def test_is_null_with_an_error_and_the_rest_stays(self, sent, selection, written, path):
        response = self.run(sent, selection)
        assert response["data"] == {"a": written, "b": "Query"}
        (error,) = response["errors"]
        assert error["path"] == ["a", *path.split(".")]
        assert error["extensions"]["reason"] == "INVALID_UPSTREAM_MESSAGE"

    def test_that_is_text_is_written(self):
        assert self.run("\x22\x02é".encode(), "without")["data"]["a"] == {"without": "é"}


class TestBugs:
    """What no message can do: something in the gateway raises."""

    def broken(self, monkeypatch, name):
        def explode(*_arguments):
            raise ZeroDivisionError("secret")

        monkeypatch.setattr(name, explode)

    def assert_masked(self, responses, caplog):
        (only,) = map(json.loads, responses)
        assert only["data"] is None
        (error,) = only["errors"]
        assert error["extensions"]["code"] == "INTERNAL"
        assert "secret" not in json.dumps(only)
        assert "secret" in caplog.text

    def test_in_a_projection_is_one_masked_error(self, monkeypatch, caplog):
        found = bench({"GetOrder": echo})
        prepared = found.prepare("{ getOrder { id } }")

        def explode(*_arguments):
            raise ZeroDivisionError("secret")

        object.__setattr__(prepared.plan, "text", explode)
        responses = []
        found.engine.run(prepared, responses.append)
        self.assert_masked(responses, caplog)

    @BOTH
    def test_while_joins_are_gathered_cancels_the_rest(self, monkeypatch, caplog, at_once):
        self.broken(monkeypatch, "gateway.fronts.graphql.execute.loading.Loader.want")
        found = bench({"GetOrder": lambda _: new("Order", coupon_id="p")}, at_once=at_once)
        running = found.start('{ a: getOrder { coupon { id } } b: getOrder(id: "1") { id } }')
        if not at_once:
            found.backend.answer(found.backend.asked[0])
        self.assert_masked(running.responses, caplog)
        later = found.backend.asked[1:]
        assert [each.cancelled for each in later] == ([] if at_once else [True])

    def test_while_a_request_is_made_is_masked(self, monkeypatch, caplog):
        found = bench({"GetOrder": echo})
        prepared = found.prepare("{ getOrder { id } }")

        def explode(_variables):
            raise ZeroDivisionError("secret")

        object.__setattr__(prepared.plan.fetches[0], "request", explode)
        responses = []
        found.engine.run(prepared, responses.append)
        self.assert_masked(responses, caplog)


@BOTH
def test_a_reply_that_is_no_message_is_an_error_at_its_field(at_once):
    response = bench({"GetOrder": lambda _: b"\xff"}, at_once=at_once).run("{ getOrder { id } }")
    assert response["data"] == {"getOrder": None}
    (error,) = response["errors"]
    assert error["path"] == ["getOrder"]
    assert error["extensions"]["reason"] == "INVALID_UPSTREAM_MESSAGE"


def test_calls_carry_what_the_caller_has():
    found = bench({"GetOrder": echo})
    found.run("{ getOrder { id } }")
    call = found.backend.asked[0].call
    assert isinstance(call, Call)
    assert (call.peer, call.front, call.request_id) == (CALLER.peer, "graphql", CALLER.request_id)


def test_the_largest_float_of_32_bits_stays_one():
    from tests.fronts.graphql.execute.test_differential import answering
    from tests.fronts.graphql.execute.upstreams import Backend

    registry = graphs.torture_registry()
    backend = Backend(registry, answering(registry, 1, 0.0))
    name = "torture.v1.PlaceService/GetPlaces"
    backend.answers[name](None).a_float = float.fromhex("0x1.fffffep+127")
    response = Bench(graphs.torture().schema, backend).run("{ getPlaces { aFloat } }")
    assert response["data"]["getPlaces"]["aFloat"] == float.fromhex("0x1.fffffep+127")
