"""Errors of HTTP itself, and the reply that each one gets.

Sentences are our own: a client never sees a parser's words. Every such reply ends its connection,
since after an error nobody knows where the next request begins.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.errors import REASONS
from gateway.http import Headers
from gateway.http.fault import json_error
from gateway.http.request_id import REQUEST_ID, request_id
from gateway.listener.fields import lines
from gateway.listener.reply import CLOSE, head

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

    def body(self, request_id: str) -> bytes:
        """Returns the reply's JSON."""
        code = REASONS[self.reason].code.name
        return json_error(self.status, code, self.reason, self.message, request_id)

    def headers(self, request_id: str) -> tuple[tuple[str, str], ...]:
        """Returns the reply's own header fields."""
        return (("Content-Type", JSON), (REQUEST_ID, request_id))

    def parts(self, given: Headers) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
        """Returns status, header fields and body of the reply to a request with these headers."""
        named = request_id(given.get(REQUEST_ID))
        return self.status, self.headers(named), self.body(named)

    def reply(self, request_id: str, *, head_only: bool = False) -> bytes:
        """Returns the whole reply, which says that the connection closes.

        Args:
            request_id: What names the request, ASCII without control characters.
            head_only: Leave the body out: the request's method was HEAD.
        """
        body = self.body(request_id)
        framing = f"Content-Length: {len(body)}\r\n{CLOSE}"
        start = head(self.status, lines(self.headers(request_id)), framing)
        return start if head_only else start + body


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
