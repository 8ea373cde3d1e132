"""`websocket`."""

from typing import Annotated, Literal

from pydantic import Field

from gateway.config.models.section import section
from gateway.config.places import URL_PATH
from gateway.config.scalars import ORIGIN, Duration, RateOf, Size, Switch, Whole
from gateway.config.units import Rate


@section
class WebsocketLimits:
    """How much one session may do."""

    streams: Annotated[int, Whole(1)] = Field(default=100, description="Open streams.")
    message_size: Annotated[int, Size(1, 2**31 - 1)] = Field(
        default=1024**2, description="One message."
    )
    opens: Annotated[Rate, RateOf(zero=False)] = Field(
        default=Rate(20, 1), description="Streams opened."
    )
    messages: Annotated[Rate, RateOf(zero=False)] = Field(
        default=Rate(200, 1), description="Messages sent."
    )
    hello_timeout: Annotated[float, Duration()] = Field(
        default=5.0, description="Wait for the hello."
    )
    max_age: Annotated[float, Duration()] = Field(default=7200.0, description="A session's life.")
    idle_timeout: Annotated[float, Duration()] = Field(
        default=600.0, description="A session without a stream."
    )


@section
class Websocket:
    """The WebSocket front."""

    path: Annotated[str, URL_PATH] = Field(default="/ws", description="Where it is.")
    subprotocols: tuple[Literal["grpcws.v1.json", "grpcws.v1.proto"], ...] = Field(
        default=("grpcws.v1.json", "grpcws.v1.proto"), min_length=1, description="Subprotocols."
    )
    origins: tuple[Annotated[str, ORIGIN], ...] = Field(
        default=(),
        description="Pages of other origins that may open one: https://app.example, "
        "https://*.app.example, or * for all. For GraphQL's too.",
    )
    limits: WebsocketLimits = Field(
        default_factory=WebsocketLimits, description="How much one session may do."
    )
    ping: Annotated[float, Duration()] = Field(default=25.0, description="How often to ping.")
    resume: Annotated[float, Duration(zero=True)] = Field(
        default=0.0, description="How long a lost session may be resumed."
    )
    permessage_deflate: Annotated[bool, Switch()] = Field(
        default=False, description="Compress messages where the client offers it (RFC 7692)."
    )
    demo: Annotated[bool, Switch()] = Field(
        default=False, description="Serve the page of the example at /demo."
    )
