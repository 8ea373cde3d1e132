"""The words that metrics have in common: labels, what they say of what is unknown, buckets."""

from __future__ import annotations

from typing import Final

SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""The buckets that the conventions advise for durations of HTTP requests and of RPCs."""

SHORT: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Buckets for what holds up everything else."""

COSTS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000)

FRONT: Final = "gateway.front"
REASON: Final = "gateway.reason"
UPSTREAM: Final = "gateway.upstream"
WORKER: Final = "gateway.worker"
DIRECTION: Final = "gateway.direction"
METHOD: Final = "rpc.method"
STATUS: Final = "rpc.response.status_code"
ERROR: Final = "error.type"
VERB: Final = "http.request.method"
SCHEME: Final = "url.scheme"

UNKNOWN: Final = "_OTHER"
"""What the conventions call what they do not know."""

_VERBS: Final = frozenset(
    {"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"}
)
"""The methods that the conventions know (RFC 9110 section 9, RFC 5789, and QUERY)."""


def verb(method: str) -> str:
    """Returns the value of `http.request.method`."""
    return method if method in _VERBS else UNKNOWN
