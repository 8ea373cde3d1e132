"""Arguments of operations: texts that are read, or refused with what they may be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.operations import NOT_ASKED_RIGHT, OperationError
from gateway.operations.arguments import one_of, only, part, seconds, whole


def refused(what, *arguments):
    with pytest.raises(OperationError) as error:
        what(*arguments)
    assert error.value.reason == NOT_ASKED_RIGHT
    return error.value.message


def test_what_is_not_known_is_refused_with_what_is():
    only({"limit": "1"}, "limit", "after")
    message = refused(only, {"size": "1"}, "limit", "after")
    assert message == "There is no parameter 'size'; there are: limit, after."
    assert refused(only, {"size": "1"}) == "There is no parameter 'size'; there are none."


@pytest.mark.parametrize("text", ["", "-1", "1.5", "x", "11", "1" * 30, "٣", "²"])
def test_a_number_that_is_none_or_too_large_is_refused(text):
    expected = "n: expected a whole number from 0 to 10."
    assert refused(whole, {"n": text}, "n", 5, 10) == expected


def test_a_number_has_a_default():
    assert (whole({}, "n", 5, 10), whole({"n": "010"}, "n", 5, 10)) == (5, 10)


@pytest.mark.parametrize("text", ["", "0s", "10", "2h", "-1s", "soon"])
def test_a_duration_that_is_none_or_too_long_is_refused(text):
    expected = "for: expected a duration such as 10m, of 1h at most."
    assert refused(seconds, {"for": text}, "for", 60.0, 3600.0) == expected


def test_a_duration_is_in_seconds():
    assert seconds({"for": "10m"}, "for", 60.0, 3600.0) == 600.0
    assert seconds({}, "for", 60.0, 3600.0) == 60.0


def test_one_of_some():
    assert one_of({"level": "debug"}, "level", ["debug"]) == "debug"
    assert one_of({}, "level", ["debug"]) is None
    assert refused(one_of, {"level": "x"}, "level", ["debug", "info"]) == (
        "level: expected one of debug, info."
    )


@given(st.lists(st.integers(), max_size=30), st.integers(1, 10))
def test_parts_are_the_whole_in_order(rows, limit):
    found, after = [], {}
    while True:
        answer = part(rows, {"limit": str(limit), **after}, 5, 10)
        assert answer["count"] == len(rows)
        assert len(answer["rows"]) <= limit
        found += answer["rows"]
        if "after" not in answer:
            break
        after = {"after": str(answer["after"])}
    assert found == rows


def test_a_part_of_nothing_and_one_beyond_the_end_end():
    assert part([1, 2], {"limit": "0"}, 5, 10) == {"count": 2, "rows": []}
    assert part([1, 2], {"after": "9"}, 5, 10) == {"count": 2, "rows": []}
