"""Plans: one for each set of the variables that directives read, kept within a bound."""

import json

import pytest
from graphql import execute_sync, get_introspection_query, parse

from gateway.call import Code
from gateway.fronts.graphql.document import Documents
from gateway.fronts.graphql.engine import Engine
from gateway.fronts.graphql.errors import RequestError
from gateway.fronts.graphql.graph.options import GraphOptions
from gateway.fronts.graphql.plan.introspection import Answers
from gateway.fronts.graphql.serve.engine import GraphqlRequest
from tests.fronts.graphql import graphs
from tests.fronts.graphql.execute import orders
from tests.fronts.graphql.execute.orders import bench, new
from tests.fronts.graphql.execute.upstreams import CALLER, WIDE, Backend, Bench, codes, failure


@pytest.fixture
def found():
    return bench({"GetOrder": lambda r: new("Order", id=r.id, user_id="u")})


class TestWhatAPlanIsFor:
    QUERY = """query($id: String, $with: Boolean!) {
      getOrder(id: $id) { id ...F }
    }
    fragment F on Order { userId @include(if: $with) }"""

    def test_other_values_of_what_directives_read_are_other_plans(self, found):
        plans = [found.prepare(self.QUERY, {"with": on}).plan for on in (True, False, True)]
        assert plans[0] is plans[2]
        assert plans[0] is not plans[1]

    def test_other_values_of_arguments_are_the_same_plan(self, found):
        one, two = (found.prepare(self.QUERY, {"with": True, "id": i}).plan for i in "ab")
        assert one is two

    @pytest.mark.parametrize("on", [True, False])
    def test_a_plan_selects_what_its_directives_say(self, found, on):
        data = found.run(self.QUERY, {"with": on, "id": "x"})["data"]["getOrder"]
        assert data == ({"id": "x", "userId": "u"} if on else {"id": "x"})

    def test_few_are_kept_of_a_document_with_many_conditions(self, found):
        names = [f"v{index}" for index in range(8)]
        declared = ", ".join(f"${name}: Boolean!" for name in names)
        fields = " ".join(f"{name}: id @skip(if: ${name})" for name in names)
        query = f"query({declared}) {{ getOrder {{ __typename {fields} }} }}"
        for number in range(2**8):
            given = {name: bool(number >> index & 1) for index, name in enumerate(names)}
            data = found.run(query, given)["data"]["getOrder"]
            assert data.keys() - {"__typename"} == {name for name in names if not given[name]}
        (operation,) = found.engine.documents.get(query).operations
        assert len(operation.plan.plans) <= 16

    def test_plans_count_as_memory_of_their_document(self, found):
        """A document of a few tokens stands for 900 fields, twice: over 2 MB, which push others out."""
        documents = Documents(found.schema, WIDE, max_bytes=2_000_000)
        engine = Engine(found.schema, found.backend.methods(), documents, soon=found.turns.soon)
        for number in range(5):
            documents.get(f"{{ o{number}: __typename }}")
        fields = " ".join(f"f{number}: id" for number in range(225))
        three = "a: getOrder { ...F } b: getOrder { ...F } c: getOrder { ...F }"
        query = f"query($on: Boolean!) {{ {three} d: getOrder @skip(if: $on) {{ ...F }} }}"
        query += f"fragment F on Order {{ {fields} }}"
        engine.prepare(GraphqlRequest(query, None, {"on": True}), CALLER)
        assert len(documents) == 6
        engine.prepare(GraphqlRequest(query, None, {"on": False}), CALLER)
        assert len(documents) < 6


def test_a_condition_that_is_null_refuses_the_request(found):
    query = "query($on: Boolean = true) { getOrder { id @skip(if: $on) userId } }"
    with pytest.raises(RequestError) as refused:
        found.prepare(query, {"on": None})
    assert refused.value.errors[0].extensions["code"] == "BAD_USER_INPUT"
    assert not found.backend.asked


def test_a_field_that_is_skipped_is_not_called(found):
    response = found.run("{ a: getOrder @skip(if: true) { id } b: __typename }")
    assert response == {"data": {"b": "Query"}}
    assert not found.backend.asked


def test_operations_of_one_document_have_plans_of_their_own(found):
    query = "query A { getOrder { id } } query B { getOrder { userId } }"
    plans = [found.prepare(query, name=name).plan for name in ("A", "B", "A")]
    assert plans[0] is plans[2]
    assert plans[0] is not plans[1]


