"""CPU time of execution alone: a reply of 1,000 objects to the JSON of its answer.

    python bench/projection.py

No sockets and no HTTP: `Engine.run` of a prepared request whose one call is answered at once, with
canned bytes. Prints the median microseconds of CPU of a run, what of it is protobuf's parsing of
the reply, and both over the number of leaves, 5 of each object:

    strings          five strings
    mixed            three strings, an enum, a 64-bit integer
    nulls            the same, two of them absent in each object
    errors           mixed, and in each tenth object a float that JSON has not: null and an error
    null propagates  mixed, and in the last object an enum's number without a name: as its field is
                     not nullable, the whole answer is null
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from cases import ROOT, page
from codec import cost, registry

from gateway.call import Call, Cancel, Metadata, Reply, RpcError, StreamCall
from gateway.chain import Method
from gateway.fronts.graphql.document import Documents, Limits
from gateway.fronts.graphql.engine import Engine, Prepared
from gateway.fronts.graphql.graph.build import build_graph
from gateway.fronts.graphql.serve.engine import GraphqlRequest
from gateway.routing.caller import Caller
from gateway.schema.registry import Registry

SERVICE = "shop.catalog.v1.CatalogService"
OBJECTS, LEAVES = 1000, 5
NOBODY = Caller(Metadata(), None, None, "", "graphql", "", None)


@dataclass(frozen=True, slots=True)
class Shape:
    """What is asked, and of which products.

    Attributes:
        fields: The leaves.
        errors: How many the response has.
        message: The reply's bytes.
    """

    name: str
    fields: str
    errors: int
    message: bytes


def shapes() -> list[Shape]:
    plain = page(OBJECTS)
    failing, unknown = page(OBJECTS), page(OBJECTS)
    for product in failing.products[::10]:
        product.rating.value = float("nan")
    unknown.products[-1].state = 99
    strings, mixed = "id title description category sku", "id title category state gtin"
    return [
        Shape("strings", strings, 0, plain.SerializeToString()),
        Shape("mixed", mixed, 0, plain.SerializeToString()),
        Shape("nulls", "id title category brand subtitle", 0, plain.SerializeToString()),
        Shape("errors", "id title state gtin rating", OBJECTS // 10, failing.SerializeToString()),
        Shape("null propagates", mixed, 1, unknown.SerializeToString()),
    ]


def engine_of(schema: Registry, message: bytes) -> Engine:
    """Makes an engine whose calls are all answered with the same bytes."""

    def unary(_call: Call, done: Callable[[Reply | RpcError], None]) -> Cancel:
        done(Reply(message))
        return lambda: None

    async def stream(call: StreamCall) -> Metadata:
        raise AssertionError(f"{call.method} was streamed")

    methods = {method.name: Method(method, (), unary, stream) for method in schema.methods(SERVICE)}
    graph = build_graph([each.descriptor for each in methods.values()], schema)
    documents = Documents(graph.schema, Limits(cost=10_000))
    return Engine(graph.schema, methods, documents, soon=lambda work: work())


def run(engine: Engine, prepared: Prepared) -> bytes:
    """Returns the response."""
    said: list[bytes] = []
    engine.run(prepared, said.append)
    return said[0]


def check(shape: Shape, response: bytes) -> None:
    """Sees to it that what is measured is the answer.

    Raises:
        SystemExit: It is not.
    """
    said = json.loads(response)
    errors = len(said.get("errors", ()))
    listed = (said["data"].get("list") or {}).get("products", ()) if said["data"] else ()
    whole = len(listed) == OBJECTS and all(list(each) == shape.fields.split() for each in listed)
    if errors != shape.errors or not (whole or shape.name == "null propagates"):
        raise SystemExit(f"{shape.name}: {errors} errors; {response[:300]!r}")


def main() -> None:
    """Prints the table."""
    schema, reply = registry(ROOT / "protos"), type(page(0))
    print(f"{OBJECTS:,} objects of {LEAVES} leaves; CPU µs")
    print(f"{'':16}{'run':>9}{'parsing':>9}{'a leaf':>9}{'less parsing':>14}")
    for shape in shapes():
        engine = engine_of(schema, shape.message)
        text = f"{{ list: listProducts(pageSize: 100) {{ products {{ {shape.fields} }} }} }}"
        prepared = engine.prepare(GraphqlRequest(text), NOBODY)
        check(shape, run(engine, prepared))
        whole = cost(lambda made=prepared, on=engine: run(on, made), len(shape.message))
        parsing = cost(lambda data=shape.message: reply.FromString(data), len(shape.message))
        leaves = OBJECTS * LEAVES
        print(
            f"{shape.name:16}{whole:9.0f}{parsing:9.0f}{whole / leaves:9.3f}"
            f"{(whole - parsing) / leaves:14.3f}"
        )


if __name__ == "__main__":
    main()
