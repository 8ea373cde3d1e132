"""Whether a client may send a message: by its size, and by what it was granted. Pure."""

from __future__ import annotations

from gateway.call import RpcError
from gateway.errors import error
from gateway.fronts.websocket.limits import Limits
from gateway.fronts.websocket.stream import Inflow


def oversized(body: bytes, limits: Limits) -> RpcError | None:
    """Returns the error of a body that is larger than is allowed, or None."""
    most = limits.message_size
    if len(body) <= most:
        return None
    text = f"The message has {len(body)} bytes, at most {most} are allowed."
    return error("MESSAGE_TOO_LARGE", text)


def refusal(inflow: Inflow, body: bytes | None, limits: Limits, ungranted: int) -> RpcError | None:
    """Returns why a message may not be sent, or None.

    Args:
        inflow: What its stream was sent before.
        body: The message; None of a frame that only says that there are no more.
        limits: The session's.
        ungranted: Bytes of the messages of all its streams that are not granted anew.
    """
    if inflow.ended:
        return error("UNEXPECTED_MESSAGE", "A frame came after the one that said end.")
    if body is None:
        return None
    if too_large := oversized(body, limits):
        return too_large
    if inflow.allowed <= 0:
        return error("FLOW_CONTROL", "More messages were sent than were granted.")
    if inflow.size and inflow.size + len(body) > limits.buffer:
        return _beyond(limits.buffer, "the stream")
    if ungranted and ungranted + len(body) > limits.session_buffer:
        return _beyond(limits.session_buffer, "all streams")
    return None


def _beyond(most: int, where: str) -> RpcError:
    text = f"More than {most} bytes were sent on {where} that were not granted anew."
    return error("FLOW_CONTROL", text)
