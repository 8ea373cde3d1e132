"""The backends of library.proto, on grpcio with reflection, in threads of the test's process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import grpc
import trustme
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.reflection import enable_server_reflection

from gateway.schema.folders import Folder
from gateway.schema.load import Sources, load
from gateway.schema.registry import Registry

BOOK = "shelves/history/books/rome"
LIBRARY, GREETER, NOTEBOOK = "library.v1.Library", "library.v1.Greeter", "library.v1.Notebook"


@cache
def registry() -> Registry:
    """The proto's descriptors."""
    folder = Folder(Path(__file__).parent)
    return asyncio.run(load(Sources(folders=[folder]))).registry


def make(type_name: str, **fields: Any) -> Any:
    return GetMessageClass(registry().message(f"library.v1.{type_name}"))(**fields)


class Implementation:
    """The RPCs of both services; `called` has the names of those that were called."""

    def __init__(self) -> None:
        self.called: list[str] = []
        self.ended = threading.Event()

    def ListShelves(self, request: Any, context: grpc.ServicerContext) -> Any:
        book = make("Book", name=BOOK, title="SPQR")
        shelf = make("Shelf", name="shelves/history", books=[book])
        return make("ListShelvesResponse", shelves=[shelf])

    def GetBook(self, request: Any, context: grpc.ServicerContext) -> Any:
        if request.name != BOOK:
            context.abort(grpc.StatusCode.NOT_FOUND, f"no book {request.name}")
        return make("Book", name=BOOK, title="SPQR")

    def CreateBook(self, request: Any, context: grpc.ServicerContext) -> Any:
        book = request.book
        if request.parent != "shelves/history" or book.name or book.HasField("create_time"):
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(request))
        if not (book.title and book.binding and book.authors and book.HasField("published")):
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(request))
        return book

    def DeleteBook(self, request: Any, context: grpc.ServicerContext) -> Any:
        raise AssertionError("nobody asked for this")

    def WatchLoans(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        yield make("Loan", book=BOOK)
        self.ended.wait()

    def ExportLoans(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        yield make("Loan", book=BOOK)

    def SayHello(self, request: Any, context: grpc.ServicerContext) -> Any:
        return make("HelloReply", message=f"Hello {request.name}")

    def SayHelloOften(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        for _ in range(2):
            yield make("HelloReply", message=f"Hello {request.name}")

    def Collect(self, requests: Iterator[Any], context: grpc.ServicerContext) -> Any:
        return make("HelloReply", message=" ".join(request.name for request in requests))

    def ListNotes(self, request: Any, context: grpc.ServicerContext) -> Any:
        if request.ListFields():
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(request))
        return make("ListNotesResponse", notes=[make("Note", id="n7", text="fine")])

    def GetNote(self, request: Any, context: grpc.ServicerContext) -> Any:
        if request.id != "n7":
            context.abort(grpc.StatusCode.NOT_FOUND, f"no note {request.id}")
        return make("Note", id="n7", text="fine")

    def CountNotes(self, request: Any, context: grpc.ServicerContext) -> Any:
        raise AssertionError("nobody asked for this")

    def CreateNote(self, request: Any, context: grpc.ServicerContext) -> Any:
        return request

    def WatchNotes(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        yield make("Note", id="n7", text="fine")


@contextmanager
def serving(service: str, *, tls: bool = False) -> Iterator[tuple[str, Implementation]]:
    """Serves one of the services; gives its address."""
    with ThreadPoolExecutor(8) as threads:
        server = grpc.server(threads)
        implementation = Implementation()
        server.add_generic_rpc_handlers([_handlers(service, implementation)])
        enable_server_reflection([service], server, registry().pool)
        if tls:
            port = server.add_secure_port("127.0.0.1:0", _credentials())
        else:
            port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield f"127.0.0.1:{port}", implementation
        finally:
            implementation.ended.set()
            server.stop(None).wait()


def _credentials() -> grpc.ServerCredentials:
    """A certificate of an authority that nobody knows."""
    certificate = trustme.CA().issue_cert("127.0.0.1")
    chain = b"".join(each.bytes() for each in certificate.cert_chain_pems)
    return grpc.ssl_server_credentials([(certificate.private_key_pem.bytes(), chain)])


def _handlers(service: str, implementation: Implementation) -> grpc.GenericRpcHandler:
    forms = {
        (False, False): grpc.unary_unary_rpc_method_handler,
        (False, True): grpc.unary_stream_rpc_method_handler,
        (True, False): grpc.stream_unary_rpc_method_handler,
    }
    handlers = {}
    for method in registry().pool.FindServiceByName(service).methods:
        handlers[method.name] = forms[method.client_streaming, method.server_streaming](
            _counted(method.name, implementation),
            GetMessageClass(method.input_type).FromString,
            lambda reply: reply.SerializeToString(),
        )
    return grpc.method_handlers_generic_handler(service, handlers)


def _counted(name: str, implementation: Implementation) -> Callable[[Any, Any], Any]:
    serve: Callable[[Any, Any], Any] = getattr(implementation, name)

    def counted(request: Any, context: grpc.ServicerContext) -> Any:
        implementation.called.append(name)
        return serve(request, context)

    return counted
