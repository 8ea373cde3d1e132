"""Loading a schema from folders of protos: what is found, and every error at once."""

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from gateway.schema.cache import Cache
from gateway.schema.folders import Folder
from gateway.schema.load import Sources, load
from gateway.schema.method import HttpRule, Idempotency, Kind
from gateway.schema.problem import SchemaError

UNCACHED = Cache(None)
EXAMPLE = Path(__file__).parents[2] / "protos"

GREETER = """\
syntax = "proto3";
package greet.v1;

import "google/api/annotations.proto";
import "google/protobuf/timestamp.proto";

// Greets.
service Greeter {
  // Says hello.
  //
  //   - politely
  rpc Hello(Name) returns (Greeting) {
    option idempotency_level = NO_SIDE_EFFECTS;
    option deprecated = true;
    option (google.api.http) = {
      get: "/v1/hello/{name}"
      additional_bindings { post: "/v1/hello" body: "*" response_body: "text" }
      additional_bindings { custom { kind: "HEAD" path: "/v1/hello" } }
    };
  }
  rpc Chat(stream Name) returns (stream Greeting);
  rpc Listen(Name) returns (stream Greeting) {
    option (google.api.http).get = "/v1/listen";
  }
  rpc Tell(stream Name) returns (Greeting);
}
message Name { string name = 1; }
message Greeting { string text = 1; google.protobuf.Timestamp at = 2; }
"""


def message(name: str, package: str = "p", *imports: str) -> str:
    lines = [f'import "{each}";' for each in imports]
    return "\n".join(
        ['syntax = "proto3";', f"package {package};", *lines, f"message {name} {{}}", ""]
    )


async def folder(*paths: Path, cache: Cache = UNCACHED, **more):
    return await load(Sources(folders=[Folder(path) for path in paths], **more), cache=cache)


async def problems(*paths: Path | Folder, **more) -> list[str]:
    folders = [path if isinstance(path, Folder) else Folder(path) for path in paths]
    with pytest.raises(SchemaError) as caught:
        await load(Sources(folders=folders, **more), cache=UNCACHED)
    assert str(caught.value) == "\n".join(map(str, caught.value.problems))
    return [str(problem) for problem in caught.value.problems]


async def test_a_method_is_described(write):
    loaded = await folder(write({"greet/v1/greet.proto": GREETER}))
    hello, chat, listen, tell = loaded.methods["greet.v1.Greeter"]
    assert hello.name == "greet.v1.Greeter/Hello"
    assert (hello.input, hello.output) == ("greet.v1.Name", "greet.v1.Greeting")
    assert hello.comment == "Says hello.\n\n  - politely"
    assert hello.source == "greet/v1/greet.proto:12"
    assert hello.deprecated
    assert hello.idempotency is Idempotency.NO_SIDE_EFFECTS
    assert [each.kind for each in (hello, chat, listen, tell)] == [
        Kind.UNARY,
        Kind.BIDIRECTIONAL,
        Kind.SERVER_STREAMING,
        Kind.CLIENT_STREAMING,
    ]
    assert (chat.comment, chat.deprecated, chat.idempotency) == ("", False, Idempotency.UNKNOWN)


async def test_rules_are_flat_and_know_their_line(write):
    root = write({"greet/v1/greet.proto": GREETER})
    loaded = await folder(root)
    hello, chat, listen, _ = loaded.methods["greet.v1.Greeter"]
    at = f"{root}/greet/v1/greet.proto:15"
    assert hello.rules == (
        HttpRule("GET", "/v1/hello/{name}", source=at),
        HttpRule("POST", "/v1/hello", "*", "text", at),
        HttpRule("HEAD", "/v1/hello", source=at),
    )
    assert chat.rules == ()
    assert listen.rules == (HttpRule("GET", "/v1/listen", source=at.replace(":15", ":23")),)


