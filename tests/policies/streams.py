"""Streams as fronts have them, for policies that stand around them."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.call import StreamCall


@dataclass(slots=True, kw_only=True)
class Client(StreamCall):
    """A client of a stream: what it sends, and what it has heard."""

    messages: list = field(default_factory=list)
    heard: list = field(default_factory=list)

    async def receive(self):
        return self.messages.pop(0) if self.messages else None

    async def start(self, initial):
        self.heard.append(initial)

    async def send(self, message):
        self.heard.append(message)
