"""What another site's page could make a browser send is not answered."""

import pytest

from gateway.call import RpcError
from gateway.fronts.graphql.serve.cross_site import check_get, check_post
from gateway.http import Headers


def refusal(check, *headers):
    try:
        check(Headers(headers))
    except RpcError as failure:
        return failure.reason
    return None


@pytest.mark.parametrize("site", [None, "same-origin", "none", " Same-Origin "])
def test_a_get_of_no_other_site(site):
    assert refusal(check_get, *([("sec-fetch-site", site)] if site else [])) is None


@pytest.mark.parametrize("site", ["cross-site", "same-site", "a-value-to-come", ""])
def test_a_get_of_another_site_needs_a_header_that_a_form_can_not_send(site):
    given = ("sec-fetch-site", site)
    assert refusal(check_get, given) == "CROSS_SITE_REQUEST"
    for name in ("graphql-require-preflight", "x-requested-with", "apollo-require-preflight"):
        assert refusal(check_get, given, (name, "")) is None


@pytest.mark.parametrize(
    "given",
    [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        'application/json;charset="UTF-8"',
        "application/json; profile=x",
    ],
)
def test_a_post_is_json(given):
    assert refusal(check_post, ("content-type", given)) is None


@pytest.mark.parametrize(
    "given",
    [
        pytest.param("text/plain", id="what-a-form-sends"),
        pytest.param("application/x-www-form-urlencoded", id="form"),
        pytest.param("multipart/form-data; boundary=x", id="upload"),
        pytest.param("text/plain; application/json", id="json-as-a-parameter"),
        pytest.param("text/plain, application/json", id="json-in-a-list"),
        pytest.param("application/jsonp", id="longer-name"),
        pytest.param("application/graphql", id="graphql-text"),
        pytest.param("application/json; charset=utf-16", id="utf-16"),
        pytest.param("application/json; charset=", id="no-charset"),
        pytest.param("", id="empty"),
    ],
)
def test_a_post_is_nothing_else(given):
    assert refusal(check_post, ("content-type", given)) == "UNSUPPORTED_CONTENT_TYPE"


def test_a_post_without_a_type_or_with_two():
    assert refusal(check_post) == "UNSUPPORTED_CONTENT_TYPE"
    twice = [("content-type", "application/json"), ("content-type", "text/plain")]
    assert refusal(check_post, *twice) == "UNSUPPORTED_CONTENT_TYPE"
