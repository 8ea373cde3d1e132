"""From a config to a generation: what it serves, and everything that is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest
import trustme

from gateway.app import BuildError, build
from gateway.app.app import unchangeable
from gateway.app.pool import UpstreamPool
from gateway.config import from_mapping
from gateway.policies.deadline import DeadlineGate

ROOT = Path(__file__).parents[2]


def shop(**sections):
    data = {
        "schema": {"protos": [str(ROOT / "protos")]},
        "upstreams": {"shop": {"services": ["shop.*"], "endpoints": ["127.0.0.1:1"]}},
        "graphql": {"joins": [], "operations": []},  # the example's need all of its services
    }
    return from_mapping(data | sections, origin="test")


async def built(loaded):
    pool = UpstreamPool()
    try:
        return await build(loaded, pool)
    finally:
        await pool.close(0)


async def problems(loaded):
    with pytest.raises(BuildError) as caught:
        await built(loaded)
    return caught.value.problems


async def test_it_serves_every_method_that_has_an_upstream():
    generation = await built(shop())
    assert "shop.catalog.v1.CatalogService/GetProduct" in generation.methods
    assert generation.unserved == ()
    verbs = {(each.verb, each.template) for each in generation.routes}
    assert ("GET", "/v1/products/{id}") in verbs
    assert ("POST", "/shop.users.v1.UserService/WhoAmI") in verbs, "a method without a rule"
    assert all("grpc." not in name for name in generation.methods)


async def test_a_service_without_an_upstream_is_loaded_but_not_served():
    upstreams = {"a": {"services": ["shop.users.*"], "endpoints": ["127.0.0.1:1"]}}
    generation = await built(shop(upstreams=upstreams))
    assert {name.split(".")[1] for name in generation.methods} == {"users"}
    assert any("CatalogService" in each.name for each in generation.unserved)


async def test_expose_hides_services():
    schema = {"protos": [str(ROOT / "protos")], "expose": ["shop.users.*"]}
    generation = await built(shop(schema=schema))
    assert {each.split(".")[1] for each in generation.methods} == {"users"}


async def test_without_unannotated_only_rules_are_served():
    generation = await built(shop(rest={"unannotated": False}))
    assert not any(each.template.startswith("/shop.") for each in generation.routes)


async def test_the_prefix_stands_before_every_route():
    generation = await built(shop(rest={"prefix": "/api"}))
    assert all(each.template.startswith("/api/") for each in generation.routes)


async def test_unary_methods_have_the_upstreams_deadline():
    generation = await built(shop())
    method = generation.methods["shop.catalog.v1.CatalogService/GetProduct"]
    assert [type(each) for each in method.policies] == [DeadlineGate]


async def test_a_service_that_no_proto_has_is_an_error_each():
    services = ["shop.users.v1.UserService", "shop.users.v1.UserServce", "other.v1.Service"]
    upstreams = {"shop": {"services": services, "endpoints": ["127.0.0.1:1"]}}
    first, second = await problems(shop(upstreams=upstreams))
    assert "upstreams.shop.services.1" in first
    assert 'did you mean "shop.users.v1.UserService"?' in first
    assert "upstreams.shop.services.2" in second


async def test_a_glob_that_matches_nothing_is_a_warning():
    services = ["shop.*", "other.*"]
    upstreams = {"shop": {"services": services, "endpoints": ["127.0.0.1:1"]}}
    (warning,) = (await built(shop(upstreams=upstreams))).warnings
    assert "upstreams.shop.services.1" in warning


async def test_serving_nothing_is_a_warning():
    (warning,) = (await built(shop(upstreams={}))).warnings
    assert "nothing is served" in warning


async def test_a_header_that_never_passes_is_a_warning():
    headers = {"request": {"allow": ["user-agent", "x-a"]}}
    (warning,) = (await built(shop(headers=headers))).warnings
    assert "user-agent never passes" in warning


@pytest.fixture
def pem(tmp_path):
    """PEM files: an authority, a certificate with its key, and another key."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    for name in ("one", "other"):
        made = authority.issue_cert(f"{name}.example")
        made.cert_chain_pems[0].write_to_path(tmp_path / f"{name}.pem")
        made.private_key_pem.write_to_path(tmp_path / f"{name}.key")
    (tmp_path / "no.pem").write_text("nothing of the kind")
    return tmp_path


@pytest.mark.parametrize(
    ("tls", "key"),
    [
        pytest.param({"ca": "no.pem"}, "ca", id="no-authority"),
        pytest.param({"ca": "one.key"}, "ca", id="a-key-is-no-authority"),
        pytest.param({"certificate": "no.pem", "key": "one.key"}, "certificate", id="no-cert"),
        pytest.param({"certificate": "one.pem", "key": "other.key"}, "certificate", id="no-pair"),
    ],
)
async def test_tls_files_of_an_upstream_are_looked_into(pem, tls, key):
    upstream = {
        "services": ["shop.*"],
        "endpoints": ["127.0.0.1:1"],
        "tls": {name: str(pem / file) for name, file in tls.items()},
    }
    (found,) = await problems(shop(upstreams={"shop": upstream}))
    assert f"upstreams.shop.tls.{key}" in found


