"""What callers may do, and where: `policies`, `plans`, `addresses`, `hosts` and what is beside."""

from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from gateway.config.markers import AtMost, OneOrMany
from gateway.config.models.section import section
from gateway.config.models.shaping import Deprecated, Faults, Mirror, Route, Split
from gateway.config.places import Cidr
from gateway.config.scalars import (
    HEADER,
    LIMIT_KEY,
    METHODS,
    NAME,
    SERVICES,
    STATE,
    Duration,
    QuotaOf,
    RateOf,
    Size,
    Switch,
    Text,
    Whole,
)
from gateway.config.units import MOST, Quota, Rate

_TEXT = Annotated[str, Text()]
_HEADER = Annotated[str, HEADER]
_KEYS = Annotated[tuple[Annotated[str, LIMIT_KEY], ...], Field(min_length=1)]
_PROVIDERS = Annotated[tuple[Annotated[str, NAME], ...], Field(min_length=1)]
_NETWORKS = tuple[Annotated[IPv4Network | IPv6Network, Cidr()], ...]


@section
class RateLimit:
    """A limit on calls."""

    name: Annotated[str, NAME] = Field(description="By which plans and other policies override it.")
    rate: Annotated[Rate | None, RateOf(zero=False, unlimited=True)] = Field(
        description="How many in a period; unlimited takes the limit back."
    )
    burst: Annotated[int, Whole(1, MOST)] | None = Field(
        default=None, description="How many at once; as many as the rate has, if absent."
    )
    key: Annotated[_KEYS, OneOrMany()] = Field(
        default=("principal",), description="Whose calls are counted together."
    )
    algorithm: Literal["token_bucket", "sliding_window", "fixed_window"] = Field(
        default="token_bucket", description="How they are counted."
    )
    on_limit: Literal["refuse", "delay"] = Field(
        default="refuse", description="What becomes of a call that is one too many."
    )
    max_delay: Annotated[float, Duration()] = Field(
        default=1.0, description="The longest that a call is delayed."
    )
    on_error: Literal["local", "allow", "deny"] = Field(
        default="local", description="What becomes of calls while the shared state is away."
    )
    messages: Annotated[bool, Switch()] = Field(
        default=False, description="Whether each message of a stream is charged too."
    )
    dark: Annotated[bool, Switch()] = Field(
        default=False, description="Whether it only counts and reports."
    )


@section
class Authorize:
    """What a caller must have."""

    scopes: tuple[_TEXT, ...] | None = Field(default=None, description="All of these scopes.")
    roles: tuple[_TEXT, ...] | None = Field(default=None, description="One of these roles.")
    when: _TEXT | None = Field(default=None, description="A condition in CEL.")


@section
class Cache:
    """Replies are kept. Each key is a setting of its own."""

    EXAMPLE: ClassVar = "{ttl: 1m}"

    ttl: Annotated[float, Duration(zero=True)] | None = Field(
        default=None, description="For how long, where the backend says nothing; 0s keeps none."
    )
    vary: tuple[_TEXT, ...] | None = Field(
        default=None, description="Headers of clients that make another entry."
    )
    stale_while_revalidate: Annotated[float, Duration(zero=True)] | None = Field(
        default=None,
        description="How long a stale reply may be used while a new one is fetched.",
    )
    stale_if_error: Annotated[float, Duration(zero=True)] | None = Field(
        default=None, description="How long a stale reply is used where the backend fails."
    )
    negative_ttl: Annotated[float, Duration(zero=True)] | None = Field(
        default=None, description="For how long NOT_FOUND is kept."
    )
    shared: Annotated[bool, Switch()] | None = Field(
        default=None, description="One entry for all principals."
    )
    tags: tuple[_TEXT, ...] | None = Field(
        default=None, description="By which entries are removed."
    )


@section
class Policy:
    """Settings of the methods it matches."""

    methods: tuple[Annotated[str, METHODS], ...] = Field(
        min_length=1, description="Methods, by name or glob."
    )
    authenticate: Annotated[_PROVIDERS, OneOrMany()] | None = Field(
        default=None, description="Providers, any of which will do; none lets anonymous callers in."
    )
    authorize: Authorize | None = Field(default=None, description="What a caller must have.")
    timeout: Annotated[float, Duration()] | None = Field(
        default=None, description="How long a unary call may take."
    )
    rate_limits: tuple[RateLimit, ...] = Field(
        default=(), description="Limits on calls, merged by name."
    )
    concurrency: Annotated[int, Whole(1)] | None = Field(
        default=None, description="Calls of a method at a time."
    )
    concurrency_per_principal: Annotated[int, Whole(1)] | None = Field(
        default=None, description="Calls of a method at a time, of one caller."
    )
    cache: Cache | None = Field(default=None, description="Replies are kept.")
    coalesce: Annotated[bool | None, Switch()] = Field(
        default=None, description="Equal calls in flight are made once."
    )
    validate: Annotated[bool | None, Switch()] = Field(
        default=None, description="Requests are checked against the rules in their protos."
    )
    idempotent: Annotated[bool | None, Switch()] = Field(
        default=None, description="Whether a call may be made again when it failed."
    )
    route: tuple[Route, ...] | None = Field(
        default=None, description="Which calls go to other upstreams: the first that fits."
    )
    split: tuple[Split, ...] | None = Field(default=None, description="Other upstreams' shares.")
    mirror: Mirror | None = Field(default=None, description="Copies of calls.")
    deprecated: Deprecated | None = Field(default=None, description="The method goes away.")
    faults: Faults | None = Field(default=None, description="Failures made on purpose.")
    priority: Literal["high", "normal", "low"] | None = Field(
        default=None, description="Who is refused first under load."
    )


