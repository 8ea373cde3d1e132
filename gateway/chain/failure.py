"""What a client is told of an exception: an RpcError is what it says, all else is a bug."""

from __future__ import annotations

import logging

from gateway.call import RpcError
from gateway.errors import error

log = logging.getLogger(__name__)


def as_error(failure: Exception) -> RpcError:
    """Returns the RpcError that a client is told of `failure`; logs what is a bug."""
    if isinstance(failure, RpcError):
        return failure
    log.error("a call failed on a bug", exc_info=failure)
    return error("INTERNAL", "The gateway failed on this call.")
