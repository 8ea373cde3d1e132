"""One end of a connection between two workers: records in, records out.

Records are taken as they come, always: that a client has left must not wait behind messages that
nobody takes. So who sends is asked to stop by records too, and looks at `full` for a worker that
does not even read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from gateway.fronts.websocket.relay_records import Kind, Records, record


class Link(asyncio.Protocol):
    """One end.

    Args:
        records: Called with each record, in order, until the link is closed here.
        flows: Called when `full` has changed.
        lost: Called once, last: the connection is gone, whoever ended it.

    Attributes:
        full: Whether the other worker does not read what it is sent.
    """

    __slots__ = ("_flows", "_lost", "_parser", "_records", "_transport", "full")

    def __init__(
        self,
        records: Callable[[Kind, bytes], None],
        flows: Callable[[], None],
        lost: Callable[[], None],
    ) -> None:
        self.full = False
        self._records = records
        self._flows = flows
        self._lost = lost
        self._parser = Records()
        self._transport: asyncio.Transport | None = None

    @property
    def is_open(self) -> bool:
        """Whether records can be sent."""
        return self._transport is not None

    def send(self, kind: Kind, payload: bytes = b"") -> None:
        """Sends a record, if there is a connection."""
        if self._transport is not None:
            self._transport.write(record(kind, payload))

    def close(self) -> None:
        """Ends the connection when all was sent; what still comes is thrown away."""
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()

    # asyncio.Protocol.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        # A cast, since uvloop's transports are no subclasses of asyncio's.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        for kind, payload in self._parser.feed(data):
            if self._transport is None:
                return
            self._records(kind, payload)

    def pause_writing(self) -> None:
        """See asyncio.Protocol."""
        self.full = True
        self._flows()

    def resume_writing(self) -> None:
        """See asyncio.Protocol."""
        self.full = False
        self._flows()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  asyncio's
        """See asyncio.Protocol."""
        self._transport = None
        self._lost()
