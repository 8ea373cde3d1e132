"""Random documents with joins over random things: graphql-core, asking key by key, agrees."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fronts.graphql.execute import orders
from tests.fronts.graphql.execute.documents import documents
from tests.fronts.graphql.execute.test_differential import SEEDS, SLOW, WRONG, assert_same

FAILING = st.sampled_from(
    [
        (),
        (),
        ("BatchGetProducts",),
        ("MapUsers", "GetQuote"),
        ("ListOrdersByUsers",),
        ("GetCategory",),
    ]
)


@pytest.mark.parametrize(
    ("root", "max_batch"),
    [("Query", 0), ("Query", 1), ("Query", 2), ("Mutation", 2)],
    ids=["batches", "one key a call", "two keys a call", "mutations"],
)
def test_any_document_with_joins(root, max_batch):
    graph = orders.graph(max_batch)

    @SLOW
    @given(documents(graph.schema, root=root), SEEDS, WRONG, FAILING, st.booleans(), st.data())
    def run(document, seed, wrong, failing, at_once, data):  # noqa: PLR0917 - hypothesis's
        text, variables = document
        answers = orders.World(seed, wrong, failing).answers()
        order = lambda held: data.draw(st.integers(0, len(held) - 1))  # noqa: E731
        assert_same(
            graph, orders.registry(), text, variables, answers, order=order, at_once=at_once
        )

    run()
