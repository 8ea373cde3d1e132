"""What callers say of their traces: the cases of W3C's own test suite, and its limits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.telemetry.tracing.context import Parent, parent_of, shortened, state_of

TRACE = "12345678901234567890123456789012"
SPAN = "1234567890123456"
VALID = f"00-{TRACE}-{SPAN}-01"


@pytest.mark.parametrize(
    ("flags", "sampled", "random"),
    [("00", False, False), ("01", True, False), ("02", False, True), ("03", True, True),
     ("09", True, False), ("fe", False, True), ("ff", True, True)],
)  # fmt: skip
def test_flags_are_bits(flags, sampled, random):
    assert parent_of(f"00-{TRACE}-{SPAN}-{flags}") == Parent(TRACE, SPAN, sampled, random)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(f" {VALID}", id="space-before"),
        pytest.param(f"\t{VALID}", id="tab-before"),
        pytest.param(f"{VALID} ", id="space-after"),
        pytest.param(f"\t {VALID} \t", id="both"),
        pytest.param(f"cc-{TRACE}-{SPAN}-01", id="later-version"),
        pytest.param(f"cc-{TRACE}-{SPAN}-01-what-the-future-will-be-like", id="later-with-more"),
        pytest.param(f"fe-{TRACE}-{SPAN}-01-", id="later-with-a-dash"),
    ],
)
def test_valid(value):
    assert parent_of(value) == parent_of(VALID) != None  # noqa: E711  both hold


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("", id="nothing"),
        pytest.param(f"00-{TRACE}-{SPAN}-01.", id="more-in-version-0"),
        pytest.param(f"00-{TRACE}-{SPAN}-01-what-the-future-will-be-like", id="parts-in-version-0"),
        pytest.param(f"cc-{TRACE}-{SPAN}-01.what-the-future-will-be-like", id="later-without-dash"),
        pytest.param(f"ff-{TRACE}-{SPAN}-01", id="version-ff"),
        pytest.param(f".0-{TRACE}-{SPAN}-01", id="version-illegal"),
        pytest.param(f"0.-{TRACE}-{SPAN}-01", id="version-illegal-2"),
        pytest.param(f"000-{TRACE}-{SPAN}-01", id="version-long"),
        pytest.param(f"0-{TRACE}-{SPAN}-01", id="version-short"),
        pytest.param(f"00-{'0' * 32}-{SPAN}-01", id="trace-zero"),
        pytest.param(f"00-.{TRACE[1:]}-{SPAN}-01", id="trace-illegal"),
        pytest.param(f"00-{TRACE[:-1]}.-{SPAN}-01", id="trace-illegal-2"),
        pytest.param(f"00-{TRACE}3-{SPAN}-01", id="trace-long"),
        pytest.param(f"00-{TRACE[:-1]}-{SPAN}-01", id="trace-short"),
        pytest.param(f"00-{'A' * 32}-{SPAN}-01", id="trace-upper-case"),
        pytest.param(f"00-{TRACE}-{'0' * 16}-01", id="parent-zero"),
        pytest.param(f"00-{TRACE}-.{SPAN[1:]}-01", id="parent-illegal"),
        pytest.param(f"00-{TRACE}-{SPAN[:-1]}.-01", id="parent-illegal-2"),
        pytest.param(f"00-{TRACE}-{SPAN}7-01", id="parent-long"),
        pytest.param(f"00-{TRACE}-{SPAN[:-1]}-01", id="parent-short"),
        pytest.param(f"00-{TRACE}-{SPAN}-.0", id="flags-illegal"),
        pytest.param(f"00-{TRACE}-{SPAN}-0.", id="flags-illegal-2"),
        pytest.param(f"00-{TRACE}-{SPAN}-001", id="flags-long"),
        pytest.param(f"00-{TRACE}-{SPAN}-1", id="flags-short"),
        pytest.param(f"cc-{TRACE}-{SPAN}-01-{'a' * 1000}", id="longer-than-anybody-needs"),
        pytest.param(f"00-{TRACE}-{SPAN}-01\n", id="line-end"),
        pytest.param("00-" + "\u0661" * 32 + f"-{SPAN}-01", id="other-digits"),
    ],
)
def test_not_valid(value):
    assert parent_of(value) is None


@given(st.text(max_size=80))
def test_anything_is_read_or_not(value):
    found = parent_of(value)
    assert found is None or len(found.trace_id) == 16


KEY = "abcdefghijklmnopqrstuvwxyz0123456789_-*/"
VALUE = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) not in ",=")


@pytest.mark.parametrize(
    ("values", "state"),
    [
        pytest.param(["foo=1,bar=2"], "foo=1,bar=2", id="two"),
        pytest.param([""], "", id="empty"),
        pytest.param(["foo=1", ""], "foo=1", id="empty-after"),
        pytest.param(["", "foo=1"], "foo=1", id="empty-before"),
        pytest.param(["foo=1,bar=2", "rojo=1,congo=2", "baz=3"],
                     "foo=1,bar=2,rojo=1,congo=2,baz=3", id="several-fields"),
        pytest.param(["foo=1 \t , \t bar=2, \t baz=3"], "foo=1,bar=2,baz=3", id="white-space"),
        pytest.param(["\t foo=1 \t"], "foo=1", id="white-space-around"),
        pytest.param([f"{KEY}={VALUE}"], f"{KEY}={VALUE}", id="all-characters"),
        pytest.param([f"{KEY}@a-z0-9_-*/={VALUE}"], f"{KEY}@a-z0-9_-*/={VALUE}", id="of-a-tenant"),
        pytest.param(["foo=1", "z" * 256 + "=1"], "foo=1," + "z" * 256 + "=1", id="key-of-256"),
        pytest.param(["t" * 241 + "@" + "v" * 14 + "=1"], "t" * 241 + "@" + "v" * 14 + "=1",
                     id="tenant-of-241"),
        pytest.param([",".join(f"bar{n}={n}" for n in range(32))],
                     ",".join(f"bar{n}={n}" for n in range(32)), id="32-members"),
        pytest.param([",".join(f"bar{n}={n}" for n in range(33))], "", id="33-members"),
        pytest.param(["foo=1,foo=1"], "", id="twice"),
        pytest.param(["foo=1,foo=2"], "", id="twice-not-alike"),
        pytest.param(["foo=1", "foo=2"], "", id="twice-in-fields"),
        pytest.param(["foo =1"], "", id="space-in-key"),
        pytest.param(["FOO=1"], "", id="upper-case"),
        pytest.param(["foo.bar=1"], "", id="dot"),
        pytest.param(["foo@=1,bar=2"], "", id="no-system"),
        pytest.param(["@foo=1,bar=2"], "", id="no-tenant"),
        pytest.param(["foo@@bar=1,bar=2"], "", id="two-at"),
        pytest.param(["foo@bar@baz=1,bar=2"], "", id="three-parts"),
        pytest.param(["foo=1", "z" * 257 + "=1"], "", id="key-of-257"),
        pytest.param(["foo=1", "t" * 242 + "@v=1"], "", id="tenant-of-242"),
        pytest.param(["foo=1", "t@" + "v" * 15 + "=1"], "", id="system-of-15"),
        pytest.param(["foo=bar=baz"], "", id="two-equal-signs"),
        pytest.param(["foo=,bar=3"], "", id="no-value"),
        pytest.param(["foo=" + "v" * 257], "", id="value-of-257"),
        pytest.param(["foo"], "", id="no-equal-sign"),
    ],
)  # fmt: skip
def test_states(values, state):
    assert state_of(values) == state


@given(st.lists(st.text(max_size=60), max_size=4))
def test_any_state_is_valid_or_none(values):
    state = state_of(values)
    assert state_of([state]) == state


def test_a_long_state_loses_its_long_members_first_and_then_the_last():
    short = [f"k{n}=" + "v" * 40 for n in range(20)]
    kept = shortened(",".join(["long=" + "v" * 200, *short])).split(",")
    assert kept == short[: len(kept)]
    assert 400 < len(",".join(kept)) <= 512
    assert shortened("a=1") == "a=1"
    assert shortened(",".join(f"k{n}=" + "v" * 200 for n in range(3))) == ""
