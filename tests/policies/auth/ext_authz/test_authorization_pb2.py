"""The protocol is what the compiler makes of the proto, Envoy's in its numbers, and nobody else's."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from google.protobuf import descriptor_pool
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from grpc_tools import protoc

from gateway.policies.auth.ext_authz import authorization_pb2 as pb

FOLDER = Path(pb.__file__).parent


def compile_proto(*options):
    includes = [f"-I{FOLDER}", f"-I{Path(protoc.__file__).parent / '_proto'}"]
    assert not protoc.main(["protoc", *includes, *options, "authorization.proto"])


def without_json_names(messages):
    for message in messages:
        for field in message.field:
            field.ClearField("json_name")  # the compiler's plug-ins are not given it
        without_json_names(message.nested_type)


def test_the_python_side_is_what_the_compiler_makes_of_the_proto(tmp_path):
    compile_proto(f"--descriptor_set_out={tmp_path / 'a.pb'}")
    (file,) = FileDescriptorSet.FromString((tmp_path / "a.pb").read_bytes()).file
    without_json_names(file.message_type)
    assert pb.DESCRIPTOR.serialized_pb == file.SerializeToString()


def test_the_types_are_what_the_compiler_makes_of_the_proto(tmp_path):
    compile_proto(f"--pyi_out={tmp_path}")
    made = (tmp_path / "authorization_pb2.pyi").read_text()
    kept = (FOLDER / "authorization_pb2.pyi").read_text()
    assert ast.dump(ast.parse(kept)) == ast.dump(ast.parse(made))


def test_users_may_have_envoys_own_protos_loaded():
    with pytest.raises(KeyError):
        descriptor_pool.Default().FindMessageTypeByName("envoy.service.auth.v3.CheckRequest")


# envoyproxy/envoy, api/envoy/service/auth/v3 and api/envoy/config/core/v3.
NUMBERS = {
    "CheckRequest": {"attributes": 1},
    "AttributeContext": {"source": 1, "request": 4, "context_extensions": 10},
    "AttributeContext.Peer": {"address": 1, "principal": 4},
    "AttributeContext.Request": {"time": 1, "http": 2},
    "AttributeContext.HttpRequest": {
        "id": 1, "method": 2, "headers": 3, "path": 4, "host": 5, "scheme": 6, "size": 9,
        "protocol": 10,
    },
    "Address": {"socket_address": 1, "pipe": 2},
    "SocketAddress": {"address": 2, "port_value": 3},
    "CheckResponse": {
        "status": 1, "denied_response": 2, "ok_response": 3, "dynamic_metadata": 4,
        "error_response": 5,
    },
    "Status": {"code": 1},
    "DeniedHttpResponse": {"status": 1, "headers": 2, "body": 3},
    "HttpStatus": {"code": 1},
    "OkHttpResponse": {
        "headers": 2, "dynamic_metadata": 3, "headers_to_remove": 5, "response_headers_to_add": 6,
    },
    "HeaderValueOption": {"header": 1, "append": 2, "append_action": 3},
    "HeaderValue": {"key": 1, "value": 2, "raw_value": 3},
}  # fmt: skip


@pytest.mark.parametrize("name", NUMBERS)
def test_the_numbers_are_envoys(name):
    first, *rest = name.split(".")
    message = pb.DESCRIPTOR.message_types_by_name[first]
    for part in rest:
        message = message.nested_types_by_name[part]
    assert {field.name: field.number for field in message.fields} == NUMBERS[name]
