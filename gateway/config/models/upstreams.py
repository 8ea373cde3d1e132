"""`upstreams`: the backends, where they are, and how calls are spread over them."""

from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from gateway.config.markers import Clash, Needs, OneOf, Short
from gateway.config.models.resilience import (
    CircuitBreaker,
    Hedging,
    OutlierDetection,
    ProbedHealth,
    Retries,
)
from gateway.config.models.resolver import Resolver
from gateway.config.models.section import section
from gateway.config.places import ENDPOINT, FILE
from gateway.config.scalars import HASH_KEY, PERCENT, SERVICES, Duration, Text, Whole
from gateway.config.units import Address


@section
class Endpoint:
    """One address of an upstream."""

    address: Annotated[Address, ENDPOINT] = Field(description="host:port or unix:/path.")
    weight: Annotated[int, Whole(1, 1000)] = Field(
        default=1, description="Its share of the calls, next to the others' weights."
    )
    zone: Annotated[str, Text()] | None = Field(default=None, description="Where it runs.")
    priority: Annotated[int, Whole(0, 100)] = Field(
        default=0, description="Takes the calls that endpoints of a lower number can't."
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

    RULES: ClassVar = tuple(
        Clash(key, "policy", policy)
        for key in ("slow_start", "locality", "weights")
        for policy in ("ring_hash", "maglev", "pick_first")
    )

    policy: Literal[
        "least_request", "round_robin", "random", "ring_hash", "maglev", "pick_first"
    ] = Field(default="least_request", description="How the endpoint of a call is chosen.")
    hash_on: Annotated[str, HASH_KEY] | None = Field(
        default=None, description="What calls have in common that go to one endpoint."
    )
    slow_start: Annotated[float, Duration(zero=True)] = Field(
        default=0.0, description="A new endpoint takes its full share only after this time."
    )
    locality: Literal["prefer_zone"] | None = Field(
        default=None, description="Prefer endpoints of the gateway's own zone."
    )
    panic_threshold: Annotated[float, PERCENT] = Field(
        default=50.0, description="With fewer healthy endpoints, in percent, all are used."
    )
    weights: Literal["static", "orca"] = Field(
        default="static",
        description="Whether shares are the endpoints' weights, or follow from backends' reports "
        "of their load (ORCA).",
    )


@section
class Affinity:
    """A client stays with one endpoint: by an id that it keeps in a cookie, or by what it shows."""

    EXAMPLE: ClassVar = "{cookie: gw-affinity, ttl: 1h}"
    RULES: ClassVar = (OneOf("cookie", "on"), Needs("ttl", "cookie"))

    cookie: Annotated[str, Text("a cookie's name", r"^[A-Za-z0-9_.-]{1,100}$")] | None = Field(
        default=None, description="The cookie in which a client keeps its id."
    )
    ttl: Annotated[float, Duration()] = Field(
        default=3600.0, description="How long the client keeps the cookie, in whole seconds."
    )
    on: Annotated[str, HASH_KEY] | None = Field(
        default=None, description="What calls of one client have in common."
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
    resolver: Resolver | None = Field(
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
    affinity: Affinity | None = Field(default=None, description="Keep a client with one endpoint.")
    timeout: Annotated[float, Duration()] = Field(
        default=5.0, description="A unary call's deadline where the client sets no shorter one."
    )
    stream_timeout: Annotated[float, Duration(zero=True)] = Field(
        default=0.0,
        description="A stream's deadline where the client sets no shorter one; 0s is none.",
    )
    retries: Retries | None = Field(default=None, description="Try failed calls again.")
    hedging: Hedging | None = Field(default=None, description="Send a slow call a second time.")
    concurrency: Annotated[int, Whole(1)] | None = Field(
        default=None, description="Calls at a time, of all methods together."
    )
    circuit_breaker: CircuitBreaker | None = Field(
        default=None, description="Refuse calls above a number at a time."
    )
    health_check: ProbedHealth | None = Field(
        default=None, description="Ask endpoints for their health."
    )
    outlier_detection: OutlierDetection | None = Field(
        default=None, description="Leave out endpoints that fail."
    )
    keepalive: Keepalive = Field(
        default_factory=Keepalive, description="Pings on connections to it."
    )
