"""Counts what became of the calls of each method, so that a person and a test can see it.

The counts are served as `/services_mock.Calls/Get` (Empty in, Struct out) and
`/services_mock.Calls/Watch` (a Struct at each change). The service has no proto and stays out of
reflection and health: it belongs to the mock, not to the shop. Its own calls are not counted.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field
from typing import Any

import grpc
from google.protobuf.empty_pb2 import Empty
from google.protobuf.struct_pb2 import Struct

SERVICE = "services_mock.Calls"


@dataclass(slots=True)
class Counts:
    """What became of the calls of one method; those still running are started only."""

    started: int = 0
    completed: int = 0
    failed: int = 0
    cancelled: int = 0

    @property
    def ended(self) -> int:
        """How many run no longer.

        What to wait for after a client has left a stream: where grpcio tells of a cancellation by
        the end of the requests, or by a write that fails, the call counts as completed or failed.
        """
        return self.completed + self.failed + self.cancelled


@dataclass(slots=True)
class Calls:
    """The counts of one replica, by method (`/shop.catalog.v1.CatalogService/GetProduct`)."""

    by_method: dict[str, Counts] = field(default_factory=dict)
    _watchers: set[asyncio.Event] = field(default_factory=set)

    def count(self, method: str, what: str) -> None:
        """Adds one to a count: `started`, `completed`, `failed` or `cancelled`."""
        counts = self.by_method.setdefault(method, Counts())
        setattr(counts, what, getattr(counts, what) + 1)
        for watcher in self._watchers:
            watcher.set()

    def _message(self) -> Struct:
        message = Struct()
        message.update({method: asdict(counts) for method, counts in self.by_method.items()})
        return message

    async def get(self, _request: Empty, _context: Any) -> Struct:
        """Answers with the counts."""
        return self._message()

    async def watch(self, _request: Empty, _context: Any) -> AsyncIterator[Struct]:
        """Sends the counts now and after each change; changes that come fast are sent together."""
        changed = asyncio.Event()
        self._watchers.add(changed)
        try:
            while True:
                yield self._message()
                await changed.wait()
                changed.clear()
        finally:
            self._watchers.discard(changed)

    def handlers(self) -> grpc.GenericRpcHandler:
        """Makes the service that shows the counts."""
        codec: dict[str, Any] = {
            "request_deserializer": Empty.FromString,
            "response_serializer": Struct.SerializeToString,
        }
        return grpc.method_handlers_generic_handler(
            SERVICE,
            {
                "Get": grpc.unary_unary_rpc_method_handler(self.get, **codec),
                "Watch": grpc.unary_stream_rpc_method_handler(self.watch, **codec),
            },
        )
