"""Random: by weight, and nothing else."""

import pytest

from gateway.upstream.balancers import Senses
from gateway.upstream.balancers.at_random import AtRandom
from tests.upstream.balancers.simulation import nodes_of, picked, senses
from tests.upstream.fakes import Clock


@pytest.mark.parametrize("weights", [[1, 1, 1, 1], [1, 2, 3, 4], [1000, 1, 1, 998]])
def test_nodes_have_calls_by_their_weights(weights):
    nodes = nodes_of(4, weights=weights)
    balancer = AtRandom(senses())
    balancer.update(nodes, nodes)
    counts = picked(balancer, 100_000)
    for node, weight in zip(nodes, weights, strict=True):
        assert counts[node] / 100_000 == pytest.approx(weight / sum(weights), abs=0.01)


@pytest.mark.parametrize(("drawn", "place"), [(0.0, 0), (0.4999, 0), (0.5, 1), (1 - 2**-53, 1)])
def test_the_ends_of_what_is_drawn(drawn, place):
    nodes = nodes_of(2, weights=[3, 3])
    balancer = AtRandom(Senses(Clock(), lambda: drawn))
    balancer.update(nodes, nodes)
    assert balancer.pick(None, ()) is nodes[place]
