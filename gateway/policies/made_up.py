"""Tells clients that the answers of a gateway are made up (`serve --mock`).

Stands in front, so that each reply says it: refusals and what a cache has kept, too.
"""

from __future__ import annotations

from typing import Final

from gateway.call import Call

HEADER: Final = "x-mock"
SAID: Final = {HEADER: "true"}
"""What replies say, and the handshakes of sockets, whose head leaves before there is a call."""


class MadeUp:
    """Adds `x-mock: true` to each reply (a Gate)."""

    __slots__ = ()

    def describe(self) -> str:
        """Returns what it does, as a sentence for operators."""
        return "Tells clients, by X-Mock: true, that answers are made up."

    def admit(self, call: Call) -> None:
        """Adds the header."""
        call.reply_headers = {**(call.reply_headers or {}), **SAID}
