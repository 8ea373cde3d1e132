"""What upstreams must not say beside `transport: grpcio`, each told with its line."""

import pytest

from gateway.config import ConfigError, load

NO_EFFECT = "has no effect with transport: grpcio; remove one of them"


def config(key, transport="grpcio", where="endpoints: ['h:1']"):
    return "\n".join(
        [
            "upstreams:",
            "  a:",
            "    services: ['*']",
            f"    {where}",
            f"    {key}",
            f"    transport: {transport}",
        ]
    )


WEIGHTS = "balancing: {weights: orca}"
PENDING = "circuit_breaker: {requests: 9, pending: 5}"
RESOLVER = "resolver: {dns: 'orders.example:50051'}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            config(WEIGHTS),
            f"5:17: upstreams.a.balancing.weights: {NO_EFFECT}",
            id="reports-that-nobody-sees",
        ),
        pytest.param(
            config(PENDING),
            f"5:36: upstreams.a.circuit_breaker.pending: {NO_EFFECT}",
            id="a-queue-that-nobody-knows-of",
        ),
    ],
)
def test_it_is_refused(text, expected, tmp_path):
    (tmp_path / "gateway.yaml").write_text(text)
    with pytest.raises(ConfigError) as raised:
        load(tmp_path / "gateway.yaml")
    assert f"gateway.yaml:{expected}" in str(raised.value)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(config(WEIGHTS, "native"), id="native-reads-reports"),
        pytest.param(config(PENDING, "native"), id="native-knows-its-queue"),
        pytest.param(config("circuit_breaker: {requests: 9}"), id="a-bound-on-calls-in-flight"),
        pytest.param(config(PENDING, where=RESOLVER), id="calls-that-wait-for-a-resolver"),
    ],
)
def test_it_is_taken(text, tmp_path):
    (tmp_path / "gateway.yaml").write_text(text)
    assert load(tmp_path / "gateway.yaml").config.upstreams["a"].services == ("*",)
