"""Close codes of the multiplexed form (docs/websocket.md, "Close codes").

4000 to 4199 mean: connect again; 4200 to 4299 are the plain form's; 4400 and up: don't.
"""

from __future__ import annotations

from typing import Final

from gateway.call import Code, RpcError
from gateway.http.websocket import INTERNAL_ERROR, NORMAL

AWAY: Final = 4000
TOO_SLOW: Final = 4001
NO_PONG: Final = 4002
TOKEN_EXPIRED: Final = 4003
NOT_NOW: Final = 4004
BAD_FRAME: Final = 4400
UNAUTHENTICATED: Final = 4401
FORBIDDEN: Final = 4403
NO_HELLO: Final = 4408
ID_USED: Final = 4409
TOO_LARGE: Final = 4413
TOO_MANY: Final = 4429

# What a client is told that could not show who it is; with any other error the gateway failed.
# Where it can't be known now (its issuer is away, or its address has asked too often), it may well
# be known later.
_REFUSED: Final = {
    Code.INVALID_ARGUMENT: UNAUTHENTICATED,
    Code.UNAUTHENTICATED: UNAUTHENTICATED,
    Code.PERMISSION_DENIED: FORBIDDEN,
    Code.RESOURCE_EXHAUSTED: NOT_NOW,
    Code.UNAVAILABLE: NOT_NOW,
}

# RFC 6455 section 7.4.1: a client that is done, or has broken the protocol. 1005 and 1006 say
# nothing.
_FOR_GOOD: Final = frozenset({NORMAL, 1002, 1003, 1007, 1008, 1009, 1010})


def of_refusal(failure: RpcError) -> int:
    """Returns the code for a client that could not be authenticated."""
    return _REFUSED.get(failure.status.code, INTERNAL_ERROR)


def is_for_good(code: int) -> bool:
    """Whether a socket that was closed so is followed by none that goes on with its session."""
    return code in _FOR_GOOD or code >= BAD_FRAME
