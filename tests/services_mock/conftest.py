"""A replica in the test's loop, with its own fresh shop, and clients of its services."""

from __future__ import annotations

from collections.abc import AsyncIterator

import grpc.aio
import pytest

from services_mock.testing import Client, serve_in_process


@pytest.fixture
async def address() -> AsyncIterator[str]:
    async with serve_in_process() as address:
        yield address


@pytest.fixture
async def channel(address) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(address) as channel:
        yield channel


def client_of(service: str):
    @pytest.fixture
    def client(channel) -> Client:
        return Client(channel, service)

    return client


catalog_service = client_of("shop.catalog.v1.CatalogService")
inventory_service = client_of("shop.inventory.v1.InventoryService")
order_service = client_of("shop.orders.v1.OrderService")
user_service = client_of("shop.users.v1.UserService")
review_service = client_of("shop.reviews.v1.ReviewService")
chat_service = client_of("shop.chat.v1.ChatService")
media_service = client_of("shop.media.v1.MediaService")
