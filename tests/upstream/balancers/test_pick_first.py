"""Pick first: one node takes all."""

from gateway.upstream.balancers.pick_first import PickFirst
from tests.upstream.balancers.simulation import nodes_of, picked, senses


def pick_first(nodes):
    balancer = PickFirst(senses())
    balancer.update(nodes, nodes)
    return balancer


def test_the_first_takes_all():
    nodes = nodes_of(3)
    assert picked(pick_first(nodes), 100) == {nodes[0]: 100}


def test_the_next_stays_when_the_first_comes_back():
    nodes = nodes_of(3)
    balancer = pick_first(nodes)
    balancer.update(nodes, nodes[1:])
    assert balancer.pick(None, ()) is nodes[1]
    balancer.update(nodes, nodes)
    assert balancer.pick(None, ()) is nodes[1]


def test_a_call_that_goes_elsewhere_takes_no_other_along():
    nodes = nodes_of(3)
    balancer = pick_first(nodes)
    assert balancer.pick(None, (nodes[0],)) is nodes[1]
    assert balancer.pick(None, ()) is nodes[0]
