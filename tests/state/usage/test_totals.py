"""What the memory of a process keeps: eight days, two months, and so many callers."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.state.usage import totals as module
from gateway.state.usage.counts import ANONYMOUS, Caller, Count, Key
from gateway.state.usage.question import Question, QuestionError
from gateway.state.usage.totals import DAYS, Totals

START = datetime(2026, 10, 1, 12, tzinfo=UTC)


def counted(day, subject="acme", calls=1):
    return {Key(day, Caller("keys", subject, ""), "a/B"): Count(calls=calls)}


def totals(most=100, now=START):
    return Totals(lambda: most, now.timestamp)


def answer(of, period, *by):
    return asyncio.run(of.answer(Question(period, by)))["rows"]


def calls(of, period, *by):
    return {
        tuple(value for name, value in row.items() if name in {"subject", "method"}): row["calls"]
        for row in answer(of, period, *by)
    }


def test_days_and_their_month_add_up():
    kept = totals()
    kept.add(counted("2026-11-20"))
    kept.add(counted("2026-11-21", calls=2))
    kept.add(counted("2026-11-21", calls=4))
    assert calls(kept, "2026-11-21") == {(): 6}
    assert calls(kept, "2026-11-20") == {(): 1}
    assert calls(kept, "2026-11") == {(): 7}


def test_a_day_without_calls_has_no_rows():
    kept = totals()
    kept.add(counted("2026-11-20"))
    for day in ["2026-11-19", "2026-11-21", "2026-12-01", "2026-10-01", "2026-12"]:
        assert calls(kept, day) == {}


@pytest.mark.parametrize("period", ["2026-09-30", "2026-09"])
def test_what_was_before_it_is_not_known(period):
    with pytest.raises(QuestionError, match=f"{period} is not kept in memory, which begins with"):
        answer(totals(), period)


def test_what_is_too_old_is_forgotten_and_says_so():
    kept = totals()
    for number in range(60):
        day = (START + timedelta(days=number)).date().isoformat()
        kept.add(counted(day))
    assert calls(kept, "2026-11") == {(): 29}
    assert calls(kept, "2026-10") == {(): 31}
    assert len(kept._periods) == DAYS + 2
    with pytest.raises(QuestionError, match=r"2026-11-21 is not kept in memory"):
        answer(kept, "2026-11-21")
    assert calls(kept, "2026-11-22") == {(): 1}
    kept.add(counted("2026-12-01"))
    with pytest.raises(QuestionError, match="2026-10 is not kept"):
        answer(kept, "2026-10")


def test_no_more_callers_than_may_be_are_told_apart_in_a_period():
    kept = totals(most=2)
    for subject in "abcab":
        kept.add(counted("2026-11-21", subject))
    kept.add({Key("2026-11-21", ANONYMOUS, "a/B"): Count(calls=9)})
    kept.add(counted("2026-11-22", "c"))
    assert calls(kept, "2026-11-21", "principal") == {
        ("a",): 2,
        ("b",): 2,
        ("others",): 1,
        ("",): 9,
    }
    assert calls(kept, "2026-11-22", "principal") == {("c",): 1}
    assert calls(kept, "2026-11", "principal") == {("a",): 2, ("b",): 2, ("others",): 2, ("",): 9}


def test_no_more_rows_than_may_be_are_kept_of_a_period(monkeypatch, caplog):
    monkeypatch.setattr(module, "MORE", 3)
    kept = totals(most=2)
    for number in range(20):
        for subject in "ab":
            key = Key("2026-11-21", Caller("keys", subject, ""), f"a/M{number}")
            kept.add({key: Count(calls=1)})
            kept.add({key: Count(calls=1)})
    assert len(answer(kept, "2026-11-21", "principal", "method")) == 5 + 18  # others': a row each
    assert sum(calls(kept, "2026-11-21", "principal").values()) == 80
    assert sum(calls(kept, "2026-11", "principal").values()) == 80
    assert "usage of 2026-11-21 has 5 rows: the rest is counted as one" in caplog.messages
    assert len(caplog.messages) == 2


@given(
    st.lists(st.tuples(st.integers(20, 26), st.sampled_from("abcd"), st.integers(1, 5))),
    st.integers(1, 5),
)
def test_a_month_is_the_sum_of_its_days(made, most):
    kept = totals(most)
    for day, subject, number in made:
        kept.add(counted(f"2026-11-{day}", subject, number))
    days = [sum(calls(kept, f"2026-11-{day}").values()) for day in range(23, 27)]
    assert sum(calls(kept, "2026-11").values()) == sum(number for _, _, number in made)
    assert sum(days) == sum(number for day, _, number in made if day >= 23)
