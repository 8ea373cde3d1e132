"""What `gateway explain` tells of who may call a method, and of what its calls pass.

Names of providers, scopes and conditions are the config's and the proto's own words; no credential
is among them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Protocol, runtime_checkable

from gateway.app.explained.caching import cache_values
from gateway.app.explained.fact import DEFAULT, Fact
from gateway.app.explained.shaping import shaping_values
from gateway.app.generation import Generation
from gateway.app.identity import is_open_to_all
from gateway.chain import Method, Policy
from gateway.config import Settings
from gateway.config.effective import (
    AUTHENTICATE,
    CACHE,
    CONCURRENCY,
    CONCURRENCY_PER_PRINCIPAL,
    PRIORITY,
    ROLES,
    SCOPES,
    TIMEOUT,
    VALIDATE,
    WHEN,
    Leaf,
)
from gateway.config.units import format_duration
from gateway.schema.method import Kind, MethodDescriptor


@runtime_checkable
class _Described(Protocol):
    """A policy that says what it does to calls, better than its class can."""

    def describe(self) -> str:
        """Returns a sentence."""


def policy_facts(generation: Generation, descriptor: MethodDescriptor) -> Iterator[Fact]:
    """Yields each setting of a method with what set it."""
    settings = generation.settings[descriptor.name]
    providers = tuple(generation.config.auth.providers)
    yield Fact("policies", _reach(settings, providers))
    timeout = settings.timeout
    shown = {
        AUTHENTICATE: _callers(settings.authenticate, providers),
        SCOPES: f"all of {', '.join(settings.scopes)}" if settings.scopes else "none",
        ROLES: f"any of {', '.join(settings.roles)}" if settings.roles else "none",
        WHEN: _one_line(settings.when) if settings.when else "none",
        TIMEOUT: "none" if timeout is None else _timeout(timeout, descriptor),
    }
    others = (
        *_bounds(settings),
        *cache_values(settings, descriptor),
        *shaping_values(settings, descriptor),
    )
    shown |= {leaf: value for leaf, value in others if settings.where(leaf)}
    for leaf, value in shown.items():
        name = ".".join(leaf) if leaf in CACHE else leaf[-1]
        yield Fact(f"  {name}", value, settings.where(leaf) or DEFAULT)


def chain_facts(generation: Generation, descriptor: MethodDescriptor) -> Iterator[Fact]:
    """Yields what the calls of a method pass, in order."""
    for number, link in enumerate(links(generation.methods[descriptor.name]), 1):
        yield Fact("chain" if number == 1 else "", f"{number}. {link.name}: {link.value}")


def links(method: Method) -> Iterator[Fact]:
    """Yields the policies that the calls of a method pass, in order: name, and what each does."""
    unary = method.descriptor.kind is Kind.UNARY
    concerned = ("admit", "ended", *(("filter", "unary") if unary else ("stream",)))
    for policy in method.policies:
        if any(hasattr(policy, name) for name in concerned):
            words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(policy).__name__).lower()
            yield Fact(words, _about(policy))


def _about(policy: Policy) -> str:
    """Returns what a policy does: in its own words, or the first line that is written of it."""
    if isinstance(policy, _Described):
        return policy.describe()
    return (type(policy).__doc__ or "").partition("\n")[0]


def _reach(settings: Settings, providers: tuple[str, ...]) -> str:
    if not providers:
        return "reachable without authentication: there are no providers"
    if is_open_to_all(settings):
        return "reachable without authentication"
    return "for callers that are known"


def _callers(names: tuple[str, ...] | None, providers: tuple[str, ...]) -> str:
    if not providers:
        return "anonymous: there are no providers"
    if names is None:
        names = providers
    return names[0] if len(names) == 1 else f"any of {', '.join(names)}"


def _timeout(seconds: float, descriptor: MethodDescriptor) -> str:
    unary = descriptor.kind is Kind.UNARY
    return format_duration(seconds) + ("" if unary else ", without effect on streams")


def _bounds(settings: Settings) -> Iterator[tuple[Leaf, str]]:
    yield CONCURRENCY, f"{settings.concurrency} at a time"
    yield CONCURRENCY_PER_PRINCIPAL, f"{settings.concurrency_per_principal} at a time"
    yield PRIORITY, settings.priority
    yield VALIDATE, "by the rules in its protos" if settings.validate else "no"


def _one_line(text: str) -> str:
    return " ".join(text.split())
