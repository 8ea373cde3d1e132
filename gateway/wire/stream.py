"""A stream as its connection keeps it, and what its owner is told (RFC 9113 section 5).

Owners subclass `Stream`: the stream is the owner's own record of a request, so that none is made
beside it. What a stream is told is told once and in order; after `trailers`, `end` or `reset`
nothing more comes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from enum import Enum
from typing import NamedTuple

from gateway.wire.frames import ErrorCode
from gateway.wire.hpack import Fields


class Origin(Enum):
    """Who ended a stream before its end."""

    PEER = "the peer"
    HERE = "this side"


class Reset(NamedTuple):
    """Why a stream ended before its end.

    Attributes:
        code: The error code, as it was received or sent. REFUSED_STREAM from the peer means that
            the peer has not processed anything of it (section 8.7), a GOAWAY below it too.
        origin: Who ended it.
        text: What is wrong, for operators.
    """

    code: ErrorCode
    origin: Origin
    text: str

    @property
    def unprocessed(self) -> bool:
        """Whether the peer says that it processed nothing of the stream."""
        return self.code is ErrorCode.REFUSED_STREAM and self.origin is Origin.PEER


class Stream(ABC):
    """One stream. Its connection sets the attributes, its owner overrides the methods.

    Attributes:
        id: The stream's identifier; 0 while it has none.
        paced: Whether received bytes count against the window until the owner gives them back
            (`Connection.consumed`); otherwise they are given back on receipt.
        local_closed: END_STREAM is sent, or waits to be sent.
        remote_closed: END_STREAM was received.
        head_seen: The head of the message was received.
    """

    paced = False

    # Defaults stand at the class: most streams of a client leave most of them as they are.
    id = 0
    head_seen = False
    local_closed = False
    remote_closed = False
    send_window = 0
    receive_window = 0
    unreturned = 0  # received and consumed, and not yet given back to the peer
    length_left = -1  # of `content-length`, where the head has one
    unsent: memoryview | None = None
    # Where the stream's first frames stand among what is to be sent, see `outgoing`.
    opening = 0
    opening_batch = -1
    opening_bytes = 0

    def forget(self) -> None:
        """Makes it a stream that was never used, so that its request can be sent again."""
        for name in _STATE:
            self.__dict__.pop(name, None)

    @abstractmethod
    def head(self, fields: Fields, *, end: bool) -> None:
        """Takes the final response's head (with `end`, the stream is over)."""

    @abstractmethod
    def data(self, payload: bytes) -> None:
        """Takes content; never empty."""

    @abstractmethod
    def trailers(self, fields: Fields) -> None:
        """Takes the trailers; the stream is over."""

    @abstractmethod
    def end(self) -> None:
        """Hears that the content ended without trailers; the stream is over."""

    @abstractmethod
    def reset(self, reset: Reset) -> None:
        """Hears that the stream ended before its end."""

    def writable(self) -> None:  # noqa: B027  who sends all at once need not hear it
        """Hears that all that was to be sent has been, after some of it had to wait."""


_STATE = (
    "head_seen",
    "id",
    "length_left",
    "local_closed",
    "opening",
    "opening_batch",
    "opening_bytes",
    "receive_window",
    "remote_closed",
    "send_window",
    "unreturned",
    "unsent",
)


def all_sent(stream: Stream) -> bool:
    """Returns whether this side has sent all that it had to say on a stream."""
    return stream.local_closed and stream.unsent is None