@section
class Quotas:
    """What a caller may use of all methods together in a day or month of the calendar, in UTC."""

    calls: Annotated[Quota | None, QuotaOf()] = Field(default=None, description="Calls.")
    messages: Annotated[Quota | None, QuotaOf()] = Field(
        default=None, description="Messages, either way."
    )
    bytes: Annotated[Quota | None, QuotaOf(sizes=True)] = Field(
        default=None, description="Bytes of messages, either way."
    )


@section
class Plan:
    """Numbers of a group of callers."""

    rate_limits: Mapping[
        Annotated[str, NAME], Annotated[Rate | None, RateOf(zero=False, unlimited=True)]
    ] = Field(default_factory=dict, description="Rates, by the limit's name.")
    quotas: Quotas = Field(
        default_factory=Quotas, description="What each caller may use in a long period."
    )


@section
class AdaptiveConcurrency:
    """A bound on calls at a time that follows the backends' latency."""

    RULES: ClassVar = (AtMost("min", "max"),)

    enabled: Annotated[bool, Switch()] = Field(default=False, description="Whether it is on.")
    min: Annotated[int, Whole(1)] = Field(default=8, description="Never fewer.")
    max: Annotated[int, Whole(1)] = Field(default=1000, description="Never more.")
    queue: Annotated[int, Whole(0)] = Field(
        default=100, description="Calls that may wait for their turn."
    )
    max_wait: Annotated[float, Duration()] = Field(
        default=1.0, description="The longest that a call waits for its turn."
    )
    priority_header: _HEADER | None = Field(
        default=None, description="The header by which trusted proxies say a call's priority."
    )


@section
class Limiting:
    """How limits are kept and told."""

    keys: Annotated[int, Whole(1000, 100_000_000)] = Field(
        default=1_000_000, description="Callers, addresses and so on that are remembered in memory."
    )
    legacy_headers: Annotated[bool, Switch()] = Field(
        default=False, description="Whether replies have X-RateLimit-* headers too."
    )


@section
class CacheStore:
    """Where the cache keeps replies, and how many."""

    EXAMPLE: ClassVar = "{size: 64MiB}"
    RULES: ClassVar = (AtMost("entry_size", "size", sizes=True),)

    size: Annotated[int, Size(minimum=64 * 1024)] = Field(
        default=64 * 1024**2, description="Bytes, in each worker."
    )
    entry_size: Annotated[int, Size(minimum=1024)] = Field(
        default=1024**2, description="The largest reply that is kept, in bytes."
    )
    state: Annotated[str, STATE] | None = Field(
        default=None, repr=False, description="Where replies are kept, if not in the shared state."
    )


@section
class Usage:
    """What callers use is counted."""

    enabled: Annotated[bool, Switch()] = Field(default=False, description="Whether it is on.")
    callers: Annotated[int, Whole(1)] = Field(
        default=100_000, description="Callers that are told apart in a day; the rest are one."
    )


@section
class Addresses:
    """Clients by their address."""

    allow: _NETWORKS = Field(default=(), description="Only these, unless empty.")
    deny: _NETWORKS = Field(default=(), description="Never these.")


@section
class Host:
    """What one host name serves."""

    services: tuple[Annotated[str, SERVICES], ...] = Field(
        default=("*",), description="Services, by name or glob."
    )
    rest: Annotated[bool, Switch()] = Field(default=True, description="Whether REST is served.")
    graphql: Annotated[bool, Switch()] = Field(
        default=True, description="Whether GraphQL is served."
    )
    websocket: Annotated[bool, Switch()] = Field(
        default=True, description="Whether WebSocket is served."
    )


@section
class Pages:
    """Who may see the documentation and the consoles."""

    authenticate: Annotated[_PROVIDERS, OneOrMany()] = Field(
        default=(), description="Providers, any of which will do; none opens them to everyone."
    )
