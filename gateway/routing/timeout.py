"""How long a client will wait: the request headers `grpc-timeout` and `x-request-timeout`.

They can only shorten a call's deadline; what they shorten is decided elsewhere.
"""

from __future__ import annotations

import re

from gateway.errors import error
from gateway.http import Headers

# grpc/grpc, doc/PROTOCOL-HTTP2.md: "positive integer as ASCII string of at most 8 digits".
_GRPC = re.compile(r"([0-9]{1,8})([HMSmun])", re.ASCII)
_UNITS = {"H": 3600.0, "M": 60.0, "S": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}
_SECONDS = re.compile(r"[0-9]{1,8}(?:\.[0-9]{1,9})?", re.ASCII)


def client_timeout(headers: Headers) -> float | None:
    """Returns the shortest timeout that the client asks for, in seconds, or None without one.

    Args:
        headers: `grpc-timeout: 1500m` as gRPC writes it, `x-request-timeout: 1.5` in seconds.

    Raises:
        RpcError: INVALID_TIMEOUT: one of them is not a positive time in its form.
    """
    if "grpc-timeout" not in headers and "x-request-timeout" not in headers:
        return None
    times = [_grpc_seconds(value) for value in headers.all("grpc-timeout")]
    times += [_seconds(value) for value in headers.all("x-request-timeout")]
    return min(times, default=None)


def _grpc_seconds(value: str) -> float:
    match = _GRPC.fullmatch(value)
    if match is None or not int(match[1]):
        raise error(
            "INVALID_TIMEOUT",
            "The header grpc-timeout must be 1 to 8 digits, not all zero, and a unit of H, M, S, "
            "m, u, n.",
        )
    return int(match[1]) * _UNITS[match[2]]


def _seconds(value: str) -> float:
    if _SECONDS.fullmatch(value) is None or not float(value):
        raise error(
            "INVALID_TIMEOUT",
            "The header x-request-timeout must be a positive number of seconds, such as 1.5.",
        )
    return float(value)
