"""The score of a product: what customers say of it, and whether they can have it now.

Two services know a part of it each. The score of a whole list of products takes one call of each.
"""

from __future__ import annotations

import asyncio
from typing import Any

import strawberry

from gateway.extensions import Extensions, Info, batch

extensions = Extensions()

_REVIEWS = "shop.reviews.v1.ReviewService/BatchGetReviewSummaries"
_STOCK = "shop.inventory.v1.InventoryService/BatchGetStock"
_AT_ONCE = 100  # products that either service takes in one call
_USUAL_STARS = 3.0  # of a product that nobody has reviewed yet
_SOLD_OUT = 0.5


@extensions.generated
class Product:
    """The graph's type; resolvers get its message, `shop.catalog.v1.Product`."""

    id: str

    @batch(description="How warmly to recommend it, from 0 to 5: stars, halved when sold out.")
    @staticmethod
    async def score(parents: strawberry.Parent[list[Product]], info: Info) -> list[float]:
        """Scores products by their reviews and their stock."""
        ids = list(dict.fromkeys(product.id for product in parents))
        summaries, stocks = await asyncio.gather(
            _of(info, _REVIEWS, "summaries", ids), _of(info, _STOCK, "stocks", ids)
        )
        stars = {each.product_id: each.average for each in summaries}
        there = {each.product_id for each in stocks if each.available > 0}
        return [
            stars.get(product.id, _USUAL_STARS) * (1 if product.id in there else _SOLD_OUT)
            for product in parents
        ]


async def _of(info: Info, method: str, items: str, ids: list[str]) -> list[Any]:
    """Returns what a service has for some products."""
    chunks = [ids[start : start + _AT_ONCE] for start in range(0, len(ids), _AT_ONCE)]
    call = info.context.gateway.call
    replies = await asyncio.gather(*(call(method, {"product_ids": chunk}) for chunk in chunks))
    return [item for reply in replies for item in getattr(reply, items)]
