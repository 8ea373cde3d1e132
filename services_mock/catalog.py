"""shop.catalog.v1.CatalogService over the shop's state."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

from services_mock import masks
from services_mock.binding import Call
from services_mock.contract import catalog, wellknown
from services_mock.failure import Failure, already_exists, invalid, not_found
from services_mock.pages import batch, bounded, page
from services_mock.search import matches_filter, matches_search
from services_mock.shop import Shop, euros, in_nanos, now

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_KEPT = ("id", "create_time", "rating")


def _checked(product: Any) -> Any:
    """Gives the product, if it can be sold.

    Raises:
        Failure: a field is missing or bad.
    """
    if product.id and not _ID.fullmatch(product.id):
        raise invalid("product.id", "must be lower-case letters, digits and dashes, at most 63")
    if not product.title:
        raise invalid("product.title", "is required")
    if len(product.title) > 120:
        raise invalid("product.title", f"has {len(product.title)} characters; 120 are allowed")
    if not product.HasField("price"):
        raise invalid("product.price", "is required")
    if in_nanos(product.price) < 0:
        raise invalid("product.price", "must not be negative")
    return product


class CatalogService:
    """Finds products and keeps them."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def _find(self, product_id: str) -> Any:
        if not product_id:
            raise invalid("id", "is required")
        if product_id not in self._shop.products:
            raise not_found("product", product_id)
        return self._shop.products[product_id]

    def _store(self, product: Any, old: Any = None) -> Any:
        product.update_time.FromDatetime(now())
        product.create_time.CopyFrom(old.create_time if old else product.update_time)
        self._shop.products[product.id] = product
        return product

    def _create(self, product: Any) -> Any:
        stored = catalog.Product()
        stored.CopyFrom(_checked(product))
        stored.id = stored.id or self._shop.new_id("p")
        if stored.id in self._shop.products:
            raise already_exists("product", stored.id)
        stored.ClearField("rating")
        return self._store(stored)

    def GetProduct(self, request: Any, call: Call) -> Any:
        return self._find(request.id or request.name.rpartition("/")[2])

    def ListProducts(self, request: Any, call: Call) -> Any:
        found = matches_filter(self._shop.products.values(), request.filter)
        some, token = page(found, request.page_size, request.page_token)
        return catalog.ListProductsResponse(
            products=some, next_page_token=token, total_size=len(found)
        )

    def BatchGetProducts(self, request: Any, call: Call) -> Any:
        products = self._shop.products
        found = [products[key] for key in batch("ids", request.ids) if key in products]
        return catalog.BatchGetProductsResponse(products=found)

    def SearchProducts(self, request: Any, call: Call) -> Any:
        found = [
            product for product in self._shop.products.values() if matches_search(product, request)
        ]
        some = found[: bounded("page_size", request.page_size)]
        if request.read_mask.paths:
            some = [self._cut(product, request.read_mask.paths) for product in some]
        return catalog.SearchProductsResponse(products=some, total_size=len(found), applied=request)

    @staticmethod
    def _cut(product: Any, paths: Any) -> Any:
        cut = catalog.Product()
        masks.update(cut, product, paths, keep=(), field="read_mask")
        return cut

    def ListFeaturedProducts(self, request: Any, call: Call) -> Any:
        best = sorted(self._shop.products.values(), key=lambda product: -product.rating.value)
        limit = bounded("limit", request.limit, default=5)
        return catalog.ListFeaturedProductsResponse(products=best[:limit])

    def CreateProduct(self, request: Any, call: Call) -> Any:
        if request.validate_only:
            return _checked(request.product)
        product = self._create(request.product)
        call.headers += [("x-http-code", "201"), ("location", f"/v1/products/{product.id}")]
        return product

    def UpdateProduct(self, request: Any, call: Call) -> Any:
        if request.allow_missing and request.product.id not in self._shop.products:
            return self._create(request.product)
        product = self._find(request.product.id)
        changed = catalog.Product()
        changed.CopyFrom(product)
        masks.update(changed, request.product, request.update_mask.paths, keep=_KEPT)
        return self._store(_checked(changed), product)

    def ReplaceProduct(self, request: Any, call: Call) -> Any:
        product = self._find(request.product.id)
        changed = catalog.Product()
        changed.CopyFrom(product)
        masks.update(changed, request.product, ["*"], keep=_KEPT)
        return self._store(_checked(changed), product)

    def DeleteProduct(self, request: Any, call: Call) -> Any:
        del self._shop.products[self._find(request.id).id]
        return wellknown.Empty()

    def RenameProduct(self, request: Any, call: Call) -> Any:
        product = self._find(request.id)
        changed = catalog.Product()
        changed.CopyFrom(product)
        changed.title = request.title
        return self._store(_checked(changed), product)

    def SetProductTags(self, request: Any, call: Call) -> Any:
        product = self._find(request.id)
        product.tags[:] = request.tags
        return catalog.SetProductTagsResponse(tags=product.tags)

    def SetProductLabels(self, request: Any, call: Call) -> Any:
        product = self._find(request.id)
        product.labels.clear()
        product.labels.update(request.labels)
        return catalog.SetProductLabelsResponse(labels=product.labels)

    def QuoteProduct(self, request: Any, call: Call) -> Any:
        product = self._find(request.id)
        quantity = request.quantity or 1
        steps = [step for step in product.volume_prices if step <= quantity]
        each = product.volume_prices[max(steps)] if steps else product.price
        total = euros(in_nanos(each) * quantity)
        return catalog.QuoteProductResponse(total=total, each=each)

    async def ImportProducts(self, requests: AsyncIterator[Any], call: Call) -> Any:
        result = catalog.ImportProductsResponse()
        place = 0
        async for request in requests:
            try:
                if self._import(request):
                    result.replaced_count += 1
                else:
                    result.created_count += 1
            except Failure as failure:
                result.failures[place] = failure.message
            place += 1
        return result

    def _import(self, request: Any) -> bool:
        """Takes one product in; says whether it replaced another."""
        product = _checked(request.product)
        if request.category:
            product.category = request.category
        old = self._shop.products.get(product.id)
        if old is None or not request.overwrite:
            self._create(product)
            return False
        self._store(product, old)
        return True

    async def ExportProducts(self, request: Any, call: Call) -> AsyncIterator[Any]:
        for _ in range(max(request.rounds, 1)):
            await asyncio.sleep(0)  # also where no product is of the category: others want a turn
            for product in list(self._shop.products.values()):
                if _within(product.category, request.category):
                    yield product

    def GetCategory(self, request: Any, call: Call) -> Any:
        if request.name not in self._shop.categories:
            raise not_found("category", request.name)
        return self._category(request.name)

    def _category(self, name: str) -> Any:
        below = [other for other in self._shop.categories if other.rpartition("/")[0] == name]
        products = self._shop.products.values()
        return catalog.Category(
            name=name,
            title=self._shop.categories[name],
            children=[self._category(child) for child in below],
            product_count=sum(_within(product.category, name) for product in products),
        )

    def ReindexCatalog(self, request: Any, call: Call) -> Any:
        return catalog.ReindexCatalogResponse(product_count=len(self._shop.products))


def _within(category: str, above: str) -> bool:
    return not above or category == above or category.startswith(f"{above}/")