INTROSPECTIONS = {
    "the tools' query": (get_introspection_query(), {}),
    "a variable for the name": (
        "query($n: String!) { __type(name: $n) { name kind fields { name } } }",
        {"n": "Order"},
    ),
    "a default for the name": ('query($n: String! = "Item") { __type(name: $n) { name } }', {}),
    "no such type": ('{ __type(name: "NoSuch") { name } }', {}),
    "directives with variables": (
        "query($d: Boolean!) { __schema { types { name description @skip(if: $d) } } }",
        {"d": True},
    ),
    "deprecated ones or not": (
        'query($d: Boolean = true) { __type(name: "Order") { fields(includeDeprecated: $d) { name } } }',
        {"d": False},
    ),
    "aliases, fragments, twice": (
        (
            '{ a: __type(name: "Order") { ...T } b: __type(name: "Color") { ...T } __schema { queryType { ...T } } }'
            " fragment T on __Type { name kind __typename }"
        ),
        {},
    ),
    "null for a variable in an argument": (
        'query($d: Boolean) { __type(name: "Order") { fields(includeDeprecated: $d) { name } } }',
        {"d": None},
    ),
}


def test_introspection_is_never_put_off(found):
    query = "query($d: Boolean!) { __schema { ...Q @defer(if: $d) ... @defer { queryType { name } } } } fragment Q on __Schema { mutationType { name } }"
    wanted = {"mutationType": {"name": "Mutation"}, "queryType": {"name": "Query"}}
    assert found.run(query, {"d": True}) == {"data": {"__schema": wanted}}


@pytest.mark.parametrize("name", INTROSPECTIONS)
def test_introspection_is_graphql_core_s(found, name):
    query, variables = INTROSPECTIONS[name]
    wanted = execute_sync(orders.graph().schema, parse(query), variable_values=variables)
    for _ in range(2):  # what is kept is the same
        response = found.run(query, variables)
        assert json.dumps(response["data"]) == json.dumps(wanted.data)
        assert [e["path"] for e in response.get("errors", ())] == [
            e.path for e in wanted.errors or ()
        ]


def test_what_is_kept_of_introspection_is_bounded():
    answers = Answers(most=100)
    answers.keep("a", "x" * 40)
    answers.keep("b", "x" * 40)
    assert answers.get("a") == "x" * 40
    answers.keep("c", "x" * 40)
    assert answers.get("b") is None
    assert answers.get("a") == answers.get("c") == "x" * 40
    answers.keep("d", "x" * 100)
    assert [answers.get(asked) for asked in "abcd"] == [None] * 4


def test_introspection_with_other_variables_is_another_answer(found):
    query = "query($n: String!) { __type(name: $n) { name } }"
    names = [found.run(query, {"n": n})["data"]["__type"]["name"] for n in ("Order", "Item")]
    assert names == ["Order", "Item"]


class TestByService:
    """Root fields below a field for their service."""

    @pytest.fixture
    def found(self):
        registry = orders.registry()
        graph = graphs.graph_of(registry, GraphOptions(naming="by_service"))
        answers = {
            f"{orders.API}/GetOrder": lambda r: new("Order", id=r.id),
            f"{orders.API}/GetCategory": lambda _: failure(Code.NOT_FOUND),
            f"{orders.API}/ChangeOrder": lambda r: new("Order", id=r.id),
        }
        return Bench(graph.schema, Backend(registry, answers))

    def test_fields_are_nested_and_so_are_paths(self, found):
        response = found.run(
            '{ x: api { __typename getOrder(id: "1") { id } c: getCategory { name } } api { getOrder { id } } }'
        )
        assert response["data"] == {
            "x": {"__typename": "ApiQuery", "getOrder": {"id": "1"}, "c": None},
            "api": {"getOrder": {"id": ""}},
        }
        assert codes(response) == [("x/c", "NOT_FOUND")]

    def test_mutations_are_in_order_through_the_groups(self, found):
        response = found.run(
            'mutation { api { a: changeOrder(id: "1") { id } } y: api { b: changeOrder(id: "2") { id } } }'
        )
        assert response["data"] == {"api": {"a": {"id": "1"}}, "y": {"b": {"id": "2"}}}
        assert [each.request.id for each in found.backend.asked] == ["1", "2"]
