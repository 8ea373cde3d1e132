"""Decides which products a filter or a search means.

A search's criteria that the example's products have no field for (a showroom's floor, say) are
taken and repeated, and do not narrow the search: `NARROWING` lists those that do.
"""

import re
from collections.abc import Callable, Collection
from typing import Any

from services_mock.contract import catalog
from services_mock.failure import invalid

_TERM = re.compile(r"\s*(title|category|state|tags)\s*(=|:)\s*(\"[^\"]*\"|[^\s\"]+)\s*")


def _field(product: Any, name: str) -> list[str]:
    """Gives a field's values as text, in lower case."""
    if name == "state":
        return [catalog.ProductState(product.state).name.lower()]
    value = getattr(product, name)
    return [value.lower()] if isinstance(value, str) else [tag.lower() for tag in value]


def matches_filter(products: Collection[Any], text: str) -> list[Any]:
    """Gives the products that a filter means, in their order.

    Raises:
        Failure: the filter is not `field = value` or `field : value`, joined by ` AND `.
    """
    terms = []
    for term in re.split(r"\s+AND\s+", text) if text.strip() else []:
        match = _TERM.fullmatch(term)
        if not match:
            raise invalid("filter", f"{term!r} is not `field = value` or `field : value`")
        terms.append((match[1], match[2], match[3].strip('"').lower()))

    def holds(product: Any) -> bool:
        return all(
            any(have == want if sign == "=" else want in have for have in _field(product, name))
            for name, sign, want in terms
        )

    return [product for product in products if holds(product)]


# By the criterion's name: whether a product meets it. Asked only where the criterion is given.
NARROWING: dict[str, Callable[[Any, Any], bool]] = {
    "query": lambda product, text: text.lower() in product.title.lower(),
    "gtin": lambda product, gtin: product.gtin == gtin,
    "min_rating": lambda product, rating: product.rating.value >= rating,
    "max_weight_kg": lambda product, kg: product.parcel.weight_grams <= kg * 1000,
    "state": lambda product, state: product.state == state,
    "states": lambda product, states: product.state in states,
    "tags": lambda product, tags: set(tags) <= set(product.tags),
    "price": lambda product, price: (
        price.min_units <= product.price.units
        and (not price.max_units or product.price.units <= price.max_units)
        and price.currency_code in ("", product.price.currency_code)
    ),
    "created_after": lambda product, time: product.create_time.ToDatetime() >= time.ToDatetime(),
    "max_handling_time": lambda product, time: (
        product.handling_time.ToTimedelta() <= time.ToTimedelta()
    ),
    "attributes": lambda product, wanted: all(
        key in product.attributes and product.attributes[key] == value
        for key, value in wanted.items()
    ),
    "labels": lambda product, labels: labels.items() <= dict(product.labels).items(),
    "in_stock": lambda product, wanted: (
        wanted == (product.state == catalog.ProductState.PRODUCT_STATE_ACTIVE)
    ),
    "brand": lambda product, brand: product.brand.value == brand.value,
}


def matches_search(product: Any, request: Any) -> bool:
    """Says whether a product meets all criteria that a search gives."""
    return all(
        NARROWING[field.name](product, value)
        for field, value in request.ListFields()
        if field.name in NARROWING
    )