async def test_the_example_api(tmp_path):
    loaded = await load(Sources(folders=[Folder(EXAMPLE)]), cache=Cache(tmp_path))
    methods = {method.name: method for each in loaded.methods.values() for method in each}
    assert methods["shop.catalog.v1.CatalogService/GetProduct"].rules[0].template == (
        "/v1/products/{id}"
    )
    assert all(method.comment and method.line for method in methods.values())
    assert loaded.registry.message("shop.catalog.v1.Product").file.name.startswith("shop/catalog/")


async def test_every_registry_knows_the_details_of_errors_and_http_body(write):
    loaded = await folder(write({"a.proto": message("A")}))
    for name in ("google.rpc.BadRequest", "google.api.HttpBody", "google.protobuf.Any"):
        assert loaded.registry.message(name).full_name == name
    with pytest.raises(KeyError):
        loaded.registry.message("google.rpc.Nothing")


@pytest.mark.parametrize(
    "name",
    [
        "google/api/annotations.proto",
        "google/api/field_behavior.proto",
        "google/longrunning/operations.proto",
        "google/protobuf/struct.proto",
        "google/rpc/error_details.proto",
        "google/type/money.proto",
    ],
)
async def test_googles_common_protos_are_found_by_themselves(write, name):
    loaded = await folder(write({"a.proto": message("A", "p", name)}))
    assert name in loaded.registry.file_bytes


async def test_the_users_copy_of_a_common_proto_wins(write):
    own = 'syntax = "proto3"; package google.type; message Money { string mine = 7; }'
    path = write(
        {
            "google/type/money.proto": own,
            "a.proto": 'syntax = "proto3"; import "google/type/money.proto"; '
            "message A { google.type.Money m = 1; }",
        }
    )
    loaded = await folder(path)
    assert [field.name for field in loaded.registry.message("google.type.Money").fields] == ["mine"]


async def test_a_trimmed_copy_of_the_annotations_is_enough(write):
    path = write(
        {
            "google/api/annotations.proto": """\
syntax = "proto3";
package google.api;
import "google/protobuf/descriptor.proto";
message HttpRule { string get = 2; }
extend google.protobuf.MethodOptions { HttpRule http = 72295728; }
""",
            "greet.proto": """\
syntax = "proto3";
import "google/api/annotations.proto";
service S { rpc M(N) returns (N) { option (google.api.http).get = "/v1/n"; } }
message N {}
""",
        }
    )
    loaded = await folder(path)
    assert [rule.template for rule in loaded.methods["S"][0].rules] == ["/v1/n"]


async def test_all_broken_files_are_named_with_line_and_column(write):
    path = write(
        {
            "good.proto": message("Good"),
            "syntax.proto": 'syntax = "proto3";\nmessage {}\n',
            "type.proto": 'syntax = "proto3";\nmessage A {\n  Nowhere n = 1;\n  int32 m = 1;\n}\n',
            "needs_broken.proto": message("B", "p", "syntax.proto"),
            "needs_that.proto": message("C", "p", "needs_broken.proto"),
        }
    )
    found = await problems(path)
    assert [problem.removeprefix(f"{path}/") for problem in found] == [
        "syntax.proto:2:9: Expected message name.",
        'type.proto:3:3: "Nowhere" is not defined.',
        (
            'type.proto:4:13: Field number 1 has already been used in "A" by field "n". '
            "Next available field number is 2."
        ),
    ]


async def test_the_options_of_protovalidate_need_no_copy(write):
    loaded = await folder(write({"a.proto": message("A", "p", "buf/validate/validate.proto")}))
    rules = loaded.registry.pool.FindExtensionByName("buf.validate.field")
    assert (rules.number, rules.message_type.full_name) == (1159, "buf.validate.FieldRules")


async def test_a_copy_of_them_in_a_folder_counts_more(write):
    own = """syntax = "proto2"; package buf.validate; import "google/protobuf/descriptor.proto";
        message FieldRules { optional string own = 1; }
        extend google.protobuf.FieldOptions { optional FieldRules field = 1159; }"""
    ruled = message("A", "p", "buf/validate/validate.proto")
    loaded = await folder(write({"a.proto": ruled, "buf/validate/validate.proto": own}))
    rules = loaded.registry.message("buf.validate.FieldRules")
    assert [field.name for field in rules.fields] == ["own"]


