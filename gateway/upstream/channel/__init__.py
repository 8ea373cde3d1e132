"""Channels: connections to one endpoint, and the ways to make calls over them.

This module is the contract that every transport keeps; `tests/upstream/channel` holds it against
each of them. It knows no transport.

What a channel promises, beyond the shapes of `gateway.call`:
- a status that the backend sent is passed on word for word, with its details and its metadata;
- a failure of the transport becomes an error of the gateway's own (`gateway.errors`), whose text
  names neither addresses nor a library's words: those go to the log `gateway.upstream`;
- `NotSentError` is raised, or given to `done`, only when the backend cannot have seen the call;
- a stream's `call.start` is called exactly once when the call succeeds, and not at all when the
  backend refuses it at once; its `call.receive` is not called before the call is on its way;
- nothing is read from the backend while `call.send` waits, and no request message is taken from
  the client while the backend's window is full.
"""

from __future__ import annotations

from enum import Enum
from typing import Protocol

from gateway.call import Call, Cancel, Done, Metadata, RpcError, StreamCall


class State(Enum):
    """How a channel's connection is doing (grpc/grpc, doc/connectivity-semantics-and-api.md)."""

    IDLE = "idle"
    CONNECTING = "connecting"
    READY = "ready"
    FAILING = "failing"
    CLOSED = "closed"


class NotSentError(RpcError):
    """A call that failed before the backend saw anything of it: another endpoint may be tried."""

    @classmethod
    def of(cls, failure: RpcError) -> NotSentError:
        """Returns `failure`, marked as one of a call that was never sent."""
        return cls(
            failure.status,
            headers=failure.headers,
            http_status=failure.http_status,
            metadata=failure.metadata,
            reason=failure.reason,
        )


class Channel(Protocol):
    """Connections to one endpoint."""

    @property
    def address(self) -> str:
        """The endpoint, `host:port`: for operators, never for clients."""

    @property
    def pending(self) -> int:
        """The calls in flight, unary and streaming."""

    @property
    def state(self) -> State:
        """How the connection is doing, as last heard of."""

    def start(self, call: Call, done: Done) -> Cancel:
        """Starts a unary call (`gateway.call.Unary`)."""

    async def stream(self, call: StreamCall) -> Metadata:
        """Runs a streaming call of any kind (`gateway.call.Stream`)."""

    async def close(self, grace: float) -> None:
        """Takes no more calls, waits `grace` seconds for those in flight, then ends them.

        Calls that come later and calls that are ended fail with `DRAINING`.
        """
