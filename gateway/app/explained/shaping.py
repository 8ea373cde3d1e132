"""What `gateway explain` tells of where calls go, and of what is made of them on the way."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.config import Settings
from gateway.config.effective import DEPRECATED, FAULTS, MIRROR, ROUTE, SPLIT, Leaf
from gateway.config.instants import format_instant
from gateway.config.models.shaping import Route, Split
from gateway.config.units import format_duration
from gateway.schema.method import Kind, MethodDescriptor


def shaping_values(settings: Settings, descriptor: MethodDescriptor) -> Iterator[tuple[Leaf, str]]:
    """Yields what these settings are, in words; also where they are without effect."""
    yield ROUTE, "; ".join(map(_route, settings.route)) or "no rules"
    yield SPLIT, ", ".join(map(_share, settings.split)) or "no shares"
    mirror = settings.mirror
    copied = "nothing" if mirror is None else f"{mirror.percent:g} % to {mirror.upstream}"
    without = "" if descriptor.kind is Kind.UNARY else ", without effect on streams"
    yield MIRROR, copied + without
    yield DEPRECATED, _end(settings)
    yield FAULTS, _faults(settings)


def _route(given: Route) -> str:
    said = [f"{name}: {value}" for name, value in given.header.items()]
    said += [f"?{name}={value}" for name, value in given.query.items()]
    said += [] if given.when is None else [" ".join(given.when.split())]
    return f"{given.upstream} if {' and '.join(said)}" if said else given.upstream


def _share(given: Split) -> str:
    by = "" if given.hash_on is None else f" by {given.hash_on}"
    return f"{given.percent:g} % to {given.upstream}{by}"


def _end(settings: Settings) -> str:
    given = settings.deprecated
    if given is None:
        return "no"
    said = [
        f"{word} {format_instant(seconds).partition('T')[0]}"
        for word, seconds in (("since", given.since), ("until", given.sunset))
        if seconds is not None
    ]
    said += [] if given.link is None else [given.link]
    return ", ".join(said)


def _faults(settings: Settings) -> str:
    given = settings.faults
    if given is None:
        return "none"
    said = [format_duration(given.delay)] if given.delay else []
    said += [] if given.code is None else [given.code]
    return f"{' and '.join(said)} for {given.percent:g} %"
