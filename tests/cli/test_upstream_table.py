"""Upstreams as rows for people."""

import pytest

from gateway.cli.upstream_table import (
    HEADS,
    SPARE,
    Seen,
    idle,
    narrowed,
    reasons,
    rows,
    settled,
    silent,
    totals,
)
from tests.supervisor.test_upstreams import answer, endpoint


def row(now, before=None):
    """The first row by its heads."""
    return dict(zip(HEADS, rows(now, before)[0], strict=True))


def test_each_endpoint_is_a_row():
    told = Seen(answer(endpoint("a:1", calls=1234), endpoint("b:1")), 0.0)
    assert [each[:2] for each in rows(told)] == [("shop", "a:1"), ("shop", "b:1")]
    assert row(told) == {
        "UPSTREAM": "shop",
        "ENDPOINT": "a:1",
        "ZONE": "a",
        "PRIORITY": "0",
        "WEIGHT": "1",
        "STATE": "ready",
        "PENDING": "1",
        "LATENCY": "10.0 ms",
        "CALLS": "1,234",
        "CALLS/S": "-",
        "FAILURES": "1",
        "EJECTIONS": "0",
        "WHY": "-",
    }


def test_what_was_never_called_has_no_latency():
    assert row(Seen(answer(endpoint("a:1", latency=None)), 0.0))["LATENCY"] == "-"


def test_a_rate_is_told_of_two_answers():
    before = Seen(answer(endpoint("a:1", calls=100)), 10.0)
    now = Seen(answer(endpoint("a:1", calls=350)), 12.0)
    assert row(now, before)["CALLS/S"] == "125"


def test_there_is_no_rate_of_a_gateway_or_an_endpoint_that_began_anew():
    now = Seen(answer(endpoint("a:1", calls=5)), 1.0)
    assert row(now, Seen(answer(endpoint("a:1", calls=9)), 0.0))["CALLS/S"] == "-"
    assert row(now, Seen(answer(endpoint("b:1", calls=1)), 0.0))["CALLS/S"] == "-"


def test_one_that_was_listed_again_while_it_drains_has_a_rate_of_its_own():
    out = [{"cause": "draining", "why": "it is not listed any more"}]
    before = Seen(answer(endpoint("a:1", calls=10), endpoint("a:1", out=out, calls=500)), 0.0)
    now = Seen(answer(endpoint("a:1", calls=30), endpoint("a:1", out=out, calls=501)), 1.0)
    rates = HEADS.index("CALLS/S")
    assert [each[rates] for each in rows(now, before)] == ["20", "1"]


def test_settings_are_told_where_an_endpoint_has_one():
    def heads(*endpoints, **told):
        return settled(rows(Seen(answer(*endpoints, **told), 0.0)))[0]

    plain = endpoint("a:1", zone=None)
    settings = {"ZONE", "PRIORITY", "WEIGHT"}
    assert settings.isdisjoint(heads(plain))
    assert settings.isdisjoint(heads(unresolved="no such name"))
    assert settings.isdisjoint(heads())
    assert settings & {*heads(plain, endpoint("b:1"))} == {"ZONE"}
    assert settings & {*heads(plain, endpoint("b:1", zone=None, priority=1))} == {"PRIORITY"}
    assert settings & {*heads(endpoint("b:1", zone=None, weight=0.1), plain)} == {"WEIGHT"}


def test_a_table_tells_the_settings_of_each():
    told = answer(endpoint("a:1", zone="x\x1b", priority=1, weight=2.5), endpoint("b:1", zone=None))
    _, found = settled(rows(Seen(told, 0.0)))
    assert [each[1:5] for each in found] == [
        ("a:1", "x\\x1b", "1", "2.5"),
        ("b:1", "-", "0", "1"),
    ]


def test_the_state_of_one_that_is_out_is_why_and_says_so():
    out = [{"cause": "unhealthy", "why": "no answer"}, {"cause": "ejected", "why": "5 errors"}]
    found = row(Seen(answer(endpoint("a:1", out=out, takes_calls=False)), 0.0))
    assert (found["STATE"], found["WHY"]) == ("unhealthy/ejected", "no answer; 5 errors")


def test_one_that_cannot_be_reached_says_why():
    found = row(Seen(answer(endpoint("a:1", state="failing", unreached="refused\x1b")), 0.0))
    assert (found["STATE"], found["WHY"]) == ("failing", "refused\\x1b")
    out = [{"cause": "unhealthy", "why": "no answer"}]
    told = answer(endpoint("a:1", state="failing", unreached="refused", out=out))
    assert row(Seen(told, 0.0))["WHY"] == "no answer; refused"


