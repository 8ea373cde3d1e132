"""shop.orders.v1.OrderService over the shop's state."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from services_mock.binding import Call
from services_mock.contract import api, orders, wellknown
from services_mock.failure import invalid, not_found, precondition
from services_mock.inventory import interval
from services_mock.pages import batch, bounded, page
from services_mock.shop import Shop, euros, in_nanos, now

# What follows on what, and the words for it.
_NEXT = {
    "ORDER_STATUS_PENDING": ("ORDER_STATUS_PAID", "We have your payment."),
    "ORDER_STATUS_PAID": ("ORDER_STATUS_SHIPPED", "Your parcel is on its way."),
    "ORDER_STATUS_SHIPPED": ("ORDER_STATUS_DELIVERED", "Your parcel has arrived."),
}
_MAX_ITEMS = 100
_MAX_QUANTITY = 1000


def _status(order: Any) -> str:
    return str(orders.OrderStatus(order.status).name)


def _proceed(order: Any, status: str, message: str) -> None:
    """Brings an order further, and notes it in the order's history."""
    order.status = orders.OrderStatus[status]
    order.events.add(order_id=order.id, status=order.status, time=now(), message=message)


class OrderService:
    """Makes orders and follows them."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def _find(self, order_id: str) -> Any:
        if order_id not in self._shop.orders:
            raise not_found("order", order_id)
        return self._shop.orders[order_id]

    def _newest(self) -> list[Any]:
        return sorted(
            self._shop.orders.values(),
            key=lambda order: (order.create_time.seconds, order.create_time.nanos),
            reverse=True,
        )

    def _priced(self, order: Any) -> Any:
        """Fills in prices and total.

        Raises:
            Failure: an item is missing or bad.
        """
        if not 1 <= len(order.items) <= _MAX_ITEMS:
            raise invalid("items", f"has {len(order.items)} entries; 1 to {_MAX_ITEMS} are allowed")
        total = 0
        for place, item in enumerate(order.items):
            if item.product_id not in self._shop.products:
                raise not_found("product", item.product_id)
            if not 1 <= item.quantity <= _MAX_QUANTITY:
                raise invalid(f"items[{place}].quantity", f"must be 1 to {_MAX_QUANTITY}")
            item.unit_price.CopyFrom(self._shop.products[item.product_id].price)
            total += in_nanos(item.unit_price) * item.quantity
        order.total.CopyFrom(euros(total))
        return order

    def CreateOrder(self, request: Any, call: Call) -> Any:
        if request.request_id in self._shop.order_requests:
            return self._shop.orders[self._shop.order_requests[request.request_id]]
        if not request.user_id:
            raise invalid("user_id", "is required")
        if request.user_id not in self._shop.users:
            raise not_found("user", request.user_id)
        # Both messages have these fields under the same names.
        shared = {field.name: value for field, value in request.ListFields()}
        shared.pop("request_id", None)
        order = self._priced(orders.Order(**shared))
        if order.card.token:
            order.card.last_four = order.card.token[-4:]
            order.card.ClearField("token")
        order.id = self._shop.new_id("o")
        order.create_time.FromDatetime(now())
        _proceed(order, "ORDER_STATUS_PENDING", "We have your order.")
        self._shop.orders[order.id] = order
        if request.request_id:
            self._shop.order_requests[request.request_id] = order.id
        call.headers += [("x-http-code", "201"), ("location", f"/v1/orders/{order.id}")]
        return order

    def PreviewOrder(self, request: Any, call: Call) -> Any:
        return orders.PreviewOrderResponse(order=self._priced(request.order))

    def GetOrder(self, request: Any, call: Call) -> Any:
        order = self._find(request.id)
        if request.user_id not in ("", order.user_id):
            raise not_found("order", request.id)
        return order

    def ListOrders(self, request: Any, call: Call) -> Any:
        after = request.created_after
        found = [
            order
            for order in self._newest()
            if request.user_id in ("", order.user_id)
            and (not request.statuses or order.status in request.statuses)
            and (order.create_time.seconds, order.create_time.nanos) >= (after.seconds, after.nanos)
        ]
        some, token = page(found, request.page_size, request.page_token)
        return orders.ListOrdersResponse(orders=some, next_page_token=token)

    def BatchGetOrders(self, request: Any, call: Call) -> Any:
        known = self._shop.orders
        found = [known[key] for key in batch("ids", request.ids) if key in known]
        return orders.BatchGetOrdersResponse(orders=found)

    def ListOrdersByUsers(self, request: Any, call: Call) -> Any:
        limit = bounded("limit", request.limit)
        by_user: dict[str, list[Any]] = {key: [] for key in batch("user_ids", request.user_ids)}
        for order in self._newest():
            theirs = by_user.get(order.user_id)
            if theirs is not None and len(theirs) < limit:
                theirs.append(order)
        found = [order for theirs in by_user.values() for order in theirs]
        return orders.ListOrdersByUsersResponse(orders=found)

    def CancelOrder(self, request: Any, call: Call) -> Any:
        order = self._find(request.id)
        status = _status(order)
        if status in ("ORDER_STATUS_SHIPPED", "ORDER_STATUS_DELIVERED"):
            description = "the order is on its way or has arrived"
            raise precondition("ORDER_SHIPPED", order.id, description, {"status": status})
        if status != "ORDER_STATUS_CANCELLED":
            _proceed(order, "ORDER_STATUS_CANCELLED", request.reason or "Cancelled.")
        return order

    async def WatchOrder(self, request: Any, call: Call) -> AsyncIterator[Any]:
        pause = interval(request)
        order = self._find(request.id)
        sent = 0
        while True:
            for event in order.events[sent:]:
                yield event
                sent += 1
            if _status(order) not in _NEXT:
                return
            await asyncio.sleep(pause)
            if sent == len(order.events) and _status(order) in _NEXT:  # no other watcher was first
                _proceed(order, *_NEXT[_status(order)])

    def GetInvoice(self, request: Any, call: Call) -> Any:
        order = self._find(request.order_id)
        lines = [f"Invoice for order {order.id}", ""]
        for item in order.items:
            price = in_nanos(item.unit_price) * item.quantity / 1e9
            lines.append(f"{item.quantity:4} x {item.product_id:8}{price:10.2f} EUR")
        lines += ["", f"Total{in_nanos(order.total) / 1e9:20.2f} EUR", ""]
        document = api.HttpBody(
            content_type="text/plain; charset=utf-8", data="\n".join(lines).encode()
        )
        return orders.Invoice(document=document, create_time=order.create_time)

    def ReceivePaymentNotice(self, request: Any, call: Call) -> Any:
        if not request.provider:
            raise invalid("provider", "is required")
        return wellknown.Empty()
