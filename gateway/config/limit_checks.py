"""What the keys of a rate limit must not say together: one of them would be without effect.

Checked on the tree, as `checks` does. What depends on which methods there are, or on other
policies, is told once these are known (`gateway.app.idle_settings`).
"""

from collections.abc import Iterator, Mapping
from typing import Final

from gateway.config.problems import Path, Problem
from gateway.config.tree import Node, select
from gateway.config.units import UNLIMITED

_ALL: Final = "all"


def check_limits(root: Node) -> Iterator[Problem]:
    """Every contradiction of a rate limit in the tree."""
    for path, node in select(root, "policies", "*", "rate_limits", "*"):
        if isinstance(node.value, dict):
            yield from _contradictions(node.value, path)


def _contradictions(given: Mapping[str, Node], path: Path) -> Iterator[Problem]:
    if _says(given, "rate", UNLIMITED) and "burst" in given:
        message = f"has no effect with rate: {UNLIMITED}; remove one of them"
        yield Problem.at(given["burst"].key, (*path, "burst"), message)
    if _says(given, "dark", "true") and _says(given, "on_limit", "delay"):
        message = "a limit that is dark only counts, and delays nothing; remove one of them"
        yield Problem.at(given["on_limit"].key, (*path, "on_limit"), message)
    if "key" in given:
        parts = [*given["key"].items()]
        if len(parts) > 1:
            for number, part in parts:
                if part.value == _ALL:
                    message = f"{_ALL} counts all calls together; expected it alone, or without it"
                    yield Problem.at(part.place, (*path, "key", number), message)


def _says(given: Mapping[str, Node], name: str, text: str) -> bool:
    """Whether a key has a value, as the file would have it or by the environment."""
    found = given[name].value if name in given else None
    return found == text or (found is True and text == "true")
