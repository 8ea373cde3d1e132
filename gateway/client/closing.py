"""What the end of a socket means: whether to connect again (docs/websocket.md, "Close codes").

Codes are those of RFC 6455, section 7.4, and of the protocol; 1006 stands for an end without one.
"""

from __future__ import annotations

from typing import Final

NORMAL: Final = 1000
ABNORMAL: Final = 1006
GOING_AWAY: Final = 4000
BAD_FRAME: Final = 4400
UNAUTHENTICATED: Final = 4401

# Not the others of RFC 6455: what breaks its rules once breaks them again.
_COMES_BACK: Final = frozenset({NORMAL, 1001, 1005, ABNORMAL, 1011, 1012, 1013})
_AGAIN: Final = range(4000, 4200)

# Request Timeout, Too Early, Too Many Requests (RFC 9110, RFC 8470, RFC 6585).
_PASSING: Final = frozenset({408, 425, 429})


def comes_back(code: int) -> bool:
    """Whether a client connects again.

    Args:
        code: Of the close; or the HTTP status of a handshake that was refused.
    """
    if code < NORMAL:
        return code >= 500 or code in _PASSING
    return code in _COMES_BACK or code in _AGAIN
