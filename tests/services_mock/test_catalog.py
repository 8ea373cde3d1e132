"""shop.catalog.v1.CatalogService, over sockets."""

from __future__ import annotations

import grpc
import pytest

from services_mock.contract import catalog
from tests.services_mock.failing import details_of, fails_with, fields_at_fault


def request(**fields):
    return catalog.GetProductRequest(**fields)


async def test_the_same_seed_gives_the_same_goods(catalog_service):
    product = await catalog_service.GetProduct(request(id="p1"))
    assert product.title == "Pruning shears"
    assert (product.price.units, product.price.nanos) == (24, 900_000_000)
    assert product.WhichOneof("delivery") == "parcel"


async def test_get_by_place_on_a_shelf(catalog_service):
    product = await catalog_service.GetProduct(request(name="shelves/summer/products/p2"))
    assert product.id == "p2"


async def test_get_nothing_is_not_found(catalog_service):
    with fails_with(grpc.StatusCode.NOT_FOUND) as caught:
        await catalog_service.GetProduct(request(id="p0"))
    (resource,) = details_of(caught.value)
    assert (resource.resource_type, resource.resource_name) == ("product", "p0")


async def test_pages_cover_everything_once(catalog_service):
    seen, token = [], ""
    while True:
        page = await catalog_service.ListProducts(
            catalog.ListProductsRequest(page_size=25, page_token=token)
        )
        seen += [product.id for product in page.products]
        token = page.next_page_token
        if not token:
            break
    assert len(seen) == len(set(seen)) == page.total_size == 60


@pytest.mark.parametrize("token", ["x", "ZnJvbTotMQ", "ZnJvbTo", "é", "ZnJvbTowMQ"])
async def test_a_token_that_was_not_given_out_is_refused(catalog_service, token):
    with fails_with(grpc.StatusCode.INVALID_ARGUMENT) as caught:
        await catalog_service.ListProducts(catalog.ListProductsRequest(page_token=token))
    assert fields_at_fault(caught.value) == ["page_token"]


async def test_a_negative_page_size_is_refused(catalog_service):
    with fails_with(grpc.StatusCode.INVALID_ARGUMENT) as caught:
        await catalog_service.ListProducts(catalog.ListProductsRequest(page_size=-1))
    assert fields_at_fault(caught.value) == ["page_size"]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        pytest.param("", 60, id="no filter"),
        pytest.param('title = "Kite"', 1, id="equal, in quotes"),
        pytest.param("title : knife", 5, id="contains, in any case"),
        pytest.param("category : garden AND tags = new", 2, id="joined"),
        pytest.param("state = PRODUCT_STATE_SOLD_OUT", 3, id="enum"),
    ],
)
async def test_filter(catalog_service, text, count):
    page = await catalog_service.ListProducts(catalog.ListProductsRequest(filter=text))
    assert page.total_size == count


@pytest.mark.parametrize("text", ["kite", "price < 3", "title =", "title = a AND", "AND"])
async def test_a_filter_that_is_none_is_refused(catalog_service, text):
    with fails_with(grpc.StatusCode.INVALID_ARGUMENT) as caught:
        await catalog_service.ListProducts(catalog.ListProductsRequest(filter=text))
    assert fields_at_fault(caught.value) == ["filter"]


async def test_batch_leaves_out_what_is_not_there_and_gives_each_once(catalog_service):
    reply = await catalog_service.BatchGetProducts(
        catalog.BatchGetProductsRequest(ids=["p3", "none", "p1", "p3"])
    )
    assert sorted(product.id for product in reply.products) == ["p1", "p3"]


@pytest.mark.parametrize("ids", [[], [f"p{number}" for number in range(101)]], ids=["none", "101"])
async def test_batch_bounds(catalog_service, ids):
    with fails_with(grpc.StatusCode.INVALID_ARGUMENT) as caught:
        await catalog_service.BatchGetProducts(catalog.BatchGetProductsRequest(ids=ids))
    assert fields_at_fault(caught.value) == ["ids"]