async def test_right_tls_files_of_an_upstream(pem):
    files = {"ca": "ca.pem", "certificate": "one.pem", "key": "one.key"}
    upstream = {
        "services": ["shop.*"],
        "endpoints": ["127.0.0.1:1"],
        "tls": {name: str(pem / file) for name, file in files.items()},
    }
    assert (await built(shop(upstreams={"shop": upstream}))).methods


async def test_all_wrong_rules_are_told_at_once():
    rules = [
        {"selector": "shop.users.v1.UserService.GetUser", "get": "/v1/users/{nope}"},
        {"selector": "shop.users.v1.UserService.ListUsers", "get": "/v1/{"},
    ]
    schema = {"protos": [str(ROOT / "protos")], "http_rules": rules}
    found = await problems(shop(schema=schema))
    assert len(found) == 2
    assert "nope" in found[0]
    assert "column" in found[1]


async def test_rules_wrong_in_themselves_selectors_and_fields_come_in_one_round():
    users = "shop.users.v1.UserService"
    rules = [
        {"selector": f"{users}.GetUsr", "get": "/v1/x"},
        {"selector": f"{users}.WhoAmI"},
        {"selector": f"{users}.GetUser", "get": "v1/fail"},
        {"selector": f"{users}.DeleteUser", "get": "/v1/{nope}", "post": "/v1/x"},
        {
            "selector": f"{users}.ListUsers",
            "get": "/v1/{nope}",
            "additional_bindings": [
                {"get": "/a", "additional_bindings": [{"get": "/b"}, {"put": "/{"}]}
            ],
        },
    ]
    schema = {"protos": [str(ROOT / "protos")], "http_rules": rules}
    found = await problems(shop(schema=schema))
    assert [(line.partition("[")[2][0], line.rpartition("): ")[2]) for line in found] == [
        ("0", found[0].rpartition("): ")[2]),
        (
            "1",
            "an HTTP rule has no HTTP method; expected one of get, put, post, delete, patch, custom",
        ),
        ("2", found[2].rpartition("): ")[2]),
        ("3", "an HTTP rule has get and post; expected only one of them"),
        (
            "4",
            "additional_bindings[0] has additional_bindings itself; they may be one level deep only",
        ),
        ("4", found[5].rpartition("): ")[2]),
    ]
    assert "did you mean shop.users.v1.UserService.GetUser?" in found[0]
    assert 'expected "/", found "v"' in found[2]
    assert '"nope" is not a field' in found[5]


async def test_a_wrong_rule_is_told_where_nothing_else_is_wrong():
    rules = [{"selector": "shop.users.v1.UserService.WhoAmI"}]
    schema = {"protos": [str(ROOT / "protos")], "http_rules": rules}
    for rest in ({}, False):
        (found,) = await problems(shop(schema=schema, rest=rest))
        assert "has no HTTP method" in found


async def test_clashing_rules_name_both_methods():
    rules = [{"selector": "shop.users.v1.UserService.ListUsers", "get": "/v1/products"}]
    schema = {"protos": [str(ROOT / "protos")], "http_rules": rules}
    (found,) = await problems(shop(schema=schema))
    assert "shop.users.v1.UserService/ListUsers" in found
    assert "shop.catalog.v1.CatalogService/ListProducts" in found


async def test_a_selector_that_matches_nothing_names_its_key():
    rules = [{"selector": "shop.users.v1.UserService.GetUsr", "get": "/v1/x"}]
    schema = {"protos": [str(ROOT / "protos")], "http_rules": rules}
    (found,) = await problems(shop(schema=schema))
    assert "schema.http_rules[0]" in found
    assert "GetUser" in found


@pytest.mark.parametrize(
    ("change", "keys"),
    [
        ({}, []),
        ({"listener": {"address": "127.0.0.1:1"}}, ["listener.address"]),
        ({"admin": False}, ["admin"]),
        ({"listener": {"limits": {"body_size": "1MiB"}}}, []),
    ],
)
def test_what_a_reload_cannot_change(change, keys):
    assert unchangeable(shop().config, shop(**change).config) == keys


@pytest.mark.parametrize(("workers", "keys"), [(1, []), (2, ["limits.keys"]), (0, ["limits.keys"])])
def test_a_reload_cannot_change_what_workers_share(workers, keys):
    before = shop(workers=workers).config
    assert unchangeable(before, shop(workers=workers, limits={"keys": 5000}).config) == keys
