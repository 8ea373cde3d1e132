"""`listener` and `admin`: where the gateway listens, for how much, and for how long."""

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field, SecretStr

from gateway.config.markers import Needs, OneOrMany
from gateway.config.models.section import section
from gateway.config.places import FILE, LISTEN, Proxy, Secret
from gateway.config.scalars import HEADER, METHOD, ORIGIN, Duration, RateOf, Size, Switch, Whole
from gateway.config.units import Address, Rate, TcpAddress

_MESSAGE = Size(1, 2**31 - 1)
_PROXY = Annotated[IPv4Network | IPv6Network | Literal["unix"], Proxy()]


@section
class ListenerTls:
    """TLS of the public listener, and of its clients' certificates."""

    RULES: ClassVar = (
        Needs("client_certificate", "client_ca"),
        Needs("client_ca", "client_certificate"),
    )

    certificate: Annotated[Path, FILE] = Field(description="The certificate chain, a PEM file.")
    key: Annotated[Path, FILE] = Field(description="The certificate's private key, a PEM file.")
    client_ca: Annotated[Path, FILE] | None = Field(
        default=None, description="The authorities that sign clients' certificates, a PEM file."
    )
    client_certificate: Literal["optional", "required"] | None = Field(
        default=None, description="Whether a client must show a certificate."
    )


@section
class Cors:
    """Which pages of other origins may call, and read replies."""

    origins: tuple[Annotated[str, ORIGIN], ...] = Field(
        default=(),
        description="Whose pages: https://app.example, https://*.app.example, or * for all.",
    )
    credentials: Annotated[bool, Switch()] = Field(
        default=False,
        description="Whether they may act as the user, by cookies and what else browsers attach.",
    )
    methods: tuple[Annotated[str, METHOD], ...] = Field(
        default=(), description="Methods that they may use; all that a path answers, if none."
    )
    headers: tuple[Annotated[str, HEADER], ...] = Field(
        default=(), description="Headers that they may send; all that they ask for, if none."
    )
    expose: tuple[Annotated[str, HEADER], ...] = Field(
        default=(), description="Headers of replies that they may read, beside the gateway's own."
    )
    max_age: Annotated[float, Duration(zero=True)] = Field(
        default=600.0, description="For how long a browser keeps the answer to a preflight request."
    )


@section
class ListenerLimits:
    """What a client may take of the gateway."""

    connections: Annotated[int, Whole(1)] = Field(
        default=10_000, description="Open connections of all clients together."
    )
    connections_per_address: Annotated[int, Whole(1)] = Field(
        default=1_000, description="Open connections of one client address."
    )
    header_size: Annotated[int, Size(1024, 1024**2)] = Field(
        default=32 * 1024, description="The request line and the headers together."
    )
    header_fields: Annotated[int, Whole(16, 10_000)] = Field(
        default=256, description="Header fields of a request."
    )
    path_segments: Annotated[int, Whole(1, 10_000)] = Field(
        default=256, description="Segments of a path."
    )
    query_parameters: Annotated[int, Whole(1, 100_000)] = Field(
        default=1_000, description="Parameters of a query, and of a form."
    )
    metadata_size: Annotated[int, Size(1024, 64 * 1024)] = Field(
        default=15 * 1024,
        description="All metadata of a call to a backend, 32 bytes more for each entry.",
    )
    body_size: Annotated[int, _MESSAGE] = Field(
        default=4 * 1024**2,
        description="A request body that is held whole, as those of unary calls are.",
    )
    message_size: Annotated[int, _MESSAGE] = Field(
        default=4 * 1024**2, description="One gRPC message, in either direction, streamed or not."
    )
    stream_size: Annotated[int, Size()] = Field(
        default=0, description="All of a streamed request body; 0 is no limit."
    )
    json_depth: Annotated[int, Whole(1, 100)] = Field(
        default=100, description="How deep objects and lists may nest in JSON."
    )
    header_timeout: Annotated[float, Duration()] = Field(
        default=10.0, description="From the first byte of a request to the end of its headers."
    )
    body_timeout: Annotated[float, Duration()] = Field(
        default=30.0, description="The longest wait for the next byte of a unary call's body."
    )
    stream_idle_timeout: Annotated[float, Duration()] = Field(
        default=300.0, description="A stream on which nothing moves in either direction is ended."
    )
    idle_timeout: Annotated[float, Duration()] = Field(
        default=75.0, description="A connection without a request is closed."
    )
    unauthenticated: Annotated[Rate, RateOf()] = Field(
        default=Rate(100, 1), description="Calls of one address before anyone is authenticated."
    )


@section
class Listener:
    """The public listener."""

    address: Annotated[tuple[Annotated[Address, LISTEN], ...], OneOrMany()] = Field(
        default=(TcpAddress("127.0.0.1", 8080),),
        min_length=1,
        description="Where clients connect: host:port or unix:/path, or a list of these. "
        "Port 0 takes a free port.",
    )
    tls: ListenerTls | None = Field(default=None, description="Serve HTTPS with this certificate.")
    trusted_proxies: tuple[_PROXY, ...] = Field(
        default=(),
        description="Networks whose Forwarded and X-Forwarded-For headers are believed; "
        "unix is whoever connects by a Unix socket.",
    )
    cors: Cors | None = Field(default=None, description="Pages of other origins.")
    compression: tuple[Literal["br", "gzip", "zstd"], ...] = Field(
        default=("br", "gzip"),
        description="Content codings that replies may be sent in, the best first; [] for none.",
    )
    limits: ListenerLimits = Field(
        default_factory=ListenerLimits, description="What a client may take of the gateway."
    )
    drain_timeout: Annotated[float, Duration(zero=True)] = Field(
        default=30.0, description="How long calls may still run after SIGTERM."
    )


@section
class Admin:
    """The admin listener: health and state, for operators only."""

    address: Annotated[Address, LISTEN] = Field(
        default=TcpAddress("127.0.0.1", 9090), description="Where operators connect; never public."
    )
    token: Annotated[SecretStr, Secret()] | None = Field(
        default=None, description="What operators show as a bearer token; beyond loopback needed."
    )
