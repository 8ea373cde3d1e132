"""The circuit breaker: how much an upstream is asked at a time, and no more.

Without a bound, calls to a backend that has become slow pile up in the gateway, and all of them
end late. Above it they fail at once. It counts; calls that wait for a connection are counted by
`channel.queue`.
"""

from __future__ import annotations

from typing import Final

from gateway.call import RpcError
from gateway.errors import error
from gateway.upstream.spec import BreakerSpec

_UNBOUNDED: Final = float("inf")


class Breaker:
    """The breaker of one upstream.

    Attributes:
        requests: Calls in flight.
        retries: Attempts in flight, or about to be made, beyond the first of each call.
    """

    __slots__ = ("_most_requests", "_most_retries", "_name", "requests", "retries")

    def __init__(self, name: str, spec: BreakerSpec) -> None:
        self.requests = 0
        self.retries = 0
        self._name = name
        self.configure(spec)

    def configure(self, spec: BreakerSpec) -> None:
        """Takes over the bounds; what is above a lower one goes on."""
        self._most_requests = _UNBOUNDED if spec.requests is None else spec.requests
        self._most_retries = _UNBOUNDED if spec.retries is None else spec.retries

    @property
    def full(self) -> bool:
        """Whether no call is taken."""
        return self.requests >= self._most_requests

    @property
    def retries_full(self) -> bool:
        """Whether no call is made again."""
        return self.retries >= self._most_retries

    def refusal(self) -> RpcError:
        """Returns what a call ends with that is not taken."""
        return error(
            "CIRCUIT_OPEN",
            f"The upstream {self._name} has {self._most_requests} calls in flight,"
            " as many as it may have (circuit_breaker.requests).",
            metadata={"upstream": self._name, "bound": "requests"},
        )
