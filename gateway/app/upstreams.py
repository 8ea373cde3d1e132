"""The operation that tells of upstreams: each endpoint, how it does, and why it is out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Any, Final

from gateway.app.operations import Operation
from gateway.operations import NOT_THERE, OperationError
from gateway.operations.arguments import only
from gateway.policies.mirror import Copies
from gateway.upstream.report import report
from gateway.upstream.upstream import Upstream

_UPSTREAM: Final = "upstream"


def telling(upstreams: Mapping[str, Upstream], copies: Callable[[], Iterable[Copies]]) -> Operation:
    """Returns the operation `upstreams`.

    Args:
        upstreams: Those of a generation, by name.
        copies: Returns the copies of calls that are sent to any of them.
    """

    def told_of(upstream: Upstream) -> dict[str, Any]:
        """Returns what is told of one, and of the `copies` that it is sent, where it is."""
        sent = next((each for each in copies() if each.upstream == upstream.name), None)
        told = dict(report(upstream))
        return told if sent is None else told | {"copies": asdict(sent.counts)}

    async def tell(arguments: Mapping[str, str]) -> dict[str, Any]:
        only(arguments, _UPSTREAM)
        name = arguments.get(_UPSTREAM)
        if name is not None and name not in upstreams:
            known = ", ".join(sorted(upstreams))
            raise OperationError(NOT_THERE, f"There is no upstream {name!r}; there are: {known}.")
        told = [each for each in upstreams.values() if name is None or each.name == name]
        return {"workers": 1, "unanswered": 0, "upstreams": [told_of(each) for each in told]}

    return tell
