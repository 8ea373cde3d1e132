"""shop.inventory.v1.InventoryService, over sockets."""

from __future__ import annotations

import grpc
import pytest

from services_mock.contract import inventory
from services_mock.testing import calls_reach
from tests.services_mock.failing import details_of, fails_with, fields_at_fault


async def test_all_warehouses_sum_up(inventory_service):
    stock = await inventory_service.GetStock(inventory.GetStockRequest(product_id="p1"))
    assert sum(stock.by_warehouse.values()) == stock.available > 0
    one = await inventory_service.GetStock(
        inventory.GetStockRequest(product_id="p1", warehouse_id="w2")
    )
    assert dict(one.by_warehouse) == {2: stock.by_warehouse[2]}


@pytest.mark.parametrize(("product_id", "warehouse_id"), [("p0", ""), ("p1", "w9")])
async def test_unknown_product_or_warehouse(inventory_service, product_id, warehouse_id):
    with fails_with(grpc.StatusCode.NOT_FOUND):
        await inventory_service.GetStock(
            inventory.GetStockRequest(product_id=product_id, warehouse_id=warehouse_id)
        )


async def test_batch(inventory_service):
    reply = await inventory_service.BatchGetStock(
        inventory.BatchGetStockRequest(product_ids=["p2", "none", "p1"])
    )
    assert {stock.product_id for stock in reply.stocks} == {"p1", "p2"}


async def test_adjust_both_ways(inventory_service):
    before = await inventory_service.GetStock(inventory.GetStockRequest(product_id="p1"))
    more = await inventory_service.AdjustStock(
        inventory.AdjustStockRequest(product_id="p1", delta=7, delivery_number="d1")
    )
    assert more.available == before.available + 7
    none = await inventory_service.AdjustStock(
        inventory.AdjustStockRequest(product_id="p1", delta=-more.available, damage="flood")
    )
    assert none.available == sum(none.by_warehouse.values()) == 0


async def test_stock_does_not_fall_below_zero(inventory_service):
    with fails_with(grpc.StatusCode.FAILED_PRECONDITION) as caught:
        await inventory_service.AdjustStock(
            inventory.AdjustStockRequest(product_id="p1", delta=-100_000)
        )
    info, failure = details_of(caught.value)
    assert (info.reason, info.domain) == ("OUT_OF_STOCK", "shop.example")
    assert failure.violations[0].subject == "p1"


@pytest.mark.parametrize("delta", [0, 2**63 - 1])
async def test_a_delta_must_make_sense(inventory_service, delta):
    with fails_with(grpc.StatusCode.INVALID_ARGUMENT) as caught:
        await inventory_service.AdjustStock(
            inventory.AdjustStockRequest(product_id="p1", delta=delta)
        )
    assert fields_at_fault(caught.value) == ["delta"]


async def test_a_reservation_counts_once(inventory_service):
    before = await inventory_service.GetStock(inventory.GetStockRequest(product_id="p1"))
    for _ in range(2):
        await inventory_service.ReserveStock(
            inventory.ReserveStockRequest(product_id="p1", quantity=3, reservation_id="r")
        )
    after = await inventory_service.GetStock(inventory.GetStockRequest(product_id="p1"))
    assert (after.available, after.reserved) == (before.available - 3, before.reserved + 3)


def watch(count, *product_ids, **interval):
    return inventory.WatchStockRequest(
        product_ids=product_ids, count=count, interval=interval or {"nanos": 1_000_000}
    )


async def test_the_same_request_gives_the_same_ticks(inventory_service):
    async def ticks():
        stream = inventory_service.WatchStock(watch(5, "p1", "p2"))
        return [(tick.sequence, tick.product_id, tick.change) async for tick in stream]

    first = await ticks()
    assert [sequence for sequence, _, _ in first] == [1, 2, 3, 4, 5]
    assert first == await ticks()


async def test_a_ticker_without_count_ends_when_it_is_cancelled(inventory_service, channel):
    stream = inventory_service.WatchStock(watch(0))
    for _ in range(3):
        await stream.read()
    stream.cancel()
    counts = await calls_reach(
        channel,
        "/shop.inventory.v1.InventoryService/WatchStock",
        lambda counts: counts.ended == 1,
    )
    assert (counts.started, counts.completed) == (1, 0)


@pytest.mark.parametrize("interval", [{"nanos": 999_999}, {"seconds": 3601}, {"seconds": -1}])
async def test_interval_bounds(inventory_service, interval):
    with fails_with(grpc.StatusCode.INVALID_ARGUMENT) as caught:
        await inventory_service.WatchStock(watch(1, **interval)).read()
    assert fields_at_fault(caught.value) == ["interval"]


async def test_an_unknown_product_fails_before_the_first_tick(inventory_service):
    stream = inventory_service.WatchStock(watch(1, "none"))
    with fails_with(grpc.StatusCode.NOT_FOUND):
        await stream.read()


async def test_a_stocktaking_finds_what_differs(inventory_service):
    stock = await inventory_service.GetStock(inventory.GetStockRequest(product_id="p1"))
    booked = stock.by_warehouse[1]
    reply = await inventory_service.CountStock(
        iter(
            [
                inventory.CountStockRequest(
                    warehouse_id="w1", count={"product_id": "p1", "pieces": booked + 2}
                ),
                inventory.CountStockRequest(count={"product_id": "p2", "pieces": 0}),
            ]
        )
    )
    assert (reply.warehouse_id, reply.counted) == ("w1", 2)
    assert reply.differences["p1"] == 2
    assert reply.differences["p2"] < 0


async def test_a_stocktaking_of_nothing(inventory_service):
    assert (await inventory_service.CountStock(iter([]))).counted == 0


async def test_warehouses(inventory_service):
    reply = await inventory_service.ListWarehouses(inventory.ListWarehousesRequest())
    assert [warehouse.id for warehouse in reply.warehouses] == ["w1", "w2", "w3"]
