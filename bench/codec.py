"""CPU time of ProtoJSON, in and out, against the parts it is made of and against its peers.

    python bench/codec.py

Prints the median microseconds of CPU of one message. Two types: a `product` of the example API
reaches all that makes JSON hard (a oneof, an Any, a Struct, a map with numbers for keys), an `item`
has none of it. In:

    from_json     what a request costs: strict, with the limits
    native        protobuf-py's own parser of text, which lets repeated names pass, and crashes on
                  deep nesting: the lower bound
    regex+native  the same after a regular expression that finds repeated names; it is not exact,
                  and gives up where a list repeats its elements' names
    loads         json.loads alone
    json_format   google.protobuf.json_format.Parse, the reference
    refused       a fault at the end of the body, so that it is parsed twice and checked

Out: `transcode` (from the wire), protobuf-py's two parts of it, and `json_format`.
"""

from __future__ import annotations

import json
import re
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from google.api import annotations_pb2
from google.protobuf import json_format
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.message_factory import GetMessageClass
from grpc_tools import protoc

from gateway.schema.codec import Codec, CodecError
from gateway.schema.codec.types import Types
from gateway.schema.registry import Registry

ITEM = """
syntax = "proto3";
package bench.v1;
message Item {
  string id = 1;
  int64 count = 2;
  int32 size = 3;
  double price = 4;
  string title = 5;
  string sku = 6;
  repeated string tags = 7;
  string create_time = 8;
  bool sold = 9;
  Item part = 10;
}
message Items { repeated Item items = 1; }
"""
PRODUCT = {
    "id": "prod-000123",
    "title": "A fine, well-made thing",
    "description": "It is all that you ever wanted, and some more; it's good.",
    "price": {"currencyCode": "EUR", "units": "19", "nanos": 990000000},
    "category": "things",
    "state": "PRODUCT_STATE_ACTIVE",
    "tags": ["red", "green", "blue"],
    "labels": {"season": "summer"},
    "sku": "sku-12345-abc",
    "createTime": "2024-01-02T03:04:05Z",
    "handlingTime": "86400s",
    "brand": "Acme",
}
ONE_ITEM = {
    "id": "prod-000123",
    "count": "1234567890123",
    "size": 42,
    "price": 19.99,
    "title": "A fine, well-made thing that you want; it's good.",
    "sku": "sku-12345-abc",
    "tags": ["red", "green", "blue"],
    "createTime": "2024-01-02T03:04:05Z",
    "sold": True,
    "part": {"id": "inner", "count": "5", "price": 1.5},
}
_NAME = re.compile(rb'"(?:([A-Za-z_]\w*+|0|[1-9][0-9]{0,8}+)")?+\s*:')


def cost(work: Callable[[], object], size: int, rounds: int = 7) -> float:
    """Returns the median CPU microseconds of one `work()` on so many bytes."""
    repeat = max(20, 1_500_000 // (size + 200))
    times = []
    for _ in range(rounds):
        began = time.process_time()
        for _ in range(repeat):
            work()
        times.append((time.process_time() - began) / repeat * 1e6)
    return statistics.median(times)


def registry(protos: Path) -> Registry:
    """Compiles protos."""
    with TemporaryDirectory() as folder:
        made, target = Path(folder), Path(folder) / "all.binpb"
        (made / "item.proto").write_text(ITEM)
        roots = [
            made,
            protos,
            Path(annotations_pb2.__file__).parents[2],
            Path(protoc.__file__).parent / "_proto",
        ]
        arguments = ["protoc", *(f"-I{root}" for root in roots), "--include_imports"]
        files = ["item.proto", "shop/catalog/v1/catalog_service.proto"]
        if protoc.main([*arguments, f"--descriptor_set_out={target}", *files]):
            raise SystemExit(1)
        return Registry.build(FileDescriptorSet.FromString(target.read_bytes()).file)


def names_once(body: bytes) -> bool:
    """Whether no name is in a body twice; a name that is hard to judge counts as one that is."""
    names = _NAME.findall(body)
    return len(set(names)) == len(names) and b"" not in names


def compact(value: object) -> bytes:
    """Returns JSON as clients send it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def main() -> None:
    """Prints both tables."""
    schema = registry(Path(__file__).parents[1] / "protos")
    codec = Codec(schema)
    types = Types(schema.pool)
    product, products = "shop.catalog.v1.Product", "shop.catalog.v1.BatchGetProductsResponse"
    small = {name: PRODUCT[name] for name in ("id", "title", "state")}
    cases = [
        ("item, 100 B", "bench.v1.Item", {**small, "title": "x" * 40, "state": None}),
        ("item, 250 B", "bench.v1.Item", ONE_ITEM),
        ("items, 5 KB", "bench.v1.Items", {"items": [ONE_ITEM] * 18}),
        ("items, 20 KB", "bench.v1.Items", {"items": [ONE_ITEM] * 72}),
        ("product, 100 B", product, small),
        ("product, 400 B", product, PRODUCT),
        ("products, 5 KB", products, {"products": [PRODUCT] * 12}),
        ("products, 20 KB", products, {"products": [PRODUCT] * 50}),
    ]
    columns = ("bytes", "from_json", "native", "regex+native", "loads", "json_format", "refused")
    print(f"{'in, us':16}" + "".join(f"{name:>13}" for name in columns))
    outs = []
    for label, name, value in cases:
        value.pop("state") if value.get("state", "") is None else None
        body = compact(value)
        ours, native = codec.message(name), types.type(name)
        google = GetMessageClass(schema.message(name))
        wrong = body[:-1] + b',"nope":1}'

        def refused(ours=ours, wrong=wrong) -> None:
            try:
                ours.from_json(wrong)
            except CodecError:
                return
            raise AssertionError

        def guarded(native=native, body=body) -> object:
            return names_once(body) and native.from_json(body, registry=types.as_registry)

        def reference(google=google, body=body) -> object:
            return json_format.Parse(body, google(), descriptor_pool=schema.pool)

        works = [
            lambda o=ours, b=body: o.from_json(b),
            lambda n=native, b=body: n.from_json(b, registry=types.as_registry),
            guarded,
            lambda b=body: json.loads(b),
            reference,
            refused,
        ]
        costs = "".join(f"{cost(work, len(body)):13.2f}" for work in works)
        print(f"{label:16}{len(body):13d}{costs}")
        outs.append((label, ours, native, google, ours.to_wire(ours.from_json(body))))

    columns = ("bytes", "transcode", "from_binary", "to_json", "json_format")
    print(f"\n{'out, us':16}" + "".join(f"{name:>13}" for name in columns))
    for label, ours, native, google, wire in outs:
        message = native.from_binary(wire)
        works = [
            lambda o=ours, w=wire: o.transcode(w),
            lambda n=native, w=wire: n.from_binary(w),
            lambda m=message: m.to_json(registry=types.as_registry),
            lambda g=google, w=wire: json_format.MessageToJson(
                g.FromString(w), indent=None, descriptor_pool=schema.pool
            ),
        ]
        costs = "".join(f"{cost(work, 3 * len(wire)):13.2f}" for work in works)
        print(f"{label:16}{len(wire):13d}{costs}")


if __name__ == "__main__":
    main()
