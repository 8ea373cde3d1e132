"""What an answer's error, or a stream's end before its end, is called: a table. Pure."""

from __future__ import annotations

from typing import Final

from gateway.upstream.channel.faults import (
    DEADLINE,
    GARBAGE,
    MESSAGE_TOO_LARGE,
    METADATA_TOO_LARGE,
    REFUSED,
    RESET,
    Fault,
    of_http,
    of_status,
)
from gateway.upstream.status import code_of
from gateway.wire.frames import ErrorCode
from gateway.wire.grpc import AnswerError, Ending, Wrong
from gateway.wire.stream import Origin, Reset

# RFC 9113 section 7: what a peer resets a stream with that takes us for broken. Any other is a
# wish to be left alone, or has no meaning here.
_PEER_SAYS_BROKEN: Final = frozenset(
    {
        ErrorCode.PROTOCOL_ERROR,
        ErrorCode.FLOW_CONTROL_ERROR,
        ErrorCode.SETTINGS_TIMEOUT,
        ErrorCode.STREAM_CLOSED,
        ErrorCode.FRAME_SIZE_ERROR,
        ErrorCode.COMPRESSION_ERROR,
        ErrorCode.HTTP_1_1_REQUIRED,
    }
)

_WRONG: Final = {
    Wrong.PROTOCOL: GARBAGE,
    Wrong.TOO_LARGE: MESSAGE_TOO_LARGE,
}


def of_reset(reset: Reset, *, answered: bool, late: bool) -> Fault:
    """Returns what a stream's end is called.

    Args:
        reset: The end.
        answered: Whether an answer to the call had begun.
        late: Whether the call's deadline has passed: servers that notice it first say CANCEL
            (grpc/grpc, doc/PROTOCOL-HTTP2.md, "Client Cancellation").
    """
    if reset.origin is Origin.HERE:
        return METADATA_TOO_LARGE if reset.code is ErrorCode.ENHANCE_YOUR_CALM else GARBAGE
    if reset.unprocessed and not answered:
        return REFUSED
    if late and reset.code is ErrorCode.CANCEL:
        return DEADLINE
    return GARBAGE if reset.code in _PEER_SAYS_BROKEN else RESET


def of_ending(ending: Ending, *, late: bool) -> Fault | None:
    """Returns the fault behind an answer's end with a status; None if the backend means it."""
    code = code_of(ending.status)
    return of_status(code, ending.message, bare=not ending.metadata, late=late)


def of_answer(failure: AnswerError) -> Fault:
    """Returns what a wrong answer is called."""
    if failure.wrong is Wrong.HTTP_STATUS:
        return of_http(failure.http_status)
    return _WRONG[failure.wrong]
