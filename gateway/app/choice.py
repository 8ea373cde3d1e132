"""From `policies[].route` and `split` to what chooses the upstream of a call."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gateway.app.conditions import said
from gateway.call import Call
from gateway.chain import Policy
from gateway.config import Settings
from gateway.config.effective import ROUTE
from gateway.config.models.shaping import Split
from gateway.policies.cache.keys import TRACING
from gateway.policies.choose_upstream import (
    ChooseUpstream,
    Condition,
    Point,
    Route,
    by_chance,
    point_of,
    shares,
)
from gateway.policies.hash_key import COOKIE, HEADER, key_on
from gateway.schema.method import Kind, MethodDescriptor

if TYPE_CHECKING:
    from gateway.app.parts import Making, Part
    from gateway.policies.cel import ConditionError

_PEER: Final = "peer"
_AT_START: Final = (
    "the upstream of a stream is chosen before its first message; expected a condition that does "
    "not read request"
)


def choice(making: Making) -> Part:
    """Returns what chooses upstreams; adds to `making.problems`."""
    return _Choosing(_conditions(making))


def headers_that_choose(settings: Settings) -> set[str]:
    """Returns the headers of clients by which upstreams are chosen, lower case.

    Of those that conditions read, only what traces calls: all others are passed to backends and
    count as these do, or are credentials.
    """
    names = {name for route in settings.route for name in route.header}
    for route in settings.route:
        names |= {name for name in TRACING if name in (route.when or "")}
    for share in settings.split:
        on = share.hash_on or ""
        if on.startswith(HEADER):
            names.add(on.removeprefix(HEADER).lower())
        elif on.startswith(COOKIE):
            names.add("cookie")
    return names


def is_chosen_by_peer(settings: Settings) -> bool:
    """Whether conditions may look at where calls come from, which no header says to other caches.

    What reads a variable has its name in it; that a text may only happen to, costs little.
    """
    return any(_PEER in (route.when or "") for route in settings.route)


@dataclass(frozen=True, slots=True)
class _Wrong:
    """A condition that can't be used (`Condition`)."""

    text: str

    def allows(self, call: Call) -> bool:  # noqa: ARG002  of whichever
        """Returns that it is not true."""
        return False


class _Choosing:
    """Makes the policies of methods (`gateway.app.parts.Part`)."""

    def __init__(self, conditions: Mapping[tuple[str, str], Condition]) -> None:
        self._conditions = conditions

    def policies(
        self, descriptor: MethodDescriptor, settings: Settings, upstream: str
    ) -> Sequence[Policy]:
        """See Part."""
        if not settings.upstreams:
            return ()

        def named(name: str) -> str:
            return "" if name == upstream else name

        routes = [
            Route(
                named(each.upstream),
                each.header,
                each.query,
                None if each.when is None else self._conditions[descriptor.name, each.when],
            )
            for each in settings.route
        ]
        parts = [(named(each.upstream), each.percent, _point(each)) for each in settings.split]
        return (ChooseUpstream(routes, shares(parts)),)


def _point(given: Split) -> Point:
    chance = by_chance(random.random)
    if given.hash_on is None:
        return chance
    return point_of(given.upstream, key_on(given.hash_on), chance)


def _conditions(making: Making) -> Mapping[tuple[str, str], Condition]:
    """Returns conditions by method and text; what is wrong with them is told once for a place.

    What is wrong is never true: without its condition a route would take every call.
    """
    asked = [
        (descriptor, number, route.when)
        for name, descriptor in making.descriptors.items()
        for number, route in enumerate(making.settings[name].route)
        if route.when is not None
    ]
    if not asked:
        return {}
    # The evaluator takes 14 MB: only who has a condition pays for it.
    from gateway.policies.cel import CHOOSES, Compiler, ConditionError  # noqa: PLC0415  see above

    compiler = Compiler(making.registry.pool, CHOOSES)
    found: dict[tuple[str, str], Condition] = {}
    wrong: dict[str, list[tuple[str, ConditionError]]] = {}
    right: set[str] = set()
    for descriptor, number, when in asked:
        key = f"{making.settings[descriptor.name].leaves[ROUTE].key}.{number}.when"
        try:
            condition = compiler.compile(when, descriptor.input)
        except ConditionError as failure:
            wrong.setdefault(key, []).append((descriptor.name, failure))
            found[descriptor.name, when] = _Wrong(when)
            continue
        if condition.reads_request and descriptor.kind is not Kind.UNARY:
            wrong.setdefault(key, []).append((descriptor.name, ConditionError(_AT_START)))
            found[descriptor.name, when] = _Wrong(when)
            continue
        found[descriptor.name, when] = condition
        right.add(key)
    for key, failures in wrong.items():
        text = said(failures, others=key in right)
        making.problems.append(f"{making.source.locate(key)}: {key}: {text}")
    return found
