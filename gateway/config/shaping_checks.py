"""What the parts of a policy that shape calls must not say together: some would be without effect.

Checked on the tree, as `checks` does. Values of the wrong type are passed over; pydantic reports
them.
"""

from collections.abc import Iterator, Mapping
from math import fsum, isclose
from typing import Final

from gateway.config.problems import Path, Problem
from gateway.config.tree import Node, select

_WHOLE: Final = 100.0
_CONDITIONS: Final = ("header", "query", "when")


def check_shaping(root: Node) -> Iterator[Problem]:
    """Every contradiction in the tree."""
    for path, node in select(root, "policies", "*"):
        given = node.value
        if isinstance(given, dict):
            yield from _routes(given, path)
            yield from _shares(given, path)
            yield from _nothing(given, path)
    for path, node in select(root, "policies", "*", "deprecated"):
        yield from _order(node, path)


def _routes(given: Mapping[str, Node], path: Path) -> Iterator[Problem]:
    """Yields what stands behind a route that takes every call."""
    taken = False
    for number, route in given["route"].items() if "route" in given else ():
        if taken:
            message = "no call comes so far: the one before takes all"
            yield Problem.at(route.place, (*path, "route", number), message)
            return
        value = route.value
        taken = isinstance(value, dict) and not any(
            name in value and value[name].value for name in _CONDITIONS
        )
    if taken and "split" in given and given["split"].value:
        message = "no call comes so far: the last route takes all"
        yield Problem.at(given["split"].key, (*path, "split"), message)


def _shares(given: Mapping[str, Node], path: Path) -> Iterator[Problem]:
    """Yields shares of more than all, and of an upstream that has one already."""
    shares: list[float] = []
    named: set[str] = set()
    for number, part in given["split"].items() if "split" in given else ():
        if not isinstance(part.value, dict):
            continue
        at = (*path, "split", number)
        upstream = part.value.get("upstream")
        if upstream is not None and isinstance(upstream.value, str):
            if upstream.value in named:
                message = "has a share already; expected one of each upstream"
                yield Problem.at(upstream.place, (*at, "upstream"), message)
            named.add(upstream.value)
        if (percent := part.value.get("percent")) is not None:
            shares.append(percent.value if isinstance(percent.value, int | float) else 0)
            total = fsum(shares)
            # What is written in tenths may be a hair off as a float.
            if total > _WHOLE and not isclose(total, _WHOLE):
                message = f"the shares are {total:g} percent together; expected at most 100"
                yield Problem.at(percent.place, (*at, "percent"), message)
                return


def _nothing(given: Mapping[str, Node], path: Path) -> Iterator[Problem]:
    """Yields faults that would change no call, whatever their share."""
    faults = given.get("faults")
    if faults is None or not isinstance(faults.value, dict):
        return
    share = faults.value.get("percent")
    if share is not None and share.value and not {"delay", "code"} & faults.value.keys():
        message = "do nothing; expected delay, code, or both"
        yield Problem.at(faults.key, (*path, "faults"), message)


def _order(deprecated: Node, path: Path) -> Iterator[Problem]:
    """Yields a method's end that comes before its decline (RFC 9745, section 4)."""
    since, sunset = (deprecated.child(name) for name in ("since", "sunset"))
    if since is None or sunset is None:
        return
    # Dates, as they are written, are in order as texts are.
    texts = (since.value, sunset.value)
    if isinstance(texts[0], str) and isinstance(texts[1], str) and texts[1] < texts[0]:
        message = f"comes before since, {texts[0]}; expected that day or a later one"
        yield Problem.at(sunset.place, (*path, "sunset"), message)
