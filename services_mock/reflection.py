"""Server reflection in both its versions, from one servicer.

grpcio-reflection serves v1alpha only. v1 has the same messages under another package, so the same
servicer answers it; its descriptors are v1alpha's with the package renamed.
"""

from collections.abc import Sequence
from typing import Any

import grpc
from google.protobuf import descriptor_pb2
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2
from grpc_reflection.v1alpha.reflection import aio

ALPHA = "grpc.reflection.v1alpha"
V1 = "grpc.reflection.v1"

# What `--reflection` may say, and the packages that it serves.
VERSIONS = {"both": (V1, ALPHA), "v1": (V1,), "v1alpha": (ALPHA,), "none": ()}


def _file(module: Any) -> descriptor_pb2.FileDescriptorProto:
    return descriptor_pb2.FileDescriptorProto.FromString(module.DESCRIPTOR.serialized_pb)


def _renamed(file: descriptor_pb2.FileDescriptorProto) -> descriptor_pb2.FileDescriptorProto:
    """Moves v1alpha's descriptors to v1's package."""
    file.name = file.name.replace("v1alpha", "v1")
    file.package = V1
    for message in file.message_type:
        for field in message.field:
            if field.type_name:  # set, even to nothing, it would be present
                field.type_name = field.type_name.replace(ALPHA, V1)
    for service in file.service:
        for method in service.method:
            method.input_type = method.input_type.replace(ALPHA, V1)
            method.output_type = method.output_type.replace(ALPHA, V1)
    return file


def handlers(
    version: str, services: Sequence[str], pool: DescriptorPool
) -> list[grpc.GenericRpcHandler]:
    """Makes the reflection services.

    Args:
        version: a key of `VERSIONS`.
        services: the full names to list, besides reflection's own.
        pool: where the services' descriptors are; health's and reflection's are added to it.
    """
    packages = VERSIONS[version]
    for file in (_file(health_pb2), _file(reflection_pb2), _renamed(_file(reflection_pb2))):
        pool.AddSerializedFile(file.SerializeToString())
    listed = [*services, *(f"{package}.ServerReflection" for package in packages)]
    method = grpc.stream_stream_rpc_method_handler(
        aio.ReflectionServicer(listed, pool=pool).ServerReflectionInfo,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    return [
        grpc.method_handlers_generic_handler(
            f"{package}.ServerReflection", {"ServerReflectionInfo": method}
        )
        for package in packages
    ]
