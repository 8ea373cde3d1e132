"""Whose turn it is."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.upstream.channel import State
from gateway.upstream.round_robin import pick

IDLE, CONNECTING, READY, FAILING, CLOSED = State

STATES = st.lists(st.sampled_from(State), min_size=1, max_size=8)


def picks(states, turns=12, tried=()):
    return [pick(states, turn, tried) for turn in range(turns)]


@pytest.mark.parametrize(
    ("states", "picked"),
    [
        ([READY], [0, 0, 0, 0]),
        ([READY, READY, READY], [0, 1, 2, 0]),
        ([IDLE, IDLE], [0, 1, 0, 1]),
        ([READY, IDLE], [0, 1, 0, 1]),
        ([READY, FAILING], [0, 0, 0, 0]),
        ([FAILING, READY, READY], [1, 2, 1, 2]),
        ([CONNECTING, READY], [1, 1, 1, 1]),
        ([CONNECTING, FAILING], [0, 0, 0, 0]),
        ([CONNECTING, CONNECTING], [0, 1, 0, 1]),
        ([FAILING, FAILING], [0, 1, 0, 1]),
        ([CLOSED, FAILING], [1, 1, 1, 1]),
        ([CLOSED], [0, 0, 0, 0]),
    ],
    ids=lambda value: "-".join(getattr(item, "value", str(item)) for item in value),
)
def test_the_best_are_taken_in_turn(states, picked):
    assert picks(states, 4) == picked


def test_what_was_tried_is_not_picked_though_it_looks_better():
    assert picks([READY, FAILING, FAILING], 4, tried=[0]) == [1, 2, 1, 2]


@given(STATES)
def test_turns_are_fair(states):
    shares = Counter(picks(states, 8 * 7 * 6 * 5))
    assert len(set(shares.values())) == 1


@given(STATES, st.integers(min_value=0), st.data())
def test_a_call_visits_every_endpoint_once(states, turn, data):
    tried = []
    while len(tried) < len(states):
        tried.append(pick(states, turn, tried))
    assert sorted(tried) == list(range(len(states)))
