"""How many calls wait for a connection: of all channels of an upstream together.

It counts, and knows what those hear for whom there is no place; who may stand in it is the
channels' business.
"""

from __future__ import annotations

from gateway.upstream.channel.faults import Fault


class Queue:
    """Calls that wait for a connection.

    Attributes:
        waiting: How many there are.
        most: How many there may be; None for as many as each channel allows.
        upstream: Whose they are, by its name in the config.
    """

    __slots__ = ("most", "upstream", "waiting")

    def __init__(self, most: int | None = None, upstream: str = "") -> None:
        self.waiting = 0
        self.most = most
        self.upstream = upstream

    @property
    def full(self) -> bool:
        """Whether there is no place."""
        return self.most is not None and self.waiting >= self.most

    def fault(self) -> Fault:
        """Returns what a call ends with for which there is no place."""
        text = (
            f"{self.most} calls wait for a connection to the upstream {self.upstream},"
            " as many as may (circuit_breaker.pending)."
        )
        return Fault("CIRCUIT_OPEN", text, metadata={"upstream": self.upstream, "bound": "pending"})
