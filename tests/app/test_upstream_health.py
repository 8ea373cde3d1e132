"""What the config says of health and outliers is what upstreams are told."""

import pytest

from gateway.app.upstream_spec import made
from gateway.config import ConfigError, from_mapping
from gateway.upstream.spec import ChannelSpec, HealthSpec, OutlierSpec


def spec(**sections):
    upstream = {"services": ["shop.*"], "endpoints": ["127.0.0.1:1"], **sections}
    data = {"schema": {"protos": ["."]}, "upstreams": {"shop": upstream}}
    loaded = from_mapping(data, origin="a test")
    return made("shop", loaded.config.upstreams["shop"], ChannelSpec())


def test_both_are_off_unless_they_are_set():
    assert (spec().health, spec().outliers) == (None, None)


def test_defaults_are_those_of_the_parts():
    found = spec(health_check={}, outlier_detection={})
    assert found.health == HealthSpec()
    assert found.outliers == OutlierSpec()


def test_every_key_of_health():
    given = {
        "interval": "2s",
        "timeout": "300ms",
        "unhealthy_after": 3,
        "healthy_after": 4,
        "service": "shop.v1.Catalog",
    }
    assert spec(health_check=given).health == HealthSpec(2.0, 0.3, 3, 4, "shop.v1.Catalog")


def test_every_key_of_outliers():
    given = {
        "consecutive_errors": 0,
        "interval": "2s",
        "base_ejection": "3s",
        "max_ejection": "4s",
        "max_ejected": 20,
        "success_rate_stdev": 2.5,
        "failure_percentage": 60,
        "minimum_requests": 7,
        "minimum_hosts": 8,
    }
    assert spec(outlier_detection=given).outliers == OutlierSpec(
        consecutive_errors=0,
        interval=2.0,
        base_ejection=3.0,
        max_ejection=4.0,
        max_ejected=20.0,
        success_rate_stdev=2.5,
        failure_percentage=60.0,
        minimum_requests=7,
        minimum_hosts=8,
    )


@pytest.mark.parametrize(
    "section",
    [
        {"health_check": {"interval": "0s"}},
        {"health_check": {"service": ""}},
        {"health_check": {"unhealthy_after": 0}},
        {"outlier_detection": {"max_ejected": 101}},
        {"outlier_detection": {"minimum_requests": 0}},
        {"outlier_detection": {"minimum_hosts": 1}},
    ],
)
def test_what_makes_no_sense_is_an_error(section):
    with pytest.raises(ConfigError):
        spec(**section)
