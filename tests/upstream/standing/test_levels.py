"""Levels: Envoy's tables of priorities and panic, with ten nodes a level."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.upstream.channel import State
from gateway.upstream.node import Cause
from gateway.upstream.standing.levels import levels_of, shares_of
from tests.upstream.balancers.simulation import node_of


def level(priority, well, of=10, state=State.READY, **listing):
    """Returns the nodes of a level, of which so many are well."""
    nodes = [node_of(100 * priority + each, priority=priority, **listing) for each in range(of)]
    for node in nodes:
        node.heard(state)
    for node in nodes[well:]:
        node.out[Cause.HEALTH] = "it says so"
    return nodes


def shares(nodes, threshold=50.0):
    """Returns the percent of the calls that each level takes, by its priority."""
    return {each.priority: round(100 * each.share) for each in levels_of(nodes, threshold)}


@pytest.mark.parametrize(
    ("well", "expected"),
    [
        (10, {0: 100}),
        (8, {0: 100}),
        (7, {0: 98, 1: 2}),
        (5, {0: 70, 1: 30}),
        (1, {0: 14, 1: 86}),
        (0, {1: 100}),
    ],
)
def test_what_the_first_level_cannot_take_goes_to_the_next(well, expected):
    assert shares(level(0, well) + level(1, 10)) == expected


@pytest.mark.parametrize(
    ("well", "expected"),
    [
        ((10, 10, 10), {0: 100}),
        ((5, 5, 10), {0: 70, 1: 30}),
        ((3, 3, 10), {0: 42, 1: 42, 2: 16}),
        ((0, 0, 10), {2: 100}),
        ((2, 2, 0), {0: 50, 1: 50}),
        ((1, 3, 0), {0: 25, 1: 75}),
    ],
)
def test_levels_that_are_not_enough_take_each_their_part(well, expected):
    nodes = [node for priority, each in enumerate(well) for node in level(priority, each)]
    assert shares(nodes, threshold=0.0) == expected


def test_a_level_that_is_well_again_takes_the_calls_back():
    first, second = level(0, 0), level(1, 10)
    assert shares(first + second) == {1: 100}
    for node in first:
        node.out.clear()
    assert shares(first + second) == {0: 100}


def test_weights_say_how_much_a_level_can_take():
    heavy = node_of(1, weight=9)
    light = node_of(2)
    light.out[Cause.HEALTH] = "it says so"
    assert shares([heavy, light, node_of(3, priority=1)]) == {0: 100}


@pytest.mark.parametrize(
    ("well", "threshold", "usable"),
    [(10, 50, 10), (5, 50, 5), (4, 50, 10), (0, 50, 10), (4, 30, 4), (2, 30, 10), (1, 0, 1)],
)
def test_with_fewer_than_the_threshold_all_are_used(well, threshold, usable):
    (only,) = levels_of(level(0, well), threshold)
    assert len(only.usable) == usable
    assert only.share == 1.0


def test_nobody_is_asked_where_all_are_out_and_there_is_no_panic():
    assert levels_of(level(0, 0) + level(1, 0), 0.0) == []


def test_nobody_panics_while_other_levels_are_enough():
    first, second = levels_of(level(0, 2) + level(1, 10), 50.0)
    assert (first.priority, len(first.usable), len(second.usable)) == (0, 2, 10)


def test_a_level_panics_when_all_levels_are_not_enough():
    first, second = levels_of(level(0, 2) + level(1, 3), 50.0)
    assert (len(first.usable), len(second.usable)) == (10, 10)
    assert (round(first.share, 2), round(second.share, 2)) == (0.4, 0.6)


def test_when_nobody_is_well_levels_share_by_size():
    assert shares(level(0, 0, of=10) + level(1, 0, of=30)) == {0: 25, 1: 75}


@pytest.mark.parametrize(
    ("states", "usable"),
    [
        ((State.READY, State.CONNECTING, State.FAILING), [0]),
        ((State.IDLE, State.READY, State.FAILING), [0, 1]),
        ((State.CONNECTING, State.FAILING, State.FAILING), [0]),
        ((State.FAILING, State.FAILING, State.FAILING), [0, 1, 2]),
    ],
)
def test_the_best_connections_are_used(states, usable):
    nodes = [node_of(number) for number in range(3)]
    for node, state in zip(nodes, states, strict=True):
        node.heard(state)
    (only,) = levels_of(nodes, 50.0)
    assert only.usable == [nodes[each] for each in usable]


def test_a_level_without_connections_is_not_available():
    assert shares(level(0, 10, state=State.FAILING) + level(1, 10)) == {1: 100}
    assert shares(level(0, 10, state=State.CONNECTING) + level(1, 10)) == {1: 100}


def test_while_nobody_is_connected_yet_the_first_level_takes_all():
    connecting = State.CONNECTING
    assert shares(level(0, 10, state=connecting) + level(1, 10, state=connecting)) == {0: 100}


def test_panic_sends_nothing_to_who_has_no_connection():
    nodes = level(0, 1)
    for node in nodes[:5]:
        node.heard(State.FAILING)
    (only,) = levels_of(nodes, 50.0)
    assert only.usable == nodes[5:]


@pytest.mark.parametrize(
    "states",
    [(State.FAILING,), (State.CLOSED,), (State.FAILING, State.CONNECTING)],
    ids=["it fails", "it is closed", "it connects after it failed"],
)
@pytest.mark.parametrize(
    ("threshold", "usable"), [(50.0, "ejected"), (1.0, "ejected"), (0.0, "broken")]
)
def test_one_that_is_out_is_better_than_one_that_cannot_be_reached(states, threshold, usable):
    ejected, broken = nodes = [node_of(0), node_of(1)]
    ejected.out[Cause.OUTLIER] = "5 of its calls failed in a row"
    for state in states:
        broken.heard(state)
    (only,) = levels_of(nodes, threshold)
    assert only.usable == [{"ejected": ejected, "broken": broken}[usable]]


def test_one_that_is_out_is_no_better_than_one_that_can_be_reached_in_another_level():
    nodes = [node_of(0), node_of(1), node_of(2, priority=1)]
    nodes[0].out[Cause.OUTLIER] = "5 of its calls failed in a row"
    nodes[1].heard(State.FAILING)
    (only,) = levels_of(nodes, 50.0)
    assert only.usable == [nodes[2]]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=5).filter(any))
def test_shares_are_all_of_the_calls(parts):
    assert sum(shares_of(parts)) == pytest.approx(1)
    assert all(share == 0 for share, part in zip(shares_of(parts), parts, strict=True) if not part)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2),
            st.integers(1, 5),
            st.booleans(),
            st.sampled_from(list(State)),
        ),
        min_size=1,
        max_size=12,
    ),
    st.floats(1, 100),
)
def test_with_a_threshold_there_is_always_somebody(given_nodes, threshold):
    nodes = []
    for number, (priority, weight, out, state) in enumerate(given_nodes):
        node = node_of(number, priority=priority, weight=weight)
        node.heard(state)
        if out:
            node.out[Cause.OUTLIER] = "it fails"
        nodes.append(node)
    found = levels_of(nodes, threshold)
    assert sum(each.share for each in found) == pytest.approx(1)
    assert all(each.usable and set(each.usable) <= set(each.members) for each in found)
