"""Errors of HTTP itself, and the reply that each one gets.

Sentences are our own: a client never sees a parser's words. Every such reply ends its connection,
since after an error nobody knows where the next request begins.
"""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus

from gateway.errors import REASONS
from gateway.http.fault import json_error

SERVER = "gateway"
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Fault:
    """An error reply of the listener's own.

    Attributes:
        status: Its HTTP status.
        reason: A key of `errors.REASONS`.
        message: A sentence for the developer of the client.
    """

    status: int
    reason: str
    message: str

    def body(self) -> bytes:
        """Returns the reply's JSON."""
        return json_error(self.status, REASONS[self.reason].code.name, self.reason, self.message)

    def reply(self, *, head_only: bool = False) -> bytes:
        """Returns the whole reply, which says that the connection closes.

        Args:
            head_only: Leave the body out: the request's method was HEAD.
        """
        body = self.body()
        head = (
            f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}\r\n"
            f"Content-Type: {JSON}\r\n"
            f"Content-Length: {len(body)}\r\n"
            f"Date: {formatdate(usegmt=True)}\r\n"
            f"Server: {SERVER}\r\n"
            "Connection: close\r\n\r\n"
        ).encode("ascii")
        return head if head_only else head + body


class Refused(Exception):  # noqa: N818  it is a decision about a request, not an error of ours
    """A request that the listener does not take, with the reply that it gets."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


def bad_request(message: str) -> Refused:
    """Returns the refusal of a request that breaks RFC 9110 or RFC 9112."""
    return Refused(Fault(400, "BAD_REQUEST", message))


MALFORMED = Fault(400, "BAD_REQUEST", "The request is not valid HTTP/1.1.")
UNKNOWN_METHOD = Fault(400, "BAD_REQUEST", "The request's method is not one of HTTP.")
HEADERS_TOO_LARGE = Fault(
    431, "HEADERS_TOO_LARGE", "The request line and header fields are larger than is allowed."
)
HEADER_TIMEOUT = Fault(
    408, "HEADER_TIMEOUT", "The request's header fields did not arrive within the time allowed."
)
TOO_MANY_CONNECTIONS = Fault(
    503, "TOO_MANY_CONNECTIONS", "There are too many open connections; try again later."
)
VERSION = Fault(
    505, "HTTP_VERSION_NOT_SUPPORTED", "The version of HTTP is not supported: use HTTP/1.1."
)
EXPECTATION = Fault(
    417, "BAD_REQUEST", "The Expect field asks for something else than 100-continue."
)
INTERNAL = Fault(500, "INTERNAL", "The gateway failed to answer this request.")
STREAM_IDLE = Fault(504, "STREAM_IDLE", "Nothing was sent or received for too long.")
DRAINING = Fault(503, "DRAINING", "The gateway is shutting down; try again.")
