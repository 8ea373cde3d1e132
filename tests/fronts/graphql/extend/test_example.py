"""The shop's own extension: scores of a list of products, over two services, one call of each."""

import asyncio
import json

from google.protobuf.message_factory import GetMessageClass

from gateway.fronts.graphql.document import Documents
from gateway.fronts.graphql.engine import Engine
from gateway.fronts.graphql.extend.client import Gateway, Services
from gateway.fronts.graphql.extend.context import Context
from gateway.fronts.graphql.extend.conversion import additions
from gateway.fronts.graphql.extend.modules import load
from gateway.fronts.graphql.serve.engine import GraphqlRequest
from tests.fronts.graphql.execute.upstreams import CALLER, WIDE, Backend
from tests.fronts.graphql.graphs import ROOT, graph_of, shop_registry

REVIEWS = "shop.reviews.v1.ReviewService/BatchGetReviewSummaries"
STOCK = "shop.inventory.v1.InventoryService/BatchGetStock"
PRODUCTS = "shop.catalog.v1.CatalogService/ListProducts"


def reply(method, **fields):
    service, _, name = method.partition("/")
    found = shop_registry().pool.FindServiceByName(service).methods_by_name[name]
    return GetMessageClass(found.output_type)(**fields)


ANSWERS = {
    PRODUCTS: lambda _: reply(PRODUCTS, products=[{"id": f"p{n}"} for n in range(3)]),
    REVIEWS: lambda _: reply(
        REVIEWS,
        summaries=[{"product_id": "p1", "average": 4.5}, {"product_id": "p0", "average": 2.0}],
    ),
    STOCK: lambda _: reply(
        STOCK, stocks=[{"product_id": "p0", "available": 5}, {"product_id": "p1", "available": 0}]
    ),
}


async def test_scores_of_a_list_take_one_call_of_each_service():
    loaded = load(["shop_extensions:extensions"], [ROOT / "schema"])
    graph = graph_of(shop_registry(), extensions=lambda types: additions(types, loaded))
    backend = Backend(shop_registry(), ANSWERS)
    services = Services(backend.methods(), shop_registry())
    engine = Engine(
        graph.schema,
        backend.methods(),
        Documents(graph.schema, WIDE),
        context=lambda caller, heard: Context(Gateway(services, caller, heard)),
    )
    done = asyncio.get_running_loop().create_future()
    query = GraphqlRequest("{ listProducts { products { id score } } }", None, None)
    engine.run(engine.prepare(query, CALLER), done.set_result)
    assert json.loads(await done)["data"]["listProducts"]["products"] == [
        {"id": "p0", "score": 2.0},
        {"id": "p1", "score": 2.25},
        {"id": "p2", "score": 1.5},
    ]
    assert sorted(backend.names) == [
        "BatchGetReviewSummaries",
        "BatchGetStock",
        "ListProducts",
    ]
