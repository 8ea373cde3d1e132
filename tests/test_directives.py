"""Directives of `Cache-Control` are read in one way, whoever sent them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.directives import directives


@pytest.mark.parametrize(
    ("values", "found"),
    [
        pytest.param([], {}, id="nothing"),
        pytest.param(["no-store, Max-Age=5"], {"no-store": "", "max-age": "5"}, id="any-case"),
        pytest.param(['max-age="5"'], {"max-age": "5"}, id="quoted"),
        pytest.param(['x="no-store, \\" y"'], {"x": 'no-store, \\" y'}, id="nothing-in-quotes"),
        pytest.param(["max-age=5, max-age=9"], {"max-age": "5"}, id="the-first-counts"),
        pytest.param(["a=1", "a=2,b"], {"a": "1", "b": ""}, id="of-several-values-too"),
        pytest.param(["x_y=1"], {"x_y": "1"}, id="any-token-is-a-name"),
    ],
)
def test_directives(values, found):
    assert directives(values) == found


@given(st.lists(st.text(max_size=40), max_size=4))
def test_anything_can_be_read(values):
    assert all(name == name.lower() for name in directives(values))
