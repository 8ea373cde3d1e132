"""The end of a connection whose peer broke the protocol."""

from __future__ import annotations

from gateway.wire.frames import ErrorCode


class ConnectionFailed(Exception):  # noqa: N818  it is the peer's failure, told to whoever drives
    """The peer broke the protocol (RFC 9113 section 5.4.1): nothing more of it can be understood.

    Attributes:
        code: What it is told by GOAWAY.
    """

    def __init__(self, code: ErrorCode, text: str) -> None:
        super().__init__(text)
        self.code = code
