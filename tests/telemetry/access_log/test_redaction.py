"""What a log may say of a query."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.models.telemetry import AccessLog
from gateway.telemetry.access_log.redaction import CUT, MOST, Redaction, cut

USUAL = Redaction(AccessLog().redact)


@pytest.mark.parametrize(
    ("query", "written"),
    [
        ("page=2", "page=2"),
        ("access_token=abc", "access_token=-"),
        ("a=1&token=abc&b=2", "a=1&token=-&b=2"),
        ("Token=abc", "Token=-"),
        ("%74oken=abc", "%74oken=-"),
        ("new_password=x&password2=y", "new_password=-&password2=-"),
        ("client_secret=x", "client_secret=-"),
        ("user.token=x", "user.token=-"),
        ("m[token]=x", "m[token]=-"),
        ("key=x", "key=-"),
        ("keyword=x", "keyword=x"),
        ("token", "token"),
        ("token=", "token=-"),
        ("=x", "=x"),
        ("", ""),
        ("a=1&&b=2", "a=1&&b=2"),
    ],
)
def test_the_usual_names(query, written):
    assert USUAL.query(query) == written


def test_nothing_is_left_out_where_nothing_is_named():
    assert Redaction(()).query("token=abc") == "token=abc"


def test_a_value_that_is_cut_in_two_is_left_out_all_the_same():
    query = "a" * (MOST - 10) + "&token=0123456789"
    assert "0123" not in USUAL.query(query)
    assert USUAL.query(query).endswith("token=-")


@given(st.text(), st.text())
def test_a_secret_is_never_written(before, after):
    assert "s3cr3t" not in USUAL.query(f"{before}&token=s3cr3t&{after}")


@pytest.mark.parametrize("length", [0, 1, MOST - 1, MOST])
def test_what_is_short_is_whole(length):
    assert cut("x" * length) == "x" * length


def test_what_is_long_says_that_it_was_longer():
    assert cut("x" * (MOST + 1)) == "x" * MOST + CUT
