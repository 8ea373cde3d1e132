"""What callers may do, and where: `policies`, `plans`, `addresses`, `hosts` and what is beside."""

from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Literal

from pydantic import Field

from gateway.config.markers import NotBuilt, OneOrMany
from gateway.config.models.section import section
from gateway.config.places import Cidr
from gateway.config.scalars import (
    CODE,
    METHODS,
    NAME,
    PERCENT,
    SERVICES,
    Duration,
    RateOf,
    Switch,
    Text,
    Whole,
)
from gateway.config.units import Rate

_TEXT = Annotated[str, Text()]
_PROVIDERS = Annotated[tuple[Annotated[str, NAME], ...], Field(min_length=1)]
_NETWORKS = tuple[Annotated[IPv4Network | IPv6Network, Cidr()], ...]


@section
class RateLimit:
    """A limit on calls."""

    name: Annotated[str, NAME] = Field(description="By which plans and other policies override it.")
    rate: Annotated[Rate, RateOf()] = Field(description="How many in a period.")
    burst: Annotated[int, Whole(1)] | None = Field(default=None, description="How many at once.")
    key: _TEXT = Field(default="principal", description="Whose calls are counted together.")
    algorithm: Literal["token_bucket", "sliding_window", "fixed_window"] = Field(
        default="token_bucket", description="How they are counted."
    )


@section
class Authorize:
    """What a caller must have."""

    scopes: tuple[_TEXT, ...] | None = Field(default=None, description="All of these scopes.")
    roles: tuple[_TEXT, ...] | None = Field(default=None, description="One of these roles.")
    when: _TEXT | None = Field(default=None, description="A condition in CEL.")


@section
class Cache:
    """Replies are kept."""

    ttl: Annotated[float, Duration()] = Field(description="For how long.")
    vary: tuple[_TEXT, ...] = Field(default=(), description="Headers that make another entry.")
    stale_while_revalidate: Annotated[float, Duration(zero=True)] = Field(
        default=0.0, description="How long a stale reply may be used while a new one is fetched."
    )
    shared: Annotated[bool, Switch()] = Field(
        default=False, description="One entry for all principals."
    )
    tags: tuple[_TEXT, ...] = Field(default=(), description="By which entries are removed.")


@section
class Split:
    """A share of the calls goes to another upstream."""

    upstream: Annotated[str, NAME] = Field(description="Where to.")
    percent: Annotated[float, PERCENT] = Field(description="How many.")
    hash_on: _TEXT | None = Field(default=None, description="What keeps a caller on one side.")


@section
class Mirror:
    """A share of the calls is also sent to another upstream, whose answer is ignored."""

    upstream: Annotated[str, NAME] = Field(description="Where to.")
    percent: Annotated[float, PERCENT] = Field(default=100.0, description="How many.")


@section
class Deprecated:
    """The method goes away (RFC 9745, RFC 8594)."""

    sunset: Annotated[str, Text("a date such as 2027-06-30", r"^\d{4}-\d\d-\d\d$")] | None = Field(
        default=None, description="When."
    )
    link: _TEXT | None = Field(default=None, description="What to use instead.")


@section
class Faults:
    """Failures made on purpose."""

    delay: Annotated[float, Duration(zero=True)] = Field(
        default=0.0, description="Wait before the call."
    )
    code: Annotated[str, CODE] | None = Field(default=None, description="Fail with this status.")
    percent: Annotated[float, PERCENT] = Field(default=0.0, description="How many calls.")


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
    rate_limits: Annotated[tuple[RateLimit, ...], NotBuilt()] = Field(
        default=(), description="Limits on calls, merged by name."
    )
    concurrency: Annotated[int | None, Whole(1), NotBuilt()] = Field(
        default=None, description="Calls at a time."
    )
    cache: Annotated[Cache | None, NotBuilt()] = Field(
        default=None, description="Replies are kept."
    )
    split: Annotated[tuple[Split, ...] | None, NotBuilt()] = Field(
        default=None, description="Other upstreams' shares."
    )
    mirror: Annotated[Mirror | None, NotBuilt()] = Field(
        default=None, description="Copies of calls."
    )
    deprecated: Annotated[Deprecated | None, NotBuilt()] = Field(
        default=None, description="The method goes away."
    )
    faults: Annotated[Faults | None, NotBuilt()] = Field(
        default=None, description="Failures made on purpose."
    )
    priority: Annotated[Literal["high", "normal", "low"] | None, NotBuilt()] = Field(
        default=None, description="Who is refused first under load."
    )


@section
class Plan:
    """Numbers of a group of callers."""

    rate_limits: Mapping[Annotated[str, NAME], Annotated[Rate, RateOf()]] = Field(
        default_factory=dict, description="Rates, by the limit's name."
    )
    quotas: Mapping[Annotated[str, NAME], Annotated[Rate, RateOf()]] = Field(
        default_factory=dict, description="Numbers of calls in a long period."
    )


@section
class AdaptiveConcurrency:
    """A bound on calls at a time that follows the backends' latency."""

    enabled: Annotated[bool, Switch()] = Field(default=False, description="Whether it is on.")
    min: Annotated[int, Whole(1)] = Field(default=8, description="Never fewer.")
    max: Annotated[int, Whole(1)] = Field(default=1000, description="Never more.")


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
