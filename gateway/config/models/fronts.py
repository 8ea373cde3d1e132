"""`graphql` and `websocket`."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from gateway.config.models.section import section
from gateway.config.places import FILE, FOLDER, URL_PATH
from gateway.config.scalars import Duration, RateOf, Size, Switch, Text, Whole
from gateway.config.units import Rate


@section
class GraphqlLimits:
    """How much one document may ask."""

    depth: Annotated[int, Whole(1)] = Field(default=12, description="Levels of fields.")
    cost: Annotated[int, Whole(1)] = Field(default=1000, description="Estimated cost.")
    aliases: Annotated[int, Whole(0)] = Field(default=30, description="Aliases.")
    tokens: Annotated[int, Whole(1)] = Field(default=2000, description="Tokens.")
    root_fields: Annotated[int, Whole(1)] = Field(default=20, description="Fields at the root.")
    batch: Annotated[int, Whole(1)] = Field(default=1, description="Documents in one request.")


@section
class Graphql:
    """The GraphQL front."""

    path: Annotated[str, URL_PATH] = Field(default="/graphql", description="Where it is.")
    graphiql: Annotated[bool, Switch()] = Field(
        default=True, description="Serve the GraphiQL console."
    )
    introspection: Annotated[bool, Switch()] = Field(
        default=True, description="Answer introspection."
    )
    subscriptions: Annotated[bool, Switch()] = Field(
        default=True, description="Serve subscriptions."
    )
    joins: tuple[Annotated[Path, FILE], ...] = Field(default=(), description="Files of joins.")
    lookups: tuple[Annotated[str, Text()], ...] = Field(default=(), description="Lookups.")
    naming: Literal["flat", "by_service"] = Field(
        default="flat", description="Names of root fields."
    )
    operations: tuple[Annotated[Path, FOLDER], ...] = Field(
        default=(), description="Trusted documents."
    )
    trusted_only: Annotated[bool, Switch()] = Field(
        default=False, description="Refuse other documents."
    )
    extensions: tuple[
        Annotated[str, Text("module:object", r"^[A-Za-z_][A-Za-z0-9_.]*:[A-Za-z_][A-Za-z0-9_]*$")],
        ...,
    ] = Field(default=(), description="Strawberry types, as module:object.")
    limits: GraphqlLimits = Field(
        default_factory=GraphqlLimits, description="How much one document may ask."
    )


@section
class WebsocketLimits:
    """How much one session may do."""

    streams: Annotated[int, Whole(1)] = Field(default=100, description="Open streams.")
    message_size: Annotated[int, Size(1, 2**31 - 1)] = Field(
        default=1024**2, description="One message."
    )
    opens: Annotated[Rate, RateOf()] = Field(default=Rate(20, 1), description="Streams opened.")
    messages: Annotated[Rate, RateOf()] = Field(default=Rate(200, 1), description="Messages sent.")
    hello_timeout: Annotated[float, Duration()] = Field(
        default=5.0, description="Wait for the hello."
    )
    max_age: Annotated[float, Duration()] = Field(default=7200.0, description="A session's life.")


@section
class Websocket:
    """The WebSocket front."""

    path: Annotated[str, URL_PATH] = Field(default="/ws", description="Where it is.")
    subprotocols: tuple[Literal["grpcws.v1.json", "grpcws.v1.proto"], ...] = Field(
        default=("grpcws.v1.json", "grpcws.v1.proto"), min_length=1, description="Subprotocols."
    )
    limits: WebsocketLimits = Field(
        default_factory=WebsocketLimits, description="How much one session may do."
    )
    ping: Annotated[float, Duration()] = Field(default=25.0, description="How often to ping.")
    resume: Annotated[float, Duration(zero=True)] = Field(
        default=0.0, description="How long a lost session may be resumed."
    )
