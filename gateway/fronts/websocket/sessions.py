"""Sessions that can be resumed: those at work, and those whose clients may come back."""

from __future__ import annotations

import asyncio
import secrets

from gateway.fronts.keepalive import Handle, Timer
from gateway.fronts.roster import Roster
from gateway.fronts.websocket.calls import SessionCalls
from gateway.fronts.websocket.relay import Relay


class Sessions:
    """Sessions by their ids. One for all sockets of a process; it outlives generations.

    Args:
        worker: What names this process in the ids.
        timer: The clock; None is the running loop's.

    Attributes:
        most: Sessions that may wait at once: the one that has waited longest goes first.
        most_of_address: So many of one client's address.
        elsewhere: The way to the sessions of other workers, where there are any.
        roster: All sockets of the process, of sessions and of others.
    """

    __slots__ = (
        "_by_address",
        "_known",
        "_timer",
        "_waiting",
        "_worker",
        "elsewhere",
        "most",
        "most_of_address",
        "roster",
    )

    def __init__(self, worker: str = "0", *, timer: Timer | None = None) -> None:
        self.most = 10_000
        self.most_of_address = 1_000
        self._known: dict[str, SessionCalls] = {}
        self._waiting: dict[str, Handle] = {}
        self._by_address: dict[str, dict[str, None]] = {}
        self._worker = worker
        self._timer = timer
        self.elsewhere: Relay | None = None
        self.roster = Roster()

    @property
    def waiting(self) -> int:
        """The sessions that have no socket, and whose clients may come back."""
        return len(self._waiting)

    def new_id(self) -> str:
        """Returns an id: 128 random bits, and the process."""
        return f"{self._worker}.{secrets.token_hex(16)}"

    def add(self, calls: SessionCalls) -> None:
        """Takes note of a session that can be resumed."""
        self._known[calls.id] = calls

    def find(self, id_: str) -> SessionCalls | None:
        """Returns a session, or None where there is none (any more)."""
        return self._known.get(id_)

    def attached(self, calls: SessionCalls) -> None:
        """Takes note that a session has a socket again, by another handshake maybe."""
        if handle := self._waiting.pop(calls.id, None):
            handle.cancel()
            address = calls.request.peer
            beside = self._by_address[address]
            del beside[calls.id]
            if not beside:
                del self._by_address[address]

    def detached(self, calls: SessionCalls, seconds: float) -> None:
        """Takes note that a session has lost its socket: it waits so many seconds."""
        address = calls.request.peer
        beside = self._by_address.get(address, {})
        if address and len(beside) >= self.most_of_address:  # that of a Unix socket is none
            self.end(self._known[next(iter(beside))])
        if len(self._waiting) >= self.most:
            self.end(self._known[next(iter(self._waiting))])
        timer = self._timer or asyncio.get_running_loop().call_later
        self._waiting[calls.id] = timer(seconds, lambda: self.end(calls))
        self._by_address.setdefault(address, {})[calls.id] = None

    def end(self, calls: SessionCalls) -> None:
        """Ends a session, and its calls."""
        self._known.pop(calls.id, None)
        self.attached(calls)
        calls.abandon()

    def close(self) -> None:
        """Ends all that wait: the gateway ends."""
        for id_ in list(self._waiting):
            self.end(self._known[id_])
