"""What `gateway explain` tells of how often a method may be called, and what set each number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Final

from gateway.app.explained.fact import Fact, set_by
from gateway.app.generation import Generation
from gateway.app.state import MEMORY
from gateway.config.effective import RATE_LIMITS
from gateway.config.models import RateLimit
from gateway.config.units import UNLIMITED, format_duration
from gateway.schema.method import Kind, MethodDescriptor

_TITLE: Final = "rate limits"
_AWAY: Final = {"local": "counted by this machine alone", "allow": "not counted", "deny": "refused"}


def limit_facts(generation: Generation, descriptor: MethodDescriptor) -> Iterator[Fact]:
    """Yields the limits of a method, and the numbers that plans have in their place."""
    settings = generation.settings[descriptor.name]
    plans = generation.config.plans
    limits = settings.rate_limits
    title = _TITLE
    for name, limit in limits.items():
        streams = descriptor.kind is not Kind.UNARY
        where = settings.where((RATE_LIMITS, name)) or ""
        shared = generation.config.state != MEMORY
        yield Fact(title, _said(limit, streams=streams, shared=shared), where)
        title = ""
        if limit.rate is None:
            continue
        for plan, given in plans.items():
            if name in given.rate_limits:
                rate = given.rate_limits[name]
                place = set_by(generation, ("plans", plan, RATE_LIMITS, name))
                yield Fact("", f"  of the plan {plan}: {rate or UNLIMITED}", place)
    for plan, given in plans.items():
        for field in fields(given.quotas):
            quota = getattr(given.quotas, field.name)
            if quota is not None:
                place = set_by(generation, ("plans", plan, "quotas", field.name))
                number = quota.sized if field.name == "bytes" else str(quota)
                text = f"quota of the plan {plan}: {field.name} {number}"
                yield Fact(title, f"{text}, of all methods together", place)
                title = ""


def adaptive_facts(generation: Generation, descriptor: MethodDescriptor) -> Iterator[Fact]:
    """Yields the numbers of adaptive concurrency, where it concerns the method."""
    given = generation.config.adaptive_concurrency
    if not given.enabled or descriptor.kind is not Kind.UNARY:
        return
    values = {
        "min": f"{given.min} calls of the upstream at a time, never fewer",
        "max": f"{given.max} at a time, never more",
        "queue": f"{given.queue} calls that may wait for their turn",
        "max_wait": f"{format_duration(given.max_wait)} that a call waits at most",
    }
    if given.priority_header is not None:
        values["priority_header"] = f"{given.priority_header}, of trusted proxies"
    yield Fact("adaptive", "concurrency, in each process")
    for name, value in values.items():
        yield Fact(f"  {name}", value, set_by(generation, ("adaptive_concurrency", name)))


def _said(limit: RateLimit, *, streams: bool, shared: bool) -> str:
    if limit.rate is None:
        return f"{limit.name} {UNLIMITED}"
    parts = [f"{limit.name} {limit.rate}"]
    if limit.burst is not None:
        parts.append(f"{limit.burst} at once")
    parts += [f"by {' and '.join(limit.key)}", limit.algorithm]
    if limit.on_limit == "delay":
        parts.append(f"delayed by {format_duration(limit.max_delay)} at most")
    if limit.messages and streams:
        parts.append("messages too")
    if shared:
        parts.append(f"{_AWAY[limit.on_error]} while Redis is away")
    if limit.dark:
        parts.append("dark: refuses nothing")
    return ", ".join(parts)
