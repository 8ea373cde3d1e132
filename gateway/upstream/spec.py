"""What an upstream is made of: every argument of one, as data that can be compared.

Upstreams outlive generations: where a reload asks for an equal spec, the upstream that is there
goes on, with its connections. Nothing here reads files or the config.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.upstream.endpoints import AnyEndpoint

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
            None takes the endpoint's host.
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
    """When to ask a silent connection for a sign of life, in seconds.

    Attributes:
        time: How long it may be silent, with calls in flight.
        timeout: How long to wait for the answer before it counts as dead.
    """

    time: float = 300.0
    timeout: float = 20.0


@dataclass(frozen=True, slots=True)
class UpstreamSpec:
    """All arguments of an upstream: equal ones make upstreams that nobody can tell apart.

    Attributes:
        name: Its name in the config.
        endpoints: Its backends, at least one.
        tls: None speaks in the clear.
        message_size: The largest message either way, in bytes.
        transport: Which implementation of a channel carries its calls.
        connections: Connections to each endpoint; more are opened when their streams run out.
    """

    name: str
    endpoints: tuple[AnyEndpoint, ...]
    tls: Tls | None = None
    keepalive: Keepalive = Keepalive()
    message_size: int = MESSAGE_SIZE
    transport: str = "native"
    connections: int = 1

    def __post_init__(self) -> None:
        if not self.endpoints:
            raise ValueError(f"upstream {self.name} has no endpoints")
