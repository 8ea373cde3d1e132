"""The whole configuration: every section, in the order of the documentation."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from gateway.config.markers import OrFalse
from gateway.config.models.auth import Auth
from gateway.config.models.graphql import Graphql
from gateway.config.models.listener import Admin, Listener
from gateway.config.models.policies import (
    AdaptiveConcurrency,
    Addresses,
    CacheStore,
    Host,
    Limiting,
    Pages,
    Plan,
    Policy,
    Usage,
)
from gateway.config.models.rest import Headers, Rest
from gateway.config.models.schema import Schema
from gateway.config.models.section import section
from gateway.config.models.telemetry import Telemetry
from gateway.config.models.upstreams import Upstream
from gateway.config.models.websocket import Websocket
from gateway.config.places import HOST
from gateway.config.scalars import NAME, STATE, Duration, Text, Whole


@section
class Config:
    """The configuration of a gateway."""

    listener: Listener = Field(default_factory=Listener, description="Where clients connect.")
    workers: Annotated[int, Whole(0, 1024)] = Field(
        default=1, description="Processes that share the listener; 0 for one a core."
    )
    admin: Annotated[Admin | None, OrFalse()] = Field(
        default_factory=Admin, description="Where operators connect; false for nowhere."
    )
    schema: Schema = Field(default_factory=Schema, description="Where the protos come from.")
    upstreams: Mapping[Annotated[str, NAME], Upstream] = Field(
        default_factory=dict, description="The backends, by name."
    )
    zone: Annotated[str, Text()] | None = Field(default=None, description="Where the gateway runs.")
    auth: Auth = Field(default_factory=Auth, description="Who callers are.")
    policies: tuple[Policy, ...] = Field(default=(), description="Settings of methods.")
    plans: Mapping[Annotated[str, NAME], Plan] = Field(
        default_factory=dict, description="Numbers of groups of callers."
    )
    adaptive_concurrency: AdaptiveConcurrency = Field(
        default_factory=AdaptiveConcurrency, description="A bound that follows latency."
    )
    limits: Limiting = Field(default_factory=Limiting, description="How limits are kept and told.")
    cache: CacheStore = Field(default_factory=CacheStore, description="Where replies are kept.")
    usage: Usage = Field(default_factory=Usage, description="What callers use is counted.")
    addresses: Addresses = Field(default_factory=Addresses, description="Clients by their address.")
    hosts: Mapping[Annotated[str, HOST], Host] = Field(
        default_factory=dict, description="What each host name serves."
    )
    rest: Annotated[Rest | None, OrFalse()] = Field(
        default_factory=Rest, description="The REST front; false switches it off."
    )
    graphql: Annotated[Graphql | None, OrFalse()] = Field(
        default_factory=Graphql, description="The GraphQL front; false switches it off."
    )
    websocket: Annotated[Websocket | None, OrFalse()] = Field(
        default_factory=Websocket, description="The WebSocket front; false switches it off."
    )
    headers: Headers = Field(default_factory=Headers, description="Which headers pass, either way.")
    state: Annotated[str, STATE] = Field(
        default="memory", repr=False, description="Where limits and usage are kept."
    )
    state_timeout: Annotated[float, Duration()] = Field(
        default=0.1, description="The longest that a call waits for a shared state."
    )
    telemetry: Telemetry = Field(
        default_factory=Telemetry, description="What the gateway tells of its work."
    )
    reload: Literal["signal", "watch"] = Field(
        default="signal",
        description="When the config is read again: at SIGHUP, or also when a file changes.",
    )
    pages: Pages = Field(default_factory=Pages, description="Who may see the pages.")
