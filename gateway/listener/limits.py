"""What a listener allows its clients: connections, sizes, times. Data only."""

from __future__ import annotations

from dataclasses import dataclass

KIB = 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits on what clients may take. Sizes are bytes, times are seconds.

    Attributes:
        connections: Open connections in all; more are answered 503 and closed.
        connections_per_address: Open connections of one address, trusted proxies excepted.
        header_size: Request line and header fields together, and the trailer fields; 431.
        header_fields: Header fields of a request; 431.
        path_segments: Segments of a path; 400.
        query_parameters: Parameters of a query; 400.
        header_timeout: From the first byte of a request to the end of its header fields, and for
            the TLS handshake; 408.
        body_timeout: The longest wait for the next byte of a body that is read whole.
        stream_size: All of a streamed request body; 0 is no limit.
        stream_idle_timeout: Of a stream with nothing either way, and of a client that takes nothing
            of what it was sent.
        idle_timeout: A connection with no request on it.
    """

    connections: int = 10_000
    connections_per_address: int = 1_000
    header_size: int = 32 * KIB
    header_fields: int = 256
    path_segments: int = 256
    query_parameters: int = 1_000
    header_timeout: float = 10.0
    body_timeout: float = 30.0
    stream_size: int = 0
    stream_idle_timeout: float = 300.0
    idle_timeout: float = 75.0


READ_AHEAD = 64 * KIB
"""Bytes of a connection that are held unread before its socket is left alone."""

PIECE = 16 * KIB
"""The most of a body that is taken from what was received at once."""

LINGER_SECONDS = 2.0
LINGER_BYTES = 8 * KIB * KIB
"""How long, and how much, a connection that is being closed is still read: a close with unread
bytes is a reset, which can take the last reply from a client that is still sending (RFC 9112
section 9.6)."""

CLOSE_SECONDS = 5.0
"""How long a WebSocket's client may take to answer a close."""

AT_ONCE = 16
"""Pipelined requests of a connection that are begun before other connections have their turn."""

BACKLOG = 1024
"""Connections that wait to be accepted."""

REFUSED_AT_ONCE = 128
"""Connections over the limit that are told so; more are just closed."""
