"""`telemetry`: the access log and traces."""

from typing import Annotated, Literal

from pydantic import Field

from gateway.config.models.section import section
from gateway.config.scalars import URL, Number, Text


@section
class AccessLog:
    """A line a call."""

    format: Literal["json"] = Field(default="json", description="The form of a line.")
    path: Annotated[str, Text()] = Field(default="-", description="Where to; - is standard output.")


@section
class Tracing:
    """Spans, exported by OTLP."""

    otlp: Annotated[str, URL] = Field(description="The collector.")
    sample: Annotated[float, Number(0, 1)] = Field(default=0.01, description="Share of calls.")


@section
class Telemetry:
    """What the gateway tells of its work."""

    access_log: AccessLog | None = Field(default=None, description="A line a call.")
    tracing: Tracing | None = Field(default=None, description="Spans.")
