"""What an upstream is made of: every argument of one, as data that can be compared.

Upstreams outlive generations: where a reload asks for the same channels, the upstream that is there
goes on, with its connections, and takes over what else has changed. Nothing here reads files or the
config. All times are seconds, all shares percent, unless said otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from gateway.call import Code
from gateway.upstream.endpoints import Endpoint, Listing

MESSAGE_SIZE = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Tls:
    """TLS to the backends. Everything in PEM.

    Attributes:
        ca: Certificates of the authorities that backends' certificates come from; None trusts the
            public ones.
        certificate: The gateway's own certificate chain, for backends that ask for one.
        key: The private key that goes with it.
        server_name: The name that a backend's certificate must have, and that it is asked for;
            None takes the endpoint's.
    """

    ca: bytes | None = None
    certificate: bytes | None = None
    key: bytes | None = field(default=None, repr=False)
    server_name: str | None = None

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("a client certificate and its key go together")


@dataclass(frozen=True, slots=True)
class Keepalive:
    """When to ask a silent connection for a sign of life.

    Attributes:
        time: How long it may be silent, with calls in flight.
        timeout: How long to wait for the answer before it counts as dead.
    """

    time: float = 300.0
    timeout: float = 20.0


@dataclass(frozen=True, slots=True)
class ChannelSpec:
    """All arguments of the channels of an upstream, but the endpoint.

    Attributes:
        tls: None speaks in the clear.
        keepalive: When to ask for signs of life.
        message_size: The largest message either way, in bytes.
        transport: Which implementation of a channel carries calls: `native` or `grpcio`.
        connections: Connections to each endpoint; more are opened when their streams run out.
    """

    tls: Tls | None = None
    keepalive: Keepalive = Keepalive()
    message_size: int = MESSAGE_SIZE
    transport: str = "native"
    connections: int = 1


@dataclass(frozen=True, slots=True)
class DnsSpec:
    """Endpoints that are looked up by a name.

    Attributes:
        name: The name; an address stands for itself.
        port: The port of all of them; None where the name is one of SRV records (RFC 2782), such as
            `_grpc._tcp.orders.example`, which have ports.
        servers: The name servers that are asked; none for the system's, its hosts file first.
        refresh: How often to look again, where answers do not say that they change sooner.
    """

    name: str
    port: int | None
    servers: tuple[Endpoint, ...] = ()
    refresh: float = 10.0

    def __str__(self) -> str:
        return self.name if self.port is None else str(Endpoint(self.name, self.port))


@dataclass(frozen=True, slots=True)
class FileSpec:
    """Endpoints that stand in a file.

    Attributes:
        path: The file.
        read: Returns what its bytes list, at least one endpoint, each once; the path is for errors.
            Raises ValueError, whose text says what is wrong and where, on one line.
        refresh: How often to look again.
    """

    path: Path
    read: Callable[[bytes, Path], tuple[Listing, ...]]
    refresh: float = 10.0

    def __str__(self) -> str:
        return self.path.name


ResolverSpec: TypeAlias = DnsSpec | FileSpec
"""Where endpoints are looked up, by kind of resolver."""


@dataclass(frozen=True, slots=True)
class BalancingSpec:
    """Which endpoint takes a call.

    Attributes:
        policy: The name of a balancer.
        slow_start: For how long a new endpoint's share grows; 0 for not at all.
        zone: The gateway's own zone, where its endpoints are preferred; else None.
        panic_threshold: With a smaller share of usable endpoints, all are used.
        orca: Whether weights come from backends' load reports.
        sticky: Whether calls with a key go to its node, whatever the policy.
    """

    policy: str = "least_request"
    slow_start: float = 0.0
    zone: str | None = None
    panic_threshold: float = 50.0
    orca: bool = False
    sticky: bool = False


@dataclass(frozen=True, slots=True)
class RetrySpec:
    """When failed calls are tried again (gRFC A6).

    Attributes:
        attempts: The first included; 1 for no retries.
        on: Statuses that are tried again.
        base: The first wait, on average; doubled each time.
        most: The longest wait.
        ratio: Retries and hedges that each call adds to the budget.
        minimum: Retries and hedges a second that are always allowed.
        per_try_timeout: How long each attempt may take; None for all the time that the call has.
    """

    attempts: int = 3
    on: frozenset[Code] = frozenset({Code.UNAVAILABLE})
    base: float = 0.025
    most: float = 0.25
    ratio: float = 0.2
    minimum: float = 10.0
    per_try_timeout: float | None = None


@dataclass(frozen=True, slots=True)
class HedgingSpec:
    """When a slow call is sent again, without giving up the first.

    Attributes:
        delay: After how long.
        attempts: The first included.
    """

    delay: float = 0.05
    attempts: int = 2


@dataclass(frozen=True, slots=True)
class BreakerSpec:
    """How much an upstream is asked at a time; None is any number.

    Attributes:
        requests: Calls in flight.
        pending: Calls that wait for a connection.
        retries: Retries and hedges in flight.
    """

    requests: int | None = None
    pending: int | None = None
    retries: int | None = None


@dataclass(frozen=True, slots=True)
class HealthSpec:
    """How endpoints are asked for their health (`grpc.health.v1`).

    Attributes:
        interval: How often.
        timeout: How long to wait for an answer.
        unhealthy_after: Failures in a row that take an endpoint out.
        healthy_after: Successes in a row that bring it back.
        service: Whose health is asked; empty for the server's.
    """

    interval: float = 5.0
    timeout: float = 1.0
    unhealthy_after: int = 2
    healthy_after: int = 1
    service: str = ""


@dataclass(frozen=True, slots=True)
class OutlierSpec:
    """When an endpoint whose calls fail is left out (gRFC A50).

    Attributes:
        consecutive_errors: Failures in a row; 0 for not by these.
        interval: How often rates are looked at, and ejections ended.
        base_ejection: How long the first time; each further time by as much longer.
        max_ejection: The longest.
        max_ejected: The share of endpoints that may be out at a time.
        success_rate_stdev: How many standard deviations under the others' mean; 0 for not by this.
        failure_percentage: The share of failures; 0 for not by this.
        minimum_requests: Calls within an interval without which a rate says nothing.
        minimum_hosts: Endpoints with so many calls, without which rates are not compared.
    """

    consecutive_errors: int = 5
    interval: float = 10.0
    base_ejection: float = 30.0
    max_ejection: float = 300.0
    max_ejected: float = 50.0
    success_rate_stdev: float = 1.9
    failure_percentage: float = 85.0
    minimum_requests: int = 100
    minimum_hosts: int = 5


@dataclass(frozen=True, slots=True)
class UpstreamSpec:
    """All arguments of an upstream.

    Attributes:
        name: Its name in the config.
        endpoints: Its backends; none where there is a resolver.
        channel: What its channels are made of.
        resolver: Where its backends are looked up.
        balancing: Which of them takes a call.
        retries: None makes no call twice that a backend may have seen.
        hedging: None sends no call twice at a time.
        breaker: How much it is asked at a time.
        health: None asks for no health.
        outliers: None leaves nobody out for failures.
    """

    name: str
    endpoints: tuple[Listing, ...] = ()
    channel: ChannelSpec = ChannelSpec()
    resolver: ResolverSpec | None = None
    balancing: BalancingSpec = BalancingSpec()
    retries: RetrySpec | None = None
    hedging: HedgingSpec | None = None
    breaker: BreakerSpec = BreakerSpec()
    health: HealthSpec | None = None
    outliers: OutlierSpec | None = None

    def __post_init__(self) -> None:
        if bool(self.endpoints) == (self.resolver is not None):
            raise ValueError(f"upstream {self.name} needs endpoints or a resolver")
