"""What protos say of who may call: read setting by setting, with the line that says it."""

from __future__ import annotations

from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from gateway.schema.cache import Cache
from gateway.schema.folders import Folder
from gateway.schema.load import Sources, load
from gateway.schema.policy_options import declared
from gateway.schema.registry import Registry

GET, PUT = "x.v1.S/Get", "x.v1.S/Put"
HEAD = (
    'syntax = "proto3"; package x.v1; import "gateway/v1/options.proto"; message M {} service S {\n'
)
ORIGIN = "protos/x.proto"


@pytest.fixture
def said(tmp_path, monkeypatch):
    """Compiles a service whose lines begin with the file's second; returns what is declared."""
    monkeypatch.chdir(tmp_path)

    async def said(*lines: str):
        (tmp_path / "protos").mkdir()
        (tmp_path / "protos" / "x.proto").write_text(HEAD + "\n".join([*lines, "}"]))
        sources = Sources(folders=[Folder(Path("protos"))])
        loaded = await load(sources, cache=Cache(tmp_path / "cache"))
        return declared(loaded.registry, loaded.methods)

    return said


def table(found):
    """What is declared, as `{method: {"authorize.scopes": (value, line)}}`."""
    assert found.problems == ()
    return {
        method: {
            ".".join(leaf): (each.value, int(each.where.rpartition(":")[2]))
            for leaf, each in leaves.items()
        }
        for method, leaves in found.methods.items()
    }


BARE = ("rpc Get(M) returns (M);", "rpc Put(M) returns (M);")


async def test_without_options_nothing_is_said(said):
    assert table(await said(*BARE)) == {}


async def test_a_service_speaks_for_its_methods(said):
    found = await said(
        'option (gateway.v1.service) = {authenticate: ["customers", "none"]};',
        *BARE,
    )
    assert table(found) == {
        GET: {"authenticate": (("customers", "none"), 2)},
        PUT: {"authenticate": (("customers", "none"), 2)},
    }


async def test_a_method_counts_more_setting_by_setting(said):
    found = await said(
        "option (gateway.v1.service) = {",
        '  authenticate: "customers"',
        '  authorize: {scopes: "read" roles: "staff" when: "a"}',
        "  timeout: {seconds: 2}",
        "};",
        "rpc Get(M) returns (M);",
        "rpc Put(M) returns (M) { option (gateway.v1.method) = {",
        '  authorize: {scopes: ["write", "read"]}',
        "}; }",
    )
    of_service = {
        "authenticate": (("customers",), 2),
        "authorize.scopes": (("read",), 2),
        "authorize.roles": (("staff",), 2),
        "authorize.when": ("a", 2),
        "timeout": (2.0, 2),
    }
    assert table(found) == {
        GET: of_service,
        PUT: {**of_service, "authorize.scopes": (("write", "read"), 8)},
    }


async def test_each_statement_has_its_line(said):
    found = await said(
        "rpc Get(M) returns (M) {",
        '  option (gateway.v1.method).authenticate = "a";',
        '  option (gateway.v1.method).authenticate = "b";',
        '  option (gateway.v1.method).authorize.when = "c";',
        "  option (gateway.v1.method).timeout = {nanos: 500000000};",
        "}",
    )
    assert table(found) == {
        GET: {
            "authenticate": (("a", "b"), 3),
            "authorize.when": ("c", 5),
            "timeout": (0.5, 6),
        }
    }


async def test_an_empty_condition_takes_back_that_of_the_service(said):
    found = await said(
        'option (gateway.v1.service) = {authorize: {when: "a"}};',
        'rpc Get(M) returns (M) { option (gateway.v1.method).authorize.when = ""; }',
    )
    assert table(found) == {GET: {"authorize.when": ("", 3)}}


async def test_options_of_the_graph_say_nothing_of_callers(said):
    found = await said("rpc Get(M) returns (M) { option (gateway.v1.method).kind = QUERY; }")
    assert table(found) == {}


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("timeout: {}", "timeout: expected a time longer than 0s"),
        ("timeout: {seconds: -1}", "timeout: expected a time longer than 0s"),
        ('authenticate: ""', "authenticate: found an empty text"),
        ('authorize: {scopes: ["a", ""]}', "authorize.scopes: found an empty text"),
    ],
    ids=["no-time", "a-negative-time", "no-provider", "no-scope"],
)
async def test_what_is_wrong_in_itself_is_told_with_its_line(said, option, message):
    found = await said(
        *BARE[:1],
        f"rpc Put(M) returns (M) {{ option (gateway.v1.method) = {{{option}}}; }}",
    )
    assert [str(each) for each in found.problems] == [f"{ORIGIN}:3: {message}"]
    assert found.methods == {}


async def test_where_there_are_no_lines_the_file_is_named(said, tmp_path):
    await said('option (gateway.v1.service) = {authenticate: "a"};', *BARE)
    sources = Sources(folders=[Folder(Path("protos"))])
    whole = (await load(sources, cache=Cache(tmp_path / "cache"))).registry
    stripped = []
    for file in whole.files():
        proto = FileDescriptorProto()
        file.CopyToProto(proto)
        stripped.append(proto)
    found = declared(Registry.build(stripped), ["x.v1.S"])
    assert {each.where for leaves in found.methods.values() for each in leaves.values()} == {
        "x.proto"
    }
