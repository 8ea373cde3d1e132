"""What can be asked of usage, and the answer."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.state.usage.counts import NUMBERS, Caller, Count, Key, add
from gateway.state.usage.question import COLUMNS, Question, QuestionError, answered, newest, read

NOW = datetime(2026, 11, 21, 23, 59, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        ("today", "2026-11-21"),
        ("month", "2026-11"),
        ("2026-02-28", "2026-02-28"),
        ("2026-02", "2026-02"),
    ],
)
def test_a_period_is_a_day_or_a_month_in_utc(period, expected):
    assert read({"period": period}, lambda: NOW).period == expected


def test_without_arguments_it_is_today_by_all():
    assert read({}, lambda: NOW) == ("2026-11-21", ("principal", "plan", "method"))


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("", ()),
        ("plan", ("plan",)),
        ("method,principal", ("principal", "method")),
    ],
)
def test_by_what_it_is_told_apart(by, expected):
    assert read({"by": by}).by == expected


@pytest.mark.parametrize(
    "arguments",
    [
        {"period": ""},
        {"period": "yesterday"},
        {"period": "2026"},
        {"period": "2026-13"},
        {"period": "2026-02-29"},
        {"period": "2026-W47"},
        {"period": "2026-11-21T00"},
        {"period": "٢٠٢٦-11"},
        {"by": "caller"},
        {"by": "plan,"},
        {"by": "plan,plan"},
        {"of": "acme"},
    ],
)
def test_what_can_t_be_understood_says_what_was_expected(arguments):
    with pytest.raises(QuestionError, match=r"expected|there are: period, by, format\."):
        read(arguments)


@given(st.text(max_size=12), st.text(max_size=12))
def test_any_text_is_a_question_or_no_question(period, by):
    try:
        question = read({"period": period, "by": by})
    except QuestionError:
        return
    assert 1 <= len(question.days) <= 31


@pytest.mark.parametrize(
    ("month", "days"),
    [("2026-02", 28), ("2028-02", 29), ("2026-11", 30), ("2026-12", 31), ("9999-12", 31)],
)
def test_a_month_is_its_days(month, days):
    found = Question(month, ()).days
    assert (len(found), found[0], found[-1]) == (days, f"{month}-01", f"{month}-{days}")


COUNTS = {
    Key("2026-11-20", Caller("keys", "acme", "free"), "a/B"): Count(1, 0, 1, 10, 1, 100),
    Key("2026-11-21", Caller("keys", "acme", "free"), "a/B"): Count(2, 1, 2, 20, 1, 200),
    Key("2026-11-21", Caller("keys", "acme", "paid"), "a/C"): Count(4, 0, 4, 40, 4, 400),
    Key("2026-11-21", Caller("jwt", "acme", "free"), "a/B"): Count(8, 0, 8, 80, 8, 800),
}


def told(*by):
    answer = answered(Question("2026-11", by), COUNTS)
    assert (answer["period"], answer["by"]) == ("2026-11", list(by))
    return [(*list(row.values())[: -len(NUMBERS)], row["calls"]) for row in answer["rows"]]


def test_rows_are_sums_in_order():
    assert told() == [(15,)]
    assert told("plan") == [("free", 11), ("paid", 4)]
    assert told("principal") == [("jwt", "acme", 8), ("keys", "acme", 7)]
    assert told("principal", "plan", "method") == [
        ("jwt", "acme", "free", "a/B", 8),
        ("keys", "acme", "free", "a/B", 3),
        ("keys", "acme", "paid", "a/C", 4),
    ]


def test_all_numbers_are_told():
    (row,) = answered(Question("2026-11", ()), COUNTS)["rows"]
    assert row == dict(zip(NUMBERS, (15, 1, 15, 150, 14, 1500), strict=True))


def test_nothing_is_no_row():
    assert answered(Question("2026-11", ()), {})["rows"] == []


KEYS = st.builds(
    Key,
    st.just("2026-11-21"),
    st.builds(Caller, st.sampled_from("ab"), st.sampled_from("xy"), st.sampled_from("pq")),
    st.sampled_from(["a/B", "a/C"]),
)
COUNTED = st.dictionaries(KEYS, st.builds(Count, *[st.integers(0, 9)] * len(NUMBERS)), max_size=6)
BY = st.lists(st.sampled_from(list(COLUMNS)), unique=True).map(
    lambda by: tuple(each for each in COLUMNS if each in by)
)


@given(COUNTED, BY)
def test_however_it_is_told_apart_the_sum_is_the_same(counts, by):
    rows = answered(Question("2026-11-21", by), counts)["rows"]
    for name in NUMBERS:
        assert sum(row[name] for row in rows) == sum(
            getattr(each, name) for each in counts.values()
        )


@given(st.lists(COUNTED, min_size=1, max_size=4), st.randoms(), BY)
def test_of_one_store_that_grows_the_newest_answer_has_all(batches, random, by):
    question, store, answers = Question("2026-11-21", by), {}, []
    for batch in batches:  # each process tells what it counted, and reads
        add(store, batch)
        answers.append(answered(question, store))
    last = answers[-1]["rows"]
    random.shuffle(answers)
    assert newest(answers)["rows"] == last
