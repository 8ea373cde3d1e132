"""What a call ends with whose last attempt is late while the call itself still has time. Pure."""

from __future__ import annotations

from gateway.call import RpcError
from gateway.errors import error
from gateway.upstream.channel import AnsweredError


def too_late(failure: RpcError, seconds: float) -> RpcError:
    """Returns the failure of an attempt that did not end in its time, told as that.

    Args:
        failure: As the attempt ended; committed stays committed.
        seconds: The time that attempts have.
    """
    text = f"The call's last attempt did not end within {seconds:g} s, the time of an attempt."
    told = error("DEADLINE_EXCEEDED", text)
    return AnsweredError.of(told) if isinstance(failure, AnsweredError) else told
