"""Which upstreams no call can be made to."""

from __future__ import annotations

import pytest

from gateway.app import standing


def endpoint(state="ready", *, takes=True, panic=False):
    return {"state": state, "takes_calls": takes, "panic": panic}


@pytest.fixture
def told(monkeypatch):
    monkeypatch.setattr(standing, "report", lambda endpoints: {"endpoints": endpoints})

    def told(*endpoints):
        return list(standing.idle_upstreams({"shop": endpoints}))

    return told


@pytest.mark.parametrize("state", ["ready", "idle", "connecting"])
def test_one_that_works_or_was_not_tried_is_enough(told, state):
    assert told(endpoint("failing"), endpoint(state), endpoint(takes=False)) == []


def test_one_that_is_out_works_where_there_is_a_panic(told):
    assert told(endpoint(takes=False, panic=True)) == []


@pytest.mark.parametrize(
    "endpoints",
    [
        pytest.param([endpoint("failing")], id="no connection"),
        pytest.param([endpoint("closed")], id="closed"),
        pytest.param([endpoint(takes=False)], id="left out"),
        pytest.param([endpoint("failing"), endpoint(takes=False)], id="each for its own reason"),
    ],
)
def test_where_none_works_it_is_told(told, endpoints):
    assert told(*endpoints) == ["The upstream shop has no endpoint that works."]


def test_without_an_endpoint_that_is_told(told):
    assert told() == ["The upstream shop has no endpoint."]
