"""What several workers tell of the same upstreams, as one: each has connections of its own.

What each counts adds up. Of connections and latencies the worst is told: an operator looks here
when something is wrong. An endpoint takes calls where it does of any worker; how many have it out,
and why, stands beside it. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, Final, TypeAlias

Content: TypeAlias = "dict[str, Any]"

_STATES: Final = ("ready", "idle", "connecting", "failing", "closed")
"""Of a connection, the worst last."""


def merged(answers: Sequence[Content]) -> Content:
    """Returns the answer of all workers to the operation `upstreams`.

    Args:
        answers: Each worker's, in the form of `gateway.upstream.report`; at least one.
    """
    told = [upstream for answer in answers for upstream in answer["upstreams"]]
    return {
        "workers": sum(answer["workers"] for answer in answers),
        "upstreams": [
            _together(each, _UPSTREAM) for each in _grouped(told, lambda upstream: upstream["name"])
        ],
    }


def _grouped(told: Sequence[Content], key: Callable[[Content], Hashable]) -> list[list[Content]]:
    """Returns what is told of the same thing together, in the order in which each came first."""
    groups: dict[Hashable, list[Content]] = {}
    for each in told:
        groups.setdefault(key(each), []).append(each)
    return list(groups.values())


def _together(told: Sequence[Content], rules: Mapping[str, Callable[[list[Any]], Any]]) -> Content:
    """Returns one of several that tell of the same: what no rule is for, is the first one's."""
    names = dict.fromkeys(name for each in told for name in each)
    values = {name: [each[name] for each in told if name in each] for name in names}
    return {name: rules.get(name, _first)(found) for name, found in values.items()}


def _first(values: list[Any]) -> Any:
    return values[0]


def _mean(values: list[float]) -> float:
    return round(sum(values) / len(values), 3)


def _greatest(values: list[float | None]) -> float | None:
    return max((each for each in values if each is not None), default=None)


def _worst(states: list[str]) -> str:
    return max(states, key=_STATES.index)


def _any(values: list[str | None]) -> str | None:
    return next((each for each in values if each is not None), None)


def _sums(values: list[Mapping[str, int]]) -> dict[str, int]:
    names = dict.fromkeys(name for each in values for name in each)
    return {name: sum(each.get(name, 0) for each in values) for name in names}


def _reasons(values: list[list[Content]]) -> list[Content]:
    """Returns each reason once, with how many workers have it."""
    found: dict[tuple[object, object], int] = {}
    for reasons in values:
        for each in reasons:
            reason = each["cause"], each["why"]
            found[reason] = found.get(reason, 0) + 1
    return [
        {"cause": cause, "why": why, "workers": workers} for (cause, why), workers in found.items()
    ]


def _endpoints(values: list[list[Content]]) -> list[Content]:
    told = [endpoint for endpoints in values for endpoint in endpoints]
    return [_endpoint(each) for each in _grouped(told, identity)]


def _endpoint(told: Sequence[Content]) -> Content:
    """Returns one endpoint of what each worker tells of it.

    It takes calls for as long as the worker says that has had it do so longest; or does not, since
    the last of them took it out.
    """
    endpoint = _together(told, _ENDPOINT)
    takes = endpoint["takes_calls"]
    seconds = [each["seconds"] for each in told if each["takes_calls"] == takes]
    return {**endpoint, "seconds": max(seconds) if takes else min(seconds)}


def identity(endpoint: Mapping[str, Any]) -> Hashable:
    """Returns what tells an endpoint from the others of its upstream.

    One that was listed again while it drains is there twice.
    """
    return endpoint["address"], any(each["cause"] == "draining" for each in endpoint["out"])


_ENDPOINT: Final[Mapping[str, Callable[[list[Any]], Any]]] = {
    "weight": _mean,
    "state": _worst,
    "unreached": _any,
    "takes_calls": any,
    "out": _reasons,
    "panic": any,
    "pending": sum,
    "calls": sum,
    "failures": sum,
    "latency": _greatest,
    "ejections": sum,
}

_UPSTREAM: Final[Mapping[str, Callable[[list[Any]], Any]]] = {
    "waiting": sum,
    "unresolved": _any,
    "counts": _sums,
    "copies": _sums,
    "endpoints": _endpoints,
}
