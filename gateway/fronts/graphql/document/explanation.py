"""An operation's plan for people: its calls by level, their keys, the rows they bring, the cost.

A level is what can be called at once when all that is above it is there. It is made of estimates
(`cost`), so what it says of lists is what is expected, not what will be.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from gateway.fronts.graphql.document.cost import Estimate
from gateway.fronts.graphql.document.document import Operation
from gateway.fronts.graphql.document.limits import Limits
from gateway.fronts.graphql.document.pricing import Kind


class Called(NamedTuple):
    """A field that calls.

    Attributes:
        level: From 1.
        path: Response names from the root, with dots.
        estimate: What it costs.
    """

    level: int
    path: str
    estimate: Estimate


def called(estimates: Iterable[Estimate], path: str = "", level: int = 1) -> Iterator[Called]:
    """Yields every field that calls, each with its level."""
    for each in estimates:
        inner = f"{path}.{each.name}" if path else each.name
        calls = bool(each.method) or each.kind is Kind.PYTHON
        if calls:
            yield Called(level, inner, each)
        yield from called(each.below, inner, level + calls)


def explained(
    operation: Operation, limits: Limits, variables: Mapping[str, object]
) -> Iterator[str]:
    """Yields the lines of an explanation.

    Args:
        operation: The operation.
        limits: Of documents, for comparison.
        variables: Coerced; those that are missing count as not given.
    """
    steps = sorted(called(operation.estimates(variables)), key=lambda each: each.level)
    rpcs = [each.estimate for each in steps if each.estimate.method]
    calls, rows = sum(each.calls for each in rpcs), sum(_rows(each.estimate) for each in steps)
    levels = max((each.level for each in steps), default=0)
    named = f"{operation.kind.value} {operation.name or '(without a name)'}"
    yield (
        f"{named}: {_counted(calls, 'call')} in {_counted(levels, 'level')}, "
        f"{_counted(rows, 'row')} expected"
    )
    yield (
        f"cost {operation.cost(variables):,} of {limits.cost:,}, depth {operation.measure.depth} "
        f"of {limits.depth}, aliases {operation.measure.aliases} of {limits.aliases}"
    )
    wide = max((len(each.path) for each in steps), default=0)
    for level in range(1, levels + 1):
        yield f"level {level}"
        for each in steps:
            if each.level == level:
                yield f"  {each.path:{wide}}  {_told(each.estimate)}"


def _rows(estimate: Estimate) -> int:
    """Returns the rows that a step brings, those of lists in its reply among them."""
    pages = sum(each.rows for each in estimate.below if each.kind is Kind.PAGE)
    return estimate.rows + pages


def _told(estimate: Estimate) -> str:
    rows = f"{_counted(_rows(estimate), 'row')} expected"
    if not estimate.method:
        return f"Python, {rows}"
    calls = _counted(estimate.calls, "call")
    if estimate.kind is Kind.JOIN:
        batch = f", {estimate.batch:,} a call" if estimate.batch else ""
        keys = f" for {_counted(estimate.keys, 'key')}{batch} ({estimate.how})"
        return f"{calls} of {estimate.method}{keys}, {rows}"
    if estimate.kind is Kind.PARENT_CALL:
        return f"{calls} of {estimate.method}, one a parent, {rows}"
    return f"{calls} of {estimate.method}, {rows}"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
