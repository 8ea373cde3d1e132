"""`upstreams`: the backends, where they are, and how calls are spread over them."""

from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from gateway.config.markers import Clash, Needs, NotBuilt, OneOf, Only, Short
from gateway.config.models.resilience import (
    CircuitBreaker,
    Hedging,
    OutlierDetection,
    ProbedHealth,
    Retries,
)
from gateway.config.models.section import section
from gateway.config.places import ENDPOINT, FILE
from gateway.config.scalars import PERCENT, SERVICES, Duration, Text, Whole
from gateway.config.units import Address


@section
class Endpoint:
    """One address of an upstream."""

    address: Annotated[Address, ENDPOINT] = Field(description="host:port or unix:/path.")
    weight: Annotated[int, Whole(1, 1000), NotBuilt()] = Field(
        default=1, description="Its share of the calls, next to the others' weights."
    )
    zone: Annotated[str | None, Text(), NotBuilt()] = Field(
        default=None, description="Where it runs."
    )
    priority: Annotated[int, Whole(0, 100), NotBuilt()] = Field(
        default=0, description="Used while no endpoint of a lower number is healthy."
    )


@section
class Resolver:
    """Endpoints that are looked up and may change."""

    RULES: ClassVar = (OneOf("dns", "file"),)

    dns: Annotated[Address, ENDPOINT] | None = Field(
        default=None, description="A name with its port."
    )
    file: Annotated[Path, FILE] | None = Field(
        default=None, description="A YAML file of endpoints."
    )
    refresh: Annotated[float, Duration()] = Field(
        default=10.0, description="How often to look again."
    )


@section
class UpstreamTls:
    """TLS to the backends."""

    RULES: ClassVar = (Needs("certificate", "key"), Needs("key", "certificate"))

    ca: Annotated[Path, FILE] | None = Field(
        default=None,
        description="The authorities that sign backends' certificates, a PEM file; "
        "the system's without it.",
    )
    certificate: Annotated[Path, FILE] | None = Field(
        default=None, description="The gateway's own certificate, a PEM file."
    )
    key: Annotated[Path, FILE] | None = Field(
        default=None, description="The private key of the gateway's own certificate, a PEM file."
    )
    server_name: Annotated[str, Text()] | None = Field(
        default=None,
        description="The name in the backends' certificate; the endpoint's host without it.",
    )


@section
class Balancing:
    """Which endpoint takes a call."""

    policy: Annotated[
        Literal["least_request", "round_robin", "random", "ring_hash", "maglev", "pick_first"],
        Only("round_robin"),
    ] = Field(default="round_robin", description="How the endpoint of a call is chosen.")
    hash_on: Annotated[
        str | None,
        Text(
            "header:NAME, cookie:NAME, principal, peer or field:PATH",
            r"^(header:.+|cookie:.+|field:.+|principal|peer)$",
        ),
        NotBuilt(),
    ] = Field(default=None, description="What ring_hash and maglev hash.")
    slow_start: Annotated[float, Duration(zero=True), NotBuilt()] = Field(
        default=0.0, description="A new endpoint takes its full share only after this time."
    )
    locality: Annotated[Literal["prefer_zone"] | None, NotBuilt()] = Field(
        default=None, description="Prefer endpoints of the gateway's own zone."
    )
    panic_threshold: Annotated[float, PERCENT, NotBuilt()] = Field(
        default=50.0, description="With fewer healthy endpoints, in percent, all are used."
    )


@section
class Affinity:
    """A client stays with one endpoint."""

    cookie: Annotated[str, Text()] = Field(description="The cookie that names the endpoint.")
    ttl: Annotated[float, Duration()] = Field(
        default=3600.0, description="How long the cookie lives."
    )


@section
class Keepalive:
    """Pings on connections to backends."""

    time: Annotated[float, Duration()] = Field(
        default=300.0, description="A connection is pinged after this time without data."
    )
    timeout: Annotated[float, Duration()] = Field(
        default=20.0,
        description="A connection is closed when a ping is not answered for this time.",
    )


@section
class Upstream:
    """A set of endpoints that serve the same services."""

    RULES: ClassVar = (
        OneOf("endpoints", "resolver"),
        Clash("connections", "transport", "grpcio"),
    )

    services: tuple[Annotated[str, SERVICES], ...] = Field(
        # Only one that is named elsewhere can do without; `checks` sees to that.
        default=(),
        min_length=1,
        description="Services it serves, by name or glob. A name wins over a glob.",
    )
    endpoints: tuple[Annotated[Endpoint, Short("address")], ...] = Field(
        default=(),
        min_length=1,
        description="Its addresses: host:port, unix:/path or {address: …}.",
    )
    resolver: Annotated[Resolver | None, NotBuilt()] = Field(
        default=None, description="Where its addresses are looked up."
    )
    tls: UpstreamTls | None = Field(
        default=None, description="Use TLS; {} trusts the system's CAs."
    )
    transport: Literal["native", "grpcio"] = Field(
        default="native",
        description="The implementation of gRPC that is used: the gateway's own, or grpcio's.",
    )
    connections: Annotated[int, Whole(1, 1000)] = Field(
        default=1,
        description="Connections to each endpoint; "
        "more are opened when the endpoint allows no more streams on them.",
    )
    balancing: Balancing = Field(
        default_factory=Balancing, description="Which endpoint takes a call."
    )
    affinity: Annotated[Affinity | None, NotBuilt()] = Field(
        default=None, description="Keep a client with one endpoint."
    )
    timeout: Annotated[float, Duration()] = Field(
        default=5.0, description="A unary call's deadline where the client sets no shorter one."
    )
    stream_timeout: Annotated[float, Duration(zero=True)] = Field(
        default=0.0,
        description="A stream's deadline where the client sets no shorter one; 0s is none.",
    )
    retries: Annotated[Retries | None, NotBuilt()] = Field(
        default=None, description="Try failed calls again."
    )
    hedging: Annotated[Hedging | None, NotBuilt()] = Field(
        default=None, description="Send a slow call a second time."
    )
    concurrency: Annotated[int, Whole(1)] | None = Field(
        default=None, description="Calls at a time, of all methods together."
    )
    circuit_breaker: Annotated[CircuitBreaker | None, NotBuilt()] = Field(
        default=None, description="Refuse calls above a number at a time."
    )
    health_check: Annotated[ProbedHealth | None, NotBuilt()] = Field(
        default=None, description="Ask endpoints for their health."
    )
    outlier_detection: Annotated[OutlierDetection | None, NotBuilt()] = Field(
        default=None, description="Leave out endpoints that fail."
    )
    keepalive: Keepalive = Field(
        default_factory=Keepalive, description="Pings on connections to it."
    )
