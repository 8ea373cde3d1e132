"""Backends that are asked by reflection, and have to be looked up first."""

import asyncio
import re

import pytest

from gateway.app import reflecting
from gateway.app.backends import specs
from gateway.app.reflecting import sources
from gateway.config import from_mapping
from gateway.schema.problem import SchemaError
from tests.upstream.resolvers.name_server import name_server


def loaded(folder, upstream):
    shop = {"services": ["shop.*"], **upstream}
    data = {"schema": {"reflection": ["shop"]}, "upstreams": {"shop": shop}}
    return from_mapping(data, origin="test", directory=folder)


async def target(folder, **upstream):
    made = loaded(folder, upstream)
    (only,) = (await sources(made.config, specs(made.config, made.source))).reflection
    return only


async def test_the_first_endpoint_is_asked(tmp_path):
    found = await target(tmp_path, endpoints=["10.0.0.1:1", "10.0.0.2:1"])
    assert (found.address, found.server_name) == ("10.0.0.1:1", "")


async def test_the_first_of_a_file_is_asked(tmp_path):
    (tmp_path / "e.yaml").write_text("- 10.0.0.1:1\n- 10.0.0.2:1\n")
    found = await target(tmp_path, resolver={"file": "e.yaml"})
    assert found.address == "10.0.0.1:1"


async def test_an_address_that_was_looked_up_has_a_certificate_for_the_name(tmp_path):
    async with name_server() as server:
        server.has("shop.example", "A", "10.0.0.1")
        resolver = {"dns": "shop.example:1", "nameservers": [str(server.endpoint)]}
        plain = await target(tmp_path, resolver=resolver)
        encrypted = await target(tmp_path, resolver=resolver, tls={})
        named = await target(tmp_path, resolver=resolver, tls={"server_name": "other"})
    assert (plain.address, plain.server_name) == ("10.0.0.1:1", "")
    assert (encrypted.address, encrypted.server_name) == ("10.0.0.1:1", "shop.example")
    assert named.server_name == "other"


async def test_a_name_that_is_not_known_yet_is_waited_for(tmp_path):
    async with name_server() as server:
        resolver = {
            "dns": "shop.example:1",
            "nameservers": [str(server.endpoint)],
            "refresh": "10ms",
        }
        waiting = asyncio.ensure_future(target(tmp_path, resolver=resolver))
        await server.times(4)
        server.has("shop.example", "A", "10.0.0.1")
        assert (await waiting).address == "10.0.0.1:1"


async def test_a_name_that_is_not_there_is_a_problem_of_the_upstream(tmp_path, monkeypatch):
    monkeypatch.setattr(reflecting, "_PATIENCE", 0)
    async with name_server() as server:
        resolver = {"dns": "shop.example:1", "nameservers": [str(server.endpoint)]}
        expected = (
            "reflection of upstream 'shop': shop.example:1 can't be looked up: "
            "there is no such name"
        )
        with pytest.raises(SchemaError, match=f"^{re.escape(expected)}$"):
            await target(tmp_path, resolver=resolver)
