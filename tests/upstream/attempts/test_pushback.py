"""What backends say of when to ask again: gRFC A6, "Pushback"."""

import pytest

from gateway.call import NO_METADATA, Metadata
from gateway.upstream.attempts.pushback import KEY, LONGEST, NEVER, pushback_of


def said(*values):
    return pushback_of(Metadata((KEY, value) for value in values))


def test_nothing_is_said():
    assert pushback_of(NO_METADATA) is None
    assert pushback_of(Metadata([("other", "5")])) is None


@pytest.mark.parametrize(("text", "seconds"), [("0", 0.0), ("1", 0.001), ("1500", 1.5)])
def test_milliseconds(text, seconds):
    assert said(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("-1", id="negative"),
        pytest.param("", id="empty"),
        pytest.param("01", id="a-leading-zero"),
        pytest.param("+5", id="a-plus"),
        pytest.param("5ms", id="a-unit"),
        pytest.param("1.5", id="a-fraction"),
        pytest.param(" 5", id="a-space"),
        pytest.param("٥", id="another-alphabet"),
        pytest.param("99999999999", id="more-than-32-bits"),
    ],
)
def test_what_is_negative_or_no_number_says_never(text):
    assert said(text) == NEVER


def test_two_values_say_never():
    assert said("5", "5") == NEVER


def test_who_asks_for_too_much_time_asks_for_none():
    assert said(str(int(LONGEST * 1000))) == LONGEST
    assert said(str(int(LONGEST * 1000) + 1)) == NEVER
