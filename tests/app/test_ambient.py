"""Sites whose pages could act as the users of this one are warned of."""

from __future__ import annotations

import pytest

from gateway.app.ambient import open_to_sites
from gateway.config import from_mapping

JWT = {"issuer": "https://id.example", "audiences": ["shop"]}
ASKED = {"endpoint": "https://id.example/ask", "client_id": "a", "client_secret": "s3cret"}
FILE = {"file": __file__}  # any that is there

SHOWN = {
    "cookie of a JWT": ({"jwt": {**JWT, "cookie": "session"}}, "cookies"),
    "cookie of an opaque token": ({"introspection": {**ASKED, "cookie": "session"}}, "cookies"),
    "password": ({"basic": {"users": FILE}}, "passwords"),
    "certificate": ({"mtls": {}}, "certificates"),
    "header of a JWT": ({"jwt": JWT}, None),
    "header of an opaque token": ({"introspection": ASKED}, None),
    "key": ({"api_key": {"keys": FILE}}, None),
}


def warned(provider, origins=("https://app.example", "*"), **sections):
    data = {
        "upstreams": {"shop": {"services": ["shop.*"], "endpoints": ["127.0.0.1:1"]}},
        "auth": {"providers": {"customers": provider}},
        "websocket": {"origins": list(origins)},
        **sections,
    }
    loaded = from_mapping(data, origin="test")
    return list(open_to_sites(loaded.config, loaded.source))


@pytest.mark.parametrize(("provider", "shown"), SHOWN.values(), ids=SHOWN)
def test_what_browsers_show_of_themselves_is_open_to_all_sites(provider, shown):
    lines = warned(provider)
    if shown is None:
        assert lines == []
    else:
        (line,) = lines
        assert "websocket.origins.1" in line
        assert f"the {shown} of auth.providers.customers" in line


@pytest.mark.parametrize("provider", [SHOWN["password"][0]])
def test_named_origins_are_the_operators_word(provider):
    assert warned(provider, origins=["https://*.app.example"]) == []


def test_without_sockets_there_is_nothing_to_open():
    assert warned(SHOWN["password"][0], websocket=False) == []
