"""Reflection, against real servers: the reference servicer, and ones with the habits of others."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable

import grpc
import pytest
from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha.reflection import aio as reflection
from grpc_reflection.v1alpha.reflection_pb2 import (
    ServerReflectionRequest,
    ServerReflectionResponse,
)

from gateway.schema.cache import Cache
from gateway.schema.load import Loaded, Sources, load
from gateway.schema.problem import SchemaError
from gateway.schema.reflected import Bounds, ReflectionTarget
from gateway.schema.reflection import from_reflection

V1 = "grpc.reflection.v1.ServerReflection"
V1ALPHA = "grpc.reflection.v1alpha.ServerReflection"


def proto(name: str, service: str = "", imports=(), type_: str = "") -> FileDescriptorProto:
    made = FileDescriptorProto(name=name, package="p", syntax="proto3", dependency=imports)
    if type_:
        made.message_type.append(DescriptorProto(name=type_))
    if service:
        method = made.service.add(name=service).method.add(name="Get")
        method.input_type = method.output_type = ".p.M"
    return made


TYPES = proto("types.proto", type_="M")
SHOP = proto("shop.proto", "Shop", ["types.proto", "google/api/annotations.proto"])
BLOG = proto("blog.proto", "Blog", ["types.proto"])
FILES = {file.name: file for file in (TYPES, SHOP, BLOG)}
Answer = Callable[[ServerReflectionRequest], ServerReflectionResponse]


def reference(*services: str) -> reflection.ReflectionServicer:
    """grpcio's own servicer: it sends each file with all that it imports."""
    pool = DescriptorPool()
    for name in ("google.protobuf.descriptor_pb2", "google.api.http_pb2"):
        module = __import__(name, fromlist=["DESCRIPTOR"])
        pool.AddSerializedFile(module.DESCRIPTOR.serialized_pb)
    from google.api import annotations_pb2

    pool.AddSerializedFile(annotations_pb2.DESCRIPTOR.serialized_pb)
    for file in FILES.values():
        pool.AddSerializedFile(file.SerializeToString())
    return reflection.ReflectionServicer(services, pool=pool)


def one_file_at_a_time(services=("p.Shop", "p.Blog"), files=FILES, lies=None) -> Answer:
    """A servicer as Go's is: one file an answer; `lies` are the answers it gives by question."""

    def answer(question: ServerReflectionRequest) -> ServerReflectionResponse:
        reply = ServerReflectionResponse()
        wanted = question.file_by_filename
        for file in files.values():
            if question.file_containing_symbol in [f"p.{each.name}" for each in file.service]:
                wanted = file.name
        if lies and wanted in lies:
            reply.file_descriptor_response.file_descriptor_proto.extend(lies[wanted])
        elif question.list_services:
            for name in services:
                reply.list_services_response.service.add(name=name)
        elif wanted in files:
            data = files[wanted].SerializeToString()
            reply.file_descriptor_response.file_descriptor_proto.append(data)
        else:
            reply.error_response.error_code = 5
            reply.error_response.error_message = "never heard of it"
        return reply

    return answer


@pytest.fixture
async def serve():
    """Starts servers; returns their addresses."""
    servers = []

    async def start(handler, *names: str, port: int = 0) -> str:
        if not hasattr(handler, "ServerReflectionInfo"):
            answer = handler

            async def info(
                questions: AsyncIterator[ServerReflectionRequest], context
            ) -> AsyncIterator[ServerReflectionResponse]:
                async for question in questions:
                    yield answer(question)

        else:
            info = handler.ServerReflectionInfo
        rpc = grpc.stream_stream_rpc_method_handler(
            info, ServerReflectionRequest.FromString, ServerReflectionResponse.SerializeToString
        )
        server = grpc.aio.server()
        for name in names or (V1,):
            server.add_generic_rpc_handlers(
                [grpc.method_handlers_generic_handler(name, {"ServerReflectionInfo": rpc})]
            )
        port = server.add_insecure_port(f"127.0.0.1:{port}")
        await server.start()
        servers.append(server)
        return f"127.0.0.1:{port}"

    yield start
    for server in servers:
        await server.stop(None)


async def ask(*targets: ReflectionTarget | str, bounds: Bounds | None = None) -> Loaded:
    asked = [ReflectionTarget("u", each) if isinstance(each, str) else each for each in targets]
    return await load(Sources(reflection=asked), cache=Cache(None), bounds=bounds)


