"""Whether a message may be sent or held: by its size, and by what was granted. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.call import RpcError
from gateway.errors import error
from gateway.fronts.websocket.limits import Limits
from gateway.fronts.websocket.stream import Inflow, Outflow


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


def unheld(
    flows: Iterable[Outflow], size: int, limits: Limits, *, is_away: bool
) -> RpcError | None:
    """Returns why a reply may not be held until the client grants it, or is back; or None.

    Args:
        flows: Those of all streams of the session.
        size: Bytes of the reply.
        limits: The session's.
        is_away: Whether the client has no socket now: then nothing is written.
    """
    held = sum(each.waiting_size if is_away else each.held for each in flows)
    if not held or held + size <= limits.replies:
        return None
    text = f"More than {limits.replies} bytes of replies wait for the client's grants."
    return error("FLOW_CONTROL", text)


def _beyond(most: int, where: str) -> RpcError:
    text = f"More than {most} bytes were sent on {where} that were not granted anew."
    return error("FLOW_CONTROL", text)
