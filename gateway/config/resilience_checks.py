"""What upstreams say of failures that cannot be meant: times that never come, shares for percents.

Checked on the tree, as `checks` does. Only an upstream's own times are compared: a policy may give
a method's calls less time still.
"""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from gateway.config.models.resilience import Hedging, OutlierDetection, ProbedHealth, Retries
from gateway.config.models.upstreams import Upstream
from gateway.config.problems import Path, Problem
from gateway.config.tree import Node, find, select
from gateway.config.units import UnitError, format_duration, parse_duration


class _Bound(NamedTuple):
    """A time of an upstream that another one bounds.

    Attributes:
        key: The one.
        most: The other.
        equal: Whether the two may be the same.
        told: Which keys a mistake is told at: the first that is given. Without any, what is there
            by default does no harm.
        message: What is wrong, with `{}` where the bound stands.
    """

    key: tuple[str, ...]
    most: tuple[str, ...]
    equal: bool
    told: tuple[tuple[str, ...], ...]
    message: str


_PER_TRY: Final = ("retries", "per_try_timeout")
_DELAY: Final = ("hedging", "delay")
_ANSWER: Final = ("health_check", "timeout")
_LONGEST: Final = ("outlier_detection", "max_ejection")

_BOUNDS: Final = (
    _Bound(
        _PER_TRY,
        ("timeout",),
        equal=False,
        told=(_PER_TRY,),
        message="has no effect: the whole call has {} (timeout); expected less",
    ),
    _Bound(
        _DELAY,
        ("timeout",),
        equal=False,
        told=(_DELAY, ("hedging",)),
        message="has no effect: a call that slow is over, it has {} (timeout); expected a shorter "
        "delay",
    ),
    _Bound(
        _ANSWER,
        ("health_check", "interval"),
        equal=True,
        told=(_ANSWER,),
        message="is longer than interval, {}; expected no more",
    ),
    _Bound(
        ("outlier_detection", "base_ejection"),
        _LONGEST,
        equal=True,
        told=(_LONGEST,),
        message="found {}, less than base_ejection; expected no less",
    ),
)

_USUAL: Final[Mapping[tuple[str, ...], object]] = {
    (): Upstream(),
    ("retries",): Retries(),
    ("hedging",): Hedging(),
    ("health_check",): ProbedHealth(),
    ("outlier_detection",): OutlierDetection(),
}
"""The sections as they are where nothing is set."""

_PERCENTS: Final = (
    ("balancing", "panic_threshold"),
    ("outlier_detection", "max_ejected"),
    ("outlier_detection", "failure_percentage"),
)


def check_resilience(root: Node) -> Iterator[Problem]:
    """Every such value of an upstream in the tree."""
    for path, upstream in select(root, "upstreams", "*"):
        for bound in _BOUNDS:
            yield from _bounded(upstream, path, bound)
        for at in _PERCENTS:
            yield from _percent(upstream, path, at)


def _bounded(upstream: Node, path: Path, bound: _Bound) -> Iterator[Problem]:
    told = next((at for at in bound.told if find(upstream, at)[0] == at), None)
    if told is None:
        return
    seconds, most = _seconds(upstream, bound.key), _seconds(upstream, bound.most)
    if seconds is None or most is None or seconds < most or (bound.equal and seconds == most):
        return
    _, node = find(upstream, told)
    message = bound.message.format(format_duration(most))
    yield Problem.at(node.key, (*path, *told), message)


def _seconds(upstream: Node, at: tuple[str, ...]) -> float | None:
    """Returns a time, given or by default; None where what is given is none."""
    found, node = find(upstream, at)
    if found != at:
        usual: float | None = getattr(_USUAL[at[:-1]], at[-1])
        return usual
    try:
        return parse_duration(node.value) if isinstance(node.value, str) else None
    except UnitError:
        return None


def _percent(upstream: Node, path: Path, at: tuple[str, ...]) -> Iterator[Problem]:
    """Yields what is a share of 1, as 0.5 for a half, where percents are expected."""
    found, node = find(upstream, at)
    value = node.value
    if found == at and isinstance(value, int | float) and 0 < value < 1:
        message = f"found less than one percent; for a share of {value:g} write {value * 100:g}"
        yield Problem.at(node.key, (*path, *at), message)
