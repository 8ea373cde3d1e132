"""What the calls of each method pass, in order, and what set each setting: the operation `filters`.

The chain is what `gateway explain METHOD` prints as such; the settings are what it prints above it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, Final

from gateway.app.explained.fact import Fact
from gateway.app.explained.limits import adaptive_facts, limit_facts
from gateway.app.explained.policies import links, policy_facts
from gateway.app.explained.upstreams import upstream_facts
from gateway.app.generation import Generation
from gateway.operations import NOT_THERE, Content, OperationError
from gateway.operations.arguments import AFTER, LIMIT, only, part
from gateway.schema.method import MethodDescriptor

_METHOD: Final = "method"
_USUAL: Final = 100  # methods of an answer
_MOST: Final = 1000


def listed(generation: Generation, arguments: Mapping[str, str]) -> Content:
    """Does the operation `filters`.

    Args:
        generation: What serves.
        arguments: `method`, for that one alone; `limit` and `after`.

    Returns:
        `count`, and `rows`: of each `method` its `upstream`, its `chain` (of each link its `name`
        and what it is `about`) and its `settings` (`name`, `value`, and what `set_by`); and
        `after`, where there are more.

    Raises:
        OperationError: There is no such method, or an argument is none.
    """
    only(arguments, _METHOD, LIMIT, AFTER)
    name = arguments.get(_METHOD)
    if name is not None and name not in generation.methods:
        near = difflib.get_close_matches(name, generation.methods, 1)
        meant = f" did you mean {near[0]}?" if near else " its name is like package.Service/Method."
        raise OperationError(NOT_THERE, f"There is no method {name!r};{meant}")
    names = sorted(generation.methods) if name is None else [name]
    page = part(names, arguments, _USUAL, _MOST)
    return {**page, "rows": [_row(generation, each) for each in page["rows"]]}


def _row(generation: Generation, name: str) -> dict[str, Any]:
    method = generation.methods[name]
    descriptor = method.descriptor
    return {
        "method": name,
        "kind": descriptor.kind.value,
        "upstream": generation.upstream_of[descriptor.service],
        "chain": [{"name": link.name, "about": link.value} for link in links(method)],
        "settings": _settings(generation, descriptor),
    }


def _settings(generation: Generation, descriptor: MethodDescriptor) -> list[dict[str, str]]:
    """Returns the lines of the settings; one without a name has that of the one before."""
    lines: list[dict[str, str]] = []
    for facts in (
        policy_facts(generation, descriptor),
        limit_facts(generation, descriptor),
        adaptive_facts(generation, descriptor),
        upstream_facts(generation, descriptor),
    ):
        lines += _named(facts)
    return lines


def _named(facts: Iterable[Fact]) -> Iterable[dict[str, str]]:
    above = name = ""
    for fact in facts:
        if fact.name.startswith(" "):
            name = f"{above}.{fact.name.strip()}" if above else fact.name.strip()
        elif fact.name:
            above = name = fact.name
        if fact.where or fact.value:
            yield {"name": name, "value": fact.value.strip(), "set_by": fact.where}
