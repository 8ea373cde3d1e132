"""How calls and connections end, for those who make them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gateway.call import Code
from gateway.client.frames import Metadata


@dataclass(frozen=True, slots=True)
class Status:
    """How a call ended.

    Attributes:
        code: The gRPC status code, 5.
        status: Its name, `NOT_FOUND`.
        message: For a developer.
        details: `google.rpc` details: dicts with their `@type` in JSON, `google.protobuf.Any`
            messages in the binary framing.
        trailers: The backend's trailing metadata, pairs in order.
    """

    code: int
    status: str
    message: str = ""
    details: tuple[Any, ...] = ()
    trailers: Metadata = ()

    @property
    def ok(self) -> bool:
        """Whether the call succeeded."""
        return self.code == Code.OK


def ended(code: Code, message: str) -> Status:
    """Returns a status of the client's own."""
    return Status(int(code), code.name, message)


class RpcError(Exception):
    """A call that ended with another status than OK.

    The client's own failures have the codes of gRPC too: a stream that was lost with its connection
    `UNAVAILABLE`, a time that is over `DEADLINE_EXCEEDED`, a client that was closed `CANCELLED`.

    Attributes:
        code: The gRPC status code, 5.
        status: Its name, `NOT_FOUND`.
        message: For a developer.
        details: As in `Status`.
        trailers: As in `Status`.
    """

    def __init__(
        self,
        code: int,
        status: str,
        message: str = "",
        details: tuple[Any, ...] = (),
        trailers: Metadata = (),
    ) -> None:
        super().__init__(code, status, message, details, trailers)
        self.code = code
        self.status = status
        self.message = message
        self.details = details
        self.trailers = trailers

    @classmethod
    def of(cls, status: Status) -> RpcError:
        """Returns the error for a status."""
        return cls(status.code, status.status, status.message, status.details, status.trailers)

    def __str__(self) -> str:
        return f"{self.status}: {self.message}" if self.message else self.status


class RefusedError(ConnectionError):
    """The gateway does not want this client: connecting again would change nothing.

    Attributes:
        code: The HTTP status of the handshake (403), or the code of the close (4401).
        reason: What was said of it.
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason

    def __str__(self) -> str:
        said = f": {self.reason}" if self.reason else ""
        return f"the gateway refused the connection with {self.code}{said}"