async def problems(*targets: ReflectionTarget | str, bounds: Bounds | None = None) -> list[str]:
    with pytest.raises(SchemaError) as caught:
        await ask(*targets, bounds=bounds)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("names", [(V1,), (V1ALPHA,), (V1, V1ALPHA)], ids=" and ".join)
async def test_v1_and_its_elder_name(serve, names):
    loaded = await ask(await serve(reference("p.Shop", "p.Blog"), *names))
    assert [method.name for each in loaded.methods.values() for method in each] == [
        "p.Blog/Get",
        "p.Shop/Get",
    ]
    assert not loaded.warnings
    assert loaded.registry.origin("shop.proto") == "shop.proto (reflection of upstream 'u')"


async def test_files_one_at_a_time_and_common_ones_that_the_server_has_not(serve):
    loaded = await ask(await serve(one_file_at_a_time()))
    assert set(loaded.methods) == {"p.Shop", "p.Blog"}
    assert "google/api/annotations.proto" in loaded.registry.file_bytes


async def test_only_the_upstreams_own_services_are_taken(serve):
    listed = ["p.Shop", "p.Blog", "grpc.health.v1.Health", V1]
    address = await serve(one_file_at_a_time(listed))
    loaded = await ask(ReflectionTarget("u", address, ("p.Sh*",)))
    assert loaded.registry.services() == ("p.Shop",)
    assert "blog.proto" not in loaded.registry.file_bytes
    everything = await ask(address)
    assert everything.registry.services() == ("p.Blog", "p.Shop")
    assert not everything.warnings


async def test_a_service_that_is_not_there_is_a_warning(serve):
    address = await serve(one_file_at_a_time())
    loaded = await ask(ReflectionTarget("u", address, ("p.Shop", "p.Blok")))
    assert list(map(str, loaded.warnings)) == [
        f"reflection of upstream 'u': {address} has no service p.Blok (did you mean p.Blog?)"
    ]


async def test_a_service_that_cannot_be_described_is_a_warning(serve):
    address = await serve(one_file_at_a_time(["p.Shop", "p.Lost"]))
    loaded = await ask(address)
    assert loaded.registry.services() == ("p.Shop",)
    assert list(map(str, loaded.warnings)) == [
        (
            "reflection of upstream 'u': lists p.Lost but can't describe it: never heard of it "
            "(the service is left out; give its protos)"
        )
    ]


async def test_a_server_that_sends_another_file(serve):
    lies = {"shop.proto": [TYPES.SerializeToString()]}
    loaded = await ask(await serve(one_file_at_a_time(["p.Shop"], lies=lies)))
    (warning,) = loaded.warnings
    assert "can't describe it: it sent other files" in warning.message


async def test_an_import_that_nobody_has(serve):
    files = {"a.proto": proto("a.proto", "A", ["gone.proto"], "M")}
    address = await serve(one_file_at_a_time(["p.A"], files))
    assert await problems(address) == [
        (
            "a.proto (reflection of upstream 'u'): imports gone.proto, which no source has "
            "(add a descriptor set or a folder that holds gone.proto)"
        )
    ]


async def test_two_backends_with_the_same_files_and_two_versions_of_one(serve):
    one = await serve(one_file_at_a_time(["p.Shop"]))
    same = await serve(one_file_at_a_time(["p.Blog"]))
    targets = [ReflectionTarget("one", one), ReflectionTarget("two", same)]
    assert set((await ask(*targets)).methods) == {"p.Shop", "p.Blog"}
    newer = FILES | {"types.proto": proto("types.proto", type_="M")}
    newer["types.proto"].message_type.add(name="N")
    other = await serve(one_file_at_a_time(["p.Blog"], newer))
    (problem,) = await problems(targets[0], ReflectionTarget("two", other))
    assert problem.startswith(
        "types.proto (reflection of upstream 'two'): differs from "
        "types.proto (reflection of upstream 'one')"
    )


async def test_a_server_without_reflection(serve):
    address = await serve(one_file_at_a_time(), "some.other.Service")
    assert await problems(address) == [
        (
            f"reflection of upstream 'u': {address} has no server reflection, neither v1 nor v1alpha "
            "(register it there, or give the protos or a descriptor set)"
        )
    ]


