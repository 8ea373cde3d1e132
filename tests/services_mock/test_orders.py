"""shop.orders.v1.OrderService, over sockets."""

from __future__ import annotations

import asyncio

import grpc
import pytest

from services_mock.contract import orders
from tests.services_mock.failing import details_of, fails_with, fields_at_fault

PENDING, PAID, SHIPPED, DELIVERED, CANCELLED = range(1, 6)
FAST = {"nanos": 1_000_000}


def wish(**fields):
    return orders.CreateOrderRequest(
        **{"user_id": "u1", "items": [{"product_id": "p1", "quantity": 2}], **fields}
    )


async def test_an_order_knows_its_prices(order_service):
    call = order_service.CreateOrder(wish(card={"token": "tok-4242"}, note=""))
    order = await call
    assert (order.total.units, order.total.nanos) == (49, 800_000_000)
    assert order.status == PENDING
    assert order.HasField("note")
    assert (order.card.token, order.card.last_four) == ("", "4242")
    headers = dict(await call.initial_metadata())
    assert headers["x-http-code"] == "201"
    assert headers["location"] == f"/v1/orders/{order.id}"
    assert await order_service.GetOrder(orders.GetOrderRequest(id=order.id)) == order


async def test_the_same_request_id_makes_one_order(order_service):
    first = await order_service.CreateOrder(wish(request_id="a"))
    again = await order_service.CreateOrder(wish(request_id="a"))
    other = await order_service.CreateOrder(wish(request_id="b"))
    assert first.id == again.id != other.id


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        pytest.param({"user_id": ""}, "user_id", id="no user"),
        pytest.param({"items": []}, "items", id="no items"),
        pytest.param({"items": [{"product_id": "p1"}]}, "items[0].quantity", id="quantity 0"),
        pytest.param(
            {"items": [{"product_id": "p1", "quantity": 1001}]}, "items[0].quantity", id="too many"
        ),
    ],
)
async def test_create_names_the_field_at_fault(order_service, fields, field):
    with fails_with(grpc.StatusCode.INVALID_ARGUMENT) as caught:
        await order_service.CreateOrder(wish(**fields))
    assert fields_at_fault(caught.value) == [field]


@pytest.mark.parametrize(
    "fields", [{"user_id": "u0"}, {"items": [{"product_id": "p0", "quantity": 1}]}]
)
async def test_what_an_order_refers_to_must_exist(order_service, fields):
    with fails_with(grpc.StatusCode.NOT_FOUND):
        await order_service.CreateOrder(wish(**fields))


async def test_preview_makes_nothing(order_service):
    reply = await order_service.PreviewOrder(
        orders.PreviewOrderRequest(order={"items": [{"product_id": "p1", "quantity": 1}]})
    )
    assert (reply.order.total.units, reply.order.id) == (24, "")


async def test_an_order_of_another_user_is_not_found(order_service):
    order = await order_service.GetOrder(orders.GetOrderRequest(id="o1"))
    mine = orders.GetOrderRequest(id="o1", user_id=order.user_id)
    assert await order_service.GetOrder(mine) == order
    with fails_with(grpc.StatusCode.NOT_FOUND):
        await order_service.GetOrder(orders.GetOrderRequest(id="o1", user_id="nobody"))


async def test_list_is_newest_first_and_narrows(order_service):
    everything = await order_service.ListOrders(orders.ListOrdersRequest(page_size=100))
    times = [order.create_time.seconds for order in everything.orders]
    assert times == sorted(times, reverse=True)
    assert everything.next_page_token
    some = await order_service.ListOrders(
        orders.ListOrdersRequest(
            statuses=[PENDING, PAID], created_after=everything.orders[9].create_time
        )
    )
    assert 0 < len(some.orders) < 10
    assert {order.status for order in some.orders} <= {PENDING, PAID}


async def test_batch(order_service):
    reply = await order_service.BatchGetOrders(orders.BatchGetOrdersRequest(ids=["o2", "x", "o1"]))
    assert {order.id for order in reply.orders} == {"o1", "o2"}


async def test_orders_by_users_are_limited_for_each(order_service):
    reply = await order_service.ListOrdersByUsers(
        orders.ListOrdersByUsersRequest(user_ids=["u1", "u2", "nobody"], limit=2)
    )
    assert sorted(order.user_id for order in reply.orders) == ["u1", "u1", "u2", "u2"]


async def test_cancel_what_has_not_left(order_service):
    order = await order_service.CreateOrder(wish())
    for _ in range(2):
        cancelled = await order_service.CancelOrder(
            orders.CancelOrderRequest(id=order.id, reason="Too slow.")
        )
        assert cancelled.status == CANCELLED
    assert [event.message for event in cancelled.events] == ["We have your order.", "Too slow."]


async def test_cancel_what_has_left(order_service):
    reply = await order_service.ListOrders(orders.ListOrdersRequest(statuses=[SHIPPED]))
    with fails_with(grpc.StatusCode.FAILED_PRECONDITION) as caught:
        await order_service.CancelOrder(orders.CancelOrderRequest(id=reply.orders[0].id))
    info, failure = details_of(caught.value)
    assert info.reason == "ORDER_SHIPPED"
    assert info.metadata["status"] == "ORDER_STATUS_SHIPPED"
    assert failure.violations[0].subject == reply.orders[0].id


async def test_two_watchers_see_the_same_way_to_the_customer(order_service):
    order = await order_service.CreateOrder(wish())

    async def watched():
        stream = order_service.WatchOrder(orders.WatchOrderRequest(id=order.id, interval=FAST))
        return [event.status async for event in stream]

    both = await asyncio.gather(watched(), watched())
    assert both == [[PENDING, PAID, SHIPPED, DELIVERED]] * 2
    after = await order_service.GetOrder(orders.GetOrderRequest(id=order.id))
    assert after.status == DELIVERED


async def test_invoice_is_a_text_file(order_service):
    order = await order_service.CreateOrder(wish())
    invoice = await order_service.GetInvoice(orders.GetInvoiceRequest(order_id=order.id))
    assert invoice.document.content_type == "text/plain; charset=utf-8"
    assert b"49.80 EUR" in invoice.document.data


async def test_payment_notice(order_service):
    notice = orders.ReceivePaymentNoticeRequest(provider="pay", notice={"data": b"paid"})
    await order_service.ReceivePaymentNotice(notice)
    with fails_with(grpc.StatusCode.INVALID_ARGUMENT):
        await order_service.ReceivePaymentNotice(orders.ReceivePaymentNoticeRequest())
