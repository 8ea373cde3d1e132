"""Channels: connections to one endpoint, and the ways to make calls over them.

This module is the contract that every transport keeps; `tests/upstream/channel` holds it against
each of them. It knows no transport.

What a channel promises, beyond the shapes of `gateway.call`:
- a status that the backend sent is passed on word for word, with its details and its metadata;
- a failure of the transport becomes an error of the gateway's own (`gateway.errors`), whose text
  names neither addresses nor a library's words: those go to the log `gateway.upstream`;
- `NotSentError` is raised, or given to `done`, only when the backend cannot have seen the call;
  where that is what its server says, and nothing else is known, it is a `RefusedError`;
- a failure after the backend's initial metadata is an `AnsweredError`, as far as the transport
  tells of them;
- a stream's `call.start` is called exactly once when the call succeeds, and not at all when the
  backend refuses it at once; its `call.receive` is not called before the call is on its way;
- whoever made the channel hears of every change of its state;
- calls that wait for a connection stand in the queue that the channel was given, as far as the
  transport tells of them;
- nothing is read from the backend while `call.send` waits, and no request message is taken from
  the client while the backend's window is full.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Protocol, Self, TypeAlias

from gateway.call import Call, Cancel, Done, Metadata, RpcError, StreamCall
from gateway.upstream.channel.queue import Queue
from gateway.upstream.endpoints import AnyEndpoint
from gateway.upstream.spec import ChannelSpec


class State(Enum):
    """How a channel's connection is doing (grpc/grpc, doc/connectivity-semantics-and-api.md)."""

    IDLE = "idle"
    CONNECTING = "connecting"
    READY = "ready"
    FAILING = "failing"
    CLOSED = "closed"


class _MarkedError(RpcError):
    """A failure of which the channel knows more than its status says."""

    @classmethod
    def of(cls, failure: RpcError) -> Self:
        """Returns `failure`, marked."""
        return cls(
            failure.status,
            headers=failure.headers,
            http_status=failure.http_status,
            metadata=failure.metadata,
            reason=failure.reason,
            cause=failure.cause,
        )


class NotSentError(_MarkedError):
    """A call that failed before the backend saw anything of it: another endpoint may be tried."""


class RefusedError(NotSentError):
    """A call that a server refused unread (RFC 9113 section 8.7): it may be made again, at a cost.

    The backend has not seen it, and its server had work with it all the same.
    """


class AnsweredError(_MarkedError):
    """A call that failed after the backend had begun to answer: it is not to be made again.

    It begins with its initial metadata (gRFC A6, "When Retries are Valid"); a status that comes
    alone (Trailers-Only) is no beginning.
    """


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

    @property
    def unreached(self) -> str:
        """Why there is no connection, while it can't be had, as far as is known; else empty.

        In the words of the transport: for operators, never for clients.
        """

    def start(self, call: Call, done: Done) -> Cancel:
        """Starts a unary call (`gateway.call.Unary`)."""

    async def stream(self, call: StreamCall) -> Metadata:
        """Runs a streaming call of any kind (`gateway.call.Stream`)."""

    async def close(self, grace: float) -> None:
        """Takes no more calls, waits `grace` seconds for those in flight, then ends them.

        Calls that come later and calls that are ended fail with `DRAINING`.
        """


Heard: TypeAlias = "Callable[[State], None]"
"""Hears of a channel's state, when it changes."""

MakeChannel: TypeAlias = "Callable[[ChannelSpec, AnyEndpoint, Heard, Queue], Channel]"
"""Makes a channel of a transport, inside a running loop. It begins to connect at once."""


def unheard(state: State) -> None:
    """Hears of a channel's state, and makes nothing of it."""
