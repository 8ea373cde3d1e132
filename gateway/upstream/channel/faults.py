"""What can go wrong on the way to a backend, and what a client is told of it. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from gateway.call import Code, RpcError
from gateway.errors import error
from gateway.wire.grpc import HTTP_STATUSES, UNKNOWN


class Fault(NamedTuple):
    """What a failure of the transport is called: a key of `errors.REASONS`, and a sentence."""

    reason: str
    text: str
    never_sent: bool = False
    code: Code | None = None  # where the reason's own is too coarse
    metadata: Mapping[str, str] | None = None  # what a program may want to know

    def error(self, cause: str = "") -> RpcError:
        """Returns it as the error of a call.

        Args:
            cause: What operators are told beside; it may hold addresses and the backend's words.
        """
        failure = error(self.reason, self.text, code=self.code, metadata=self.metadata)
        failure.cause = cause
        return failure


UNREACHABLE: Final = Fault(
    "UPSTREAM_UNAVAILABLE", "The backend cannot be reached.", never_sent=True
)
FOREIGN: Final = Fault(
    "UPSTREAM_PROTOCOL_ERROR", "The backend does not speak gRPC.", never_sent=True
)
BUSY: Final = Fault(
    "UPSTREAM_UNAVAILABLE", "Too many calls wait for a connection to the backend.", never_sent=True
)
REFUSED: Final = Fault("UPSTREAM_UNAVAILABLE", "The backend refused to take the call.")
AWAY: Final = Fault(
    "UPSTREAM_UNAVAILABLE", "A proxy on the way says that the backend is not available."
)
RESET: Final = Fault("UPSTREAM_RESET", "The backend broke off before the call had ended.")
DROPPED: Final = Fault(
    "UPSTREAM_RESET", "The backend dropped the call: it may be overloaded, or stopping."
)
GARBAGE: Final = Fault("UPSTREAM_PROTOCOL_ERROR", "What the backend answered is not gRPC.")
NO_MESSAGE: Final = Fault("UPSTREAM_PROTOCOL_ERROR", "The backend answered OK without a message.")
MESSAGE_TOO_LARGE: Final = Fault(
    "UPSTREAM_MESSAGE_TOO_LARGE", "A message of the backend is larger than allowed."
)
METADATA_TOO_LARGE: Final = Fault(
    "UPSTREAM_MESSAGE_TOO_LARGE", "The backend's metadata is larger than allowed."
)
CLOSED: Final = Fault("DRAINING", "The gateway has closed its connections to the backend.")
DEADLINE: Final = Fault("DEADLINE_EXCEEDED", "The call did not end before its deadline.")

OF_THE_WAY: Final = frozenset(
    {
        "UPSTREAM_UNAVAILABLE",
        "UPSTREAM_RESET",
        "UPSTREAM_PROTOCOL_ERROR",
        "UPSTREAM_HTTP_ERROR",
    }
)
"""Reasons that have to do with one endpoint and the way to it: another may do better, or the same
the next time. What else the gateway refuses it would refuse again, whoever were asked."""

# With this message, and nothing else, gRPC core ends a call that its server let go of: too many
# wait there to be taken (grpc.server.max_pending_requests: some above 1000, all above 3000), it
# stops, or the call is freed without a status. CANCELLED is the caller's word (google.rpc.Code),
# and no caller cancelled: one that did hears no answer.
_DROPPED: Final = "CANCELLED"

# What a server ends a call with when it notices the deadline first.
_AT_DEADLINE: Final = frozenset({Code.DEADLINE_EXCEEDED, Code.CANCELLED})


def of_status(code: Code, message: str, *, bare: bool, late: bool) -> Fault | None:
    """Returns the fault behind a status that a backend sent; None where it means what it says.

    grpc/grpc, doc/PROTOCOL-HTTP2.md, "Client Cancellation": a client that is told CANCELLED checks
    whether the deadline is over, and says that in its own words.

    Args:
        code: The status code.
        message: The status message.
        bare: Whether there was no metadata with it.
        late: Whether the call's deadline has passed.
    """
    if late and code in _AT_DEADLINE:
        return DEADLINE
    if code is Code.CANCELLED and message == _DROPPED and bare:
        return DROPPED
    return None


def of_http(status: int) -> Fault:
    """Returns the fault of an answer with this HTTP status and no gRPC status."""
    code = Code(HTTP_STATUSES.get(status, UNKNOWN))
    if code is Code.UNAVAILABLE:
        return AWAY
    text = f"The backend answered with HTTP status {status} and no gRPC status."
    return Fault("UPSTREAM_HTTP_ERROR", text, code=code)
