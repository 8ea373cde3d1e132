"""What is made compiles, as strictly as TypeScript can, whatever the protos."""

from dataclasses import replace

import pytest

from gateway.typescript import HEADER, files
from tests.fronts.graphql.graphs import of_texts, shop_registry, torture_registry
from tests.typescript.compiling import complaints, needs_typescript
from tests.typescript.graph import EVERYTHING, graph
from tests.typescript.made import api, without_connection

NASTY = {
    "nasty.proto": """
        syntax = "proto3";
        import "google/api/annotations.proto"; import "google/api/httpbody.proto";
        import "a/b.proto"; import "google/protobuf/struct.proto";
        service constructor {
          rpc constructor(class) returns (Promise);
          rpc then(class) returns (class);
          rpc Both(stream class) returns (stream class);
          rpc Get(class) returns (a.b.Promise) {
            option (google.api.http) = {
              get: "/v1/{yield.default}/*/{rest=x/**}"
              response_body: "many"
              additional_bindings {custom {kind: "*" path: "/any"}}
              additional_bindings {post: "/v1/{rest}:get" body: "one"}
              additional_bindings {post: "/w1/{rest}:get" body: "*"}
            };
          }
          rpc Raw(google.api.HttpBody) returns (google.api.HttpBody);
        }
        service Connection { rpc Do(Inherited) returns (Inherited); }
        service Then { rpc Do(Inherited) returns (Inherited); }
        service __proto__ { rpc __proto__(Inherited) returns (Inherited); }
        message Inherited {
          string constructor = 1; int32 to_string = 2; string name = 3;
          oneof o { string valueOf = 4; string other = 5; }
        }
        // A comment with */ in it, and `${x}`.
        message class {
          .class yield = 1; string default = 2; string rest = 3; repeated .class one = 4;
          map<string, google.protobuf.Value> __proto__ = 5;
          oneof o { .class left = 6; .class right = 7; google.protobuf.NullValue nothing = 8; }
          message class { .class class = 1; enum class2 { option allow_alias = true; A = 0; B = 0; } class2 e = 2; }
          .class.class inner = 9; a.b.Promise other = 10; double number = 11;
          string odd = 12 [json_name = "@odd \\"name"];
        }
        message Promise {}
    """,
    "a/b.proto": """
        syntax = "proto2"; package a.b;
        message Promise {
          required string must = 1; repeated group Many = 2 { optional Promise inner = 1; }
          extensions 100 to 200;
        }
        service constructor { rpc Do(Promise) returns (Promise); }
    """,
}

# Literals that leave out what every object has.
LITERALS = """
import type { Inherited } from "./nasty/types/no-package.js";
import type { ChangeVariables } from "./nasty/graphql.js";
export const nothing: Inherited = {};
export const one: Inherited = { name: "a", other: "b" };
export const all: Inherited = { constructor: "a", toString: 1, valueOf: "b" };
export const change: ChangeVariables = { t: { name: "a" } };
export const given: string = typeof one.constructor === "string" ? one.constructor : "";
// @ts-expect-error It is a text.
export const wrong: Inherited = { constructor: 1 };
"""


def write(folder, made):
    for path, text in made.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


@needs_typescript
def test_all_of_it_compiles(tmp_path):
    """In one go: a compiler takes seconds to start."""
    other = {"emit_defaults": True, "enums_as_numbers": True, "proto_names": True}
    nasty = replace(api(of_texts(NASTY)), graph=graph(EVERYTHING))
    write(tmp_path / "nasty", files(nasty))
    write(tmp_path, {"literals.ts": LITERALS})
    write(tmp_path / "other", files(without_connection(api(of_texts(NASTY), **other))))
    write(tmp_path / "torture", files(without_connection(api(torture_registry()))))
    write(tmp_path / "shop", files(without_connection(api(shop_registry(), **other))))
    assert complaints(tmp_path, resolution="bundler", emit=False) == ""


def test_each_file_says_that_it_is_made():
    made = files(api(of_texts(NASTY)))
    assert all(text.startswith(HEADER) for text in made.values())
    assert all(text.endswith("\n") and not text.endswith("\n\n") for text in made.values())


@pytest.mark.parametrize("front", ["rest", "socket"])
def test_the_runtime_of_a_front_that_is_off_is_left_out(front):
    given = api(of_texts(NASTY))
    made = files(given)
    assert {f"{front}.ts", f"runtime/{front}.ts"} <= made.keys()
    if front == "socket":
        left = files(without_connection(given)).keys()
        assert not {"socket.ts", "runtime/socket.ts", "runtime/connection.ts"} & left
