"""What several workers tell of the same upstreams becomes one answer."""

import pytest

from gateway.supervisor.upstreams import merged


def endpoint(address, **told):
    usual = {
        "address": address,
        "weight": 1.0,
        "zone": "a",
        "priority": 0,
        "state": "ready",
        "unreached": None,
        "takes_calls": True,
        "out": [],
        "panic": False,
        "seconds": 10.0,
        "pending": 1,
        "calls": 10,
        "failures": 1,
        "latency": 0.01,
        "ejections": 0,
    }
    return {**usual, **told}


def answer(*endpoints, name="shop", **told):
    upstream = {"name": name, "policy": "random", "waiting": 1, "endpoints": list(endpoints)}
    return {"workers": 1, "upstreams": [{**upstream, **told}]}


def one(*answers):
    """The only endpoint of the only upstream."""
    ((found,),) = (each["endpoints"] for each in merged(answers)["upstreams"])
    return found


def test_one_worker_s_answer_is_its_own():
    only = answer(endpoint("a:1"), counts={"retries": 2})
    assert merged([only]) == only


def test_what_each_counts_adds_up():
    found = one(answer(endpoint("a:1")), answer(endpoint("a:1", calls=5, ejections=2)))
    assert (found["calls"], found["pending"], found["failures"]) == (15, 2, 2)
    assert found["ejections"] == 2
    whole = merged([answer(counts={"retries": 2}), answer(counts={"retries": 1, "moved": 4})])
    assert whole["workers"] == 2
    assert whole["upstreams"][0]["counts"] == {"retries": 3, "moved": 4}
    assert whole["upstreams"][0]["waiting"] == 2


def test_one_that_is_used_in_the_panic_of_a_worker_is_used():
    out = {"out": [{"cause": "ejected", "why": "5 errors"}], "takes_calls": False}
    pressed = answer(endpoint("a:1", panic=True, **out))
    assert one(answer(endpoint("a:1", **out)), pressed)["panic"]
    assert not one(answer(endpoint("a:1", **out)))["panic"]


def test_of_what_they_see_differently_the_worst_is_told():
    found = one(
        answer(endpoint("a:1", latency=None)),
        answer(endpoint("a:1", state="failing", unreached="refused", latency=0.2)),
        answer(endpoint("a:1", state="connecting")),
    )
    assert (found["state"], found["unreached"]) == ("failing", "refused")
    assert found["latency"] == 0.2
    assert one(answer(endpoint("a:1", latency=None)))["latency"] is None


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        pytest.param([(True, 30.0), (True, 2.0)], (True, 30.0), id="since-the-first-had-it-do-so"),
        pytest.param([(False, 60.0), (True, 5.0)], (True, 5.0), id="only-of-those-that-do"),
        pytest.param([(False, 60.0), (False, 5.0)], (False, 5.0), id="since-the-last-took-it-out"),
    ],
)
def test_it_takes_calls_where_it_does_of_any_and_for_as_long(told, expected):
    found = one(*(answer(endpoint("a:1", takes_calls=takes, seconds=each)) for takes, each in told))
    assert (found["takes_calls"], found["seconds"]) == expected


def test_a_reason_is_told_once_with_how_many_have_it():
    ejected = {"cause": "ejected", "why": "5 errors in a row"}
    found = one(
        answer(endpoint("a:1", out=[ejected], takes_calls=False)),
        answer(endpoint("a:1")),
        answer(endpoint("a:1", out=[ejected], takes_calls=False)),
    )
    assert found["out"] == [{**ejected, "workers": 2}]
    assert found["takes_calls"], "one of them has it take calls"


def test_all_that_any_of_them_has_is_told_in_order():
    whole = merged(
        [
            answer(endpoint("a:1"), endpoint("b:1")),
            answer(endpoint("b:1"), endpoint("c:1")),
            answer(name="chat"),
        ]
    )
    assert [each["name"] for each in whole["upstreams"]] == ["shop", "chat"]
    addresses = [each["address"] for each in whole["upstreams"][0]["endpoints"]]
    assert addresses == ["a:1", "b:1", "c:1"]


def test_weights_that_backends_tell_each_worker_are_averaged():
    found = one(answer(endpoint("a:1", weight=1.0)), answer(endpoint("a:1", weight=4.0)))
    assert found["weight"] == 2.5


def test_where_one_worker_cannot_look_endpoints_up_the_whole_says_why():
    why = "there is no such name"
    answers = [answer(unresolved=None), answer(unresolved=why), answer(unresolved=None)]
    assert merged(answers)["upstreams"][0]["unresolved"] == why
    assert merged(answers[:1])["upstreams"][0]["unresolved"] is None


def test_copies_of_calls_add_up_where_they_are_sent():
    sent = {"sent": 3, "failed": 1, "left_out": 0}
    whole = merged([answer(copies=sent), answer(copies=sent), answer()])
    assert whole["upstreams"][0]["copies"] == {"sent": 6, "failed": 2, "left_out": 0}
    assert "copies" not in merged([answer(), answer()])["upstreams"][0]


def test_what_only_some_could_not_look_up_is_told():
    whole = merged([answer(unresolved=None), answer(unresolved="no such name")])
    assert whole["upstreams"][0]["unresolved"] == "no such name"


def test_one_that_was_listed_again_while_it_drains_is_told_twice():
    draining = endpoint("a:1", out=[{"cause": "draining", "why": "it is not listed any more"}])
    whole = merged([answer(endpoint("a:1"), draining), answer(endpoint("a:1"))])
    assert [each["calls"] for each in whole["upstreams"][0]["endpoints"]] == [20, 10]
