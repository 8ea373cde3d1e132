"""Bytes that all streams of a session share, and the line of those that wait for room among them.

docs/websocket.md, "Flow control": `limits.session_buffer`. First come, first served: while one
waits none passes it by, however small its message, for a large one would never find room otherwise.
Who waits for the credit of its own stream does not stand here, so it holds nobody up.
"""

from __future__ import annotations

import math
from typing import Protocol


class Member(Protocol):
    """Who sends: the window of a stream, which has one message at a time to ask for."""

    def changed(self) -> None:
        """Hears that it may be its turn, and should ask again or leave."""


class Pool:
    """The bytes on the way of all streams.

    Args:
        size: How many there may be; None is as many as you like.
    """

    __slots__ = ("_bytes", "_line", "_size")

    def __init__(self, size: int | None) -> None:
        self._size = math.inf if size is None else size
        self._bytes = 0
        self._line: dict[Member, None] = {}  # in the order in which they came

    def ask(self, member: Member, size: int) -> bool:
        """Returns whether a message may be sent now; who may not stands in line from then on.

        Args:
            member: Who asks.
            size: Bytes of the message. Any may be sent where none are on the way.
        """
        its_turn = next(iter(self._line), member) is member
        if its_turn and (not self._bytes or self._bytes + size <= self._size):
            return True
        self._line[member] = None
        return False

    def take(self, member: Member, size: int) -> None:
        """Takes note of a message that is sent; `ask` must have allowed it."""
        self._bytes += size
        self.leave(member)

    def free(self, size: int) -> None:
        """Takes note that so many bytes are off the way."""
        self._bytes -= size
        self._call_first()

    def leave(self, member: Member) -> None:
        """Lets a member out of the line, if it stands there."""
        if member in self._line:
            del self._line[member]
            self._call_first()

    def _call_first(self) -> None:
        for member in self._line:
            member.changed()
            return
