"""Where a request's head ends: takes one whole head from what was received, and no more.

Sans-IO: bytes in, bytes out. What can't become a head is refused before it is whole.
"""

from __future__ import annotations

import re
from typing import Final

from gateway.listener.faults import HEADERS_TOO_LARGE, MALFORMED, Refused, bad_request

END: Final = b"\r\n\r\n"
"""What a head ends with."""

_BARE_LF: Final = re.compile(rb"(?<!\r)\n")
_TOKEN_START: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]")


class Cutter:
    """Cuts heads from what is received.

    Attributes:
        begun: Whether the first byte of a head has come, but not its end.
    """

    __slots__ = ("_scanned", "begun")

    def __init__(self) -> None:
        self.begun = False
        self._scanned = 0

    def cut(self, received: bytearray, limit: int) -> bytes | None:
        """Removes a whole head from `received`, or returns None while it is not there.

        Args:
            received: All that was received and not taken; the same from call to call.
            limit: Bytes that a head may have.

        Raises:
            Refused: This becomes no head, or one too large.
        """
        # RFC 9112 2.2: a server should ignore empty lines before a request.
        while not self.begun and received.startswith(b"\r\n"):
            del received[:2]
        if not received or received == b"\r":
            return None
        if not self.begun and not _TOKEN_START.match(received):
            raise Refused(MALFORMED)  # TLS on a plain port, most often
        end = received.find(END, max(0, self._scanned - 3)) + 4
        if (end if end > 3 else len(received)) > limit:
            raise Refused(HEADERS_TOO_LARGE)
        if end > 3:
            data = bytes(received[:end])
            del received[:end]
            self.begun = False
            self._scanned = 0
            return data
        if _BARE_LF.search(received, max(0, self._scanned - 1)):
            raise bad_request("A line ends with LF alone; lines of HTTP end with CR LF.")
        self.begun = True
        self._scanned = len(received)
        return None
