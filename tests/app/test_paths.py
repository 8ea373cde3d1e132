"""Paths that one key of the config has for itself, and what can't be reached because of them."""

from __future__ import annotations

import pytest

from gateway.app import BuildError
from tests.app.test_generation import built, shop

WHO_AM_I = "shop.users.v1.UserService.WhoAmI"
GRAPHQL = {"joins": [], "operations": []}


@pytest.mark.parametrize(
    ("sections", "says"),
    [
        pytest.param(
            {"websocket": {"path": "/graphql"}},
            "websocket.path: /graphql is for graphql.path already",
            id="the-one-that-is-set-is-at-fault",
        ),
        pytest.param(
            {"graphql": {"path": "/ws", **GRAPHQL}},
            "graphql.path: /ws is for websocket.path already",
            id="the-other-way-round",
        ),
        pytest.param(
            {"graphql": {"path": "/api", **GRAPHQL}, "websocket": {"path": "/api"}},
            "websocket.path: /api is for graphql.path already",
            id="both-are-set",
        ),
        pytest.param(
            {"graphql": {"path": "/ws/client.js", **GRAPHQL}},
            "graphql.path: /ws/client.js is for websocket.path already",
            id="a-file-below",
        ),
    ],
)
async def test_two_keys_with_one_path_are_an_error(sections, says):
    with pytest.raises(BuildError) as caught:
        await built(shop(**sections))
    (line,) = caught.value.problems
    assert line.endswith(f": {says}")
    assert not line.startswith("default")


@pytest.mark.parametrize("off", ["graphql", "websocket"])
async def test_a_front_that_is_off_has_no_path(off):
    sections = {"graphql": {"path": "/api", **GRAPHQL}, "websocket": {"path": "/api"}, off: False}
    assert (await built(shop(**sections))).warnings == ()


@pytest.mark.parametrize(
    ("path", "key"),
    [("/graphql", "graphql.path"), ("/ws", "websocket.path"), ("/ws/client.js", "websocket.path")],
)
async def test_a_route_at_such_a_path_is_warned_of(path, key):
    loaded = shop()
    rules = [{"selector": WHO_AM_I, "get": path, "additional_bindings": [{"post": f"{path}/x"}]}]
    schema = {"protos": [str(each.path) for each in loaded.config.schema.protos]}
    (warning,) = (await built(shop(schema={**schema, "http_rules": rules}))).warnings
    assert warning == f"GET {path} is never reached: the path is for {key}"