async def test_a_missing_import_says_where_was_looked(write):
    path = write({"a.proto": message("A", "p", "no/such.proto")})
    assert await problems(path) == [
        (
            f'{path}/a.proto:3:1: imports "no/such.proto", which was not found '
            f"(looked in {path}, and among the bundled google protos)"
        )
    ]


async def test_a_folder_below_its_include_root_is_told_so(write):
    path = write({"shop/a.proto": message("A", "p", "shop/b.proto"), "shop/b.proto": message("B")})
    (problem,) = await problems(path / "shop")
    assert problem.endswith(f"(it lies in {path}: list that folder instead)")


async def test_a_stray_include_root_is_one_problem_and_can_be_excluded(write):
    path = write(
        {
            "vendor/google/type/money.proto": message("Money", "google.type"),
            "vendor/google/type/date.proto": message("Date", "google.type"),
            "a.proto": message("A", "p", "google/type/money.proto", "vendor/google/type/date.proto")
            + 'import "google/type/date.proto"; import "vendor/google/type/money.proto";',
        }
    )
    (problem,) = await problems(path)
    assert problem.startswith(f"{path}/vendor: looks like an include root of its own: ")
    assert f'exclude "vendor/*" from {path}' in problem
    write({"a.proto": message("A", "p", "google/type/money.proto")})
    loaded = await load(
        Sources(folders=[Folder(path, ("vendor/*",)), Folder(path / "vendor")]), cache=UNCACHED
    )
    assert not loaded.registry.message("google.type.Money").fields, "the one of vendor"


async def test_an_excluded_file_cannot_be_imported(write):
    path = write({"a.proto": message("A", "p", "old/b.proto"), "old/b.proto": message("B")})
    (problem,) = await problems(Folder(path, ("old/*",)))
    assert 'imports "old/b.proto", which was not found' in problem


@pytest.mark.parametrize(
    ("inner", "names"),
    [("protos/shop", "a.proto here and shop/a.proto"), ("protos", "shop/a.proto")],
)
async def test_overlapping_folders_are_one_problem(write, tmp_path, inner, names):
    path = write({f"shop/{name}.proto": message(name, "p") for name in "abc"})
    (problem,) = await problems(path, tmp_path / inner)
    assert problem.startswith(f"{tmp_path / inner}: 3 of its")
    assert "can be reached by two ways" in problem
    assert names in problem


async def test_a_link_to_the_same_file_is_a_problem(write):
    path = write({"a.proto": message("A")})
    (path / "b.proto").symlink_to(path / "a.proto")
    (problem,) = await problems(path)
    assert "one of its own files can be reached by two ways" in problem


async def test_links_are_followed_once_and_hidden_folders_are_not_seen(write, tmp_path):
    """Kubernetes mounts a ConfigMap as links into a hidden folder."""
    path = write({"..2026/a.proto": message("A"), ".git/broken.proto": "?"})
    (path / "..data").symlink_to("..2026")
    (path / "a.proto").symlink_to("..data/a.proto")
    (path / "loop").symlink_to(path)
    write({"b.proto": message("B")}, "elsewhere")
    (path / "more").symlink_to(tmp_path / "elsewhere")
    loaded = await folder(path)
    names = {name for name in loaded.registry.file_bytes if not name.startswith("google/")}
    assert names == {"a.proto", "more/b.proto"}


async def test_one_import_name_in_two_folders(write):
    one = write({"a.proto": message("A"), "same.proto": message("Same")}, "one")
    two = write({"a.proto": message("B"), "same.proto": message("Same")}, "two")
    assert await problems(one, two) == [
        (
            f"{two}/a.proto: differs from {one}/a.proto, and both are imported as a.proto "
            "(remove one of them, or exclude it)"
        )
    ]
    (two / "a.proto").unlink()
    loaded = await folder(one, two)
    assert "same.proto" in loaded.registry.file_bytes, "the same content is fine"


