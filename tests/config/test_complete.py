"""The complete example: it loads, and every key is in it."""

from pathlib import Path

import pytest
from pydantic import TypeAdapter

from gateway.config import Config, TcpAddress, load
from gateway.config.document import Builder, compose
from gateway.config.structure import all_keys, keys_of
from gateway.config.tree import plain, select

COMPLETE = Path(__file__).with_name("complete.yaml")


@pytest.fixture
def files(tmp_path):
    """The files that the example names, and the example."""
    for folder in ("protos", "schema/operations"):
        (tmp_path / folder).mkdir(parents=True)
    for name in (
        *("server.pem", "server.key", "clients.pem", "shop.binpb", "ca.pem", "client.pem"),
        *("client.key", "keys.yaml", "users.yaml", "schema/joins.graphql"),
        *("signing.pem", "next.pem"),
    ):
        (tmp_path / name).touch()
    (tmp_path / "gateway.yaml").write_text(COMPLETE.read_text())
    return tmp_path


def tree():
    return Builder("complete.yaml", {"SECRET": "s3cr3t"}).build(compose(COMPLETE.read_text()))


def test_the_models_take_all_of_it(files):
    data = plain(tree())
    config = TypeAdapter(Config).validate_python(data, context={"directory": files})
    assert config.policies[2].authenticate == ("none",)
    assert config.policies[1].authorize.roles == ()
    assert config.auth.providers["customers"].jwt.algorithms == ("RS256", "ES256", "EdDSA")
    assert config.upstreams["orders"].resolver.dns == TcpAddress("orders", 50051)
    assert "s3cr3t" not in repr(config)
    secret = config.auth.providers["tokens"].introspection.client_secret
    assert secret.get_secret_value() == "s3cr3t"


def test_all_of_it_loads(files, tmp_path):
    import yaml

    data = plain(tree())
    del data["upstreams"]["orders"]["resolver"]
    data["upstreams"]["orders"]["endpoints"] = ["unix:run/orders.sock"]
    data["auth"]["providers"]["tokens"]["introspection"]["client_secret"] = "${SECRET}"
    data["admin"]["token"] = "${SECRET}"
    (files / "gateway.yaml").write_text(yaml.safe_dump(data))
    config = load(files / "gateway.yaml", environ={"SECRET": "s3cr3t"}).config
    assert config.listener.tls.certificate == files / "server.pem"
    assert [each.path for each in config.schema.protos] == [files / "protos"]
    assert str(config.upstreams["orders"].endpoints[0].address) == f"unix:{files}/run/orders.sock"
    assert config.schema.http_rules[0].additional_bindings[0].custom.kind == "HEAD"
    assert config.graphql.joins == (files / "schema" / "joins.graphql",)
    assert config.graphql.methods["shop.users.v1.UserService/WhoAmI"].aliases == ("whoAmI",)
    assert config.graphql.fields["shop.catalog.v1.Product.gtin"].name == "ean"
    assert config.graphql.lookups[0].max_batch == 100


def every_key(section, path=()):
    for name, key in keys_of(section).items():
        if key.refused:
            continue
        yield (*path, name)
        if key.shape.section is not None:
            yield from every_key(key.shape.section, (*path, name, *["*"] * key.shape.many))


# alternatives to what the example has; tested by themselves
ALTERNATIVES = {"file", "get", "put", "delete", "patch", "custom", "post", "body", "response_body"}


def test_the_example_has_every_key():
    root = tree()
    missing = [
        path
        for path in every_key(Config)
        if not ALTERNATIVES & set(path) and not list(select(root, *path))
    ]
    assert missing == []


def test_keys_are_found_below_lists_and_names():
    paths = {".".join(map(str, path)) for path, _ in all_keys(Config)}
    assert {
        "listener.limits.body_size",
        "upstreams.*.endpoints.*.address",
        "schema.http_rules.*.additional_bindings.*.custom.kind",
        "rest.json.emit_defaults",
        "graphql.lookups.*.max_batch",
        "graphql.methods.*.aliases",
    } <= paths
    assert "telemetry.recorder.calls" in paths
