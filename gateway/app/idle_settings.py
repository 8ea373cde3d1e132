"""What a config says of limits, priorities and the cache and has no effect, or less than it seems.

What contradicts itself is refused before (`gateway.config.limit_checks`). What is told here may be
meant: a priority that waits for adaptive concurrency to be switched on, a limit of streams over
methods that have none yet. So most of it are notes; where an operator will count on what does not
happen, it is a warning.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gateway.app.places import of_key
from gateway.app.policy_of import listed
from gateway.app.repeatable import is_repeatable
from gateway.config import matches
from gateway.config.effective import CACHE, RATE_LIMITS
from gateway.config.models import Policy, RateLimit
from gateway.config.problems import Path
from gateway.schema.method import Kind

if TYPE_CHECKING:
    from gateway.app.parts import Making


def idle_settings(making: Making) -> None:
    """Adds to `making.warnings` and `making.notes`."""
    making.warnings.extend([*_plans(making), *_api_keys(making), *_priorities(making)])
    making.notes.extend([*_limits(making), *_without_ttl(making)])


def _plans(making: Making) -> Iterator[str]:
    """Yields numbers of plans for limits that there are not, and plans that nobody can have."""
    config = making.config
    names = {limit.name for _, _, limit in _given(making)}
    for plan, given in config.plans.items():
        for name in given.rate_limits:
            if name not in names:
                at: Path = ("plans", plan, RATE_LIMITS, name)
                yield of_key(
                    at, "no policy has a limit of this name: nothing is limited", making.source
                )
    if config.plans and not config.auth.providers:
        yield of_key(("plans",), "nobody has a plan: there are no auth.providers", making.source)


def _api_keys(making: Making) -> Iterator[str]:
    """Yields limits by API keys that nobody shows."""
    if any(given.api_key for given in making.config.auth.providers.values()):
        return
    for at, _, limit in _given(making):
        if "api_key" in limit.key:
            text = "no provider takes API keys: all callers are counted by their address"
            yield of_key((*at, "key"), text, making.source)


def _priorities(making: Making) -> Iterator[str]:
    """Yields priorities where no call waits for another, or that nobody may say."""
    adaptive = making.config.adaptive_concurrency
    for index, policy in enumerate(making.config.policies):
        if policy.priority is not None and not adaptive.enabled:
            text = "without effect: adaptive_concurrency is off, and no call waits for another"
            yield of_key(("policies", index, "priority"), text, making.source)
    if adaptive.priority_header is not None and not making.config.listener.trusted_proxies:
        text = "without effect: listener.trusted_proxies are who may send it, and there are none"
        yield of_key(("adaptive_concurrency", "priority_header"), text, making.source)


def _limits(making: Making) -> Iterator[str]:
    """Yields what a limit says that does not concern it, or its methods."""
    numbered = {limit.name for _, _, limit in _given(making) if limit.rate is not None}
    for at, policy, limit in _given(making):
        if limit.rate is None:
            if limit.name not in numbered:
                text = f"without effect: no policy has a rate for {limit.name}"
                yield of_key(at, text, making.source)
            continue
        delay: Path = (*at, "max_delay")
        if limit.on_limit != "delay" and making.source.place(delay) is not None:
            yield of_key(
                delay, "without effect: only on_limit: delay has calls wait", making.source
            )
        if limit.messages and _only_unary(making, policy):
            text = "without effect: all methods of the policy are unary, and calls are charged"
            yield of_key((*at, "messages"), text, making.source)


def _only_unary(making: Making, policy: Policy) -> bool:
    """Whether a policy matches methods, and no stream among them."""
    kinds = {
        descriptor.kind
        for name, descriptor in making.descriptors.items()
        if any(matches(pattern, name) for pattern in policy.methods)
    }
    return kinds == {Kind.UNARY}


def _without_ttl(making: Making) -> Iterator[str]:
    """Yields caches that leave it to backends what is kept, by the first setting of each."""
    found: dict[str, list[str]] = {}
    for name, settings in making.settings.items():
        descriptor = making.descriptors.get(name)
        if descriptor is None or not settings.cached or settings.ttl is not None:
            continue
        if is_repeatable(descriptor):
            leaf = next(each for each in CACHE if each in settings.leaves)
            text = "without a ttl, only what the backend says of its replies is kept"
            found.setdefault(settings.mistake(leaf, text), []).append(name)
    for line, names in found.items():
        yield f"{line} ({listed(names)})"


def _given(making: Making) -> Iterator[tuple[Path, Policy, RateLimit]]:
    """Yields all limits of policies: where, of which policy, and what."""
    for index, policy in enumerate(making.config.policies):
        for number, limit in enumerate(policy.rate_limits):
            yield ("policies", index, RATE_LIMITS, number), policy, limit
