"""One replica: a grpc server with the shop's services, their health, and reflection."""

import random
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from services_mock import reflection
from services_mock.binding import bind
from services_mock.calls import Calls
from services_mock.catalog import CatalogService
from services_mock.chat import ChatService
from services_mock.contract import contract
from services_mock.faults import Faults
from services_mock.interception import Interception
from services_mock.inventory import InventoryService
from services_mock.media import MediaService
from services_mock.orders import OrderService
from services_mock.reviews import ReviewService
from services_mock.seed import seeded
from services_mock.shop import Shop
from services_mock.users import UserService

# What `--services` may say.
SERVICES: dict[str, tuple[str, Callable[[Shop], object]]] = {
    "catalog": ("shop.catalog.v1.CatalogService", CatalogService),
    "inventory": ("shop.inventory.v1.InventoryService", InventoryService),
    "orders": ("shop.orders.v1.OrderService", OrderService),
    "users": ("shop.users.v1.UserService", UserService),
    "reviews": ("shop.reviews.v1.ReviewService", ReviewService),
    "chat": ("shop.chat.v1.ChatService", ChatService),
    "media": ("shop.media.v1.MediaService", MediaService),
}

STOP_GRACE = 1.0  # seconds that running calls get to end after SIGTERM


@dataclass(frozen=True, slots=True)
class Options:
    """How a replica serves.

    `max_message` is in bytes; it bounds what the replica takes, not what it sends.
    """

    host: str = "127.0.0.1"
    services: Sequence[str] = tuple(SERVICES)
    faults: Faults = field(default_factory=Faults)
    max_message: int = 4 * 2**20
    reflection: str = "both"
    seed: int = 1
    log: bool = False


class ListenError(Exception):
    """A replica cannot have the address that it was told to serve on."""


def _channel_options(options: Options) -> list[tuple[str, int]]:
    return [
        ("grpc.so_reuseport", 0),  # a port that is taken is an error, not a port to share
        ("grpc.max_receive_message_length", options.max_message),
        ("grpc.max_send_message_length", -1),
    ]


@asynccontextmanager
async def serving(options: Options, port: int = 0, index: int = 0) -> AsyncIterator[int]:
    """Serves while the context lasts; on leaving it, running calls get `STOP_GRACE` seconds.

    Args:
        options: how to serve.
        port: the port, or 0 for a free one.
        index: the replica's number, which sets its luck apart from the others'.

    Yields:
        The port.

    Raises:
        ListenError: the address is taken or not ours.
    """
    if options.faults.refuse:
        with _reserved(options.host, port) as reserved:
            yield reserved
        return
    calls = Calls()
    roll = random.Random(options.seed + index).random
    interception = Interception(options.faults, calls, roll=roll, log=options.log)
    server = grpc.aio.server(interceptors=[interception], options=_channel_options(options))
    try:
        port = server.add_insecure_port(_address(options.host, port))
    except RuntimeError:
        raise ListenError(f"cannot listen on {_address(options.host, port)}") from None
    interception.replica = _address(options.host, port)
    vitals = await _add_services(server, options, calls, interception.replica)
    await server.start()
    try:
        yield port
    finally:
        await vitals.enter_graceful_shutdown()
        await server.stop(STOP_GRACE)


async def _add_services(
    server: Any, options: Options, calls: Calls, replica: str
) -> health.aio.HealthServicer:
    """Adds everything that a replica serves; gives its health."""
    shop = seeded(options.seed)
    vitals = health.aio.HealthServicer()
    names = [SERVICES[short][0] for short in options.services]
    for short in options.services:
        full_name, make = SERVICES[short]
        descriptor = contract().services[full_name]
        server.add_generic_rpc_handlers([bind(descriptor, make(shop), replica)])
    for name in ("", *names):
        await vitals.set(name, health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(vitals, server)
    listed = [*names, health.SERVICE_NAME]
    server.add_generic_rpc_handlers(
        [*reflection.handlers(options.reflection, listed, contract().pool), calls.handlers()]
    )
    return vitals


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@contextmanager
def _reserved(host: str, port: int) -> Iterator[int]:
    """Holds a port without listening: whoever connects is refused, and nobody else can take it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as holder:
        try:
            try:
                holder.bind((host, port))
            except OSError:
                # Connections that the one before it had may not be forgotten yet.
                holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                holder.bind((host, port))
        except OSError:
            raise ListenError(f"cannot reserve {_address(host, port)}") from None
        yield holder.getsockname()[1]
