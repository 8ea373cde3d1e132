"""Random documents over random messages: the engine answers what graphql-core's executor answers."""

import json

import pytest
from graphql import parse, validate
from graphql.error import GraphQLSyntaxError
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from gateway.call import Code
from gateway.fronts.graphql.errors import RequestError
from tests.fronts.graphql import graphs
from tests.fronts.graphql.execute.documents import documents
from tests.fronts.graphql.execute.messages import message_of
from tests.fronts.graphql.execute.reference import expected
from tests.fronts.graphql.execute.upstreams import Backend, Bench, failure

SLOW = settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    database=None,
    derandomize=True,
    phases=[Phase.generate],  # to shrink a document takes longer than a test may
)
SEEDS = st.integers(0, 2**32)
# None, a few and many values that GraphQL can't write.
WRONG = st.sampled_from([0.0, 0.0, 0.02, 0.3])


def answering(registry, seed, wrong, failing=()):
    """Every method answers with one message, or fails."""
    answers = {}
    for service in registry.services():
        found = registry.pool.FindServiceByName(service)
        for method in found.methods:
            message = message_of(method.output_type, f"{seed} {method.full_name}", wrong)
            result = failure(Code.NOT_FOUND) if method.name in failing else message
            answers[f"{service}/{method.name}"] = lambda _request, result=result: result
    return answers


def troubles(errors):
    return sorted(json.dumps([each["path"], each.get("locations")]) for each in errors)


def is_valid(schema, text):
    try:
        return not validate(schema, parse(text))
    except GraphQLSyntaxError:
        return False


def assert_same(graph, registry, text, variables, answers, *, order=lambda _held: 0, at_once=True):
    backend = Backend(registry, answers, at_once=at_once)
    bench = Bench(graph.schema, backend)
    if not is_valid(graph.schema, text):
        with pytest.raises(RequestError):
            bench.start(text, variables)
        assert not backend.asked
        return
    found = bench.run(text, variables, order)
    reference = expected(graph.schema, answers, text, variables)
    # Order matters too, and 1 is not 1.0.
    assert json.dumps(found["data"]) == json.dumps(reference.data)
    wanted = [
        {
            "path": each.path,
            "locations": [{"line": a.line, "column": a.column} for a in each.locations],
        }
        for each in reference.errors or ()
    ]
    assert troubles(found.get("errors", ())) == troubles(wanted)


GRAPHS = {
    "the shop": (graphs.shop, graphs.shop_registry),
    "the torture protos": (graphs.torture, graphs.torture_registry),
}


@pytest.mark.parametrize("root", ["Query", "Mutation"])
@pytest.mark.parametrize("name", GRAPHS)
def test_any_document_over_any_messages(name, root):
    graph, registry = (each() for each in GRAPHS[name])

    @SLOW
    @given(documents(graph.schema, root=root), SEEDS, WRONG, st.booleans(), st.data())
    def run(document, seed, wrong, at_once, data):
        text, variables = document
        answers = answering(registry, seed, wrong)
        order = lambda held: data.draw(st.integers(0, len(held) - 1))  # noqa: E731
        assert_same(graph, registry, text, variables, answers, order=order, at_once=at_once)

    run()


@pytest.mark.parametrize("name", GRAPHS)
def test_documents_with_mistakes_are_refused_before_anything_is_called(name):
    graph, registry = (each() for each in GRAPHS[name])

    @SLOW
    @given(documents(graph.schema, mistakes=True))
    def run(document):
        text, variables = document
        assert_same(graph, registry, text, variables, answering(registry, 1, 0.0))

    run()


@pytest.mark.parametrize("name", GRAPHS)
def test_methods_that_fail(name):
    graph, registry = (each() for each in GRAPHS[name])
    methods = sorted(
        method.name
        for service in registry.services()
        for method in registry.pool.FindServiceByName(service).methods
    )

    @SLOW
    @given(documents(graph.schema), SEEDS, st.sets(st.sampled_from(methods), min_size=5))
    def run(document, seed, failing):
        text, variables = document
        assert_same(graph, registry, text, variables, answering(registry, seed, 0.02, failing))

    run()
