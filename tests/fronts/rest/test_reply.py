"""The head of a success: what a backend may set."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.call import Metadata
from gateway.fronts.rest.reply import success_head
from gateway.routing.metadata import HeaderRules

ALL = HeaderRules(response_allow=["*"])


@pytest.mark.parametrize(
    ("code", "status"),
    [
        pytest.param(None, 200, id="none"),
        pytest.param("201", 201, id="created"),
        pytest.param("200", 200, id="lowest"),
        pytest.param("399", 399, id="highest"),
        pytest.param("304", 200, id="never-304"),
        pytest.param("400", 200, id="no-errors"),
        pytest.param("199", 200, id="no-1xx"),
        pytest.param("0201", 200, id="not-three-digits"),
        pytest.param("٢٠١", 200, id="ascii-digits-only"),
        pytest.param("", 200, id="empty"),
    ],
)
def test_x_http_code(code, status):
    metadata = Metadata([] if code is None else [("x-http-code", code)])
    assert success_head(metadata, ALL).status == status


@pytest.mark.parametrize(
    ("code", "passes"),
    [("201", True), ("303", True), ("200", False), ("204", False), (None, False)],
)
def test_location_goes_with_201_and_3xx(code, passes):
    items = [("location", "/v1/products/p1"), *([("x-http-code", code)] if code else [])]
    headers = dict(success_head(Metadata(items), ALL).headers)
    assert headers == ({"location": "/v1/products/p1"} if passes else {})


def test_what_the_backend_sets_is_taken_out_of_the_metadata():
    metadata = Metadata([("x-http-code", "200"), ("etag", '"a"'), ("location", "/x"), ("x-a", "1")])
    head = success_head(metadata, ALL)
    assert head.headers == [("x-a", "1")]
    assert head.etag == '"a"'


def test_a_location_with_spaces_or_control_characters_is_left_out():
    metadata = Metadata([("x-http-code", "201"), ("location", "/a b\r\nx: y")])
    assert success_head(metadata, ALL).headers == []


@pytest.mark.parametrize("etag", ["plain", '"a', 'W/a"', '"a"b"', ""])
def test_an_etag_that_is_none_is_left_out(etag):
    assert success_head(Metadata([("etag", etag)]), ALL).etag is None


@given(st.text(), st.text(), st.text())
def test_no_metadata_makes_an_exception(code, location, etag):
    metadata = Metadata([("x-http-code", code), ("location", location), ("etag", etag)])
    head = success_head(metadata, ALL)
    assert 200 <= head.status <= 399
    assert all("\r" not in value and "\n" not in value for _, value in head.headers)
