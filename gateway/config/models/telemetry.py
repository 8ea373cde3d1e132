"""`telemetry`: metrics, the access log, traces and what is kept of the last calls."""

from typing import Annotated, Literal

from pydantic import Field

from gateway.config.markers import OrFalse
from gateway.config.models.section import section
from gateway.config.outputs import Output
from gateway.config.scalars import URL, Number, Switch, Text, Whole


@section
class AccessLog:
    """A line for each thing that a client asked."""

    format: Literal["json", "ncsa"] = Field(
        default="json", description="The form of a line: JSON, or NCSA's combined one."
    )
    path: Annotated[str, Output()] = Field(
        default="-", description="The file; - is standard output. SIGUSR1 opens it anew."
    )
    redact: tuple[Annotated[str, Text()], ...] = Field(
        default=(
            *("access_token", "api_key", "apikey", "auth*", "code", "id_token", "key"),
            *("*password*", "refresh_token", "*secret*", "sig", "signature", "*token"),
            "variables",
        ),
        description="Query parameters, by glob, whose values are left out.",
    )


@section
class Tracing:
    """Spans, exported by OTLP."""

    otlp: Annotated[str, URL] = Field(
        description="The collector, by HTTP. Its path is no secret: tokens belong in headers."
    )
    sample: Annotated[float, Number(0, 1)] = Field(
        default=0.01, description="The share of requests that are traced where no caller decided."
    )
    caller_rate: Annotated[int, Whole(0, 1_000_000)] = Field(
        default=100,
        description="How many requests a second are traced since their callers trace them.",
    )
    service_name: Annotated[str, Text()] | None = Field(
        default=None,
        description="What the gateway is called in traces; else OTEL_SERVICE_NAME, or gateway.",
    )
    principal: Annotated[bool, Switch()] = Field(
        default=False, description="Whether spans say who made a request."
    )


@section
class Recorder:
    """What is kept of the last calls, for `gateway why`."""

    calls: Annotated[int, Whole(1, 100_000)] = Field(
        default=1000, description="How many are kept: half of them failures."
    )
    sample: Annotated[float, Number(0, 1)] = Field(
        default=0.01, description="The share of calls that went well that are kept."
    )


@section
class Telemetry:
    """What the gateway tells of its work."""

    metrics: Annotated[bool, Switch()] = Field(
        default=True, description="Count, for /metrics of the admin listener."
    )
    access_log: AccessLog | None = Field(
        default=None, description="A line for each thing that a client asked."
    )
    tracing: Tracing | None = Field(default=None, description="Spans, for a collector.")
    recorder: Annotated[Recorder | None, OrFalse()] = Field(
        default_factory=Recorder, description="What is kept of the last calls."
    )
