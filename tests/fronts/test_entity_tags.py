"""Entity tags, and what a client that has one already is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.fronts.entity_tags import entity_tag, not_modified


@pytest.mark.parametrize(
    ("etag", "header", "result"),
    [
        pytest.param('"a"', ['"a"'], True, id="same"),
        pytest.param('"a"', ['"b"'], False, id="other"),
        pytest.param('"a"', ['"b", "a"'], True, id="one-of-a-list"),
        pytest.param('"a"', ['"b"', '"a"'], True, id="one-of-two-headers"),
        pytest.param('"a"', ["*"], True, id="star"),
        pytest.param('"a"', ['W/"a"'], True, id="weak-comparison"),
        pytest.param('W/"a"', ['"a"'], True, id="weak-comparison-other-way"),
        pytest.param('"a"', [], False, id="no-header"),
        pytest.param('"a"', ["a"], False, id="unquoted"),
        pytest.param('"a,b"', ['"a,b"'], True, id="comma-inside"),
    ],
)
def test_if_none_match(etag, header, result):
    assert not_modified(etag, header) is result


@given(st.binary(), st.binary())
def test_tags_tell_bodies_apart(one, other):
    assert (entity_tag(one) == entity_tag(other)) is (one == other)
