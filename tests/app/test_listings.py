"""Files of endpoints, as strict as the config and wrong in its words."""

import pytest

from gateway.app.listings import read_listings
from gateway.app.settings import SettingError, upstream_spec
from gateway.config import from_mapping
from gateway.upstream.endpoints import Endpoint, Listing, UnixEndpoint
from gateway.upstream.spec import DnsSpec, FileSpec


def test_a_file_lists_endpoints_as_the_config_does(tmp_path):
    text = b"""
    # ours
    - 10.0.0.1:50051
    - {address: "[::1]:50051", weight: 3, zone: a, priority: 1}
    - unix:run/orders.sock
    """
    assert read_listings(text, tmp_path / "endpoints.yaml") == (
        Listing(Endpoint("10.0.0.1", 50051)),
        Listing(Endpoint("::1", 50051), 3, "a", 1),
        Listing(UnixEndpoint(f"{tmp_path}/run/orders.sock")),
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "e.yaml:1:1: endpoints: found an empty list, expected at least 1 item"),
        ("# ours", "e.yaml:1:1: endpoints: found an empty list, expected at least 1 item"),
        ("[]", "e.yaml:1:1: endpoints: found an empty list, expected at least 1 item"),
        ("endpoints: [h:1]", "e.yaml:1:1: endpoints: found a mapping, expected a list"),
        ("- h:1\n- h", '2:3: endpoints.1: found "h", expected host:port'),
        ("- {address: h:1, wieght: 2}", 'unknown key; did you mean "weight"?'),
        ("- h:1\n- h:2\n- h:1", "e.yaml:3:3: endpoints.2: given twice; first at endpoints.0"),
        ("- h:1\n- {address: h:1}", "endpoints.1: given twice; first at endpoints.0"),
        ("- h:1\n- [", "e.yaml:2:4: not YAML"),
        ("\n".join(["- 1"] * 9), "and 4 more"),
    ],
    ids=[
        "is empty",
        "has nothing but comments",
        "has an empty list",
        "has a key",
        "has no port",
        "has a mistyped key",
        "has an address twice",
        "has an address twice in two forms",
        "is written by halves",
        "has many mistakes",
    ],
)
def test_a_wrong_file_says_where(tmp_path, text, expected):
    with pytest.raises(ValueError) as failure:
        read_listings(text.encode(), tmp_path / "e.yaml")
    assert expected in str(failure.value)
    assert "\n" not in str(failure.value)
    assert str(tmp_path) not in str(failure.value)


def spec(folder, resolver):
    data = {"upstreams": {"orders": {"services": ["*"], "resolver": resolver}}}
    config = from_mapping(data, origin="test", directory=folder).config
    return upstream_spec("orders", config.upstreams["orders"], 1)


def test_a_resolver_of_the_config_is_one_of_the_upstream(tmp_path):
    assert spec(tmp_path, {"dns": "orders:50051"}).resolver == DnsSpec("orders", 50051)
    given = {
        "dns": "_grpc._tcp.orders.example",
        "nameservers": ["10.0.0.10", "[::1]:8600"],
        "refresh": "1m",
    }
    servers = (Endpoint("10.0.0.10", 53), Endpoint("::1", 8600))
    assert spec(tmp_path, given).resolver == DnsSpec(given["dns"], None, servers, 60)
    path = tmp_path / "endpoints.yaml"
    path.write_text("[h:1]")
    made = spec(tmp_path, {"file": "endpoints.yaml"}).resolver
    assert made == FileSpec(path, read_listings)
    assert str(made) == "endpoints.yaml"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"- h", 'e.yaml:1:3: endpoints.0: found "h"'),
        (b" " * (4 * 1024**2 + 1), "e.yaml is larger than 4194304 bytes"),
    ],
    ids=["is wrong", "is too large"],
)
def test_a_file_that_cannot_be_used_is_told_with_the_key_that_names_it(tmp_path, data, expected):
    (tmp_path / "e.yaml").write_bytes(data)
    with pytest.raises(SettingError) as failure:
        spec(tmp_path, {"file": "e.yaml"})
    assert failure.value.path == "upstreams.orders.resolver.file"
    assert str(failure.value).startswith(expected)
