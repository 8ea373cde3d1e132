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

from gateway.call import Code
from gateway.upstream.channel.faults import (
    DEADLINE,
    FOREIGN,
    GARBAGE,
    MESSAGE_TOO_LARGE,
    METADATA_TOO_LARGE,
    RESET,
    UNREACHABLE,
    Fault,
    of_http,
)

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
    _row(r"(failed to connect|connections) to all .*Failed parsing HTTP/2", FOREIGN),
    _row(r"failed to connect to all addresses|connections to all backends failing", UNREACHABLE),
    _row(r"errors resolving |DNS resolution failed|empty address list", UNREACHABLE),
)

_HTTP = re.compile(r"Received http2 header with status: ([0-9]{3})$")

_LATE = re.compile(r"(Stream removed \()?Deadline Exceeded\)?$")

# Who failed to connect can't be told when the connection is back meanwhile: this channel, or the
# backend to one of its own, whose words these are. Either way they name an address.
_SOMEBODY_UNREACHED = UNREACHABLE._replace(never_sent=False)

# What a call that was sent fails with. Core wraps most of it in `Stream removed (…)`.
_SENT = (
    _row(
        r"failed to connect to all addresses; last error: .*\b(ipv4|ipv6|unix):",
        _SOMEBODY_UNREACHED,
        Code.UNAVAILABLE,
    ),
    _row(
        # A backend says the same of a request, less the CLIENT.
        r"(Stream removed \()?(CLIENT: Received|Decompressed) message larger than max",
        MESSAGE_TOO_LARGE,
        Code.RESOURCE_EXHAUSTED,
    ),
    _row(
        r"(Stream removed \()?received metadata size exceeds",
        METADATA_TOO_LARGE,
        Code.RESOURCE_EXHAUSTED,
    ),
    # RFC 9113, 7: PROTOCOL_ERROR, FLOW_CONTROL_ERROR, SETTINGS_TIMEOUT, STREAM_CLOSED,
    # FRAME_SIZE_ERROR, COMPRESSION_ERROR, HTTP_1_1_REQUIRED.
    _row(r"Stream removed \(RST_STREAM .*error code (1|3|4|5|6|9|13)\)", GARBAGE),
    _row(r"Stream removed \(RST_STREAM ", RESET),
    _row(r"Stream removed \(.*Failed parsing HTTP/2", GARBAGE),
    _row(r"Stream removed \(", RESET, Code.UNAVAILABLE, Code.CANCELLED),
    _row(r"Stream removed \(", GARBAGE),
    _row(r"No status received$", GARBAGE, Code.UNKNOWN),
    _row(
        r"Compression bit set but no encoding configured$|Compression algorithm not supported: "
        r"|Decompression failed due to \w+ error$",
        GARBAGE,
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
        return DEADLINE if late and _LATE.match(text) else None
    if code in _CORE and (http := _HTTP.match(text)):
        return of_http(int(http[1]))
    for pattern, fault, codes in _SENT if connected else (*_CONNECTING, *_SENT):
        if code in codes and pattern.match(text):
            return fault
    return None
