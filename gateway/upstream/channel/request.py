"""What every transport does with a call before it is sent, and with its answer.

What is refused here would otherwise fail inside a transport, in the transport's words.
"""

from __future__ import annotations

import logging
import re

from gateway.call import Call, Done, Metadata, Reply, RpcError
from gateway.errors import error

log = logging.getLogger("gateway.upstream")

# PROTOCOL-HTTP2.md of gRPC, "Custom-Metadata": Header-Name and ASCII-Value.
_KEY = re.compile(r"[0-9a-z_.-]+")
_TEXT = re.compile(r"[\x20-\x7e]*")

# By so many seconds a backend's clock may be ahead of ours: core counts in milliseconds.
_GRAIN = 0.01


def refusal(call: Call, now: float) -> RpcError | None:
    """Returns why `call` cannot be sent at `now` (on the loop's clock), or None."""
    if call.deadline is not None and call.deadline.remaining(now) <= 0:
        return past_deadline()
    return bad_metadata(call.metadata)


def late(call: Call, now: float) -> bool:
    """Whether the deadline of `call` has passed at `now`, on the loop's clock or the backend's.

    A backend has the deadline that the channel has, and may tell of it first: who waits is told
    the same, whichever of the two was faster.
    """
    return call.deadline is not None and call.deadline.remaining(now) <= _GRAIN


def past_deadline() -> RpcError:
    """Returns the error of a call whose deadline has passed."""
    return error("DEADLINE_EXCEEDED", "The call did not end before its deadline.")


def bad_metadata(metadata: Metadata) -> RpcError | None:
    """Returns the error of the first entry that gRPC cannot carry, or None."""
    for key, value in metadata:
        if not _KEY.fullmatch(key):
            return error("INVALID_METADATA", f"{key!r} is not a name of gRPC metadata")
        if key.endswith("-bin"):
            if not isinstance(value, bytes):
                return error("INVALID_METADATA", f"The value of {key} must be binary.")
        elif not isinstance(value, str) or not _TEXT.fullmatch(value):
            return error("INVALID_METADATA", f"The value of {key} must be printable ASCII.")
    return None


def printable(text: str) -> bool:
    """Whether a value can be that of text metadata: printable ASCII."""
    return text.isascii() and text.isprintable()


def too_large(size: int, limit: int) -> RpcError | None:
    """Returns the error of a request message of `size` bytes where `limit` may be sent, or None."""
    if size <= limit:
        return None
    return error(
        "MESSAGE_TOO_LARGE",
        f"The request message has {size} bytes, at most {limit} are allowed.",
    )


def check_size(message: bytes, limit: int) -> None:
    """Raises the error of a request message that is larger than allowed."""
    if refused := too_large(len(message), limit):
        raise refused


def complete(done: Done, result: Reply | RpcError, call: Call) -> None:
    """Calls `done`; what it raises is a bug of the caller's, and is logged."""
    try:
        done(result)
    except Exception:
        log.exception("what waited for %s failed on its answer", call.method)


def nothing_to_cancel() -> None:
    """Cancels a call that has ended already (`gateway.call.Cancel`)."""


def known(failure: Exception, call: Call) -> RpcError:
    """Returns a failure as an error that clients may see; logs what is a bug.

    It forgets where it was raised: those frames have the call, and whoever waits for the error.
    """
    if isinstance(failure, RpcError):
        failure.__context__ = None
        return failure.with_traceback(None)
    log.error("a unary call of %s failed on a bug", call.method, exc_info=failure)
    return error("INTERNAL", "The gateway failed on this call.")
