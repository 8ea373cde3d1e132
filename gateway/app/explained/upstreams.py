"""What `gateway explain` tells of the upstreams that a method's calls go to, and what set each.

Its service's own comes first, then those that policies send calls or copies to.

Sections that are off by default are told key by key where they are on: what holds is then on the
page, also where the config does not say it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import TypeAdapter

from gateway.app.explained.fact import DEFAULT, Fact, set_by
from gateway.app.generation import Generation
from gateway.app.places import config_place
from gateway.app.repeatable import repeats_of
from gateway.config import Upstream, matches
from gateway.config.effective import IDEMPOTENT, MIRROR
from gateway.config.markers import Needs
from gateway.config.problems import Path
from gateway.config.units import format_duration
from gateway.schema.method import Kind, MethodDescriptor
from gateway.upstream.manner import Repeats

_MADE_AGAIN: Final[Mapping[Repeats, str]] = {
    Repeats.NEVER: "only if no backend saw it",
    Repeats.IDEMPOTENT: "after a failure: twice is as once",
    Repeats.SAFE: "after a failure, or before: it changes nothing",
}
"""When a call may be made again, where the upstream is told to."""

_SECTIONS: Final[Mapping[str, Repeats]] = {
    "retries": Repeats.IDEMPOTENT,
    "hedging": Repeats.SAFE,
    "circuit_breaker": Repeats.NEVER,
    "health_check": Repeats.NEVER,
    "outlier_detection": Repeats.NEVER,
    "affinity": Repeats.NEVER,
}
"""Those that are off unless they are set, with what a method's calls must allow for them."""

_SHORT: Final[Mapping[str, str]] = {"outlier_detection": "outliers"}
"""What would not fit in the column."""

_USUAL: Final[Mapping[str, object]] = {"weight": 1, "zone": None, "priority": 0}
"""What is said of an endpoint where it is something else."""


def upstream_facts(generation: Generation, descriptor: MethodDescriptor) -> Iterator[Fact]:
    """Yields the upstreams of a method, and what holds for its calls there."""
    name = generation.upstream_of.get(descriptor.service)
    if name is None:
        yield Fact("upstream", f"none takes {descriptor.service}: it is not served")
        return
    upstream = generation.config.upstreams[name]
    at: Path = ("upstreams", name)
    yield Fact("upstream", name, set_by(generation, at))
    index = next(
        i
        for exact in (True, False)
        for i, glob in enumerate(upstream.services)
        if (glob == descriptor.service if exact else matches(glob, descriptor.service))
    )
    place = set_by(generation, (*at, "services", index))
    yield Fact("  services", upstream.services[index], place)
    settings = generation.settings[descriptor.name]
    repeats = repeats_of(descriptor, settings)
    by = _repeatable_by(generation, descriptor, repeats)
    yield from _holding(generation, descriptor, name, repeats, by)
    for other in settings.upstreams:
        if other != name:
            yield Fact("upstream", f"{other}, by policy", set_by(generation, ("upstreams", other)))
            yield from _holding(generation, descriptor, other, repeats, by)
    mirror = settings.mirror if descriptor.kind is Kind.UNARY else None
    if mirror is not None and mirror.upstream not in (name, *settings.upstreams):
        other, by = mirror.upstream, settings.where(MIRROR) or DEFAULT
        yield Fact("upstream", f"{other}, of copies", set_by(generation, ("upstreams", other)))
        yield from _holding(generation, descriptor, other, Repeats.NEVER, by)


