"""What an operation costs: the RPCs that it makes, and the rows that they bring.

    cost = calls + rows

A row is an object that a call brings: the one that it answers, the items of a list in its reply,
the answers of a join. A list inside a message costs nothing itself, but what is joined to its items
is wanted that much oftener. So:

| step | calls | rows |
| --- | --- | --- |
| RPC | 1 | its list's items, else 1 |
| call for each parent | parents | the same for each |
| join | keys, divided by the batch | keys, times the answers of a key |
| Python | none that is known of | one for each parent, or its list's items |

Numbers, not money: the limit says how much one request may ask of the services.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.fronts.graphql.document.pricing import Kind, Step
from gateway.fronts.graphql.document.sizes import Size, Variables

_UNKNOWN: Variables = {}


@dataclass(frozen=True, slots=True)
class Estimate:
    """The cost of a step and of all below it, with given variables.

    Attributes:
        name: The field's response name.
        kind: What the step is.
        method: The RPC that is called, else empty.
        calls: RPCs that the step makes.
        rows: Objects that they bring.
        cost: Calls and rows of the step and of all below.
        below: The steps below.
        keys: Of a join: the keys that are asked for.
        batch: Of a join: the most keys in a call; 0 is no limit.
        how: Of a join: which keys go where, for people.
    """

    name: str
    kind: Kind
    method: str
    calls: int
    rows: int
    cost: int
    below: tuple[Estimate, ...]
    keys: int = 0
    batch: int = 0
    how: str = ""


class Cost:
    """The cost of an operation as a function of its variables.

    Args:
        steps: What costs something, from the root.
    """

    __slots__ = ("_constant", "_steps")

    def __init__(self, steps: Iterable[Step]) -> None:
        self._steps = tuple(steps)
        varies = any(_varies(step) for step in self._steps)
        self._constant = None if varies else self._total(_UNKNOWN)

    def total(self, variables: Variables) -> int:
        """Returns the cost with coerced variables (by name, without a `$`)."""
        return self._total(variables) if self._constant is None else self._constant

    def estimates(self, variables: Variables) -> tuple[Estimate, ...]:
        """Returns the cost field by field, from the root."""
        return tuple(_estimate(step, 1, variables) for step in self._steps)

    def _total(self, variables: Variables) -> int:
        return sum(_cost(step, 1, variables) for step in self._steps)


def _estimate(step: Step, parents: int, variables: Variables) -> Estimate:
    size = _number(step.size, variables)
    wanted = parents * step.keys
    values = wanted * size
    calls = _calls(step, wanted)
    rows = values if step.brings else 0
    below = tuple(_estimate(each, values, variables) for each in step.below)
    cost = calls + rows + sum(each.cost for each in below)
    keys = wanted if step.kind is Kind.JOIN else 0
    return Estimate(
        step.name,
        step.kind,
        step.method,
        calls,
        rows,
        cost,
        below,
        keys,
        step.batch,
        step.how,
    )


def _cost(step: Step, parents: int, variables: Variables) -> int:
    """Returns the cost of a step and of all below it: an estimate's, without the estimate."""
    wanted = parents * step.keys
    values = wanted * _number(step.size, variables)
    cost = _calls(step, wanted) + (values if step.brings else 0)
    for each in step.below:
        cost += _cost(each, values, variables)
    return cost


def _calls(step: Step, wanted: int) -> int:
    """Returns the calls that a step makes for so many keys, or parents."""
    if not step.method:
        return 0
    if step.kind is Kind.JOIN:
        return -(-wanted // step.batch) if step.batch else min(wanted, 1)
    return wanted


def _number(size: Size, variables: Variables) -> int:
    return size(variables) if callable(size) else size


def _varies(step: Step) -> bool:
    return callable(step.size) or any(_varies(each) for each in step.below)
