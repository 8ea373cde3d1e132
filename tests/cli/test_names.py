"""An RPC is found by as much of its name as is unique."""

from __future__ import annotations

import pytest

from gateway.cli.failure import Exit, Failure
from gateway.cli.names import resolve

NAMES = [
    "shop.v1.Catalog/GetProduct",
    "shop.v1.Catalog/ListProducts",
    "shop.v1.Orders/Get",
    "other.v1.Orders/Get",
]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("shop.v1.Catalog/GetProduct", id="full"),
        pytest.param("/shop.v1.Catalog/GetProduct", id="as-on-the-wire"),
        pytest.param("shop.v1.Catalog.GetProduct", id="with-dots"),
        pytest.param("Catalog/GetProduct", id="service-and-method"),
        pytest.param("v1.Catalog.GetProduct", id="part-of-the-package"),
        pytest.param("GetProduct", id="method"),
    ],
)
def test_found(text: str) -> None:
    assert resolve(text, NAMES) == "shop.v1.Catalog/GetProduct"


def test_an_end_that_is_not_unique_lists_what_it_may_be() -> None:
    with pytest.raises(Failure) as failure:
        resolve("Orders/Get", NAMES)
    assert failure.value.code == Exit.MISTAKE
    assert failure.value.lines[1:] == ("  other.v1.Orders/Get", "  shop.v1.Orders/Get")


@pytest.mark.parametrize("text", ["GetProdct", "shop.v1.Catalog/GetProdukt", "getproduct"])
def test_a_wrong_name_tells_the_nearest(text: str) -> None:
    with pytest.raises(Failure) as failure:
        resolve(text, NAMES)
    assert "  shop.v1.Catalog/GetProduct" in failure.value.lines


def test_half_a_word_is_no_end_of_a_name() -> None:
    with pytest.raises(Failure, match="there is no method roduct"):
        resolve("roduct", NAMES)
