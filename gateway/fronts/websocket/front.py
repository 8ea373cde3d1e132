"""The WebSocket front: which requests are its own, and who answers them.

At its path sockets of the multiplexed form are opened, and below it are the files of the JavaScript
client. Anywhere else an upgrade is the plain form's, if its path has a route.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway.errors import error
from gateway.fronts.files import File, answer
from gateway.fronts.http_errors import http_status
from gateway.fronts.origins import check_origin
from gateway.fronts.websocket import codes
from gateway.fronts.websocket.driver import SocketDriver, Sockets
from gateway.fronts.websocket.frames import Framing
from gateway.fronts.websocket.json_frames import JsonFraming
from gateway.fronts.websocket.proto_frames import ProtoFraming
from gateway.fronts.websocket.tokens import subprotocol_of
from gateway.http import Exchange
from gateway.http.websocket import asks_for_websocket, offered_subprotocols

FRAMINGS: Final[Mapping[str, Framing]] = {
    each.subprotocol: each for each in (JsonFraming(), ProtoFraming())
}

# A frame has members beside its body: metadata, above all.
_ENVELOPE: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class FrontOptions:
    """What the config says of the front.

    Attributes:
        path: Where sockets of the multiplexed form are opened.
        subprotocols: Those that are served.
        origins: Of the pages that may open sockets, beside the gateway's own.
        compressed: Whether a client's offer of permessage-deflate is taken.
    """

    path: str = "/ws"
    subprotocols: tuple[str, ...] = tuple(FRAMINGS)
    origins: tuple[str, ...] = ()
    compressed: bool = False
