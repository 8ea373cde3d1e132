"""Points in time as people write them."""

import pytest

from gateway.config.instants import format_instant, parse_instant


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2027-06-30T12:00:00Z", 1814356800),
        ("2027-06-30T14:00:00+02:00", 1814356800),
        ("2027-06-30T12:00:00.5Z", 1814356800.5),
    ],
)
def test_what_is_read(text, seconds):
    assert parse_instant(text) == seconds
    if text.endswith("0Z"):
        assert format_instant(seconds) == text


@pytest.mark.parametrize(
    "text",
    ["", "2027-06-30", "2027-06-30T12:00:00", "2027-02-30T12:00:00Z", "2027-06-30T24:30:00Z",
     "2027-06-30 12:00:00Z", "2027-06-30T12:00:00z", "1814356800", "2027-06-30T12:00:00+25:00",
     "２027-06-30T12:00:00Z"],
    ids=["nothing", "a day", "no zone", "a 30th of February", "hour 24", "a space", "a small z",
         "a number", "zone 25", "other digits"],
)  # fmt: skip
def test_what_is_refused(text):
    with pytest.raises(ValueError, match="a time with its zone"):
        parse_instant(text)
