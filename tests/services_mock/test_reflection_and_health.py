"""What a stranger can ask a replica: which services it has, what they are, how they are."""

from __future__ import annotations

import grpc
import grpc.aio
import pytest
from google.protobuf import descriptor_pb2
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2

from services_mock.replica import SERVICES, Options
from services_mock.testing import serve_in_process
from tests.services_mock.failing import fails_with

SHOP = {full_name for full_name, _ in SERVICES.values()}
HEALTH = "grpc.health.v1.Health"
SERVING = health_pb2.HealthCheckResponse.SERVING


def package(version: str) -> str:
    return f"grpc.reflection.{version}"


async def ask(channel, version: str, **request) -> reflection_pb2.ServerReflectionResponse:
    call = channel.stream_stream(
        f"/{package(version)}.ServerReflection/ServerReflectionInfo",
        request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )(iter([reflection_pb2.ServerReflectionRequest(**request)]))
    (answer,) = [answer async for answer in call]
    return answer


async def listed(channel, version: str) -> set[str]:
    answer = await ask(channel, version, list_services="")
    return {service.name for service in answer.list_services_response.service}


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
async def test_both_versions_list_everything(channel, version):
    reflection = {f"{package(each)}.ServerReflection" for each in ("v1", "v1alpha")}
    assert await listed(channel, version) == SHOP | {HEALTH} | reflection


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
async def test_every_listed_service_can_be_described(channel, version):
    for service in await listed(channel, version):
        answer = await ask(channel, version, file_containing_symbol=service)
        pool = DescriptorPool()
        files = [
            descriptor_pb2.FileDescriptorProto.FromString(file)
            for file in answer.file_descriptor_response.file_descriptor_proto
        ]
        waiting = {file.name: file for file in files}
        while waiting:
            ready = [file for file in waiting.values() if not waiting.keys() & set(file.dependency)]
            for file in ready:
                pool.AddSerializedFile(file.SerializeToString())
                del waiting[file.name]
        assert pool.FindServiceByName(service).methods


@pytest.mark.parametrize(("served", "missing"), [("v1", "v1alpha"), ("v1alpha", "v1")])
async def test_one_version_only(served, missing):
    options = Options(reflection=served)
    async with serve_in_process(options) as address, grpc.aio.insecure_channel(address) as channel:
        assert f"{package(missing)}.ServerReflection" not in await listed(channel, served)
        with fails_with(grpc.StatusCode.UNIMPLEMENTED):
            await listed(channel, missing)


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
async def test_no_reflection(version):
    options = Options(reflection="none")
    async with serve_in_process(options) as address, grpc.aio.insecure_channel(address) as channel:
        with fails_with(grpc.StatusCode.UNIMPLEMENTED):
            await listed(channel, version)


async def test_a_subset_of_services_lists_only_these():
    options = Options(services=["users"])
    async with serve_in_process(options) as address, grpc.aio.insecure_channel(address) as channel:
        shop = {name for name in await listed(channel, "v1") if name.startswith("shop.")}
        assert shop == {"shop.users.v1.UserService"}


@pytest.mark.parametrize("service", ["", *sorted(SHOP)])
async def test_health(channel, service):
    health = health_pb2_grpc.HealthStub(channel)
    reply = await health.Check(health_pb2.HealthCheckRequest(service=service))
    assert reply.status == SERVING


async def test_health_of_a_stranger(channel):
    health = health_pb2_grpc.HealthStub(channel)
    with fails_with(grpc.StatusCode.NOT_FOUND):
        await health.Check(health_pb2.HealthCheckRequest(service="shop.Moon"))


async def test_health_is_told_as_the_replica_ends():
    async with serve_in_process() as address:
        channel = grpc.aio.insecure_channel(address)
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        assert (await watch.read()).status == SERVING
    assert (await watch.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
    await channel.close()
