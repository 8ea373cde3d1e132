"""Who makes the calls of a session's streams: what a `Session` asks for."""

from __future__ import annotations

from typing import Protocol

from gateway.call import RpcError
from gateway.fronts.websocket import frames
from gateway.fronts.websocket.stream import Stream


class Calls(Protocol):
    """Who makes the calls of a session's streams. May call the session back at once."""

    def begin(self, stream: Stream, opened: frames.Open) -> None:
        """Makes a stream's call; what it has of the client's stands in its `inflow`."""

    def arrived(self, stream: Stream) -> None:
        """Takes note that a message has come, or the word that there are no more."""

    def written(self, stream: Stream) -> None:
        """Takes note that all that was sent on a stream was written."""

    def owed(self) -> None:
        """Takes note that `Session.grant_owed` is to be called soon, and written."""

    def stop(self, stream: Stream, failure: RpcError) -> None:
        """Cancels a stream's call, and ends the stream with `failure` at once (`Session.end`)."""
