"""Which statuses grpcio made itself, and what each is called: a table of its words.

gRPC core reports a broken connection as it reports a status that the backend sent: a code and a
text. Since core flattened its errors (grpc/grpc#38874) nothing else tells the two apart. Two facts
keep the table honest:
- whether the call left the gateway, and whether its deadline has passed, is known, not read; so a
  backend that passes on the very words of its own failed connection is not taken for one that was
  never reached;
- core itself makes only some codes, so a NOT_FOUND is never taken for a failure, whatever its text.

Pure. A grpcio whose words are not in the table fails `tests/upstream/channel`, which provokes the
rows on the installed one.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from gateway.call import Code


class Fault(NamedTuple):
    """What a failure of the transport is called: a key of `errors.REASONS`, and a sentence."""

    reason: str
    text: str
    never_sent: bool = False


_UNREACHABLE = Fault("UPSTREAM_UNAVAILABLE", "The backend cannot be reached.", never_sent=True)
_FOREIGN = Fault("UPSTREAM_PROTOCOL_ERROR", "The backend does not speak gRPC.", never_sent=True)
_AWAY = Fault("UPSTREAM_UNAVAILABLE", "A proxy on the way says that the backend is not available.")
_RESET = Fault("UPSTREAM_RESET", "The backend broke off before the call had ended.")
_GARBAGE = Fault("UPSTREAM_PROTOCOL_ERROR", "What the backend answered is not gRPC.")
_MESSAGE = Fault("UPSTREAM_MESSAGE_TOO_LARGE", "A message of the backend is larger than allowed.")
_HEADERS = Fault("UPSTREAM_MESSAGE_TOO_LARGE", "The backend's metadata is larger than allowed.")
_DEADLINE = Fault("DEADLINE_EXCEEDED", "The call did not end before its deadline.")

# Codes that gRPC core makes itself for a call that was sent.
_CORE = frozenset(
    {
        Code.CANCELLED,
        Code.UNKNOWN,
        Code.RESOURCE_EXHAUSTED,
        Code.UNIMPLEMENTED,
        Code.INTERNAL,
        Code.UNAVAILABLE,
        Code.PERMISSION_DENIED,
        Code.UNAUTHENTICATED,
    }
)


def _row(
    pattern: str, fault: Fault, *codes: Code
) -> tuple[re.Pattern[str], Fault, frozenset[Code]]:
    return re.compile(pattern, re.DOTALL), fault, frozenset(codes) or _CORE


_CONNECTING = (
    _row(r"(failed to connect|connections) to all .*Failed parsing HTTP/2", _FOREIGN),
    _row(r"failed to connect to all addresses|connections to all backends failing", _UNREACHABLE),
    _row(r"errors resolving |DNS resolution failed|empty address list", _UNREACHABLE),
)

_LATE = re.compile(r"(Stream removed \()?Deadline Exceeded\)?$")

# What a call that was sent fails with. Core wraps most of it in `Stream removed (…)`.
_SENT = (
    _row(
        # A backend says the same of a request, less the CLIENT.
        r"(Stream removed \()?(CLIENT: Received|Decompressed) message larger than max",
        _MESSAGE,
        Code.RESOURCE_EXHAUSTED,
    ),
    _row(r"(Stream removed \()?received metadata size exceeds", _HEADERS, Code.RESOURCE_EXHAUSTED),
    _row(r"Received http2 header with status: (429|502|503|504)$", _AWAY),
    _row(r"Received http2 header with status: ", _GARBAGE),
    # RFC 9113, 7: PROTOCOL_ERROR, FLOW_CONTROL_ERROR, SETTINGS_TIMEOUT, STREAM_CLOSED,
    # FRAME_SIZE_ERROR, COMPRESSION_ERROR, HTTP_1_1_REQUIRED.
    _row(r"Stream removed \(RST_STREAM .*error code (1|3|4|5|6|9|13)\)", _GARBAGE),
    _row(r"Stream removed \(RST_STREAM ", _RESET),
    _row(r"Stream removed \(.*Failed parsing HTTP/2", _GARBAGE),
    _row(r"Stream removed \(", _RESET, Code.UNAVAILABLE, Code.CANCELLED),
    _row(r"Stream removed \(", _GARBAGE),
    _row(r"No status received$", _GARBAGE, Code.UNKNOWN),
    _row(
        r"Compression bit set but no encoding configured$|Compression algorithm not supported: "
        r"|Decompression failed due to \w+ error$",
        _GARBAGE,
        Code.INTERNAL,
    ),
)


def fault_of(code: Code, text: str, *, connected: bool, late: bool) -> Fault | None:
    """Returns what a status is that grpcio made itself; None for one that the backend sent.

    Args:
        code: The status code.
        text: The status message.
        connected: Whether the call had a connection, and so may have been sent.
        late: Whether the call's deadline has passed.
    """
    if code is Code.DEADLINE_EXCEEDED:
        return _DEADLINE if late and _LATE.match(text) else None
    for pattern, fault, codes in _SENT if connected else (*_CONNECTING, *_SENT):
        if code in codes and pattern.match(text):
            return fault
    return None
