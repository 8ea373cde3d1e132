"""Counts open connections, in all and by address, and says whether one more is allowed."""

from __future__ import annotations

from collections import Counter

from gateway.listener.limits import Limits


class Census:
    """The open connections of one listener.

    Attributes:
        total: How many there are.
        accepted: How many there were so far.
    """

    __slots__ = ("_by_address", "accepted", "total")

    def __init__(self) -> None:
        self.total = self.accepted = 0
        self._by_address: Counter[str] = Counter()

    def enter(self, address: str, limits: Limits) -> bool:
        """Counts a connection, or returns False when it would be one too many.

        Args:
            address: What the connection counts for; empty for one that counts for no address (a
                Unix socket, a trusted proxy).
            limits: The limits now.
        """
        if self.total >= limits.connections:
            return False
        if address:
            if self._by_address[address] >= limits.connections_per_address:
                return False
            self._by_address[address] += 1
        self.total += 1
        self.accepted += 1
        return True

    def leave(self, address: str) -> None:
        """Takes back one `enter` that returned True."""
        self.total -= 1
        if address:
            self._by_address[address] -= 1
            if not self._by_address[address]:
                del self._by_address[address]
