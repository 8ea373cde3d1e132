"""shop.inventory.v1.InventoryService over the shop's state."""

import asyncio
from collections.abc import AsyncIterator
from itertools import count
from random import Random
from typing import Any

from services_mock.binding import Call
from services_mock.contract import inventory
from services_mock.failure import invalid, not_found, precondition
from services_mock.pages import batch
from services_mock.shop import Shop, now

_SHORTEST, _LONGEST = 0.001, 3600.0


def interval(request: Any) -> float:
    """Gives the seconds between two messages of a stream.

    Raises:
        Failure: the request asks for less than 1 ms or more than 1 h.
    """
    if not request.HasField("interval"):
        return 1.0
    asked: float = request.interval.seconds + request.interval.nanos / 1e9
    if not _SHORTEST <= asked <= _LONGEST:
        raise invalid("interval", "must be between 0.001s and 3600s")
    return asked


def _trend(change: int) -> str:
    if change == 0:
        return "TREND_STEADY"
    return "TREND_RISING" if change > 0 else "TREND_FALLING"


class InventoryService:
    """Counts pieces."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def _find(self, product_id: str) -> Any:
        if product_id not in self._shop.stock:
            raise not_found("stock", product_id)
        return self._shop.stock[product_id]

    def _warehouse(self, warehouse_id: str) -> Any:
        for warehouse in self._shop.warehouses:
            if warehouse.id == warehouse_id:
                return warehouse
        raise not_found("warehouse", warehouse_id)

    def _take(self, stock: Any, pieces: int) -> None:
        """Takes pieces from the warehouses, the first first."""
        if pieces > stock.available:
            raise precondition(
                "OUT_OF_STOCK",
                stock.product_id,
                f"{stock.available} pieces are left, {pieces} are asked for",
                {"available": str(stock.available)},
            )
        stock.available -= pieces
        stock.update_time.FromDatetime(now())
        for number in sorted(stock.by_warehouse):
            part = min(pieces, stock.by_warehouse[number])
            stock.by_warehouse[number] -= part
            pieces -= part

    def GetStock(self, request: Any, call: Call) -> Any:
        stock = self._find(request.product_id)
        if not request.warehouse_id:
            return stock
        number = self._warehouse(request.warehouse_id).number
        pieces = stock.by_warehouse[number]  # each warehouse has each product
        return inventory.Stock(
            product_id=stock.product_id,
            available=pieces,
            by_warehouse={number: pieces},
            update_time=stock.update_time,
        )

    def BatchGetStock(self, request: Any, call: Call) -> Any:
        stock = self._shop.stock
        found = [stock[key] for key in batch("product_ids", request.product_ids) if key in stock]
        return inventory.BatchGetStockResponse(stocks=found)

    def AdjustStock(self, request: Any, call: Call) -> Any:
        stock = self._find(request.product_id)
        if request.delta == 0:
            raise invalid("delta", "must not be 0")
        if request.delta < 0:
            self._take(stock, -request.delta)
            return stock
        if stock.available + request.delta >= 2**63:
            raise invalid("delta", "is more than any warehouse holds")
        stock.available += request.delta
        stock.by_warehouse[self._shop.warehouses[0].number] += request.delta
        stock.update_time.FromDatetime(now())
        return stock

    def ReserveStock(self, request: Any, call: Call) -> Any:
        if not request.reservation_id:
            raise invalid("reservation_id", "is required")
        stock = self._find(request.product_id)
        if request.reservation_id not in self._shop.reservations:
            self._take(stock, request.quantity)
            stock.reserved += request.quantity
            self._shop.reservations.add(request.reservation_id)
        return inventory.ReserveStockResponse()

    async def WatchStock(self, request: Any, call: Call) -> AsyncIterator[Any]:
        pause = interval(request)
        product_ids = list(dict.fromkeys(request.product_ids)) or list(self._shop.stock)
        available = {product_id: self._find(product_id).available for product_id in product_ids}
        # A luck of its own, so that the same request gives the same ticks; the first comes at once.
        random = Random(f"{product_ids}")
        for sequence in count(1):
            product_id = product_ids[random.randrange(len(product_ids))]
            change = max(random.randrange(-5, 6), -available[product_id])
            available[product_id] += change
            yield inventory.StockTick(
                sequence=sequence,
                product_id=product_id,
                available=available[product_id],
                change=change,
                trend=_trend(change),
                time=now(),
            )
            if sequence == request.count:
                return
            await asyncio.sleep(pause)

    async def CountStock(self, requests: AsyncIterator[Any], call: Call) -> Any:
        result = inventory.CountStockResponse()
        async for request in requests:
            warehouse = self._warehouse(request.warehouse_id or result.warehouse_id)
            result.warehouse_id = warehouse.id
            stock = self._find(request.count.product_id)
            booked = stock.by_warehouse[warehouse.number]
            result.counted += 1
            if request.count.pieces >= 2**31:
                raise invalid("count.pieces", "is more than any warehouse holds")
            if request.count.pieces != booked:
                result.differences[stock.product_id] = request.count.pieces - booked
        return result

    def ListWarehouses(self, request: Any, call: Call) -> Any:
        return inventory.ListWarehousesResponse(warehouses=self._shop.warehouses)