@pytest.mark.parametrize(
    ("cause", "panic", "state"),
    [("ejected", True, "ejected (used: panic)"), ("ejected", False, "ejected")],
)
def test_one_that_is_out_says_so_where_it_is_used_in_panic(cause, panic, state):
    out = [{"cause": cause, "why": "5 errors"}]
    found = row(Seen(answer(endpoint("a:1", out=out, takes_calls=False, panic=panic)), 0.0))
    assert found["STATE"] == state


def test_a_reason_of_some_workers_says_of_how_many():
    out = [{"cause": "ejected", "why": "5 errors", "workers": 1}]
    told = {**answer(endpoint("a:1", out=out)), "workers": 4}
    assert row(Seen(told, 0.0))["WHY"] == "5 errors (1 of 4 workers)"
    out[0]["workers"] = 4
    assert row(Seen(told, 0.0))["WHY"] == "5 errors"


def test_workers_that_did_not_answer_are_told():
    told = {**answer(endpoint("a:1")), "workers": 3}
    assert silent(told) == ""
    assert silent(told | {"unanswered": 1}) == "1 of 4 workers did not answer"


def test_nothing_of_a_backend_moves_the_cursor():
    out = [{"cause": "unhealthy", "why": "it said \x1b[2J"}]
    found = row(Seen(answer(endpoint("unix:/\x9b1m\n", out=out)), 0.0))
    assert (found["WHY"], found["ENDPOINT"]) == ("it said \\x1b[2J", "unix:/\\x9b1m\\n")


def test_a_whole_upstream_tells_what_it_counts():
    heads, found = totals(answer(counts={"calls": 1000, "budget_spent": 2}))
    assert heads == ("UPSTREAM", "POLICY", "WAITING", "CALLS", "BUDGET SPENT")
    assert found == [("shop", "random", "1", "1,000", "2")]
    assert totals(answer())[0] == ("UPSTREAM", "POLICY", "WAITING")


def test_copies_of_calls_are_told_of_whom_they_were_sent_to():
    heads, found = totals(answer(counts={"calls": 9}, copies={"sent": 3, "left_out": 1}))
    assert heads[3:] == ("CALLS", "COPIES SENT", "COPIES LEFT OUT")
    assert found[0][3:] == ("9", "3", "1")


def test_where_nobody_knows_is_a_row_too():
    found = row(Seen(answer(unresolved="no such name"), 0.0))
    assert (found["STATE"], found["ENDPOINT"], found["WHY"]) == ("unresolved", "-", "no such name")


HEADING = ("ENDPOINT", "CALLS", "WHY")
ROWS = [("a:1", "1,234", "it is slow"), ("b:1", "5", "-")]


@pytest.mark.parametrize(
    ("width", "left"),
    [
        pytest.param(27, ("ENDPOINT", "CALLS", "WHY"), id="just wide enough"),
        pytest.param(26, ("ENDPOINT", "CALLS"), id="the first is left out"),
        pytest.param(15, ("ENDPOINT", "CALLS"), id="no more than it takes"),
        pytest.param(14, ("ENDPOINT",), id="the next, too"),
        pytest.param(1, ("ENDPOINT",), id="and never what tells them apart"),
    ],
)
def test_a_narrow_terminal_does_without_some(width, left):
    heads, texts = narrowed(HEADING, ROWS, width, SPARE)
    assert heads == left
    assert texts == [row[: len(left)] for row in ROWS]


def test_a_table_without_rows_is_narrowed_too():
    assert narrowed(HEADING, [], 10, SPARE) == (("ENDPOINT",), [])


def test_reasons_say_of_which_endpoint_or_upstream():
    out = [{"cause": "ejected", "why": "5 errors"}]
    told = answer(endpoint("a:1", out=out), endpoint("b:1"))
    assert reasons(rows(Seen(told, 0.0))) == ["a:1: 5 errors"]
    told["upstreams"][0]["unresolved"] = "no such name"
    assert reasons(rows(Seen(told, 0.0))) == ["shop: no such name", "a:1: 5 errors"]


def test_what_nothing_was_counted_of_can_be_left_out_first():
    heads, found = totals(answer(counts={"calls": 9, "retries": 0, "moved": 0}))
    assert idle(heads, found) == ["MOVED", "RETRIES"]