async def test_backends_that_cannot_be_reached_are_all_named():
    with socket.socket() as bound:  # bound and not listening: connections are refused
        bound.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{bound.getsockname()[1]}"
        targets = ReflectionTarget("one", address), ReflectionTarget("two", address)
        found = await problems(*targets, bounds=Bounds(seconds=1))
    assert [problem.split("can't")[0] for problem in found] == [
        f"reflection of upstream '{name}': {address} " for name in ("one", "two")
    ]


async def test_a_backend_that_starts_later_is_waited_for(serve, caplog):
    caplog.set_level("INFO", "gateway.schema")
    waits = asyncio.Event()
    told = []

    def tell(step):
        told.append(step.text)
        waits.set()

    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        target = ReflectionTarget("u", f"127.0.0.1:{port}")
        asking = asyncio.create_task(from_reflection(target, Bounds(seconds=30), tell))
        await waits.wait()
    address = await serve(one_file_at_a_time(), port=port)
    assert (await asking).services == ("p.Blog", "p.Shop")
    assert set(told) == {f"waiting for {address}"}
    assert [record.getMessage() for record in caplog.records] == [
        f"reflection of upstream 'u': waiting 30 s for {address}, which can't be reached"
    ], "once, however often it is tried"


@pytest.mark.parametrize(
    ("code", "tries"),
    [(grpc.StatusCode.UNAVAILABLE, 2), (grpc.StatusCode.PERMISSION_DENIED, 1)],
)
async def test_only_a_backend_that_is_unavailable_is_asked_again(serve, code, tries):
    asked = []

    class Refusing:
        async def ServerReflectionInfo(self, questions, context):
            asked.append(code)
            await context.abort(code, "not now")
            yield ServerReflectionResponse()

    (problem,) = await problems(await serve(Refusing()), bounds=Bounds(seconds=1))
    assert problem.endswith("not now")
    assert min(len(asked), 2) == tries


async def test_a_server_that_never_answers(serve):
    class Silent:
        async def ServerReflectionInfo(self, questions, context):
            await asyncio.Event().wait()
            yield ServerReflectionResponse()

    address = await serve(Silent())
    assert await problems(address, bounds=Bounds(seconds=0.2)) == [
        f"reflection of upstream 'u': {address} did not answer all within 0.2 s"
    ]


async def test_a_server_that_hangs_up(serve):
    class Brief:
        async def ServerReflectionInfo(self, questions, context):
            async for _ in questions:
                return
            yield ServerReflectionResponse()

    address = await serve(Brief())
    (problem,) = await problems(address)
    assert problem.endswith("closed the stream before it had answered all")


async def test_a_server_that_refuses(serve):
    class Locked:
        async def ServerReflectionInfo(self, questions, context):
            await context.abort(grpc.StatusCode.PERMISSION_DENIED, "not you")
            yield ServerReflectionResponse()

    (problem,) = await problems(await serve(Locked()))
    assert problem.endswith("answered PERMISSION_DENIED: not you")


async def test_a_server_that_lists_nothing(serve):
    def answer(_: ServerReflectionRequest) -> ServerReflectionResponse:
        reply = ServerReflectionResponse()
        reply.error_response.error_message = "no"
        return reply

    (problem,) = await problems(await serve(answer))
    assert problem.endswith("does not list its services: no")


@pytest.mark.parametrize("data", [b"\xff", b"", b"\x0a\x01a\x22\x03\x0a\x7fx"])
async def test_a_server_that_sends_damaged_files(serve, data):
    address = await serve(one_file_at_a_time(["p.Shop"], lies={"shop.proto": [data]}))
    (problem,) = await problems(address)
    assert problem.endswith("sent a file descriptor that is damaged")


@pytest.mark.parametrize("bounds", [Bounds(files=2), Bounds(size=150)])
async def test_a_server_that_sends_too_much(serve, bounds):
    address = await serve(one_file_at_a_time())
    (problem,) = await problems(address, bounds=bounds)
    assert "sent more than" in problem


async def test_an_answer_that_is_too_large(serve):
    lies = {"shop.proto": [b"\x0a\x01a" * 1000]}
    address = await serve(one_file_at_a_time(["p.Shop"], lies=lies))
    (problem,) = await problems(address, bounds=Bounds(size=2000))
    assert "RESOURCE_EXHAUSTED" in problem


async def test_cancelling_ends_the_question(serve):
    asked = asyncio.Event()
    ended = asyncio.Event()

    class Slow:
        async def ServerReflectionInfo(self, questions, context):
            asked.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()
            yield ServerReflectionResponse()

    task = asyncio.create_task(ask(await serve(Slow())))
    await asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await ended.wait()