@pytest.mark.parametrize(
    ("criteria", "count"),
    [
        pytest.param({"query": "KNIFE"}, 5, id="words"),
        pytest.param({"brand": {"value": "Kiefer"}}, 6, id="wrapper"),
        pytest.param({"price": {"min_units": 100, "currency_code": "EUR"}}, 3, id="nested"),
        pytest.param({"in_stock": False}, 3, id="optional that is false"),
        pytest.param({"attributes": {"colour": "green"}}, 15, id="Struct"),
        pytest.param({"tags": ["new", "kettle"]}, 0, id="all tags"),
        pytest.param({"floor": -2}, 60, id="what no product has a field for"),
    ],
)
async def test_search(catalog_service, criteria, count):
    asked = catalog.SearchProductsRequest(page_size=100, **criteria)
    reply = await catalog_service.SearchProducts(asked)
    assert reply.total_size == len(reply.products) == count
    assert reply.applied == asked


async def test_search_sends_what_the_mask_reads(catalog_service):
    reply = await catalog_service.SearchProducts(
        catalog.SearchProductsRequest(query="kite", read_mask={"paths": ["id", "price.units"]})
    )
    (product,) = reply.products
    assert product == catalog.Product(id=product.id, price={"units": 23})


async def test_create_then_get(catalog_service):
    call = catalog_service.CreateProduct(
        catalog.CreateProductRequest(
            product={"title": "Ladder", "price": {"currency_code": "EUR", "units": 80}}
        )
    )
    created = await call
    headers = dict(await call.initial_metadata())
    assert headers["x-http-code"] == "201"
    assert headers["location"] == f"/v1/products/{created.id}"
    assert await catalog_service.GetProduct(request(id=created.id)) == created


async def test_validate_only_creates_nothing(catalog_service):
    product = {"id": "ladder", "title": "Ladder", "price": {"units": 80}}
    await catalog_service.CreateProduct(
        catalog.CreateProductRequest(product=product, validate_only=True)
    )
    with fails_with(grpc.StatusCode.NOT_FOUND):
        await catalog_service.GetProduct(request(id="ladder"))


@pytest.mark.parametrize(
    ("product", "field"),
    [
        pytest.param({"price": {"units": 1}}, "product.title", id="no title"),
        pytest.param({"title": "x" * 121, "price": {"units": 1}}, "product.title", id="long title"),
        pytest.param({"title": "x"}, "product.price", id="no price"),
        pytest.param({"title": "x", "price": {"units": -1}}, "product.price", id="negative price"),
        pytest.param(
            {"title": "x", "price": {"units": 1}, "id": "A B"}, "product.id", id="id with a space"
        ),
    ],
)
async def test_create_names_the_field_at_fault(catalog_service, product, field):
    with fails_with(grpc.StatusCode.INVALID_ARGUMENT) as caught:
        await catalog_service.CreateProduct(catalog.CreateProductRequest(product=product))
    assert fields_at_fault(caught.value) == [field]


async def test_create_what_exists(catalog_service):
    with fails_with(grpc.StatusCode.ALREADY_EXISTS):
        await catalog_service.CreateProduct(
            catalog.CreateProductRequest(product={"id": "p1", "title": "x", "price": {"units": 1}})
        )


async def test_update_changes_what_the_mask_names(catalog_service):
    before = await catalog_service.GetProduct(request(id="p1"))
    after = await catalog_service.UpdateProduct(
        catalog.UpdateProductRequest(
            product={"id": "p1", "title": "Secateurs", "description": "ignored"},
            update_mask={"paths": ["title", "brand"]},
        )
    )
    assert (after.title, after.description) == ("Secateurs", before.description)
    assert not after.HasField("brand")
    assert after.create_time == before.create_time
    assert after.update_time.seconds > before.update_time.seconds
    assert await catalog_service.GetProduct(request(id="p1")) == after