def _holding(
    generation: Generation, descriptor: MethodDescriptor, name: str, repeats: Repeats, by: str
) -> Iterator[Fact]:
    """Yields what holds for calls to one upstream.

    Args:
        generation: What was built.
        descriptor: The method.
        name: The upstream.
        repeats: How often such a call may be made.
        by: What says so.
    """
    upstream = generation.config.upstreams[name]
    at: Path = ("upstreams", name)
    yield from _where(generation, upstream, at)
    yield Fact("  tls", "on" if upstream.tls else "off", set_by(generation, (*at, "tls")))
    place = set_by(generation, (*at, "balancing", "policy"))
    yield Fact("  balancing", upstream.balancing.policy, place)
    for key, value in _values(upstream.balancing):
        place = set_by(generation, (*at, "balancing", *key))
        if key != ("policy",) and place != DEFAULT:
            yield Fact("", f"{'.'.join(key)} {value}", place)
    yield Fact("  transport", upstream.transport, set_by(generation, (*at, "transport")))
    place = set_by(generation, (*at, "connections"))
    yield Fact("  connections", _connections(upstream), place)
    keepalive = upstream.keepalive
    times = (
        f"{format_duration(keepalive.time)}, {format_duration(keepalive.timeout)} for the answer"
    )
    yield Fact("  keepalive", times, set_by(generation, (*at, "keepalive")))
    key_, seconds = _timeout(upstream, descriptor)
    shown = format_duration(seconds) if seconds else "none"
    yield Fact(f"  {key_}", shown, set_by(generation, (*at, key_)))
    yield Fact("  may be repeated", _MADE_AGAIN[repeats], by)
    for section, needed in _SECTIONS.items():
        yield from _section(generation, (*at, section), applies=repeats >= needed)


def _where(generation: Generation, upstream: Upstream, at: Path) -> Iterator[Fact]:
    for number, endpoint in enumerate(upstream.endpoints):
        place = set_by(generation, (*at, "endpoints", number))
        more = [
            f", {key} {value}"
            for key, usual in _USUAL.items()
            if (value := getattr(endpoint, key)) != usual
        ]
        yield Fact("  endpoint", f"{endpoint.address}{''.join(more)}", place)
    if upstream.resolver is not None:
        for key, value in _values(upstream.resolver):
            place = set_by(generation, (*at, "resolver", *key))
            yield Fact("  resolver", f"{'.'.join(key)} {value}", place)


def _section(generation: Generation, at: Path, *, applies: bool) -> Iterator[Fact]:
    """Yields the keys of a section that is off unless it is set."""
    name = str(at[-1])
    title = f"  {_SHORT.get(name, name)}"
    given = getattr(generation.config.upstreams[str(at[1])], name)
    if given is None:
        yield Fact(title, "off", DEFAULT)
        return
    if not applies:
        yield Fact(title, "without effect on this method", set_by(generation, at))
        return
    idle = {
        rule.key
        for rule in getattr(given, "RULES", ())
        if isinstance(rule, Needs) and getattr(given, rule.other) is None
    }
    for key, value in _values(given):
        if key[0] not in idle:
            yield Fact(title, f"{'.'.join(key)} {value}", set_by(generation, (*at, *key)))
            title = ""


def _values(section: object) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yields the keys of a section that have a value, and the values as a file has them."""
    shown: Mapping[str, Any] = TypeAdapter(type(section)).dump_python(section, mode="json")
    yield from _flat((), shown)


def _flat(at: tuple[str, ...], shown: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    for key, value in shown.items():
        if isinstance(value, Mapping):
            yield from _flat((*at, key), value)
        elif isinstance(value, list | tuple):
            if value:
                yield (*at, key), ", ".join(map(str, value))
        elif value is not None:
            yield (*at, key), str(value)


def _repeatable_by(generation: Generation, descriptor: MethodDescriptor, repeats: Repeats) -> str:
    """Returns what says how often a call may be made; no policy says that it changes nothing."""
    place = generation.settings[descriptor.name].where(IDEMPOTENT)
    if place is not None and repeats is not Repeats.SAFE:
        return place
    for verb in ("GET", "PUT", "DELETE"):
        for rule in descriptor.rules:
            if rule.verb == verb:
                place = config_place(rule.source, generation.source) or rule.source
                return f"{place} {verb}"
    named = descriptor.idempotency.name
    return DEFAULT if named == "UNKNOWN" else named


def _connections(upstream: Upstream) -> str:
    more = ", more as they fill" if upstream.transport == "native" else ""
    return f"{upstream.connections} to each endpoint{more}"


def _timeout(upstream: Upstream, descriptor: MethodDescriptor) -> tuple[str, float]:
    """Returns the key that limits how long a call of a method takes, and its seconds or 0."""
    if descriptor.kind is Kind.UNARY:
        return "timeout", upstream.timeout
    return "stream_timeout", upstream.stream_timeout
