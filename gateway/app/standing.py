"""Which upstreams nothing of can take a call now: what readiness tells of them.

An endpoint that was never tried counts as one that works: nobody knows better.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from gateway.upstream.report import report
from gateway.upstream.upstream import Upstream

_BROKEN: Final = frozenset({"failing", "closed"})


def idle_upstreams(upstreams: Mapping[str, Upstream]) -> Iterator[str]:
    """Yields a sentence for each upstream of which no endpoint takes calls."""
    for name, upstream in sorted(upstreams.items()):
        endpoints: Any = report(upstream)["endpoints"]
        if not endpoints:
            yield f"The upstream {name} has no endpoint."
        elif not any(map(_works, endpoints)):
            yield f"The upstream {name} has no endpoint that works."


def _works(endpoint: Mapping[str, Any]) -> bool:
    takes = endpoint["takes_calls"] or endpoint["panic"]
    return bool(takes) and endpoint["state"] not in _BROKEN