async def test_update_creates_where_it_may(catalog_service):
    product = {"id": "ladder", "title": "Ladder", "price": {"units": 80}}
    with fails_with(grpc.StatusCode.NOT_FOUND):
        await catalog_service.UpdateProduct(catalog.UpdateProductRequest(product=product))
    created = await catalog_service.UpdateProduct(
        catalog.UpdateProductRequest(product=product, allow_missing=True)
    )
    assert created.id == "ladder"


async def test_replace_empties_what_is_left_out(catalog_service):
    product = {"id": "p1", "title": "Secateurs", "price": {"units": 20}}
    replaced = await catalog_service.ReplaceProduct(catalog.ReplaceProductRequest(product=product))
    assert replaced.description == ""
    assert replaced.WhichOneof("delivery") is None


async def test_delete(catalog_service):
    await catalog_service.DeleteProduct(catalog.DeleteProductRequest(id="p1"))
    with fails_with(grpc.StatusCode.NOT_FOUND):
        await catalog_service.DeleteProduct(catalog.DeleteProductRequest(id="p1"))


async def test_rename_tags_and_labels(catalog_service):
    await catalog_service.RenameProduct(catalog.RenameProductRequest(id="p1", title="Secateurs"))
    tags = await catalog_service.SetProductTags(
        catalog.SetProductTagsRequest(id="p1", tags=["b", "a"])
    )
    labels = await catalog_service.SetProductLabels(
        catalog.SetProductLabelsRequest(id="p1", labels={"k": "v"})
    )
    product = await catalog_service.GetProduct(request(id="p1"))
    assert product.title == "Secateurs"
    assert list(tags.tags) == list(product.tags) == ["b", "a"]
    assert dict(labels.labels) == dict(product.labels) == {"k": "v"}


async def test_a_quantity_costs_less_apiece(catalog_service):
    def quote(quantity):
        return catalog_service.QuoteProduct(catalog.QuoteProductRequest(id="p3", quantity=quantity))

    assert (await quote(0)).total.units == 18
    ten = await quote(10)
    assert (ten.each.units, ten.each.nanos) == (16, 650_000_000)
    assert (ten.total.units, ten.total.nanos) == (166, 500_000_000)


async def test_featured_are_the_best(catalog_service):
    reply = await catalog_service.ListFeaturedProducts(catalog.ListFeaturedProductsRequest(limit=3))
    ratings = [product.rating.value for product in reply.products]
    assert len(ratings) == 3
    assert ratings == sorted(ratings, reverse=True)


async def test_import_refuses_one_and_takes_the_others(catalog_service):
    def item(overwrite=False, **product):
        return catalog.ImportProductsRequest(
            product={"price": {"units": 1}, **product},
            overwrite=overwrite,
            category="categories/toys",
        )

    reply = await catalog_service.ImportProducts(
        iter(
            [
                item(id="new", title="New"),
                item(id="bad"),
                item(id="p1", title="Again"),
                item(id="p1", title="Other", overwrite=True),
            ]
        )
    )
    assert (reply.created_count, reply.replaced_count) == (1, 1)
    assert dict(reply.failures) == {
        1: "product.title: is required",
        2: "there is a product 'p1' already",
    }
    product = await catalog_service.GetProduct(request(id="p1"))
    assert (product.title, product.category) == ("Other", "categories/toys")


async def test_export_a_category_twice(catalog_service):
    stream = catalog_service.ExportProducts(
        catalog.ExportProductsRequest(category="categories/garden", rounds=2)
    )
    ids = [product.id async for product in stream]
    assert len(ids) == 24
    assert ids[:12] == ids[12:]


async def test_categories_form_a_tree(catalog_service):
    root = await catalog_service.GetCategory(catalog.GetCategoryRequest(name="categories"))
    assert root.product_count == 60
    garden = root.children[0]
    assert [child.name for child in garden.children] == [
        "categories/garden/tools",
        "categories/garden/plants",
    ]
    with fails_with(grpc.StatusCode.NOT_FOUND):
        await catalog_service.GetCategory(catalog.GetCategoryRequest(name="categories/moon"))


async def test_reindex(catalog_service):
    reply = await catalog_service.ReindexCatalog(catalog.ReindexCatalogRequest())
    assert reply.product_count == 60