async def test_folders_that_are_none_are_all_named(tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    file = tmp_path / "a.proto"
    file.write_text(message("A"))
    assert await problems(tmp_path / "gone", file, empty) == [
        f"{file}: is not a folder (give {tmp_path} instead)",
        f"{empty}: holds no .proto file",
        f"{tmp_path}/gone: there is no such folder",
    ]


async def test_names_that_tempt_a_command_line(tmp_path, write):
    names = ["-I.proto", "@a.proto", "a b=c.proto", "ü:1:2.proto"]
    files = {name: message(f"M{number}") for number, name in enumerate(names)}
    files["importer.proto"] = message("Importer", "p", *names)
    loaded = await folder(write(files, "a=b:c d"))
    assert set(files) <= set(loaded.registry.file_bytes)


async def test_a_name_that_no_proto_can_import(write):
    (problem,) = await problems(write({"a\nb.proto": message("A")}))
    assert problem.endswith("a\\nb.proto': has a name that no proto can import")


async def test_modules_beside_the_protos_do_not_run(write):
    path = write(
        {"a.proto": message("A"), "grpc_tools/protoc.py": "raise SystemExit('ran the wrong one')"}
    )
    assert "a.proto" in (await folder(path)).registry.file_bytes


async def test_cancelling_ends_the_compiler(write, monkeypatch):
    started = asyncio.Event()
    children = []
    real = asyncio.create_subprocess_exec

    async def spawn(*args, **kwargs):
        child = await real(*args, **kwargs)
        children.append(child)
        started.set()
        return child

    monkeypatch.setattr(asyncio, "create_subprocess_exec", spawn)
    task = asyncio.create_task(folder(write({"a.proto": message("A")})))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [child.returncode for child in children] == [-9]


async def test_cancelling_at_any_moment_leaves_nothing_behind(write, tmp_path, monkeypatch):
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    path = write({f"a{n}.proto": message(f"A{n}") for n in range(50)})
    for turns in range(12):
        task = asyncio.create_task(folder(path))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    links = asyncio.Event()
    loop = asyncio.get_running_loop()
    real = Path.symlink_to

    def linked(self, target):
        real(self, target)
        loop.call_soon_threadsafe(links.set)

    monkeypatch.setattr(Path, "symlink_to", linked)
    task = asyncio.create_task(folder(path))
    await links.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert list(temporary.iterdir()) == []


async def test_expose_chooses_services_and_never_health_or_reflection(write):
    service = 'syntax = "proto3"; package {}; message M {{}} service S {{ rpc R(M) returns (M); }}'
    packages = ["shop.v1", "blog.v1", "grpc.health.v1", "grpc.reflection.v1alpha"]
    path = write({f"{name}.proto": service.format(name) for name in packages})
    assert list((await folder(path)).methods) == ["blog.v1.S", "shop.v1.S"]
    assert list((await folder(path, expose=["shop.*", "*.v1.S"])).methods) == [
        "blog.v1.S",
        "shop.v1.S",
    ]
    assert list((await folder(path, expose=["shop.*"])).methods) == ["shop.v1.S"]
    assert await problems(path, expose=["shop.v2.S", "blog.*"]) == [
        "schema.expose: no service matches shop.v2.S (did you mean shop.v1.S?)"
    ]
    assert "grpc.health.v1.S" in (await folder(path)).registry.services()


async def test_mistakes_of_rules_annotations_and_expose_come_together(write):
    path = write(
        {
            "a.proto": """\
syntax = "proto3";
import "google/api/annotations.proto";
message M {}
service S {
  rpc Nested(M) returns (M) {
    option (google.api.http) = {
      get: "/a" additional_bindings { get: "/b" additional_bindings { get: "/c" } }
    };
  }
  rpc NoPattern(M) returns (M) { option (google.api.http).body = "*"; }
}
"""
        }
    )
    found = await problems(
        path, expose=["S", "T"], http_rules=[{"selector": "S.Nestd", "get": "/"}]
    )
    assert found == [
        (
            f"{path}/a.proto:6: S.Nested: additional_bindings[0] has additional_bindings itself; "
            "they may be one level deep only"
        ),
        (
            f"{path}/a.proto:10: S.NoPattern: an HTTP rule has no HTTP method; expected one of get, "
            "put, post, delete, patch, custom"
        ),
        "schema.expose: no service matches T",
        "schema.http_rules[0] (S.Nestd): there is no method S.Nestd (did you mean S.Nested?)",
    ]


async def test_progress_is_told(write):
    told = []
    path = write({"a.proto": message("A"), "b.proto": message("B")})
    await load(Sources(folders=[Folder(path)]), cache=UNCACHED, progress=told.append)
    assert [(step.text, step.done, step.total) for step in told[:3]] == [
        ("reading protos", 0, 0),
        ("compiling protos", 0, 2),
        ("compiling protos", 2, 2),
    ]


async def test_hundreds_of_files_load_and_the_second_time_without_the_compiler(
    write, cache, monkeypatch
):
    files = {
        f"big/p{n}/f{n}.proto": f"""\
syntax = "proto3";
package big.p{n};
import "google/api/annotations.proto";
{f'import "big/p{n - 1}/f{n - 1}.proto";' if n else ""}
// Service {n}.
service S {{
  // Gets {n}.
  rpc Get(M) returns (M) {{ option (google.api.http).get = "/v{n}/{{id}}"; }}
}}
message M {{ string id = 1; {f"big.p{n - 1}.M other = 2;" if n else ""} }}
"""
        for n in range(300)
    }
    path = write(files)
    monkeypatch.setattr("gateway.schema.compiling.BATCH_BYTES", 16 << 10)  # several batches
    first = await folder(path, cache=cache)

    async def never(*args, **kwargs):
        raise AssertionError("compiled again")

    monkeypatch.setattr(asyncio, "create_subprocess_exec", never)
    second = await folder(path, cache=cache)
    assert first.methods == second.methods
    assert len(second.methods) == 300
    assert second.methods["big.p7.S"][0].comment == "Gets 7."
    assert dict(first.registry.file_bytes) == dict(second.registry.file_bytes)


async def test_a_break_is_told_once_however_many_batches_meet_it(write, monkeypatch):
    monkeypatch.setattr("gateway.schema.compiling.BATCH_BYTES", 1)
    files = {f"b{n}.proto": message(f"B{n}", "p", "a.proto") for n in range(3)}
    path = write(files | {"a.proto": 'syntax = "proto3";\nmessage A { No n = 1; }'})
    assert await problems(path) == [f'{path}/a.proto:2:13: "No" is not defined.']


async def test_protos_changed_while_they_are_compiled_are_compiled_again(write, monkeypatch):
    path = write({"a.proto": message("Old")})
    real = asyncio.create_subprocess_exec
    runs = []

    async def change_first(*args, **kwargs):
        if not runs:
            write({"a.proto": message("New")})
        runs.append(args)
        return await real(*args, **kwargs)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", change_first)
    assert (await folder(path)).registry.message("p.New")
    assert len(runs) == 2


async def test_a_pipe_in_the_place_of_a_proto_is_named_and_not_waited_for(write):
    path = write({"a.proto": message("A")})
    os.mkfifo(path / "b.proto")
    assert await problems(path) == [f"{path}/b.proto: can't be read: it is not a regular file"]


async def test_an_unreadable_proto_is_named(write, monkeypatch):
    path = write({"a.proto": message("A"), "b.proto": message("B")})
    (path / "b.proto").unlink()
    (path / "b.proto").symlink_to(path / "gone.proto")
    assert await problems(path) == [f"{path}/b.proto: can't be read: No such file or directory"]
    shutil.rmtree(path)
