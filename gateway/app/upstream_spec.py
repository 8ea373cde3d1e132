"""From the config's section of an upstream to what the upstream is made of.

Its TLS files are read elsewhere (`settings`).
"""

from __future__ import annotations

from gateway.app.listings import listing, read_listings
from gateway.call import Code
from gateway.config import TcpAddress, Upstream
from gateway.config.models.resilience import (
    CircuitBreaker,
    Hedging,
    OutlierDetection,
    ProbedHealth,
    Retries,
)
from gateway.config.models.resolver import Resolver
from gateway.upstream.endpoints import Endpoint
from gateway.upstream.spec import (
    BalancingSpec,
    BreakerSpec,
    ChannelSpec,
    DnsSpec,
    FileSpec,
    HealthSpec,
    HedgingSpec,
    OutlierSpec,
    ResolverSpec,
    RetrySpec,
    UpstreamSpec,
)


def made(name: str, given: Upstream, channel: ChannelSpec, zone: str | None = None) -> UpstreamSpec:
    """Returns what an upstream is made of.

    Args:
        name: Its name in the config.
        given: Its section.
        channel: What its channels are made of.
        zone: The gateway's own, where that is known.
    """
    return UpstreamSpec(
        name=name,
        endpoints=tuple(map(listing, given.endpoints)),
        channel=channel,
        resolver=None if given.resolver is None else _resolver(given.resolver),
        balancing=BalancingSpec(
            policy=given.balancing.policy,
            slow_start=given.balancing.slow_start,
            zone=zone if given.balancing.locality == "prefer_zone" else None,
            panic_threshold=given.balancing.panic_threshold,
            orca=given.balancing.weights == "orca",
            sticky=given.affinity is not None,
        ),
        retries=None if given.retries is None else _retries(given.retries),
        hedging=None if given.hedging is None else _hedging(given.hedging),
        breaker=BreakerSpec() if given.circuit_breaker is None else _breaker(given.circuit_breaker),
        health=None if given.health_check is None else _health(given.health_check),
        outliers=None if given.outlier_detection is None else _outliers(given.outlier_detection),
    )


def _retries(given: Retries) -> RetrySpec:
    return RetrySpec(
        attempts=given.attempts,
        on=frozenset(Code[name] for name in given.on),
        base=given.backoff.base,
        most=given.backoff.max,
        ratio=given.budget.ratio,
        minimum=given.budget.minimum.per_second,
        per_try_timeout=given.per_try_timeout,
    )


def _hedging(given: Hedging) -> HedgingSpec:
    return HedgingSpec(given.delay, given.attempts)


def _breaker(given: CircuitBreaker) -> BreakerSpec:
    return BreakerSpec(given.requests, given.pending, given.retries)


def _health(given: ProbedHealth) -> HealthSpec:
    return HealthSpec(
        interval=given.interval,
        timeout=given.timeout,
        unhealthy_after=given.unhealthy_after,
        healthy_after=given.healthy_after,
        service=given.service or "",
    )


def _outliers(given: OutlierDetection) -> OutlierSpec:
    return OutlierSpec(
        consecutive_errors=given.consecutive_errors,
        interval=given.interval,
        base_ejection=given.base_ejection,
        max_ejection=given.max_ejection,
        max_ejected=given.max_ejected,
        success_rate_stdev=given.success_rate_stdev,
        failure_percentage=given.failure_percentage,
        minimum_requests=given.minimum_requests,
        minimum_hosts=given.minimum_hosts,
    )


def _resolver(given: Resolver) -> ResolverSpec:
    if given.file is not None:
        return FileSpec(given.file, read_listings, given.refresh)
    assert given.dns is not None, "one of the two"
    servers = tuple(Endpoint(each.host, each.port) for each in given.nameservers)
    if isinstance(given.dns, TcpAddress):
        return DnsSpec(given.dns.host, given.dns.port, servers, given.refresh)
    return DnsSpec(given.dns.name, None, servers, given.refresh)
