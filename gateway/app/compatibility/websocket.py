"""WebSocket: which sockets that were opened are refused now, and which calls on them fail.

The messages are compared by `json_messages` and `wire_messages`, as the subprotocols have them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.app.compatibility.change import Change, Changes, Effect
from gateway.app.compatibility.json_messages import REPLY, JsonMessages
from gateway.app.compatibility.paths import Covering
from gateway.app.compatibility.rest import kind_of
from gateway.app.compatibility.wire_messages import WireMessages
from gateway.app.surface.model import Site, Socket, Surface, WebsocketSurface
from gateway.routing.template import parse

_PROTO: Final = "grpcws.v1.proto"


@dataclass(frozen=True, slots=True)
class Websocket:
    """Compares the WebSocket fronts of two surfaces.

    Attributes:
        old: What clients know.
        new: What they meet.
        json: Compares messages as JSON.
        wire: Compares messages as bytes.
        found: Takes what has changed.
        host: Stands before paths; empty where there is one set of fronts for all names.
    """

    old: Surface
    new: Surface
    json: JsonMessages
    wire: WireMessages
    found: Changes
    host: str

    def compare(
        self, before: tuple[Site, WebsocketSurface], now: tuple[Site, WebsocketSurface]
    ) -> None:
        """Compares two fronts of one host."""
        (old_site, old), (new_site, new) = before, now
        self.found.add(self._front(old, new))
        self.found.add(self._sockets(old, new))
        both = set(old.subprotocols) & set(new.subprotocols)
        known, there = set(old_site.methods), set(new_site.methods)
        for name in old_site.methods:
            if name in there:
                self.found.add(self._kind(name))
                self._messages(name, wire=_PROTO in both)
            else:
                message = "can't be called any more"
                change = Change("websocket.method-removed", Effect.BREAKING, name, message, name)
                self.found.add([change])
        self.found.add(
            Change("websocket.method-added", Effect.SAFE, name, "can be called", name)
            for name in new_site.methods
            if name not in known
        )

    def _front(self, old: WebsocketSurface, new: WebsocketSurface) -> Iterator[Change]:
        if old.path != new.path:
            subject, message = f"{self.host}{old.path}", f"is at {new.path} now"
            yield Change("websocket.path-moved", Effect.BREAKING, subject, message)
        for each in old.subprotocols:
            if each not in new.subprotocols:
                message = "is not spoken any more"
                yield Change("websocket.subprotocol-removed", Effect.BREAKING, each, message)
        if "*" not in new.origins:
            for each in old.origins:
                if each not in new.origins:
                    message = "its pages can't open sockets any more"
                    yield Change("websocket.origin-removed", Effect.BREAKING, each, message)

    def _sockets(self, old: WebsocketSurface, new: WebsocketSurface) -> Iterator[Change]:
        there = [(parse(each.template), each) for each in new.sockets]
        same = {template.shape: each for template, each in there}
        wide = Covering(there)
        for each in old.sockets:
            template = parse(each.template)
            found = same.get(template.shape) or _wider(each, wide.find(template))
            subject = f"{self.host}{each.template}"
            if found is None and each.template == f"/{each.method}":
                continue  # it goes with the method, of which that is told
            if found is None:
                message = "answers no WebSocket any more"
                rule = "websocket.socket-removed"
                yield Change(rule, Effect.BREAKING, subject, message, each.method)
                continue
            if found.method != each.method:
                message = f"a WebSocket there was {each.method} and is {found.method}"
                rule = "websocket.socket-retargeted"
                yield Change(rule, Effect.DANGEROUS, subject, message, found.method)
            if found.starts != each.starts:
                was, is_ = _starts(starts=each.starts), _starts(starts=found.starts)
                message = f"a call there started {was} and starts {is_}"
                rule = "websocket.start-changed"
                yield Change(rule, Effect.BREAKING, subject, message, found.method)

    def _kind(self, name: str) -> Iterator[Change]:
        old, new = self.old.methods[name], self.new.methods[name]
        if (old.client_streams, old.server_streams) != (new.client_streams, new.server_streams):
            message = f"was {kind_of(old)} and is {kind_of(new)}"
            yield Change("websocket.kind-changed", Effect.BREAKING, name, message, name)

    def _messages(self, name: str, *, wire: bool) -> None:
        old, new, label = self.old.methods[name], self.new.methods[name], f"WebSocket {name}"
        self.found.add(self.json.changes(old.input, new.input, self.json.request), label)
        self.found.add(self.json.changes(old.output, new.output, REPLY), label)
        if wire:
            self.found.add(self.wire.changes(old.input, new.input), label)
            self.found.add(self.wire.changes(old.output, new.output), label)


def _wider(old: Socket, covering: Sequence[Socket]) -> Socket | None:
    """Returns what answers all that a path answered; a call of its own method if there is one."""
    own = (each for each in covering if each.method == old.method)
    return next(own, covering[0] if covering else None)


def _starts(*, starts: bool) -> str:
    return "at once" if starts else "with a frame of the client"
