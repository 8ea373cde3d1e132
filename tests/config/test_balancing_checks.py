"""What balancing must not say, each told with its line."""

import pytest

from gateway.config import ConfigError, load


def config(balancing, *top):
    return "\n".join(
        [
            "upstreams:",
            "  a:",
            "    services: ['*']",
            "    endpoints: [{address: 'h:1', weight: 3, zone: eu-1, priority: 1}]",
            f"    balancing: {balancing}",
            *top,
        ]
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            config("{locality: prefer_zone}"),
            "5:17: upstreams.a.balancing.locality: needs the gateway's own zone; set zone, at the "
            "top",
            id="a-zone-that-nobody-names",
        ),
        pytest.param(
            config("{locality: prefer_zone}", "zone: eu-2"),
            "5:17: upstreams.a.balancing.locality: has no effect: no endpoint is in the gateway's "
            "zone, eu-2",
            id="a-zone-that-no-endpoint-is-in",
        ),
        pytest.param(
            config("{locality: prefer_zone}", "zone: eu-1").replace("zone: eu-1,", ""),
            "5:17: upstreams.a.balancing.locality: has no effect: no endpoint has a zone",
            id="endpoints-without-a-zone",
        ),
        pytest.param(
            config("{policy: pick_first, slow_start: 30s}"),
            "5:37: upstreams.a.balancing.slow_start: has no effect with policy: pick_first; remove "
            "one of them",
            id="a-share-that-cannot-grow",
        ),
        pytest.param(
            config("{policy: maglev, hash_on: peer, weights: orca}"),
            "5:48: upstreams.a.balancing.weights: has no effect with policy: maglev; remove one of "
            "them",
            id="weights-that-would-move-keys",
        ),
        pytest.param(
            config("{policy: ring_hash, hash_on: peer, locality: prefer_zone}", "zone: eu-1"),
            "5:51: upstreams.a.balancing.locality: has no effect with policy: ring_hash; remove "
            "one of them",
            id="a-zone-for-keys-of-all-gateways",
        ),
    ],
)
def test_it_is_refused(text, expected, tmp_path):
    (tmp_path / "gateway.yaml").write_text(text)
    with pytest.raises(ConfigError) as raised:
        load(tmp_path / "gateway.yaml")
    assert f"gateway.yaml:{expected}" in str(raised.value)


@pytest.mark.parametrize("policy", ["least_request", "round_robin", "random"])
def test_what_spreads_takes_all_of_it(policy, tmp_path):
    given = (
        f"{{policy: {policy}, slow_start: 30s, locality: prefer_zone, panic_threshold: 0, "
        "weights: orca}"
    )
    (tmp_path / "gateway.yaml").write_text(config(given, "zone: eu-1"))
    loaded = load(tmp_path / "gateway.yaml").config
    assert loaded.zone == "eu-1"
    balancing = loaded.upstreams["a"].balancing
    assert (balancing.slow_start, balancing.panic_threshold, balancing.weights) == (30, 0, "orca")
    (endpoint,) = loaded.upstreams["a"].endpoints
    assert (endpoint.weight, endpoint.zone, endpoint.priority) == (3, "eu-1", 1)


def test_one_config_serves_gateways_in_zones_without_endpoints(tmp_path, monkeypatch):
    monkeypatch.setenv("ZONE", "eu-9")
    file = tmp_path / "gateway.yaml"
    file.write_text(config("{locality: prefer_zone}", 'zone: "${ZONE}"'))
    assert load(file).config.zone == "eu-9"
