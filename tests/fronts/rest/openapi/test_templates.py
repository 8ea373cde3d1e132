"""Templates as paths of OpenAPI."""

import pytest

from gateway.fronts.rest.openapi.templates import holes, names, path, shape
from gateway.routing.template import parse


@pytest.mark.parametrize(
    ("template", "spelled", "found"),
    [
        ("/v1/{id}", ["id"], "/v1/{id}"),
        ("/v1/{a.id}/x/{b.id}:go", ["a.id", "b.id"], "/v1/{a_id}/x/{b_id}:go"),
        ("/v1/{name=shelves/*/books/**}", ["name"], "/v1/shelves/{shelves}/books/{books}"),
        ("/v1/{name=*/*}", ["name"], "/v1/{v1}/{name}"),
        ("/v1/{id}", ["a/b}#?"], "/v1/{a_b_}"),
        ("/v1/{name=*/*}", ["a/b}#?"], "/v1/{v1}/{a_b_}"),
    ],
    ids=["one", "two", "segments", "after-no-literal", "odd-json-name", "odd-after-no-literal"],
)
def test_a_path_has_a_parameter_for_each_wildcard(template, spelled, found):
    parsed = parse(template)
    assert path(shape(parsed), names([holes(parsed, spelled)])) == found
