"""From the config's keys of balancing to what upstreams are made of."""

import pytest

from gateway.app.backends import specs
from gateway.config import load
from gateway.upstream.endpoints import Endpoint, Listing
from gateway.upstream.spec import BalancingSpec


@pytest.fixture
def spec_of(tmp_path):
    def made(balancing, *top):
        lines = [
            "upstreams:",
            "  a:",
            "    services: ['*']",
            "    endpoints: ['h:1', {address: 'h:2', weight: 3, zone: eu-1, priority: 1}]",
            f"    balancing: {balancing}",
            *top,
        ]
        (tmp_path / "gateway.yaml").write_text("\n".join(lines))
        loaded = load(tmp_path / "gateway.yaml")
        return specs(loaded.config, loaded.source)["a"]

    return made


def test_endpoints_are_as_listed(spec_of):
    assert spec_of("{}").endpoints == (
        Listing(Endpoint("h", 1)),
        Listing(Endpoint("h", 2), weight=3, zone="eu-1", priority=1),
    )


@pytest.mark.parametrize(
    ("given", "top", "expected"),
    [
        pytest.param("{}", (), BalancingSpec(), id="defaults"),
        pytest.param("{policy: maglev, hash_on: peer}", (), BalancingSpec("maglev"), id="policy"),
        pytest.param("{slow_start: 30s}", (), BalancingSpec(slow_start=30.0), id="slow start"),
        pytest.param("{panic_threshold: 0}", (), BalancingSpec(panic_threshold=0.0), id="panic"),
        pytest.param("{weights: orca}", (), BalancingSpec(orca=True), id="reported weights"),
        pytest.param(
            "{locality: prefer_zone}", ("zone: eu-1",), BalancingSpec(zone="eu-1"), id="zone"
        ),
        pytest.param("{}", ("zone: eu-1",), BalancingSpec(), id="a zone that is not preferred"),
        pytest.param(
            "{}",
            ("    affinity: {on: peer}",),
            BalancingSpec(sticky=True),
            id="clients that stay",
        ),
    ],
)
def test_balancing(spec_of, given, top, expected):
    assert spec_of(given, *top).balancing == expected
