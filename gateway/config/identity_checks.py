"""What must agree between `auth`, `policies` and `pages`: every provider that is named is there.

Checked on the tree, as `checks` does. A name that is wrong would else close a method for ever, and
a policy that sets nothing is one whose author meant something.
"""

from collections.abc import Iterator
from typing import Final

from gateway.config.naming import meant
from gateway.config.problems import Path, Problem, format_path
from gateway.config.tree import Node, select

NONE: Final = "none"
"""In place of a provider: who shows nobody is let in."""

_NO_PROVIDERS: Final = "there are no auth.providers"


def check_identity(root: Node) -> Iterator[Problem]:
    """Every disagreement in the tree."""
    providers = [str(path[-1]) for path, _ in select(root, "auth", "providers", "*")]
    for path, node in select(root, "auth", "providers", NONE):
        message = "none lets in who shows nobody; expected another name"
        yield Problem.at(node.key, path, message)
    for path, node in _names(root):
        if isinstance(node.value, str) and node.value not in (*providers, NONE):
            known = meant(node.value, [*providers, NONE]) if providers else _NO_PROVIDERS
            yield Problem.at(node.place, path, f"no provider has this name; {known}")
    if not providers:
        yield from _unprovided(root)
    yield from _idle(root)
    yield from _allowed(root)


def _names(root: Node) -> Iterator[tuple[Path, Node]]:
    for section in (("policies", "*"), ("pages",)):
        yield from select(root, *section, "authenticate")
        yield from select(root, *section, "authenticate", "*")


def _unprovided(root: Node) -> Iterator[Problem]:
    for leaf in ("scopes", "roles"):
        for path, node in select(root, "policies", "*", "authorize", leaf):
            if node.value:
                yield Problem.at(node.key, path, f"nobody has any: {_NO_PROVIDERS}")


_SETTINGS: Final = (
    *("authenticate", "authorize", "timeout", "rate_limits", "concurrency"),
    *("concurrency_per_principal", "cache", "coalesce", "validate", "priority"),
    *("idempotent", "route", "split", "mirror", "deprecated", "faults"),
)


def _idle(root: Node) -> Iterator[Problem]:
    """Yields policies that set nothing; `authorize: {}` is nothing too."""
    for path, node in select(root, "policies", "*"):
        if isinstance(node.value, dict) and not any(
            name != "methods" and child.value != {} for name, child in node.value.items()
        ):
            message = f"sets nothing; expected one of {', '.join(_SETTINGS)}"
            yield Problem.at(node.place, path, message)


_FORWARDED: Final = (("subject",), ("token", "header"))


def _allowed(root: Node) -> Iterator[Problem]:
    """Yields headers of clients that are to pass under a name by which backends are told."""
    told: dict[str, Path] = {}
    for key in _FORWARDED:
        for path, node in select(root, "auth", "forward", *key):
            if isinstance(node.value, str):
                told[node.value.lower()] = path
    for path, node in select(root, "auth", "forward", "claims", "*"):
        told[f"x-claim-{str(node.value).lower()}"] = path
    for path, node in select(root, "headers", "request", "allow", "*"):
        if isinstance(node.value, str) and (by := told.get(node.value.lower())) is not None:
            message = f"{format_path(by)} tells backends by this name; no client's copy passes"
            yield Problem.at(node.place, path, message)
