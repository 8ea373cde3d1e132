"""`gateway` with what no config says: little patience, and tokens that name their subject."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any
from unittest import mock

from gateway.app import websocket
from gateway.call import Code, Principal, RpcError, Status
from gateway.cli import main
from gateway.fronts.websocket.identity import Credentials, Identity
from gateway.fronts.websocket.sockets import SocketOptions

STALL = 2.0
"""Seconds for which a client may take nothing."""

_made = websocket.socket_options


async def _named(credentials: Credentials) -> Identity:
    """Takes a token for the name of its subject; `ann!` is a second one of ann's."""
    if not credentials.token:
        return Identity()
    name = credentials.token.removesuffix("!")
    if not name.isalpha():
        raise RpcError(Status(Code.UNAUTHENTICATED, "The token names nobody."))
    return Identity(Principal(name, "test"))


def _options(*given: Any) -> SocketOptions:
    options = _made(*given)
    return replace(options, times=replace(options.times, stall=STALL), authenticate=_named)


if __name__ == "__main__":
    with mock.patch.object(websocket, "socket_options", _options):
        sys.exit(main())
