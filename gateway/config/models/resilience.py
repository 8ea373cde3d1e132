"""The parts of an upstream that deal with failure: retries, hedging, breaker, health, outliers."""

from typing import Annotated

from pydantic import Field

from gateway.config.models.section import section
from gateway.config.scalars import CODE, PERCENT, Duration, Number, RateOf, Text, Whole
from gateway.config.units import Rate


@section
class Backoff:
    """Waits between attempts, doubled each time."""

    base: Annotated[float, Duration()] = Field(default=0.025, description="The first wait.")
    max: Annotated[float, Duration()] = Field(default=0.25, description="The longest wait.")


@section
class RetryBudget:
    """How much load retries may add."""

    ratio: Annotated[float, Number(0, 1)] = Field(
        default=0.2, description="Retries and hedges a call, on average."
    )
    minimum: Annotated[Rate, RateOf()] = Field(
        default=Rate(10, 1), description="Retries and hedges that are always allowed."
    )


@section
class Retries:
    """Failed calls are tried again."""

    attempts: Annotated[int, Whole(1, 10)] = Field(
        default=3, description="Attempts, the first included."
    )
    on: tuple[Annotated[str, CODE], ...] = Field(
        default=("UNAVAILABLE",), description="Status codes that are tried again."
    )
    backoff: Backoff = Field(default_factory=Backoff, description="Waits between attempts.")
    budget: RetryBudget = Field(
        default_factory=RetryBudget, description="How much load retries and hedges may add."
    )
    per_try_timeout: Annotated[float, Duration()] | None = Field(
        default=None,
        description="How long each attempt of a unary call may take; "
        "all the time that the call has without it.",
    )


@section
class Hedging:
    """A slow call is sent again to another endpoint; the first answer wins."""

    delay: Annotated[float, Duration()] = Field(default=0.05, description="When a call is slow.")
    attempts: Annotated[int, Whole(2, 10)] = Field(
        default=2, description="Attempts, the first included."
    )


@section
class CircuitBreaker:
    """A bound on what an upstream is asked at a time."""

    requests: Annotated[int, Whole(1)] = Field(
        default=1024, description="Calls at a time, streams among them."
    )
    pending: Annotated[int, Whole(0)] = Field(
        default=1024, description="Calls that wait for a connection."
    )
    retries: Annotated[int, Whole(0)] | None = Field(
        default=None, description="Retries and hedges at a time; only the budget bounds them else."
    )


@section
class ProbedHealth:
    """Endpoints are asked by grpc.health.v1."""

    interval: Annotated[float, Duration()] = Field(default=5.0, description="How often.")
    timeout: Annotated[float, Duration()] = Field(default=1.0, description="How long to wait.")
    unhealthy_after: Annotated[int, Whole(1, 100)] = Field(
        default=2, description="Failures in a row that take an endpoint out."
    )
    healthy_after: Annotated[int, Whole(1, 100)] = Field(
        default=1, description="Successes in a row that bring an endpoint back."
    )
    service: Annotated[str, Text()] | None = Field(
        default=None, description="Whose health is asked; the whole server's without it."
    )


@section
class OutlierDetection:
    """Endpoints whose calls fail are left out for a while."""

    consecutive_errors: Annotated[int, Whole(0)] = Field(
        default=5, description="Failures in a row; 0 for not by these."
    )
    interval: Annotated[float, Duration()] = Field(default=10.0, description="How often to look.")
    base_ejection: Annotated[float, Duration()] = Field(
        default=30.0, description="How long the first time; longer each time."
    )
    max_ejection: Annotated[float, Duration()] = Field(
        default=300.0, description="How long at most; never shorter than the first time."
    )
    max_ejected: Annotated[float, PERCENT] = Field(
        default=50.0,
        description="Percent of the endpoints that may be out at a time; "
        "one always, and never all.",
    )
    success_rate_stdev: Annotated[float, Number(0, 100)] = Field(
        default=1.9,
        description="How many standard deviations under the mean of all endpoints the share of "
        "calls that succeed may be; 0 for not by this.",
    )
    failure_percentage: Annotated[float, PERCENT] = Field(
        default=85.0, description="Percent of calls that fail; 0 for not by this."
    )
    minimum_requests: Annotated[int, Whole(1)] = Field(
        default=100, description="Calls in an interval without which these shares say nothing."
    )
    minimum_hosts: Annotated[int, Whole(2)] = Field(
        default=5, description="Endpoints with so many calls, without which none are compared."
    )
