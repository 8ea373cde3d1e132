"""Random documents with joins over random things: graphql-core, asking key by key, agrees."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fronts.graphql.execute import orders
from tests.fronts.graphql.execute.documents import documents
from tests.fronts.graphql.execute.test_differential import SEEDS, SLOW, WRONG, assert_same

FAILING = st.sampled_from(
    [(), (), ("BatchGetProducts",), ("MapUsers", "GetQuote"), ("ListOrdersByUsers",), ("GetCategory",)]
)


@pytest.mark.parametrize("max_batch", [0, 1, 2], ids="at most {} a call".format)
@pytest.mark.parametrize("root", ["Query", "Mutation"])
def test_any_document_with_joins(root, max_batch):
    graph = orders.graph(max_batch)

    @SLOW
    @given(documents(graph.schema, root=root), SEEDS, WRONG, FAILING, st.booleans(), st.data())
    def run(document, seed, wrong, failing, at_once, data):
        text, variables = document
        answers = orders.World(seed, wrong, failing).answers()
        order = lambda held: data.draw(st.integers(0, len(held) - 1))  # noqa: E731
        assert_same(graph, orders.registry(), text, variables, answers, order, at_once)

    run()
