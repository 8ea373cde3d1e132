"""An upstream: the endpoints of a backend service, and which of them takes a call.

Calls are spread by round robin. A call that an endpoint never saw goes to the next one, once an
endpoint; no other call is made twice. An upstream with one endpoint adds nothing to its channel.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from gateway.call import Call, Cancel, Done, Metadata, Reply, RpcError, Stream, StreamCall, Unary
from gateway.upstream.channel import Channel, NotSentError
from gateway.upstream.channel.native import NativeChannel
from gateway.upstream.endpoints import AnyEndpoint
from gateway.upstream.round_robin import pick
from gateway.upstream.spec import UpstreamSpec


class Upstream:
    """A set of channels that takes calls as one.

    Attributes:
        name: Its name in the config.
        channels: One an endpoint, in the order of the config.
        start: Makes a unary call (`gateway.call.Unary`).
        stream: Runs a streaming call (`gateway.call.Stream`).
    """

    __slots__ = ("_turn", "channels", "name", "start", "stream")

    start: Unary
    stream: Stream

    def __init__(self, name: str, channels: Sequence[Channel]) -> None:
        self.name = name
        self.channels = tuple(channels)
        self._turn = 0
        if len(self.channels) == 1:
            self.start, self.stream = self.channels[0].start, self.channels[0].stream
        else:
            self.start, self.stream = self._start, self._stream

    def __repr__(self) -> str:
        return f"Upstream({self.name}, {list(self.channels)})"

    @property
    def pending(self) -> int:
        """The calls in flight."""
        return sum(channel.pending for channel in self.channels)

    async def close(self, grace: float) -> None:
        """Takes no more calls, waits `grace` seconds for those in flight, then ends them."""
        await asyncio.gather(*(channel.close(grace) for channel in self.channels))

    def choose(self, tried: Sequence[int]) -> int:
        """Returns the index of the channel that takes the next call, none of `tried`."""
        turn, self._turn = self._turn, self._turn + 1
        return pick([channel.state for channel in self.channels], turn, tried)

    def _start(self, call: Call, done: Done) -> Cancel:
        attempts = _Attempts(self, call, done)
        attempts.next()
        return attempts.cancel

    async def _stream(self, call: StreamCall) -> Metadata:
        tried: list[int] = []
        while True:
            index = self.choose(tried)
            tried.append(index)
            try:
                return await self.channels[index].stream(call)
            except NotSentError:
                if len(tried) == len(self.channels):
                    raise


class _Attempts:
    """A unary call on its way through the endpoints."""

    __slots__ = ("_call", "_cancel", "_done", "_tried", "_upstream")

    def __init__(self, upstream: Upstream, call: Call, done: Done) -> None:
        self._upstream = upstream
        self._call = call
        self._done = done
        self._tried: list[int] = []
        self._cancel: Cancel = _nothing

    def next(self) -> None:
        """Gives the call to an endpoint that has not had it."""
        index = self._upstream.choose(self._tried)
        self._tried.append(index)
        attempt = len(self._tried)
        cancel = self._upstream.channels[index].start(self._call, self._ended)
        # An attempt may have failed, and the next begun, before its start returned.
        if attempt == len(self._tried):
            self._cancel = cancel

    def cancel(self) -> None:
        """Ends the call."""
        self._cancel()

    def _ended(self, result: Reply | RpcError) -> None:
        if isinstance(result, NotSentError) and len(self._tried) < len(self._upstream.channels):
            self.next()
        else:
            self._done(result)


def _nothing() -> None:
    """Cancels a call that has not begun."""


def _grpcio(spec: UpstreamSpec, endpoint: AnyEndpoint) -> Channel:
    from gateway.upstream.channel.grpcio import GrpcioChannel  # noqa: PLC0415  it loads grpcio

    return GrpcioChannel(spec, endpoint)


_TRANSPORTS: Mapping[str, Callable[[UpstreamSpec, AnyEndpoint], Channel]] = {
    "native": NativeChannel,
    "grpcio": _grpcio,
}


def build(spec: UpstreamSpec) -> Upstream:
    """Makes an upstream, whose channels begin to connect. To be called inside a running loop.

    Raises:
        ValueError: There is no such transport.
    """
    make = _TRANSPORTS.get(spec.transport)
    if make is None:
        known = ", ".join(_TRANSPORTS)
        raise ValueError(f"there is no transport {spec.transport!r}, only {known}")
    return Upstream(spec.name, [make(spec, endpoint) for endpoint in spec.endpoints])
