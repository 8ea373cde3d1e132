"""All pages of an admin listener, and the index of them."""

import json

import pytest

from gateway.listener.admin import Asked
from gateway.listener.faults import Refused
from gateway.operations import PAGES
from gateway.operations.readiness import Stage, Standing
from gateway.operations.site import site


async def standing():
    return Standing(Stage.STARTING)


@pytest.fixture
def routes():
    return site(None, standing, lambda: None)


async def test_the_index_has_every_page(routes):
    listed = json.loads((await routes["/"].answer({})).body)["pages"]
    assert [each["path"] for each in listed] == sorted(routes)
    assert all(each["about"] for each in listed)
    posts = {each["path"] for each in listed if each["method"] == "POST"}
    assert posts == {path for path, page in PAGES.items() if page.changes}


async def test_the_index_has_no_parameters(routes):
    with pytest.raises(Refused, match="no parameters"):
        await routes["/"].answer({"format": "html"})


def test_only_probes_and_backends_need_no_token(routes):
    is_open = {path for path, each in routes.items() if not isinstance(each, Asked) or each.is_open}
    assert is_open == {"/healthz", "/livez", "/readyz", "/jwks.json"}


async def test_probes(routes):
    assert routes["/healthz"]() == routes["/livez"]()
    assert routes["/healthz"]().status == 200
    assert (await routes["/readyz"].answer({})).status == 503
    assert routes["/jwks.json"]().status == 404
