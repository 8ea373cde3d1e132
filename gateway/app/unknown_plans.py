"""Plans of API keys and users that the config does not have: their callers have no plan's numbers.

What the files say when the config is read; what they say later is told when such a caller comes
(`gateway.app.limits`). Without any `plans` a plan may be there for conditions, or for usage.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol, runtime_checkable

from gateway.app.policy_of import listed
from gateway.config import Config, Source
from gateway.policies.auth.provider import Provider


@runtime_checkable
class _Planned(Protocol):
    """A provider that has a file of its callers."""

    def plans(self) -> Mapping[str, str]:
        """Returns the plans of those who have one, by the name of their entry."""


def unknown_plans(
    config: Config, source: Source, providers: Mapping[str, Provider]
) -> Iterator[str]:
    """Yields a line for each plan that entries of a provider's file have, and `plans` has not.

    Args:
        config: The config.
        source: Its lines.
        providers: By name.
    """
    if not config.plans:
        return
    for name, provider in providers.items():
        if not isinstance(provider, _Planned):
            continue
        unknown: dict[str, list[str]] = {}
        for entry, plan in provider.plans().items():
            if plan not in config.plans:
                unknown.setdefault(plan, []).append(entry)
        path = f"auth.providers.{name}"
        for plan, entries in unknown.items():
            text = f"there is no plan {plan} in plans, which its file gives to {listed(entries)}"
            yield f"{source.locate(path)}: {path}: {text}; they have the policies' numbers"
