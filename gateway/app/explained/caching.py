"""What `gateway explain` tells of replies that are kept: each setting that something set."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.app.repeatable import is_repeatable
from gateway.config import Settings
from gateway.config.effective import (
    COALESCE,
    NEGATIVE_TTL,
    SHARED,
    STALE_IF_ERROR,
    STALE_WHILE_REVALIDATE,
    TAGS,
    TTL,
    VARY,
    Leaf,
)
from gateway.config.units import format_duration
from gateway.schema.method import MethodDescriptor


def cache_values(settings: Settings, descriptor: MethodDescriptor) -> Iterator[tuple[Leaf, str]]:
    """Yields what a cache's settings are, in words; also where they are without effect."""
    without = "" if is_repeatable(descriptor) else ", without effect: calls may change something"
    for leaf, value in _values(settings):
        yield leaf, value + without


def _values(settings: Settings) -> Iterator[tuple[Leaf, str]]:
    ttl = settings.ttl
    nothing = "what the backend says" if ttl is None else "nothing is kept"
    yield TTL, format_duration(ttl) if ttl else nothing
    yield VARY, ", ".join(settings.vary) or "none"
    for leaf, seconds in (
        (STALE_WHILE_REVALIDATE, settings.stale_while_revalidate),
        (STALE_IF_ERROR, settings.stale_if_error),
        (NEGATIVE_TTL, settings.negative_ttl),
    ):
        yield leaf, format_duration(seconds) if seconds else "not at all"
    yield SHARED, "one entry for all callers" if settings.shared else "no, each caller its own"
    yield TAGS, ", ".join(settings.tags) or "none"
    yield COALESCE, "equal calls are made once" if settings.coalesce else "no"
