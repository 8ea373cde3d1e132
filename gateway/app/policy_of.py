"""Of which policy a setting of a method is, and how that policy finds the method."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from gateway.config import Settings, matches

if TYPE_CHECKING:
    from gateway.app.parts import Making
    from gateway.config.effective import Leaf

_NAMED: Final = 3  # methods that a line names


def names_method(making: Making, leaf: Leaf, method: str) -> bool:
    """Whether the policy that set something for a method names it, and not only by a glob."""
    patterns = _patterns(making, making.settings[method], leaf)
    return any("*" not in each and matches(each, method) for each in patterns)


def is_for_all(making: Making, leaf: Leaf, method: str) -> bool:
    """Whether the policy that set something for a method is for whatever methods come."""
    return any(not each.strip("*") for each in _patterns(making, making.settings[method], leaf))


def listed(names: Sequence[str]) -> str:
    """Returns names of methods as a line has them: a few, and how many more."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _patterns(making: Making, settings: Settings, leaf: Leaf) -> Iterator[str]:
    """Yields the patterns of the policy that set something, by its key, `policies.2.cache.ttl`."""
    parts = settings.leaves[leaf].key.split(".")
    if parts[0] == "policies":
        yield from making.config.policies[int(parts[1])].methods
