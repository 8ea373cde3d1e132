"""CPU time of finding a request's rule, and of making its message.

    python bench/routing.py

Prints the median microseconds of CPU a request. "match" is `Router.match` of a raw path among N
rules. "bind" is `Binder.bind`: captures, raw query and JSON body to the serialized message. The
worst set of rules is one in which every literal may lead on or not, so that a search would visit
thousands of them. Compare medians of one machine only.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable
from itertools import product

from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from gateway.routing.binding import Binder
from gateway.routing.router import Router, RouterBuilder
from gateway.routing.template import parse
from gateway.schema.codec import Codec
from gateway.schema.method import HttpRule, Kind, MethodDescriptor
from gateway.schema.registry import Registry


def cost(work: Callable[[], object], repeat: int = 5000, rounds: int = 7) -> float:
    """Returns the median CPU microseconds of one `work()`."""
    times = []
    for _ in range(rounds):
        began = time.process_time()
        for _ in range(repeat):
            work()
        times.append((time.process_time() - began) / repeat * 1e6)
    return statistics.median(times)


def router(templates: Iterable[str]) -> Router[str]:
    """Returns a router of GET rules."""
    builder = RouterBuilder[str]()
    for text in templates:
        builder.add("GET", parse(text), text, label=text, source="")
    return builder.freeze()


def matching() -> None:
    """Prints what a match costs."""
    few = [
        "/v1/things",
        "/v1/things/{id}",
        "/v1/{name=shelves/*/books/*}",
        "/v1/files/{name=**}",
        "/v1/things/{id}:cancel",
    ]
    many = [*few, *(f"/v1/kinds{n}/{{id}}/parts/{{part}}" for n in range(10_000))]
    worst = ["/" + "/".join(kinds) + "/x" for kinds in product("a*", repeat=12)]
    for name, found, path in (
        ("a literal, 5 rules", router(few), "/v1/things"),
        ("a variable, 5 rules", router(few), "/v1/things/1234"),
        ("an escaped variable, 5 rules", router(few), "/v1/things/12%2034"),
        ("two segments, 5 rules", router(few), "/v1/shelves/1/books/2"),
        ("many segments, 5 rules", router(few), "/v1/files/a/b/c/d"),
        ("a verb, 5 rules", router(few), "/v1/things/1234:cancel"),
        ("a variable, 10,005 rules", router(many), "/v1/things/1234"),
        ("two variables, 10,005 rules", router(many), "/v1/kinds7777/1/parts/2"),
        ("not found, 10,005 rules", router(many), "/v1/kinds7777/1/parts/2/3"),
        ("not found, 4,096 worst rules", router(worst), "/a" * 12 + "/y"),
    ):
        print(f"match  {name:32} {cost(lambda f=found, p=path: f.match('GET', p)):8.2f} us")


def registry() -> Registry:
    """Returns a registry with one request type."""
    file = FileDescriptorProto(name="bench.proto", package="bench", syntax="proto3")
    book = file.message_type.add(name="Book")
    book.field.add(name="title", number=1, type=Field.TYPE_STRING, label=Field.LABEL_OPTIONAL)
    book.field.add(name="pages", number=2, type=Field.TYPE_INT32, label=Field.LABEL_OPTIONAL)
    request = file.message_type.add(name="Request")
    request.field.add(name="id", number=1, type=Field.TYPE_STRING, label=Field.LABEL_OPTIONAL)
    request.field.add(name="size", number=2, type=Field.TYPE_INT32, label=Field.LABEL_OPTIONAL)
    request.field.add(name="tags", number=3, type=Field.TYPE_STRING, label=Field.LABEL_REPEATED)
    request.field.add(
        name="book",
        number=4,
        type=Field.TYPE_MESSAGE,
        type_name=".bench.Book",
        label=Field.LABEL_OPTIONAL,
    )
    return Registry.build([file])


def binding() -> None:
    """Prints what making a message costs."""
    types = registry()
    codec = Codec(types)
    method = MethodDescriptor("bench.Bench/Call", Kind.UNARY, "bench.Request", "bench.Book")

    def binder(verb: str, template: str, body: str = "") -> Binder:
        rule = HttpRule(verb, template, body)
        return Binder(method, rule, parse(template), types, codec)

    get, post = binder("GET", "/v1/{id}"), binder("POST", "/v1/{id}", "*")
    put = binder("PUT", "/v1/{id}", "book")
    book = b'{"title": "The Art of Computer Programming", "pages": 672}'
    for name, work in (
        ("a variable", lambda: get.bind(("1234",), None, b"")),
        ("and a parameter", lambda: get.bind(("1234",), "size=20", b"")),
        ("and four", lambda: get.bind(("1234",), "size=20&tags=a&tags=b&book.title=x", b"")),
        ("a variable and body *", lambda: post.bind(("1234",), None, b'{"book": ' + book + b"}")),
        ("a variable and a body field", lambda: put.bind(("1234",), None, book)),
        ("and a parameter", lambda: put.bind(("1234",), "size=20", book)),
    ):
        print(f"bind   {name:32} {cost(work):8.2f} us")


if __name__ == "__main__":
    matching()
    binding()
