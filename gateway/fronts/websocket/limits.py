"""What a client may do in one session of the multiplexed form."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a session.

    Attributes:
        streams: Streams open at once.
        message_size: Bytes of a body.
        credit: Messages that a client may send on a stream before it is granted more.
        buffer: Bytes of them; one message may have more.
        session_buffer: Bytes of all messages, of all streams, that are not granted anew; and of
            all frames that are kept until the client has them.
        replies: Bytes of all messages to the client that wait for its grants, or for its return.
    """

    streams: int = 100
    message_size: int = 1024 * 1024
    credit: int = 16
    buffer: int = 256 * 1024
    session_buffer: int = 4 * 1024 * 1024
    replies: int = 16 * 1024 * 1024
